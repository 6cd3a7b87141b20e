#include "analysis/blocks/exchange_maps.hpp"

#include <cmath>
#include <cstring>
#include <set>
#include <vector>

#include "analysis/blocks/block_localise.hpp"
#include "analysis/blocks/map_oracle.hpp"
#include "analysis/blocks/run_block_case.hpp"
#include "analysis/verify/exchange_read.hpp"
#include "analysis/verify/judge.hpp"
#include "analysis/verify/tier_b.hpp"

namespace lvsa::analysis {
namespace {

using Shape = std::vector<std::int64_t>;

// What BlockMaps asks for; nobody calls it.
const lvsa_block_kernel kScript = [] {
  lvsa_block_kernel kernel{};
  kernel.name = "file";
  return kernel;
}();

// One dataset of a group: the same list is written by export and compared by check.
struct Dataset {
  const char* name;
  ElementType type;
  Shape shape;
  std::vector<std::byte> data;
};

template <typename T>
std::vector<std::byte> bytes_of(const T* data, std::int64_t count) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(count) * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), data, bytes.size());
  return bytes;
}

template <typename T>
void append(std::vector<T>& to, const T* from, std::int64_t count) {
  to.insert(to.end(), from, from + count);
}

// All maps in a row. Where one has masks, those without get -1 for each entry.
void add_maps(std::vector<Dataset>& sets, const lvsa_block_problem& p) {
  std::vector<std::int32_t> indptr;
  std::vector<std::int32_t> indices;
  std::vector<std::int32_t> entry_mask;
  std::vector<std::int64_t> begin = {0};
  for (std::int64_t m = 0; m < p.map_count; ++m) {
    const lvsa_block_map& map = p.maps[m];
    const std::int64_t kept = map.indptr[p.row_blocks];
    append(indptr, map.indptr, p.row_blocks + 1);
    append(indices, map.indices, kept);
    if (map.entry_mask != nullptr) append(entry_mask, map.entry_mask, kept);
    entry_mask.resize(indices.size(), -1);
    begin.push_back(static_cast<std::int64_t>(indices.size()));
  }
  const auto all = static_cast<std::int64_t>(indices.size());
  sets.push_back(
      {"map_begin", ElementType::kI64, {p.map_count + 1}, bytes_of(begin.data(), p.map_count + 1)});
  sets.push_back({"indptr",
                  ElementType::kI32,
                  {p.map_count, p.row_blocks + 1},
                  bytes_of(indptr.data(), p.map_count * (p.row_blocks + 1))});
  sets.push_back({"indices", ElementType::kI32, {all}, bytes_of(indices.data(), all)});
  sets.push_back({"map_of_head",
                  ElementType::kI32,
                  {p.batch, p.heads},
                  bytes_of(p.map_of_head, p.batch * p.heads)});
  if (p.mask_count == 0) return;
  const Shape masks = {p.mask_count, p.block_rows, 8 * p.mask_words};
  sets.push_back({"entry_mask", ElementType::kI32, {all}, bytes_of(entry_mask.data(), all)});
  sets.push_back({"mask_bits", ElementType::kU8, masks,
                  bytes_of(p.mask_bits, p.mask_count * p.block_rows * p.mask_words)});
}

std::vector<Dataset> datasets_of(const BlockMaps& maps) {
  lvsa_block_problem p{};
  maps.arrays().fill(p);
  std::vector<Dataset> sets;
  sets.push_back({"row_begin",
                  ElementType::kI64,
                  {p.row_blocks + 1},
                  bytes_of(p.row_begin, p.row_blocks + 1)});
  sets.push_back({"column_begin",
                  ElementType::kI64,
                  {p.column_blocks + 1},
                  bytes_of(p.column_begin, p.column_blocks + 1)});
  add_maps(sets, p);
  if (p.order_count > 0) {
    sets.push_back({"orders",
                    ElementType::kI32,
                    {p.order_count, p.query_tokens},
                    bytes_of(p.orders, p.order_count * p.query_tokens)});
    sets.push_back({"order_of_head",
                    ElementType::kI32,
                    {p.batch, p.heads},
                    bytes_of(p.order_of_head, p.batch * p.heads)});
  }
  if (p.skip_threshold_log2 != nullptr) {
    sets.push_back({"skip_threshold_log2",
                    ElementType::kF32,
                    {p.heads},
                    bytes_of(p.skip_threshold_log2, p.heads)});
  }
  return sets;
}

BlockMaps maps_of(const Case& c, const BlockCase& made) {
  return {kScript, made.heads, c.batch, made.nominal};
}

void compare_group(const TensorSource& file, const std::string& group, const Case& c,
                   const BlockCase& made, const BlockMaps& maps) {
  compare_input(file, group + "/q", made.tensors.q, c);
  compare_input(file, group + "/k", made.tensors.k, c);
  compare_input(file, group + "/v", made.tensors.v, c);
  for (const Dataset& due : datasets_of(maps)) {
    compare_bits(file, group + "/" + due.name, due.type, due.shape, due.data.data());
  }
}

void judge_maps(CaseResult& result, const BlockCase& made, const BlockMaps& maps,
                const ScriptOutputs& script) {
  const Case& c = result.c;
  const KernelOutputs outputs = script.view();
  const BoundModel model = make_bound_model(&script.numerics, c.dtype, c.head_dim);
  const std::vector<reference::RowId> rows = sample_map_rows(c, maps);
  const double scale = 1.0 / std::sqrt(static_cast<double>(c.head_dim));
  const TensorView q = made.tensors.q.view();
  const TensorView k = made.tensors.k.view();
  const TensorView v = made.tensors.v.view();
  const auto exact = attend_map_rows({q, k, v, scale, maps}, rows, model.scores);
  const auto judge = make_schedule_judge(&script.numerics, c.dtype, c.head_dim);
  ScheduleRows schedule;
  if (judge) {
    schedule = {&judge->model(), judge->replay_maps({q, k, v, scale, maps.heads()}, rows, exact)};
  }
  judge_rows(result, outputs, model,
             {rows, exact,
              [&](const reference::RowId& row, std::int64_t keys) {
                return map_steps(model, maps, row, keys);
              }},
             schedule);
  if (is_failure(result.status)) {
    result.where = where_maps_fail({c, maps, outputs, model, rows, exact});
  }
}

}  // namespace

void write_exchange_maps(TensorSink& file, const std::string& group, const Case& c,
                         const BlockCase& made) {
  const BlockMaps maps = maps_of(c, made);
  file.attribute(group, "pattern", c.pattern);
  file.attribute(group, "block_rows", maps.nominal().rows);
  file.attribute(group, "block_columns", maps.nominal().columns);
  for (const Dataset& set : datasets_of(maps)) {
    file.dataset(group + "/" + set.name, set.type, set.shape, set.data.data());
  }
  if (!c.only_wanted) return;
  std::set<std::int64_t> wanted;
  for (const auto& row : sample_map_rows(c, maps)) wanted.insert(row.token);
  const std::vector<std::int64_t> tokens(wanted.begin(), wanted.end());
  file.dataset(group + "/wanted_tokens", ElementType::kI64,
               {static_cast<std::int64_t>(tokens.size())}, tokens.data());
}

void check_exchange_maps(CaseResult& result, const ExchangeFiles& files, const std::string& group,
                         const RunOptions& options) {
  const Case& c = result.c;
  const BlockCase made = make_block_case(c);
  const BlockMaps maps = maps_of(c, made);
  result.frame_worst_ratio.assign(
      static_cast<std::size_t>(c.grid.frames + (c.grid.text_tokens > 0 ? 1 : 0)), -1.0);
  describe_maps(result, made.heads);
  result.inputs = hash_inputs(made.tensors);
  if (is_skipped(result, files.outputs, group)) return;
  compare_group(files.cases, group, c, made, maps);
  const ScriptOutputs script = read_script_outputs(files.outputs, group, c);
  if (options.progress) options.progress(0.5);
  judge_maps(result, made, maps, script);
}

}  // namespace lvsa::analysis
