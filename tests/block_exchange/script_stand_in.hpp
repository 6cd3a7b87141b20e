#pragma once
// A script that reads nothing but a file of cases, by the text of docs/exchange.md.

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/blocks/exchange_maps.hpp"

namespace lvsa::analysis::script {

// What a script knows of a case: the arrays of its group.
struct Group {
  explicit Group(const TensorSource& source) : file(source) {}

  std::vector<std::int64_t> integers(const std::string& name) const {
    const auto form = file.form("case0000/" + name);
    if (!form) return {};
    std::vector<std::int64_t> values(static_cast<std::size_t>(form->elements()));
    file.read("case0000/" + name, values.data());
    return values;
  }
  std::vector<double> numbers(const std::string& name) const {
    const auto form = file.form("case0000/" + name);
    std::vector<double> values(static_cast<std::size_t>(form->elements()));
    file.read("case0000/" + name, values.data());
    return values;
  }
  std::int64_t attribute(const char* name) const {
    return file.integer_attribute("case0000", name)->front();
  }

  const TensorSource& file;
};

// [B * H][S][S]: whether a query token attends a key token.
using Pairs = std::vector<std::vector<std::vector<char>>>;

Pairs pairs_of(const Group& group);

struct Filling {
  std::vector<float> out;  // in the layout of the case
  std::vector<float> lse;  // [B, S, H]
};

Filling attend(const Group& group, const Case& c, const Pairs& pairs);

}  // namespace lvsa::analysis::script
