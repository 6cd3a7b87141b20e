// What ranks make of real tensors under a plan.
#include <fmt/format.h>

#include "analysis/diagnose/parallel_plan.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"
#include "reference/parallel/sequence_world.hpp"

namespace lvsa::analysis {
namespace {

// "0-2, 5": ascending ranges, neighbours joined.
std::string ranges_text(std::vector<reference::TokenRange> ranges) {
  std::erase_if(ranges, [](const auto& range) { return range.begin == range.end; });
  if (ranges.empty()) return "none";
  std::string text;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const std::int64_t begin = ranges[i].begin;
    while (i + 1 < ranges.size() && ranges[i + 1].begin == ranges[i].end) ++i;
    const std::int64_t last = ranges[i].end - 1;
    if (!text.empty()) text += ", ";
    text += last == begin ? fmt::format("{}", begin) : fmt::format("{}-{}", begin, last);
  }
  return text;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += fmt::format("{}{}", text.empty() ? "" : ", ", size);
  return "[" + text + "]";
}

// The input that the plan has for a tensor, or nothing. Of a list, the first.
const PlanInput* rule_for(const PlanValue& plan, const std::string& module,
                          const std::string& key) {
  const auto* modules = std::get_if<std::vector<PlanEntry>>(&plan.value);
  if (modules == nullptr) return nullptr;
  for (const PlanEntry& entry : *modules) {
    const auto* map = std::get_if<std::vector<PlanEntry>>(&entry.value.value);
    if (map == nullptr || entry.key.text != module) continue;
    for (const PlanEntry& inner : *map) {
      if (inner.key.shown() != key) continue;
      const PlanValue* value = &inner.value;
      if (const auto* list = std::get_if<std::vector<PlanValue>>(&value->value)) {
        if (list->empty()) return nullptr;
        value = &list->front();
      }
      return std::get_if<PlanInput>(&value->value);
    }
  }
  return nullptr;
}

class Splitter {
 public:
  Splitter(const PlanDocument& document, const PlanDegrees& degrees)
      : document_(document), degrees_(degrees), world_(degrees.ulysses * degrees.ring) {}

  void split(const PlanInput& input, PlanSplit& result) const {
    const auto dims = static_cast<std::int64_t>(result.shape.size());
    if (input.expected_dims && *input.expected_dims != dims) {
      result.outcome = "unsplit";
      result.message = fmt::format(
          "{} dimensions where {} are expected: passed through whole on every rank, with a warning "
          "alone",
          dims, *input.expected_dims);
      return;
    }
    const std::int64_t dim = input.split_dim < 0 ? input.split_dim + dims : input.split_dim;
    if (dim < 0 || dim >= dims) {
      result.outcome = "refused";
      result.message = fmt::format("split_dim {} of {} dimensions", input.split_dim, dims);
      return;
    }
    const std::int64_t size = result.shape[static_cast<std::size_t>(dim)];
    if (input.partial()) {
      split_partial(input, size, result);
    } else {
      split_whole(input, size, result);
    }
  }

 private:
  void split_partial(const PlanInput& input, std::int64_t size, PlanSplit& result) const {
    std::int64_t text = 0;
    if (const auto* name = std::get_if<std::string>(&*input.text_len_source)) {
      const auto found = document_.text_lengths.find(*name);
      if (found == document_.text_lengths.end()) {
        result.outcome = "refused";
        result.message =
            fmt::format("text_lengths does not say how long '{}' is", printable(*name, 60));
        return;
      }
      text = found->second;
    } else {
      text = std::get<std::int64_t>(*input.text_len_source);
    }
    if (text < 0 || text > size) {
      result.outcome = "refused";
      result.message = fmt::format("text length {} of {} entries", text, size);
      return;
    }
    result.outcome = "partial";
    result.message = uneven(size - text);
    for (std::int64_t r = 0; r < world_; ++r) {
      const auto rest = reference::chunk_of(size - text, world_, r);
      result.ranks.push_back(ranges_text({{0, text}, {text + rest.begin, text + rest.end}}));
    }
  }

  void split_whole(const PlanInput& input, std::int64_t size, PlanSplit& result) const {
    const std::int64_t padded = reference::padded_size(size, world_);
    const bool pads = input.auto_pad && padded != size;
    if (pads && degrees_.ring > 1) {
      result.outcome = "refused";
      result.message = fmt::format(
          "{} entries over {} ranks need padding, which does not work "
          "with ring_degree {}",
          size, world_, degrees_.ring);
      return;
    }
    result.outcome = pads ? "padded" : "split";
    result.message =
        pads ? fmt::format(
                   "{} zero entries behind {}: keys of score 0 unless masked, which "
                   "multiply outputs by {:.6f} where all scores are equal",
                   padded - size, size, static_cast<double>(size) / static_cast<double>(padded))
             : uneven(size);
    for (std::int64_t r = 0; r < world_; ++r) {
      result.ranks.push_back(ranges_text({reference::chunk_of(pads ? padded : size, world_, r)}));
    }
  }

  std::string uneven(std::int64_t size) const {
    if (size >= world_ && size % world_ == 0) return "";
    return fmt::format(
        "{} entries are no multiple of {} ranks: strict mode refuses, else chunks "
        "are uneven",
        size, world_);
  }

  const PlanDocument& document_;
  const PlanDegrees& degrees_;
  std::int64_t world_;
};

}  // namespace

std::vector<PlanSplit> split_plan_tensors(const PlanDocument& document,
                                          const PlanDegrees& degrees) {
  constexpr std::int64_t kMostEntries = std::int64_t{1} << 31;
  std::vector<PlanSplit> splits;
  const Splitter splitter(document, degrees);
  for (const auto& [name, shape] : document.tensors) {
    PlanSplit& split = splits.emplace_back();
    split.place = printable(fmt::format("'{}'[{}]", name.first, name.second), 160);
    split.shape = shape;
    for (const std::int64_t size : shape) {
      if (size < 0 || size > kMostEntries) {
        throw Error(ErrorKind::kValue, fmt::format("tensor {} of shape {}: sizes 0 .. {} are due",
                                                   split.place, shape_text(shape), kMostEntries));
      }
    }
    const PlanInput* input = rule_for(document.plan, name.first, name.second);
    if (input != nullptr) {
      splitter.split(*input, split);
    } else {
      split.outcome = "no rule";
      split.message = "the plan has no input for it: whole on every rank";
    }
  }
  return splits;
}

}  // namespace lvsa::analysis
