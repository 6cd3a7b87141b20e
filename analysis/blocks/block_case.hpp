#pragma once
// A case with a pattern (Case::pattern): its tensors, and the maps that the rule gives on them.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/verify/case.hpp"
#include "analysis/verify/inputs.hpp"
#include "core/blocks/head_pattern.hpp"
#include "core/blocks/lvsa_blocks.h"
#include "core/blocks/pattern_rule.hpp"

namespace lvsa::analysis {

/// Who makes the rules of cases from their words: make_rule(), unless told otherwise. For the whole
/// process; to be called before any case is made.
using CaseRuleMaker = std::function<std::unique_ptr<PatternRule>(const std::string&)>;
void set_case_rules(CaseRuleMaker maker);

struct BlockCase {
  AttentionTensors tensors;
  std::vector<HeadPattern> heads;  ///< [batch][heads]
  BlockSize nominal;               ///< tokens of a whole block
};

/// Throws Error(kValue) for a rule that does not serve the case's grid or tensors, for tensors with
/// scales (e4m3), and what make_inputs() throws.
BlockCase make_block_case(const Case& c);

/// The patterns of a case's heads on given tensors.
std::vector<HeadPattern> case_patterns(const Case& c, const AttentionTensors& tensors);
/// Tokens of a whole block: what the rule's words say, else the largest block of the patterns.
BlockSize nominal_blocks(const std::string& rule, const std::vector<HeadPattern>& heads);

/// Tensors of the kinds that speak of blocks: V marks the key block or the place of each key, as
/// the first query head of its group has them.
void mark_values(AttentionTensors& tensors, const Case& c, const std::vector<HeadPattern>& heads);

/// Why a kernel's declared capabilities exclude a case, or nothing when they do not; the second
/// looks at the maps.
std::optional<std::string> unsupported_reason(const lvsa_block_kernel& kernel, const Case& c);
std::optional<std::string> unsupported_maps(const lvsa_block_kernel& kernel,
                                            const std::vector<HeadPattern>& heads,
                                            const BlockSize& nominal);
inline std::optional<std::string> unsupported_maps(const lvsa_block_kernel& kernel,
                                                   const BlockCase& made) {
  return unsupported_maps(kernel, made.heads, made.nominal);
}

}  // namespace lvsa::analysis
