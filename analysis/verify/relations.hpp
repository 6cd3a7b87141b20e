#pragma once
// Relations that hold exactly: what one call of a kernel says about another, the kernel being its
// own reference. Each is a small function of "run the kernel on this problem", so it serves any
// kernel behind the C interface. Which relation is for which mistake: docs/selftest.md.
//
// Bit for bit where the problem keeps its sizes, or where the kernel declares the same schedule
// (lvsa_numerics, with its key tile) for both problems; otherwise both results must lie within
// their bounds, since a right kernel may choose another order of additions for other sizes.

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/verify/relation_rows.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

enum class RelationChoice {
  kAuto,  ///< all where a case is small, by its sizes alone; else those that need no further call
  kAll,
  kNone,
};
/// Throws Error(kValue) that names the text.
RelationChoice parse_relation_choice(std::string_view text);

/// Whether the relations that call the kernel again are due.
bool relations_are_due(const Case& c, RelationChoice choice);

struct Finding {
  CheckState state = CheckState::kHolds;
  std::string message;
};
Finding holds();
Finding fails(std::string message);
Finding not_applicable(std::string message);
/// Holds when there is no message.
Finding holds_unless(const std::optional<std::string>& message);

/// What a relation may use.
struct RelationContext {
  const lvsa_kernel& kernel;
  RunKernel run;
  const Problem& problem;
  const Outputs& base;          ///< of `problem`
  std::optional<Outputs> ones;  ///< of `problem` with V = 1, once one relation has needed it

  Outputs call(const Problem& other, const OutputOptions& options = {}) const;
  const Outputs& with_ones();
};

/// The other call's rows against the base's: equal bits when both declare the same schedule, else
/// some of them within bounds. `what` begins the message.
Finding equal_to_base(const RelationContext& context, const Problem& other, const Outputs& outputs,
                      std::string_view what, const RowPairs& rows, bool lse = true);

struct Relation {
  std::string_view name;
  std::string_view description;
  Finding (*check)(RelationContext&);
};

/// All, in the order in which they run.
std::span<const Relation> relations();
/// The three that the call of a case itself answers.
inline constexpr std::string_view kInputsCheck = "inputs";
inline constexpr std::string_view kWrittenCheck = "written";
inline constexpr std::string_view kRedZonesCheck = "red-zones";

struct RelationOptions {
  std::vector<std::string> names;  ///< empty: all
  bool stop_at_failure = false;
  std::function<void(double)> progress;  ///< share of the relations that are done
};

/// Runs the relations on a problem. Throws nothing for what the kernel does: where it gives up on
/// the problem itself, one check named "runs" fails.
std::vector<NamedCheck> check_relations(const lvsa_kernel& kernel, const Problem& problem,
                                        const RelationOptions& options = {});

// relations_memory.cpp
Finding check_repeat(RelationContext& context);
Finding check_prefill(RelationContext& context);
Finding check_workspace(RelationContext& context);
Finding check_strides(RelationContext& context);
Finding check_padding(RelationContext& context);
Finding check_threads(RelationContext& context);
Finding check_no_lse(RelationContext& context);
Finding check_wanted(RelationContext& context);
// relations_pages.cpp
Finding check_input_ends(RelationContext& context);
Finding check_input_starts(RelationContext& context);
// relations_layout.cpp
Finding check_own_strides(RelationContext& context);
Finding check_element_stride(RelationContext& context);
Finding check_alignment(RelationContext& context);
Finding check_far(RelationContext& context);
// relations_values.cpp
Finding check_scale(RelationContext& context);
Finding check_values_doubled(RelationContext& context);
Finding check_values_negated(RelationContext& context);
Finding check_values_one(RelationContext& context);
Finding check_lse_of_values(RelationContext& context);
Finding check_integers(RelationContext& context);
// relations_shape.cpp
Finding check_batch_order(RelationContext& context);
Finding check_head_order(RelationContext& context);
Finding check_groups_repeated(RelationContext& context);
Finding check_frames_added(RelationContext& context);
// relations_keys.cpp
Finding check_dense(RelationContext& context);
Finding check_halves(RelationContext& context);
// relations_poison.cpp
Finding check_poison_nan(RelationContext& context);
Finding check_poison_infinity(RelationContext& context);
Finding check_poison_huge(RelationContext& context);
Finding check_batch_mates(RelationContext& context);
Finding check_head_mates(RelationContext& context);
Finding check_query_mates(RelationContext& context);
// relations_stale.cpp
Finding check_stale_data(RelationContext& context);
Finding check_stale_row(RelationContext& context);
Finding check_stale_pattern(RelationContext& context);
Finding check_stale_step(RelationContext& context);

}  // namespace lvsa::analysis
