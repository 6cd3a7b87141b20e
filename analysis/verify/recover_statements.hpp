#pragma once
// What is said of a recovered row where it differs from the pattern.

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analysis/verify/recover.hpp"

namespace lvsa::analysis {

enum class StatementVerb { kAttend, kDoNotAttend, kCount, kHave };

/// What is said of some rows; the verb agrees with them later.
struct RowStatement {
  StatementVerb verb = StatementVerb::kAttend;
  std::string object;
  auto operator<=>(const RowStatement&) const = default;
};

/// Statements about one row's mask. `due` holds the frames of the pattern.
class RowStatements {
 public:
  RowStatements(const Case& c, const RowMask& mask, std::vector<std::int32_t> due)
      : c_(c), mask_(mask), due_(std::move(due)) {}

  std::vector<RowStatement> all() {
    if (!mask_.finite)
      return {{StatementVerb::kHave, "outputs that are not finite: nothing else is known"}};
    compare_frames();
    compare_text();
    compare_rest();
    return std::move(said_);
  }

 private:
  void say(std::string object, StatementVerb verb = StatementVerb::kAttend) {
    said_.push_back({verb, std::move(object)});
  }
  std::string suffix() const;
  std::string tokens_of(std::int64_t first, std::int64_t count) const;
  void compare_frames();
  void compare_text();
  void compare_rest();

  const Case& c_;
  const RowMask& mask_;
  std::vector<std::int32_t> due_;
  std::vector<RowStatement> said_;
};

}  // namespace lvsa::analysis
