#pragma once
// One piece of work of the tiled kernel, from packing the queries to writing the output.

#include "reference/attention/tiled/attention_plan.hpp"

namespace lvsa::reference {

/// Computes out (and lse) for the rows of `item`; touches nothing else of the problem's memory than
/// these, the queries of the item and the keys and values that it attends.
void attend_item(const AttentionPlan& plan, const WorkItem& item, const ThreadBuffers& buffers);

}  // namespace lvsa::reference
