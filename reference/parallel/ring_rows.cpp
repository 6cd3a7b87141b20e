#include "reference/parallel/ring_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/parallel/block_attention.hpp"
#include "reference/parallel/sharded_attention.hpp"

namespace lvsa::reference {
namespace {

MergeDefect merge_defect(ParallelDefect defect) {
  switch (defect) {
    case ParallelDefect::kOverwriteMerge:
      return MergeDefect::kOverwrite;
    case ParallelDefect::kMergeNewLse:
      return MergeDefect::kNewLse;
    case ParallelDefect::kMergeMean:
      return MergeDefect::kMean;
    default:
      return MergeDefect::kNone;
  }
}

class RankRows {
 public:
  explicit RankRows(const RingInput& input)
      : input_(input), problem_(*input.problem), frames_(problem_.grid.frames) {
    const auto cells = static_cast<std::size_t>(frames_ * frames_);
    attends_.assign(cells, 0);
    everywhere_.assign(static_cast<std::size_t>(frames_), 1);
    for (std::int64_t f = 0; f < frames_; ++f) {
      for (const std::int32_t key : problem_.attended[static_cast<std::size_t>(f)]) {
        attends_[static_cast<std::size_t>(f * frames_ + key)] = 1;
      }
    }
    for (std::size_t cell = 0; cell < cells; ++cell) {
      if (attends_[cell] == 0) everywhere_[cell % static_cast<std::size_t>(frames_)] = 0;
    }
  }

  AttendedRows video() const {
    AttendedRows rows = make(*input_.query);
    for (std::int64_t h = 0; h < input_.query->heads; ++h) {
      std::int64_t frame = kText;  // whose keys are at hand
      StepKeys keys;
      for (std::int64_t t = 0; t < input_.query->tokens; ++t) {
        const std::int64_t token = input_.first_query + t;
        if (token >= problem_.grid.video_tokens()) break;
        if (!wanted(token)) continue;
        if (token / problem_.grid.patches_per_frame != frame) {
          frame = token / problem_.grid.patches_per_frame;
          keys = keys_of(frame, h);
        }
        attend(*input_.query, t, h, keys, rows);
      }
    }
    return rows;
  }

  AttendedRows text() const {
    AttendedRows rows = make(input_.text_query);
    for (std::int64_t h = 0; h < input_.text_query.heads; ++h) {
      const StepKeys keys = keys_of(kText, h);
      for (std::int64_t t = 0; t < input_.text_query.tokens; ++t) {
        if (wanted(problem_.grid.video_tokens() + t)) {
          attend(input_.text_query, t, h, keys, rows);
        }
      }
    }
    return rows;
  }

 private:
  static constexpr std::int64_t kText = -1;           // the frame of a text query
  using StepKeys = std::vector<std::vector<KeyRow>>;  // by ring step

  bool is(ParallelDefect defect) const { return problem_.defect == defect; }
  bool wanted(std::int64_t token) const {
    return problem_.wanted.empty() || problem_.wanted[static_cast<std::size_t>(token)] != 0;
  }

  static AttendedRows make(const HeadTensor& query) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return {HeadTensor(query.tokens, query.heads, query.dim, nan),
            HeadTensor(query.tokens, query.heads, 1, nan), 0};
  }

  bool sees(std::int64_t query_frame, std::int64_t token, std::int64_t local_token,
            std::size_t step) const {
    if (token >= problem_.grid.video_tokens()) return is(ParallelDefect::kPaddedKeys);
    if (query_frame == kText) return true;
    std::int64_t frame = token / problem_.grid.patches_per_frame;
    if (is(ParallelDefect::kMaskByLocalPosition)) {
      frame = std::min(local_token / problem_.grid.patches_per_frame, frames_ - 1);
    }
    if (is(ParallelDefect::kWindowOnRankOnly) && step > 0 &&
        everywhere_[static_cast<std::size_t>(frame)] == 0) {
      return false;
    }
    return attends_[static_cast<std::size_t>(query_frame * frames_ + frame)] != 0;
  }

  bool text_counts(std::size_t step) const {
    if (is(ParallelDefect::kTextNever)) return false;
    return step == 0 || is(ParallelDefect::kTextEveryStep);
  }

  // The keys that a row sees of one ring step.
  std::vector<KeyRow> step_keys(std::int64_t query_frame, std::size_t step,
                                std::int64_t kv_head) const {
    std::vector<KeyRow> rows;
    const RingBlock& block = input_.blocks[step];
    const HeadTensor& values = is(ParallelDefect::kValuesOfNextStep)
                                   ? *input_.blocks[(step + 1) % input_.blocks.size()].value
                                   : *block.value;
    for (std::int64_t i = 0; i < block.key->tokens && i < values.tokens; ++i) {
      if (!sees(query_frame, block.first_token + i, i, step)) continue;
      rows.push_back({block.key->row(i, kv_head), values.row(i, kv_head)});
    }
    if (is(ParallelDefect::kLastChunkFull) && step > 0) {
      const RingBlock& before = input_.blocks[step - 1];  // what the buffer held
      for (std::int64_t i = block.key->tokens; i < before.key->tokens; ++i) {
        rows.push_back({before.key->row(i, kv_head), before.value->row(i, kv_head)});
      }
    }
    if (text_counts(step)) {
      for (std::int64_t i = 0; i < input_.text_key.tokens; ++i) {
        rows.push_back({input_.text_key.row(i, kv_head), input_.text_value.row(i, kv_head)});
      }
    }
    return rows;
  }

  std::size_t steps(std::int64_t query_frame) const {
    const std::size_t all = input_.blocks.size();
    if (is(ParallelDefect::kTextQueriesLocal) && query_frame == kText) return 1;
    return is(ParallelDefect::kRingStepMissing) && all > 1 ? all - 1 : all;
  }

  // What the rows of a frame see in each step.
  StepKeys keys_of(std::int64_t query_frame, std::int64_t head) const {
    const std::int64_t kv_head =
        std::min(head / input_.group, input_.blocks.front().key->heads - 1);
    StepKeys keys;
    for (std::size_t step = 0; step < steps(query_frame); ++step) {
      keys.push_back(step_keys(query_frame, step, kv_head));
    }
    return keys;
  }

  void attend(const HeadTensor& query, std::int64_t row, std::int64_t head, const StepKeys& keys,
              AttendedRows& rows) const {
    if (keys.front().empty()) ++rows.empty_first_blocks;
    if (problem_.merges_in_fp32) {
      attend_as<float>(query, row, head, keys, rows);
    } else {
      attend_as<double>(query, row, head, keys, rows);
    }
  }

  template <typename Real>
  void attend_as(const HeadTensor& query, std::int64_t row, std::int64_t head, const StepKeys& keys,
                 AttendedRows& rows) const {
    const MergeForm form =
        is(ParallelDefect::kEmptyFirstBlock) ? MergeForm::kPublished : problem_.merge;
    RingMerge<Real> merge(query.dim, form, merge_defect(problem_.defect));
    for (const std::vector<KeyRow>& block_keys : keys) {
      BlockRow block = attend_block(query.row(row, head), block_keys, query.dim, problem_.scale);
      if (is(ParallelDefect::kBase2Lse)) block.lse /= std::log(2.0);
      const std::vector<Real> out(block.out.begin(), block.out.end());
      merge.add(out.data(), static_cast<Real>(block.lse));
    }
    std::copy(merge.out().begin(), merge.out().end(), rows.out.row(row, head));
    *rows.lse.row(row, head) = static_cast<double>(merge.lse());
  }

  const RingInput& input_;
  const ShardedProblem& problem_;
  std::int64_t frames_;
  std::vector<std::uint8_t> attends_;     // [T, T]
  std::vector<std::uint8_t> everywhere_;  // [T]: every frame attends it
};

}  // namespace

RingRows attend_ring(const RingInput& input) {
  const RankRows rows(input);
  return {rows.video(), rows.text()};
}

}  // namespace lvsa::reference
