#include "reference/attention/tiled/attend_item.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "reference/attention/tiled/tensor_rows.hpp"

namespace lvsa::reference {
namespace {

// The keys of an item in ascending order, each once: runs of neighbouring tokens.
class KeyWalk {
 public:
  KeyWalk(const AttentionPlan& plan, const WorkItem& item) : plan_(plan), item_(item) {
    runs_ = item.attends_all ? 1 : item.frame_count + 1;
    enter();
  }

  // Fills `tokens` with the next keys and returns how many there were, 0 at the end.
  int next(std::int64_t (&tokens)[kKeyTile]) {
    int count = 0;
    while (count < kKeyTile && run_ < runs_) {
      const std::int64_t taken = std::min<std::int64_t>(kKeyTile - count, end_ - token_);
      for (std::int64_t i = 0; i < taken; ++i) tokens[count++] = token_++;
      if (token_ == end_) {
        ++run_;
        enter();
      }
    }
    return count;
  }

 private:
  void enter() {
    if (run_ >= runs_) return;
    const std::int64_t patches = plan_.problem().patches_per_frame;
    if (item_.attends_all) {
      token_ = 0;
      end_ = plan_.tokens();
    } else if (run_ < item_.frame_count) {
      token_ = item_.frames[run_] * patches;
      end_ = token_ + patches;
    } else {  // the text, which may be empty
      token_ = plan_.problem().frames * patches;
      end_ = plan_.tokens();
    }
  }

  const AttentionPlan& plan_;
  const WorkItem& item_;
  std::int64_t runs_ = 0;
  std::int64_t run_ = 0;
  std::int64_t token_ = 0;
  std::int64_t end_ = 0;
};

class ItemRun {
 public:
  ItemRun(const AttentionPlan& plan, const WorkItem& item, const ThreadBuffers& buffers)
      : plan_(plan), problem_(plan.problem()), ops_(plan.ops()), item_(item), buffers_(buffers) {}

  void run() {
    pack_queries();
    const std::int64_t rows = vectors() * ops_.lanes;
    std::fill_n(buffers_.outputs, rows * plan_.padded_dim(), 0.0F);
    std::fill_n(buffers_.sums, rows, 0.0F);
    std::fill_n(buffers_.maxima, rows, -std::numeric_limits<float>::infinity());
    KeyWalk walk(plan_, item_);
    std::int64_t tokens[kKeyTile];
    bool any_keys = false;
    for (int count = walk.next(tokens); count > 0; count = walk.next(tokens)) {
      any_keys = true;
      pack_tile(tokens, count);
      attend_tile(count);
    }
    for (std::int64_t row = 0; row < item_.row_count; ++row) write_row(row, any_keys);
  }

 private:
  std::int64_t vectors() const { return (item_.row_count + ops_.lanes - 1) / ops_.lanes; }
  // Vectors of the panel that starts with vector `first`.
  std::int64_t panel_vectors(std::int64_t first) const {
    return std::min<std::int64_t>(kMaxRowVectors, vectors() - first);
  }
  std::int64_t head(std::int64_t row) const {
    return item_.kv_head * plan_.group() + (item_.first_row + row) / item_.segment_tokens;
  }
  std::int64_t token(std::int64_t row) const {
    return item_.first_token + (item_.first_row + row) % item_.segment_tokens;
  }
  // Place of dimension 0 of a row in the query panels (dims = head_dim) or the output panels
  // (dims = padded_dim); `width` is the step to the next dimension.
  std::int64_t panel_place(std::int64_t row, std::int64_t dims, std::int64_t& width) const {
    const std::int64_t first = row / plan_.panel_rows() * kMaxRowVectors;
    width = panel_vectors(first) * ops_.lanes;
    return first * ops_.lanes * dims + row % plan_.panel_rows();
  }

  void pack_queries() const {
    const std::int64_t dims = problem_.head_dim;
    // Lanes without a row compute with zeros; nobody reads them.
    std::fill_n(buffers_.queries, vectors() * ops_.lanes * dims, 0.0F);
    // The loops want a factor >= 0, so that the largest q.k is the largest score.
    const float sign = problem_.scale < 0.0 ? -1.0F : 1.0F;
    for (std::int64_t row = 0; row < item_.row_count; ++row) {
      const char* source =
          row_address(problem_.q, problem_.dtype, item_.batch, token(row), head(row));
      ops_.load_row(
          contiguous_row(source, problem_.dtype, problem_.q.strides[3], dims, buffers_.gathered),
          problem_.dtype, dims, buffers_.row);
      std::int64_t width = 0;
      float* place = buffers_.queries + panel_place(row, dims, width);
      for (std::int64_t d = 0; d < dims; ++d) place[d * width] = sign * buffers_.row[d];
    }
  }

  void pack_tile(const std::int64_t* tokens, int count) const {
    const std::int64_t dims = problem_.head_dim;
    for (int i = 0; i < count; ++i) {
      const char* key =
          row_address(problem_.k, problem_.dtype, item_.batch, tokens[i], item_.kv_head);
      const char* value =
          row_address(problem_.v, problem_.dtype, item_.batch, tokens[i], item_.kv_head);
      ops_.load_row(
          contiguous_row(key, problem_.dtype, problem_.k.strides[3], dims, buffers_.gathered),
          problem_.dtype, dims, buffers_.keys + i * plan_.key_stride());
      ops_.pack_values(
          contiguous_row(value, problem_.dtype, problem_.v.strides[3], dims, buffers_.gathered),
          problem_.dtype, dims, i, buffers_.values);
    }
    // The scores are computed in blocks of dim_block keys; what the rest gives is never read, but
    // should not depend on what an earlier tile left here.
    for (int i = count; i % ops_.dim_block != 0; ++i) {
      std::fill_n(buffers_.keys + i * plan_.key_stride(), dims, 0.0F);
    }
  }

  void attend_tile(int count) const {
    TileArgs args{};
    args.keys = buffers_.keys;
    args.values = buffers_.values;
    args.scores = buffers_.scores;
    args.key_stride = plan_.key_stride();
    args.head_dim = problem_.head_dim;
    args.key_count = count;
    args.p_dtype = problem_.p_dtype;
    args.score_factor = static_cast<float>(std::fabs(problem_.scale) * std::numbers::log2e);
    for (std::int64_t first = 0; first < vectors(); first += kMaxRowVectors) {
      const std::int64_t row = first * ops_.lanes;
      args.row_vectors = static_cast<int>(panel_vectors(first));
      args.queries = buffers_.queries + row * problem_.head_dim;
      args.outputs = buffers_.outputs + row * plan_.padded_dim();
      args.maxima = buffers_.maxima + row;
      args.sums = buffers_.sums + row;
      ops_.attend_tile(&args);
    }
  }

  void write_row(std::int64_t row, bool any_keys) const {
    std::int64_t width = 0;
    const float* place = buffers_.outputs + panel_place(row, plan_.padded_dim(), width);
    const float sum = buffers_.sums[row];
    for (std::int64_t d = 0; d < problem_.head_dim; ++d) {
      buffers_.row[d] = any_keys ? place[d * width] / sum : 0.0F;
    }
    write_row_elements(
        buffers_.row, problem_.head_dim, problem_.out_dtype, problem_.out.strides[3],
        row_address(problem_.out, problem_.out_dtype, item_.batch, token(row), head(row)));
    if (problem_.lse != nullptr) {
      const std::int64_t* strides = problem_.lse_strides;
      // Without keys the maximum is -infinity and the sum 0: -infinity all the same.
      problem_.lse[item_.batch * strides[0] + token(row) * strides[1] + head(row) * strides[2]] =
          static_cast<float>(static_cast<double>(buffers_.maxima[row]) * std::numbers::ln2 +
                             std::log(static_cast<double>(sum)));
    }
  }

  const AttentionPlan& plan_;
  const lvsa_problem& problem_;
  const TileOps& ops_;
  const WorkItem& item_;
  const ThreadBuffers& buffers_;
};

}  // namespace

void attend_item(const AttentionPlan& plan, const WorkItem& item, const ThreadBuffers& buffers) {
  ItemRun(plan, item, buffers).run();
}

}  // namespace lvsa::reference
