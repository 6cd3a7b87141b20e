// The index structures of a rank: equal to the restated ones field by field, and to each other
// wherever the published forms agree.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "tests/property/index_form.hpp"

namespace lvsa::property {
namespace {

RC_GTEST_PROP(RankIndex, HoldsTheRestatedFramesAndWindowContext, (const PatternCase& c)) {
  const IndexForm got = core_form(c);
  const IndexForm due = reference_form(c);
  RC_ASSERT(got.local_seq == due.local_seq);
  RC_ASSERT(got.global_token_start == due.global_token_start);
  RC_ASSERT(got.global_indices == due.global_indices);
  RC_ASSERT(got.global_frame_mask == due.global_frame_mask);
  RC_ASSERT(got.local_frames == due.local_frames);
  RC_ASSERT(got.window_bounds == due.window_bounds);
  RC_ASSERT(got.window_ctx == due.window_ctx);
}

RC_GTEST_PROP(RankIndex, HoldsTheRestatedAttendedTable, (const PatternCase& c)) {
  const IndexForm got = core_form(c);
  const IndexForm due = reference_form(c);
  RC_ASSERT(got.attended_C == due.attended_C);
  RC_ASSERT(got.attended_indices == due.attended_indices);
}

RC_GTEST_PROP(RankIndex, HoldsTheRestatedBlockRows, (const PatternCase& c)) {
  const IndexForm got = core_form(c);
  const IndexForm due = reference_form(c);
  RC_ASSERT(got.fi_MB == due.fi_MB);
  RC_ASSERT(got.fi_M == due.fi_M);
  RC_ASSERT(got.fi_compact_n == due.fi_compact_n);
  RC_ASSERT(got.fi_N == due.fi_N);
  RC_ASSERT(got.fi_indptr == due.fi_indptr);
  RC_ASSERT(got.fi_indices == due.fi_indices);
  RC_ASSERT(got.fi_global_copies == due.fi_global_copies);
  RC_ASSERT(got.fi_local_copies == due.fi_local_copies);
}

RC_GTEST_PROP(RankIndex, OverAllRanksCoversAllTokensOnce, (PatternCase c)) {
  std::vector<std::int64_t> times(static_cast<std::size_t>(c.frames() * c.patches()), 0);
  for (c.arguments.rank = 0; c.arguments.rank < c.arguments.world; ++c.arguments.rank) {
    const IndexForm index = core_form(c);
    for (const auto& [frame, tokens] : index.local_frames) {
      RC_ASSERT(tokens.first < tokens.second);
      for (std::int64_t local = tokens.first; local < tokens.second; ++local) {
        const std::int64_t token = index.global_token_start + local;
        RC_ASSERT(token / c.patches() == frame);
        ++times.at(static_cast<std::size_t>(token));
      }
    }
  }
  RC_ASSERT(std::count(times.begin(), times.end(), 1) == static_cast<std::ptrdiff_t>(times.size()));
}

RC_GTEST_PROP(RankIndex, DescribesOneSetInAllThreeFormsOnAWorldOfOne, (PatternCase c)) {
  c.arguments.rank = 0;
  c.arguments.world = 1;
  const IndexForm index = core_form(c);
  const reference::FrameSet globals(index.global_indices.begin(), index.global_indices.end());
  RC_ASSERT(index.fi_MB == c.frames());
  for (std::int64_t f = 0; f < c.frames(); f += 1 + c.frames() / 40) {
    const reference::FrameSet table = index.table_frames(static_cast<std::size_t>(f));
    reference::FrameSet context = index.context_frames(f, c.patches());
    context.insert(globals.begin(), globals.end());
    RC_ASSERT(table == context);
    RC_ASSERT(table == index.row_frames(f, c.patches()));
  }
}

RC_GTEST_PROP(RankIndex, DescribesOneSetInContextAndBlockRowsOnEveryRank, (const PatternCase& c)) {
  const IndexForm index = core_form(c);
  const reference::FrameSet globals(index.global_indices.begin(), index.global_indices.end());
  std::int64_t r = 0;
  for (const auto& [frame, tokens] : index.local_frames) {
    if (r == index.fi_MB) break;
    if (r % (1 + index.fi_MB / 40) == 0) {
      reference::FrameSet context = index.context_frames(frame, c.patches());
      for (const std::int64_t f : context) RC_ASSERT(!globals.contains(f));
      context.insert(globals.begin(), globals.end());
      RC_ASSERT(context == index.row_frames(r, c.patches()));
    }
    ++r;
  }
}

RC_GTEST_PROP(RankIndex, ClipsTheAttendedTableToTheContextAndNothingElse, (const PatternCase& c)) {
  const IndexForm index = core_form(c);
  const reference::FrameSet globals(index.global_indices.begin(), index.global_indices.end());
  std::size_t i = 0;
  for (const auto& [frame, tokens] : index.local_frames) {
    reference::FrameSet clipped;
    for (const std::int64_t f : index.table_frames(i)) {
      if (!globals.contains(f) && index.local_frames.contains(f)) clipped.insert(f);
    }
    RC_ASSERT(clipped == index.context_frames(frame, c.patches()));
    ++i;
  }
}

RC_GTEST_PROP(RankIndex, NumbersItsColumnsByFrameAndCopiesEachOnce, (const PatternCase& c)) {
  const IndexForm index = core_form(c);
  const std::vector<std::int64_t> frames = index.column_frames(c.patches());
  RC_ASSERT(std::adjacent_find(frames.begin(), frames.end(), std::greater_equal<>()) ==
            frames.end());
  RC_ASSERT((frames.empty() || frames.front() >= 0));
  RC_ASSERT(static_cast<std::int64_t>(index.fi_global_copies.size() +
                                      index.fi_local_copies.size()) == index.fi_compact_n);
  RC_ASSERT(index.fi_indptr.front() == 0);
  RC_ASSERT(index.fi_indptr.back() == static_cast<std::int64_t>(index.fi_indices.size()));
  reference::FrameSet used(index.fi_indices.begin(), index.fi_indices.end());
  RC_ASSERT(static_cast<std::int64_t>(used.size()) == index.fi_compact_n);
  for (std::size_t r = 0; r + 1 < index.fi_indptr.size(); ++r) {
    const auto row = index.fi_indices.begin() + index.fi_indptr[r];
    const auto end = index.fi_indices.begin() + index.fi_indptr[r + 1];
    RC_ASSERT(std::adjacent_find(row, end, std::greater_equal<>()) == end);
  }
}

RC_GTEST_PROP(RankIndex, CopiesWholeFramesFromTheRankWhenGuardsHoldTheSharedOnes, (PatternCase c)) {
  const std::int64_t local_seq = c.frames() * c.patches() / c.arguments.world;
  for (std::int64_t rank = 1; rank < c.arguments.world; ++rank) {
    c.arguments.boundary_guards.push_back(rank * local_seq / c.patches());
  }
  const IndexForm index = core_form(c);
  for (const auto& [source, target] : index.fi_local_copies) {
    RC_ASSERT(source >= 0);
    RC_ASSERT(source + c.patches() <= index.local_seq);
  }
}

RC_GTEST_PROP(RankIndex, RepeatsTheLastFrameOnlyBehindTheRow, (const PatternCase& c)) {
  const IndexForm index = core_form(c);
  std::size_t widest = 0;
  for (std::size_t i = 0; i < index.attended_indices.size(); ++i) {
    const std::vector<std::int64_t>& row = index.attended_indices[i];
    const reference::FrameSet frames = index.table_frames(i);
    std::vector<std::int64_t> due = reference::sorted(frames);
    widest = std::max(widest, due.size());
    if (!due.empty()) due.resize(row.size(), due.back());
    RC_ASSERT(row == due);
  }
  RC_ASSERT(static_cast<std::int64_t>(widest) == index.attended_C);
}

}  // namespace
}  // namespace lvsa::property
