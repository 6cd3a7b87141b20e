// Geometry detection on the device against core's, in both behaviours and by the hooks' rule.

#include "cuda/pattern/geometry.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "core/error.hpp"
#include "core/geometry/detection.hpp"
#include "tests/cuda/device_memory.hpp"

namespace lvsa::cuda::test {
namespace {

using Numbers = std::vector<std::int64_t>;

std::vector<Geometry> on_device(const Numbers& seq_len, const Numbers& frames,
                                const Numbers& candidates, GeometryRule rule) {
  const DeviceArray<std::int64_t> s(seq_len), t(frames), c(candidates);
  const DeviceArray<Geometry> found(seq_len.size());
  detect_geometry({s.get(), t.get(), static_cast<std::int64_t>(seq_len.size()), c.get(),
                   static_cast<std::int64_t>(candidates.size())},
                  rule, found.get(), nullptr);
  return found.read();
}

Numbers flat(const Geometry& g) { return {g.patches_per_frame, g.text_tokens, g.fits}; }

// Core takes its candidates from the environment.
Numbers core_finds(std::int64_t seq_len, std::int64_t frames, const Numbers& candidates,
                   Version version) {
  std::string list;
  for (const std::int64_t p : candidates) list += std::to_string(p) + ",";
  const Detection found =
      detect_geometry(seq_len, frames, {{"LVSA_PATCHES_PER_FRAME", list}}, behaviour(version));
  if (!found.grid) return {0, 0, 0};
  return {found.grid->patches_per_frame, found.grid->text_tokens,
          static_cast<std::int64_t>(found.fits.size())};
}

Numbers any_candidates() {
  return *rc::gen::nonEmpty(rc::gen::container<Numbers>(rc::gen::weightedOneOf<std::int64_t>(
      {{4, rc::gen::inRange<std::int64_t>(1, 60)},
       {4, rc::gen::element<std::int64_t>(390, 780, 880, 920, 1350, 1560, 1590, 2040, 3600)},
       {1, rc::gen::element<std::int64_t>(0, -4, std::numeric_limits<std::int64_t>::max(),
                                          std::numeric_limits<std::int64_t>::min(),
                                          std::int64_t{1} << 40)}})));
}

// A length near what a candidate makes, or any.
std::int64_t any_seq_len(const Numbers& candidates, std::int64_t frames) {
  const std::int64_t p = *rc::gen::elementOf(candidates);
  if (p < 1 || p > 4000 || *rc::gen::inRange(0, 5) == 0) {
    return *rc::gen::weightedOneOf<std::int64_t>(
        {{8, rc::gen::inRange<std::int64_t>(0, 400000)},
         {1, rc::gen::just(std::numeric_limits<std::int64_t>::max())}});
  }
  const std::int64_t video = p * frames;
  return video + *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(-2, video + 3),
                                 rc::gen::element<std::int64_t>(-1, 0, 1, video - 1, video));
}

TEST(DeviceGeometry, IsCoresForBatchesOfRandomCaptures) {
  LVSA_NEEDS_DEVICE();
  const bool holds = rc::check("device geometry is core's", [] {
    const Numbers candidates = any_candidates();
    // By value: rapidcheck draws again when it shrinks, after this call has ended.
    const auto any_call = rc::gen::exec([candidates] {
      const std::int64_t frames = *rc::gen::inRange<std::int64_t>(1, 130);
      return std::pair(any_seq_len(candidates, frames), frames);
    });
    const auto calls = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<std::pair<std::int64_t, std::int64_t>>>(any_call));
    Numbers seq_len;
    Numbers frames;
    for (const auto& [length, t] : calls) {
      seq_len.push_back(length);
      frames.push_back(t);
    }
    const auto first = on_device(seq_len, frames, candidates, GeometryRule::kFirstFit);
    const auto smallest = on_device(seq_len, frames, candidates, GeometryRule::kSmallestText);
    const auto hook = on_device(seq_len, frames, candidates, GeometryRule::kHook);
    for (std::size_t i = 0; i < calls.size(); ++i) {
      RC_LOG() << "seq_len=" << seq_len[i] << " T=" << frames[i] << "\n";
      RC_ASSERT(flat(first[i]) == core_finds(seq_len[i], frames[i], candidates, Version::k1_2));
      RC_ASSERT(flat(smallest[i]) == core_finds(seq_len[i], frames[i], candidates, Version::k1_3));
      const auto grid = detect_hook_geometry(seq_len[i], frames[i]);
      RC_ASSERT(flat(hook[i]) ==
                (grid ? Numbers{grid->patches_per_frame, 0, 1} : Numbers{0, 0, 0}));
    }
  });
  EXPECT_TRUE(holds);
}

TEST(DeviceGeometry, FindsNothingWithoutCandidates) {
  LVSA_NEEDS_DEVICE();
  EXPECT_EQ(flat(on_device({32760}, {21}, {}, GeometryRule::kSmallestText).front()),
            (Numbers{0, 0, 0}));
}

TEST(DeviceGeometry, RefusesNullPointersAndNegativeCounts) {
  Geometry found{};
  std::int64_t number = 1;
  EXPECT_THROW(
      detect_geometry({&number, nullptr, 1, nullptr, 0}, GeometryRule::kHook, &found, nullptr),
      Error);
  EXPECT_THROW(
      detect_geometry({&number, &number, 1, nullptr, 2}, GeometryRule::kFirstFit, &found, nullptr),
      Error);
  EXPECT_THROW(
      detect_geometry({&number, &number, -1, nullptr, 0}, GeometryRule::kFirstFit, &found, nullptr),
      Error);
}

}  // namespace
}  // namespace lvsa::cuda::test
