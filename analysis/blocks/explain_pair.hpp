#pragma once
// One pair of a query block and a key block: what the map has there, and what a kernel did.

#include <optional>

#include "analysis/blocks/explained_map.hpp"
#include "analysis/blocks/map_subject.hpp"

namespace lvsa::analysis {

/// Batch element, head, query block and key block.
struct PairId {
  std::int64_t batch = 0;
  std::int64_t head = 0;
  std::int64_t query_block = 0;
  std::int64_t key_block = 0;
};

/// The tokens of a query block, by place. Throws Error(kValue) naming the range when the pair is
/// outside the case.
std::vector<std::int64_t> query_tokens(const MapSubject& subject, const PairId& at);

/// Explains a pair. With outputs: which readings of the pair the rows of the query block fit, all
/// columns and the log-sum-exp within tier A's intervals. Throws as query_tokens() does.
ExplainedPair explain_pair(const MapSubject& subject, const PairId& at,
                           const std::optional<LeftBehind>& left);

}  // namespace lvsa::analysis
