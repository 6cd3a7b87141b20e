#include "analysis/verify/relations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analysis/blocks/block_relations.hpp"
#include "analysis/verify/relation_lists.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr auto kRelations = joined(
    kCommonRelations,
    std::array{
        Relation{"batch-order", "permuted batch elements give permuted outputs", check_batch_order},
        Relation{"head-order", "permuted heads give permuted outputs", check_head_order},
        Relation{"batch-mates", "NaN in the other batch elements changes no bit",
                 check_batch_mates},
        Relation{"head-mates", "NaN in the other heads changes no bit", check_head_mates},
        Relation{"query-mates", "NaN in some query rows changes no bit of the others",
                 check_query_mates},
        Relation{"poison-nan", "NaN in frames changes no bit of rows that do not attend them",
                 check_poison_nan},
        Relation{"poison-infinity", "neither does infinity", check_poison_infinity},
        Relation{"poison-huge", "neither do the largest numbers", check_poison_huge},
        Relation{"groups-repeated", "K and V repeated for each query head give the same",
                 check_groups_repeated},
        Relation{"frames-added", "frames that nobody attends change nothing", check_frames_added},
        Relation{"dense", "with interval 1 the result is dense attention's", check_dense},
        Relation{"halves", "two halves of the keys merge by log-sum-exp to the whole",
                 check_halves},
        Relation{"stale-data", "other data at the same addresses give their own results",
                 check_stale_data},
        Relation{"stale-row", "one key and its value changed in place count", check_stale_row},
        Relation{"stale-pattern", "another pattern of equal sums at the same addresses counts",
                 check_stale_pattern},
        Relation{"stale-step",
                 "another pattern of another size counts, and the first again after it",
                 check_stale_step},
    });

NamedCheck run_relation(const Relation& relation, RelationContext& context) {
  NamedCheck check{std::string(relation.name), CheckState::kHolds, ""};
  try {
    const Finding finding = relation.check(context);
    check.state = finding.state;
    check.message = finding.message;
  } catch (const Refused& refused) {
    check.state = CheckState::kNotApplicable;
    check.message = "not served: " + refused.message;
  } catch (const Error& error) {
    check.state = CheckState::kFails;
    check.message = error.what();
  }
  return check;
}

}  // namespace

RelationChoice parse_relation_choice(std::string_view text) {
  if (text == "auto") return RelationChoice::kAuto;
  if (text == "all") return RelationChoice::kAll;
  if (text == "none") return RelationChoice::kNone;
  throw Error(ErrorKind::kValue, fmt::format("relations: '{}': auto, all or none is due", text));
}

bool relations_are_due(const Case& c, RelationChoice choice) {
  if (choice != RelationChoice::kAuto) return choice == RelationChoice::kAll;
  if (c.dtype == LVSA_E4M3) return false;  // no fp8 kernel on a device has been held against them
  // About forty calls: what one costs when every frame attends every frame must be little, also
  // for a kernel that computes all rows whatever is wanted, and so must the tensors.
  constexpr double kMostProducts = 1.5e8;
  constexpr double kMostProductsOfAll = 2e9;
  constexpr double kMostElements = 4e6;
  const auto tokens = static_cast<double>(c.grid.seq_len());
  const double rows =
      c.only_wanted && c.rows > 0 ? std::min(static_cast<double>(c.rows), tokens) : tokens;
  const double vectors = static_cast<double>(c.batch * c.heads * c.head_dim);
  return rows * tokens * vectors <= kMostProducts &&
         tokens * tokens * vectors <= kMostProductsOfAll && tokens * vectors <= kMostElements;
}

Finding holds() { return {}; }
Finding fails(std::string message) { return {CheckState::kFails, std::move(message)}; }
Finding not_applicable(std::string message) {
  return {CheckState::kNotApplicable, std::move(message)};
}
Finding holds_unless(const std::optional<std::string>& message) {
  return message ? fails(*message) : holds();
}

Outputs RelationContext::call(const Problem& other, const OutputOptions& options) const {
  Outputs outputs = make_outputs(kernel, other, options);
  run(other, outputs);
  return outputs;
}

Finding equal_to_base(const RelationContext& context, const Problem& other, const Outputs& outputs,
                      std::string_view what, const RowPairs& rows, bool lse) {
  if (same_schedule(outputs, context.base)) {
    const auto difference = rows_differ(other, outputs, context.base, rows, Expect::kSameBits, lse);
    return difference ? fails(fmt::format("{}: {}", what, *difference)) : holds();
  }
  const auto outside = outside_bounds(other, outputs, some_of(rows, 16));
  return outside ? fails(fmt::format("{}: {}", what, *outside)) : holds();
}

std::span<const Relation> relations() { return kRelations; }

std::vector<NamedCheck> check_relations(const lvsa_kernel& kernel, const Problem& problem,
                                        const RelationOptions& options) {
  const RunKernel run = kernel_runner(kernel);
  Outputs base = make_outputs(kernel, problem);
  try {
    run(problem, base);
  } catch (const Refused& refused) {
    return {{"runs", CheckState::kFails, refused.message}};
  } catch (const Error& error) {
    return {{"runs", CheckState::kFails, error.what()}};
  }
  RelationContext context{kernel, run, problem, base, std::nullopt};
  std::vector<NamedCheck> checks;
  std::size_t done = 0;
  const std::span<const Relation> all = problem.maps ? block_relations() : relations();
  for (const Relation& relation : all) {
    const auto& names = options.names;
    const bool asked =
        names.empty() || std::find(names.begin(), names.end(), relation.name) != names.end();
    if (asked) checks.push_back(run_relation(relation, context));
    if (asked && options.stop_at_failure && checks.back().state == CheckState::kFails) break;
    if (options.progress) {
      options.progress(static_cast<double>(++done) / static_cast<double>(all.size()));
    }
  }
  return checks;
}

}  // namespace lvsa::analysis
