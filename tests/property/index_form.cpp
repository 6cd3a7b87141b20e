#include "tests/property/index_form.hpp"

namespace lvsa::property {

namespace {

template <typename Copies>
Pairs copy_pairs(const Copies& copies) {
  Pairs pairs;
  for (const auto& copy : copies) pairs.emplace_back(copy.source, copy.target);
  return pairs;
}

template <typename Integers>
std::vector<std::int64_t> wide(const Integers& values) {
  return std::vector<std::int64_t>(values.begin(), values.end());
}

template <typename Windows>
Pairs window_pairs(const Windows& windows) {
  Pairs pairs;
  for (const auto& window : windows) pairs.emplace_back(window.lo, window.hi);
  return pairs;
}

template <typename Ranges>
Pairs range_pairs(const Ranges& ranges) {
  Pairs pairs;
  for (const auto& range : ranges) pairs.emplace_back(range.begin, range.end);
  return pairs;
}

void fill_ranks_part(const RankIndex& index, IndexForm& form) {
  form.local_seq = index.local_seq;
  form.global_token_start = index.global_token_start;
  const auto width = static_cast<std::ptrdiff_t>(index.attended_width);
  form.attended_C = index.attended_width;
  for (std::size_t i = 0; i < index.local_frames.size(); ++i) {
    const LocalFrame& local = index.local_frames[i];
    form.local_frames[local.frame] = {local.tokens.begin, local.tokens.end};
    const auto tokens = index.window_tokens.begin();
    form.window_ctx[local.frame] = range_pairs(std::vector<TokenRange>(
        tokens + index.window_offsets.at(i), tokens + index.window_offsets.at(i + 1)));
    const auto row = index.attended.begin() + static_cast<std::ptrdiff_t>(i) * width;
    form.attended_indices.emplace_back(row, row + width);
  }
}

}  // namespace

std::vector<std::int64_t> IndexForm::column_frames(std::int64_t patches) const {
  std::vector<std::int64_t> frames(static_cast<std::size_t>(fi_compact_n), -1);
  for (const auto& [source, target] : fi_global_copies) {
    frames.at(static_cast<std::size_t>(target / patches)) =
        global_indices.at(static_cast<std::size_t>(source / patches));
  }
  for (const auto& [source, target] : fi_local_copies) {
    frames.at(static_cast<std::size_t>(target / patches)) = (source + global_token_start) / patches;
  }
  return frames;
}

reference::FrameSet IndexForm::row_frames(std::int64_t r, std::int64_t patches) const {
  const std::vector<std::int64_t> frames = column_frames(patches);
  reference::FrameSet set;
  for (std::int64_t i = fi_indptr.at(static_cast<std::size_t>(r));
       i < fi_indptr.at(static_cast<std::size_t>(r) + 1); ++i) {
    set.insert(frames.at(static_cast<std::size_t>(fi_indices.at(static_cast<std::size_t>(i)))));
  }
  return set;
}

reference::FrameSet IndexForm::context_frames(std::int64_t frame, std::int64_t patches) const {
  reference::FrameSet set;
  for (const auto& [begin, end] : window_ctx.at(frame)) {
    for (std::int64_t token = begin; token < end; ++token) {
      set.insert((token + global_token_start) / patches);
    }
  }
  return set;
}

reference::FrameSet IndexForm::table_frames(std::size_t i) const {
  return reference::FrameSet(attended_indices.at(i).begin(), attended_indices.at(i).end());
}

IndexForm core_form(const PatternCase& c) {
  const FramePattern pattern = build_frame_pattern(c.spec());
  const RankIndex index =
      build_rank_index(pattern, c.patches(), c.arguments.rank, c.arguments.world);
  IndexForm form;
  fill_ranks_part(index, form);
  form.global_indices = wide(pattern.globals);
  form.global_frame_mask = wide(pattern.is_global);
  form.window_bounds = window_pairs(pattern.windows);
  form.fi_indptr = wide(index.blocks.indptr);
  form.fi_indices = wide(index.blocks.indices);
  form.fi_M = index.blocks.query_tokens;
  form.fi_N = index.blocks.key_tokens;
  form.fi_MB = index.blocks.rows;
  form.fi_compact_n = index.blocks.compact_frames;
  form.fi_global_copies = copy_pairs(index.blocks.global_copies);
  form.fi_local_copies = copy_pairs(index.blocks.local_copies);
  return form;
}

IndexForm reference_form(const PatternCase& c) {
  const reference::Metadata m = reference::build_metadata(c.arguments);
  IndexForm form;
  form.local_seq = m.local_seq;
  form.global_token_start = m.global_token_start;
  form.global_indices = m.global_indices;
  for (const reference::LocalFrame& local : m.local_frames) {
    form.local_frames[local.frame] = {local.tokens.begin, local.tokens.end};
  }
  for (const auto& [frame, ranges] : m.window_ctx) form.window_ctx[frame] = range_pairs(ranges);
  form.global_frame_mask = m.global_frame_mask;
  form.window_bounds = window_pairs(m.window_bounds);
  form.attended_indices = m.attended_indices;
  form.attended_C = m.attended_C;
  form.fi_indptr = m.block_rows.indptr;
  form.fi_indices = m.block_rows.indices;
  form.fi_M = m.block_rows.M;
  form.fi_N = m.block_rows.N;
  form.fi_MB = m.block_rows.MB;
  form.fi_compact_n = m.block_rows.compact_n;
  form.fi_global_copies = copy_pairs(m.block_rows.global_copies);
  form.fi_local_copies = copy_pairs(m.block_rows.local_copies);
  return form;
}

}  // namespace lvsa::property
