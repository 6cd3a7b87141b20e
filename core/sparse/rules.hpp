#pragma once
// The kinds of rules, one function for each; the list of all is in rules.cpp.

#include "core/blocks/pattern_rule.hpp"

namespace lvsa::sparse {

const RuleInfo& dense_rule();
const RuleInfo& lvsa_rule();
const RuleInfo& radial_rule();
const RuleInfo& sliding_tile_rule();
const RuleInfo& sparge_rule();
const RuleInfo& rainfusion_rule();
const RuleInfo& rainfusion2_rule();
const RuleInfo& sparse_videogen_rule();
const RuleInfo& csr_rule();
const RuleInfo& plugin_rule();
const RuleInfo& random_rule();

}  // namespace lvsa::sparse
