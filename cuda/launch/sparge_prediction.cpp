#include "cuda/launch/sparge_prediction.hpp"

#include <algorithm>
#include <cmath>

#include "cuda/prediction/launches.hpp"

namespace lvsa::cuda {
namespace {

using prediction::HeadNumbersPart;
using prediction::kHeadsAtOnce;

std::int64_t mean_parts(const lvsa_block_problem& p) {
  return (p.key_tokens - 1) / prediction::kMeanTokens + 1;
}

prediction::Rows rows_of(const lvsa_tensor& tensor) {
  prediction::Rows rows;
  rows.data = static_cast<const std::uint16_t*>(tensor.data);
  std::copy(tensor.strides, tensor.strides + 3, rows.strides);
  return rows;
}

// Mean of all k.
Verdict queue_centre(const lvsa_block_problem& p, const PredictionScratch& scratch,
                     cudaStream_t stream) {
  prediction::MeanWork work;
  work.x = rows_of(p.k);
  work.heads = static_cast<int>(p.kv_heads);
  work.tokens = static_cast<int>(p.key_tokens);
  work.parts = static_cast<int>(mean_parts(p));
  work.batch_heads = p.batch * p.kv_heads;
  work.sums = scratch.sums;
  work.largest = scratch.largest;
  work.flipped = scratch.flipped;
  work.centre = scratch.centre;
  work.faults = scratch.k_faults;
  const int dim = static_cast<int>(p.head_dim);
  Verdict verdict =
      from_cuda(prediction::add_up_tokens(work, p.dtype, dim, stream), "add_up_tokens");
  if (!verdict.ok()) return verdict;
  return from_cuda(prediction::take_centre(work, p.dtype, dim, stream), "take_centre");
}

Verdict queue_pools(const lvsa_block_problem& p, const lvsa_sparge_settings& settings,
                    const PredictionScratch& scratch, cudaStream_t stream) {
  prediction::PoolWork q;
  q.x = rows_of(p.q);
  q.heads = static_cast<int>(p.heads);
  q.tokens = static_cast<int>(p.query_tokens);
  q.blocks = static_cast<int>(p.row_blocks);
  q.batch_heads = p.batch * p.heads;
  q.partial_kept = settings.partial_kept != 0;
  q.likeness = std::any_of(settings.simthreshd1, settings.simthreshd1 + settings.simthreshd1_count,
                           [](double least) { return static_cast<float>(least) >= 0.0F; });
  q.numbers = scratch.numbers;
  q.means = scratch.q_means;
  q.spans = scratch.q_spans;
  q.alike = scratch.q_alike;
  q.faults = scratch.q_faults;
  prediction::PoolWork k = q;
  k.x = rows_of(p.k);
  k.heads = static_cast<int>(p.kv_heads);
  k.heads_per_x = static_cast<int>(p.heads / p.kv_heads);
  k.blocks = static_cast<int>(p.column_blocks);
  k.batch_heads = p.batch * p.kv_heads;
  k.centre = settings.smooth_k != 0 ? scratch.centre : nullptr;
  k.means = scratch.k_means;
  k.spans = scratch.k_spans;
  k.alike = scratch.k_alike;
  k.faults = scratch.k_faults;
  const int dim = static_cast<int>(p.head_dim);
  // k first, what was read last of it before everything else: much of that is in the cache still.
  k.backwards = settings.smooth_k != 0;
  Verdict verdict =
      from_cuda(prediction::pool_blocks(k, p.dtype, dim, static_cast<int>(p.block_columns), stream),
                "pool k");
  if (!verdict.ok()) return verdict;
  return from_cuda(prediction::pool_blocks(q, p.dtype, dim, static_cast<int>(p.block_rows), stream),
                   "pool q");
}

Verdict queue_scores(const lvsa_block_problem& p, const lvsa_sparge_settings& settings,
                     const PredictionScratch& scratch, const lvsa_sparge_map& map,
                     cudaStream_t stream) {
  prediction::ScoreWork work;
  work.heads = static_cast<int>(p.heads);
  work.heads_per_kv = static_cast<int>(p.heads / p.kv_heads);
  work.row_blocks = static_cast<int>(p.row_blocks);
  work.column_blocks = static_cast<int>(p.column_blocks);
  work.batch_heads = p.batch * p.heads;
  work.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(p.head_dim)));
  work.round_p = settings.round_p != 0;
  work.q_means = scratch.q_means;
  work.k_means = scratch.k_means;
  work.q_spans = scratch.q_spans;
  work.k_spans = scratch.k_spans;
  work.k_alike = scratch.k_alike;
  work.scores = reinterpret_cast<float*>(map.indices);
  return from_cuda(prediction::score_blocks(work, p.dtype, static_cast<int>(p.head_dim), stream),
                   "score_blocks");
}

Verdict queue_selection(const lvsa_block_problem& p, const lvsa_sparge_settings& settings,
                        const PredictionScratch& scratch, const lvsa_sparge_map& map,
                        cudaStream_t stream) {
  prediction::SelectWork work;
  work.heads = static_cast<int>(p.heads);
  work.heads_per_kv = static_cast<int>(p.heads / p.kv_heads);
  work.row_blocks = static_cast<int>(p.row_blocks);
  work.column_blocks = static_cast<int>(p.column_blocks);
  work.rows = p.batch * p.heads * p.row_blocks;
  work.round_p = settings.round_p != 0;
  work.sink = settings.attention_sink != 0;
  work.numbers = scratch.numbers;
  work.q_alike = scratch.q_alike;
  work.k_alike = scratch.k_alike;
  work.q_faults = scratch.q_faults;
  work.k_faults = scratch.k_faults;
  work.faults = map.faults;
  work.row_count = map.row_count;
  work.indices = map.indices;
  return from_cuda(prediction::select_blocks(work, p.dtype, stream), "select_blocks");
}

}  // namespace

PredictionScratch cut_prediction(const lvsa_block_problem& p, ScratchCutter* cutter) {
  const std::int64_t heads = p.batch * p.heads;
  const std::int64_t kv_heads = p.batch * p.kv_heads;
  const std::int64_t parts = kv_heads * mean_parts(p);
  PredictionScratch scratch;
  scratch.numbers = cutter->take<prediction::HeadNumbers>(p.heads);
  scratch.sums = cutter->take<double>(parts * p.head_dim);
  scratch.largest = cutter->take<std::uint32_t>(parts * p.head_dim / 2);
  scratch.flipped = cutter->take<std::uint32_t>(parts * p.head_dim / 2);
  scratch.centre = cutter->take<float>(kv_heads * p.head_dim);
  scratch.q_means = cutter->take<float>(heads * p.row_blocks * p.head_dim);
  scratch.k_means = cutter->take<float>(kv_heads * p.column_blocks * p.head_dim);
  scratch.q_spans = cutter->take<prediction::MeanSpan>(heads * p.row_blocks);
  scratch.k_spans = cutter->take<prediction::MeanSpan>(kv_heads * p.column_blocks);
  scratch.q_alike = cutter->take<std::uint8_t>(heads * p.row_blocks);
  scratch.k_alike = cutter->take<std::uint8_t>(heads * p.column_blocks);
  scratch.q_faults = cutter->take<std::int32_t>(heads);
  scratch.k_faults = cutter->take<std::int32_t>(kv_heads);
  return scratch;
}

MapTables cut_tables(const lvsa_block_problem& p, ScratchCutter* cutter) {
  MapTables tables;
  tables.row_begin = cutter->take<std::int32_t>(p.row_blocks + 1);
  tables.column_begin = cutter->take<std::int32_t>(p.column_blocks + 1);
  tables.row_first = cutter->take<std::int64_t>(p.batch * p.heads * p.row_blocks);
  tables.map_of_head = cutter->take<std::int32_t>(p.batch * p.heads);
  tables.skip_log2 = cutter->take<float>(p.heads);
  return tables;
}

Verdict queue_tables(const lvsa_block_problem& p,
                     const std::vector<prediction::HeadNumbers>& numbers,
                     const PredictionScratch& scratch, const MapTables& tables,
                     std::int32_t* faults, cudaStream_t stream) {
  prediction::Tables t;
  t.numbers = scratch.numbers;
  t.skip_log2 = tables.skip_log2;
  t.row_begin = tables.row_begin;
  t.column_begin = tables.column_begin;
  t.row_first = tables.row_first;
  t.map_of_head = tables.map_of_head;
  t.zeroed[0] = scratch.q_faults;
  t.zeroed[1] = scratch.k_faults;
  t.zeroed[2] = faults;
  t.zeroed_count[0] = t.zeroed_count[2] = p.batch * p.heads;
  t.zeroed_count[1] = p.batch * p.kv_heads;
  t.tokens = static_cast<int>(p.query_tokens);
  t.block_rows = static_cast<int>(p.block_rows);
  t.block_columns = static_cast<int>(p.block_columns);
  t.row_blocks = static_cast<int>(p.row_blocks);
  t.column_blocks = static_cast<int>(p.column_blocks);
  t.batch_heads = p.batch * p.heads;
  for (std::size_t first = 0; first < numbers.size(); first += kHeadsAtOnce) {
    HeadNumbersPart part;
    part.first = static_cast<int>(first);
    part.count = static_cast<int>(std::min<std::size_t>(numbers.size() - first, kHeadsAtOnce));
    std::copy_n(numbers.begin() + static_cast<std::ptrdiff_t>(first), part.count, part.numbers);
    Verdict verdict = from_cuda(prediction::write_tables(t, part, stream), "write_tables");
    if (!verdict.ok()) return verdict;
  }
  return {};
}

Verdict queue_prediction(const lvsa_block_problem& p, const lvsa_sparge_settings& settings,
                         const PredictionScratch& scratch, const lvsa_sparge_map& map,
                         cudaStream_t stream) {
  Verdict verdict;
  if (settings.smooth_k != 0) verdict = queue_centre(p, scratch, stream);
  if (verdict.ok()) verdict = queue_pools(p, settings, scratch, stream);
  if (verdict.ok()) verdict = queue_scores(p, settings, scratch, map, stream);
  if (verdict.ok()) verdict = queue_selection(p, settings, scratch, map, stream);
  return verdict;
}

}  // namespace lvsa::cuda
