#pragma once
// Everything that goes into the verdict on one output element under block maps: the bounds as with
// frame lists, and what map, masks, order and skip make of its row.

#include <optional>
#include <string>

#include "analysis/blocks/explained_map.hpp"
#include "analysis/blocks/map_subject.hpp"
#include "analysis/verify/explain.hpp"

namespace lvsa::analysis {

/// The head's map and the query block that holds a place.
ExplainedHead explain_head(const MapSubject& subject, std::int64_t batch, std::int64_t head,
                           std::int64_t query_block);

/// Explains an element, and what a call left there, by its declared arithmetic. `most` keys a term;
/// `other`: words of a rule that the row is held against, empty for none. Throws Error(kValue)
/// naming the range when `at` is outside the case, and what make_rule() throws for `other`.
Explanation explain_map_element(const MapSubject& subject, const ElementId& at,
                                const std::optional<ElementCall>& call, std::int64_t most,
                                const std::string& other = {});

}  // namespace lvsa::analysis
