#include "analysis/sweep/pattern_plan.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>

#include "core/error.hpp"

namespace lvsa::analysis {

PatternPlan::PatternPlan(std::int64_t frames) : frames_(frames) {
  if (frames < 1 || frames > kMaxSweepFrames) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} frames: 1 .. {} are due in a sweep", frames, kMaxSweepFrames));
  }
  const auto count = static_cast<std::size_t>(frames);
  sets_.assign(count, FrameSets(frames + 1));
  set_of_.resize(count);
  std::vector<std::uint8_t> all(sets_[0].bytes(), 0xff);
  all.back() = static_cast<std::uint8_t>((2U << (static_cast<unsigned>(frames) % 8U)) - 1U);
  for (FrameSets& sets : sets_) sets.add(all);
}

PatternPlan::PatternPlan(std::int64_t frames, std::span<const FramePattern> patterns, int threads)
    : PatternPlan(frames) {
  for (const FramePattern& pattern : patterns) check(pattern);
#pragma omp parallel num_threads(threads > 0 ? threads : omp_get_max_threads())
  {
    std::vector<std::uint8_t> bits(sets_[0].bytes());
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t frame = 0; frame < frames_; ++frame) {
      for (const FramePattern& pattern : patterns) add_row(pattern, frame, bits);
    }
  }
  size_ = patterns.size();
}

void PatternPlan::check(const FramePattern& pattern) const {
  if (pattern.frames() != frames_) {
    throw Error(ErrorKind::kValue,
                fmt::format("pattern of {} frames: {} are due", pattern.frames(), frames_));
  }
}

void PatternPlan::add_row(const FramePattern& pattern, std::int64_t frame,
                          std::vector<std::uint8_t>& bits) {
  std::fill(bits.begin(), bits.end(), std::uint8_t{0});
  const auto put = [&](std::size_t cell) {
    bits[cell / 8] = static_cast<std::uint8_t>(bits[cell / 8] | (1U << (cell % 8)));
  };
  for (const std::int32_t f : pattern.row(frame)) put(static_cast<std::size_t>(f));
  put(static_cast<std::size_t>(frames_));
  const auto at = static_cast<std::size_t>(frame);
  set_of_[at].push_back(sets_[at].add(bits));
}

std::size_t PatternPlan::add(const FramePattern& pattern) {
  check(pattern);
  std::vector<std::uint8_t> bits(sets_[0].bytes());
  for (std::int64_t frame = 0; frame < frames_; ++frame) add_row(pattern, frame, bits);
  return size_++;
}

}  // namespace lvsa::analysis
