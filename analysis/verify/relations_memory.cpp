// Relations about memory: what a call reads and writes besides the numbers that it is about.

#include <fmt/format.h>

#include <algorithm>

#include "analysis/verify/relations.hpp"

namespace lvsa::analysis {
namespace {

Problem with_gaps(const Problem& problem, unsigned char fill) {
  Problem spaced = problem;
  spaced.gaps = true;
  for (auto* tensor : {&spaced.q, &spaced.k, &spaced.v}) {
    *tensor = std::make_shared<GuardedTensor>((*tensor)->view(), spaced.c.layout, true, fill);
  }
  return spaced;
}

}  // namespace

Finding check_repeat(RelationContext& context) {
  const Outputs again = context.call(context.problem);
  return holds_unless(
      rows_differ(context.problem, again, context.base, same_rows(context.problem)));
}

// Zeros, which a kernel that leaves out what is 0 would not be seen with, are one of the two.
Finding check_prefill(RelationContext& context) {
  for (const auto fill : {static_cast<unsigned char>(0x00), static_cast<unsigned char>(0x3f)}) {
    OutputOptions options;
    options.fill = fill;
    const Outputs again = context.call(context.problem, options);
    const auto difference =
        rows_differ(context.problem, again, context.base, same_rows(context.problem));
    if (difference) return fails(*difference);
  }
  return holds();
}

Finding check_workspace(RelationContext& context) {
  if (context.base.workspace_bytes == 0) return not_applicable("the kernel has no workspace");
  for (const auto fill : {static_cast<unsigned char>(0x00), static_cast<unsigned char>(0x3f)}) {
    OutputOptions options;
    options.workspace_fill = fill;
    const Outputs again = context.call(context.problem, options);
    const auto difference =
        rows_differ(context.problem, again, context.base, same_rows(context.problem));
    if (difference) return fails(*difference);
  }
  return holds();
}

// Other strides may take another path through a kernel, so bounds decide on the values.
Finding check_strides(RelationContext& context) {
  const Problem spaced = with_gaps(context.problem, 0x00);
  OutputOptions options;
  options.gaps = true;
  const Outputs outputs = context.call(spaced, options);
  if (outputs.outside > 0) {
    return fails(
        fmt::format("{} bytes changed between or around the rows of out, lse or the "
                    "workspace",
                    outputs.outside));
  }
  const auto rows = same_rows(spaced);
  if (!rows_differ(spaced, outputs, context.base, rows)) return holds();
  return holds_unless(outside_bounds(spaced, outputs, spread_rows(spaced, 16)));
}

Finding check_padding(RelationContext& context) {
  const Problem clean = with_gaps(context.problem, 0x00);
  const Problem poisoned = with_gaps(context.problem, kNanByte);
  const Outputs due = context.call(clean);
  const Outputs outputs = context.call(poisoned);
  for (const auto& tensor : {poisoned.q, poisoned.k, poisoned.v}) {
    if (tensor->changed_outside() > 0) return fails("bytes between the rows of an input changed");
  }
  return holds_unless(rows_differ(poisoned, outputs, due, same_rows(poisoned)));
}

Finding check_threads(RelationContext& context) {
  for (const std::int32_t threads : {1, 3}) {
    Problem other = context.problem;
    other.threads = threads;
    const Finding finding =
        equal_to_base(context, other, context.call(other),
                      threads == 1 ? "one thread" : "three threads", same_rows(other));
    if (finding.state != CheckState::kHolds) return finding;
  }
  return holds();
}

Finding check_no_lse(RelationContext& context) {
  if (!context.base.lse) return not_applicable("the kernel has no log-sum-exp");
  OutputOptions options;
  options.lse = false;
  const Outputs outputs = context.call(context.problem, options);
  return equal_to_base(context, context.problem, outputs, "no log-sum-exp wanted",
                       same_rows(context.problem), false);
}

Finding check_wanted(RelationContext& context) {
  Problem other = context.problem;
  const std::vector<std::int64_t> all = other.tokens();
  if (all.size() < 2) return not_applicable("there is one row only");
  other.wanted.clear();
  for (std::size_t i = 1; i < all.size(); i += 2) other.wanted.push_back(all[i]);
  return equal_to_base(context, other, context.call(other), "every second row wanted",
                       same_rows(other));
}

}  // namespace lvsa::analysis
