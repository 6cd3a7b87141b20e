#pragma once
// Relations of block-sparse kernels: those of analysis/verify/relations.hpp that speak of no
// frames, and others in their place that speak of maps.

#include <span>

#include "analysis/verify/relations.hpp"

namespace lvsa::analysis {

/// All, in the order in which they run.
std::span<const Relation> block_relations();

// block_relations.cpp
Finding check_map_batch_order(RelationContext& context);
Finding check_map_head_order(RelationContext& context);
Finding check_map_batch_mates(RelationContext& context);
Finding check_map_query_mates(RelationContext& context);
Finding check_tokens_added(RelationContext& context);
Finding check_order_outside(RelationContext& context);
// block_relations_keys.cpp
Finding check_map_poison_nan(RelationContext& context);
Finding check_map_poison_infinity(RelationContext& context);
Finding check_map_poison_huge(RelationContext& context);
Finding check_map_dense(RelationContext& context);
Finding check_map_halves(RelationContext& context);
// block_relations_unequal.cpp
Finding check_more_keys(RelationContext& context);
Finding check_fewer_keys(RelationContext& context);
Finding check_fewer_queries(RelationContext& context);
// block_relations_stale.cpp
Finding check_map_stale_data(RelationContext& context);
Finding check_stale_map(RelationContext& context);
Finding check_stale_map_size(RelationContext& context);

}  // namespace lvsa::analysis
