// Patches per frame: candidates and detection, in both published behaviours.

#include "reference/pattern/geometry.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "core/geometry/detection.hpp"
#include "tests/property/environment_case.hpp"
#include "tests/property/outcome.hpp"
#include "tests/property/pattern_case.hpp"

namespace lvsa::property {
namespace {

// Patches per frame and text tokens, or nothing.
using Found = std::vector<std::int64_t>;

// Lists of realistic and of small candidates, some of them with a part that is no integer.
rc::Gen<std::string> any_list() {
  return rc::gen::exec([] {
    const auto parts =
        *rc::gen::container<std::vector<std::string>>(rc::gen::weightedOneOf<std::string>(
            {{12, rc::gen::map(rc::gen::inRange(1, 60), [](int p) { return std::to_string(p); })},
             {8, rc::gen::element<std::string>("390", "780", "880", "920", "1000", "1350", "1560",
                                               "1590", "1600", "2040", "3600")},
             {1, rc::gen::element<std::string>("", " ", " 1560 ", "+880", "1_560", "0", "-4", "x",
                                               "1e3",
                                               "\x1c"
                                               "7")}}));
    if (*rc::gen::inRange(0, 20) == 0) return std::string(parts.size() + 1, ',');
    std::string list;
    for (std::size_t i = 0; i < parts.size(); ++i) list += (i > 0 ? "," : "") + parts[i];
    return list;
  });
}

Environment any_geometry_environment() {
  Environment environment = *any_environment(
      {{"LVSA_VIDEO_HEIGHT", {"480", "544", "704", "720", "1080", "0", "15", "x", ""}},
       {"LVSA_VIDEO_WIDTH", {"832", "848", "960", "1280", "1920", "0", "-8"}},
       {"LVSA_VAE_SPATIAL_FACTOR", {"8", "16", "32", "0", "y"}},
       {"LVSA_PATCH_SIZE", {"1", "2", "4", "0"}}});
  if (*rc::gen::inRange(0, 4) > 0) environment["LVSA_PATCHES_PER_FRAME"] = *any_list();
  return environment;
}

// A length that some candidate makes, with a text around both limits or between, or any length.
std::int64_t any_seq_len(const Environment& environment, std::int64_t frames) {
  const auto candidates =
      outcome([&] { return reference::candidate_patches_per_frame(environment); }).second;
  if (candidates.empty() || *rc::gen::inRange(0, 5) == 0) {
    return *rc::gen::inRange<std::int64_t>(0, 200000);
  }
  const std::int64_t video = *rc::gen::elementOf(candidates) * frames;
  const std::int64_t most_text = std::max<std::int64_t>(video, 0) + 3;
  const std::int64_t text =
      *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(-2, most_text),
                      rc::gen::element<std::int64_t>(-1, 0, 1, video - 1, video, video + 1));
  return std::max<std::int64_t>(0, video + text);
}

Found core_finds(const Environment& environment, std::int64_t seq_len, std::int64_t frames,
                 Version version) {
  const auto grid = detect_geometry(seq_len, frames, environment, behaviour(version)).grid;
  if (!grid) return {};
  return {grid->patches_per_frame, grid->text_tokens};
}

Found reference_finds(const Environment& environment, std::int64_t seq_len, std::int64_t frames,
                      reference::Published published) {
  const auto found = reference::detect_geometry(published, environment, seq_len, frames);
  if (!found) return {};
  return {found->patches_per_frame, found->text_tokens};
}

RC_GTEST_PROP(Candidates, AreTheRestatedOnes, ()) {
  const Environment environment = any_geometry_environment();
  RC_LOG() << rc::toString(environment) << "\n";
  RC_ASSERT(outcome([&] { return candidate_patches_per_frame(environment); }) ==
            outcome([&] { return reference::candidate_patches_per_frame(environment); }));
}

RC_GTEST_PROP(Geometry, IsTheRestatedOneInBothBehaviours, ()) {
  const Environment environment = any_geometry_environment();
  const std::int64_t frames = *rc::gen::inRange<std::int64_t>(1, 130);
  const std::int64_t seq_len = any_seq_len(environment, frames);
  RC_LOG() << rc::toString(environment) << " seq_len=" << seq_len << " T=" << frames << "\n";
  RC_ASSERT(outcome([&] { return core_finds(environment, seq_len, frames, Version::k1_2); }) ==
            outcome([&] {
              return reference_finds(environment, seq_len, frames, reference::Published::k12);
            }));
  RC_ASSERT(outcome([&] { return core_finds(environment, seq_len, frames, Version::k1_3); }) ==
            outcome([&] {
              return reference_finds(environment, seq_len, frames, reference::Published::k13);
            }));
}

RC_GTEST_PROP(Geometry, AccountsForEveryTokenAndHasLessTextThanVideo, ()) {
  const Environment environment = any_geometry_environment();
  const std::int64_t frames = *rc::gen::inRange<std::int64_t>(1, 130);
  const std::int64_t seq_len = any_seq_len(environment, frames);
  for (const Version version : {Version::k1_2, Version::k1_3}) {
    const auto found =
        outcome([&] { return core_finds(environment, seq_len, frames, version); }).second;
    if (found.empty()) continue;
    const std::int64_t patches = found.at(0);
    const std::int64_t text = found.at(1);
    RC_ASSERT(frames * patches + text == seq_len);
    RC_ASSERT(text >= 0);
    RC_ASSERT(text < frames * patches);
  }
}

// 1.3 decides by the text, so the order of the list says nothing any more.
RC_GTEST_PROP(Geometry, DoesNotDependOnTheOrderOfTheListSinceOneThree, ()) {
  const std::vector<int> patches =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 60)));
  const std::int64_t frames = *rc::gen::inRange<std::int64_t>(1, 130);
  const std::int64_t seq_len = *rc::gen::inRange<std::int64_t>(1, 120 * frames);
  const auto found = [&](auto begin, auto end) {
    std::string list;
    for (auto p = begin; p != end; ++p) list += (list.empty() ? "" : ",") + std::to_string(*p);
    return core_finds({{"LVSA_PATCHES_PER_FRAME", list}}, seq_len, frames, Version::k1_3);
  };
  RC_ASSERT(found(patches.begin(), patches.end()) == found(patches.rbegin(), patches.rend()));
}

// A list that is set but holds no number is a list without candidates, not an unset variable.
TEST(Candidates, AreNoneForAListOfEmptyParts) {
  for (const char* text : {",", " ", " , ,"}) {
    const Environment environment = {{"LVSA_PATCHES_PER_FRAME", text},
                                     {"LVSA_VIDEO_HEIGHT", "480"},
                                     {"LVSA_VIDEO_WIDTH", "832"}};
    EXPECT_TRUE(candidate_patches_per_frame(environment).empty()) << "'" << text << "'";
    EXPECT_TRUE(reference::candidate_patches_per_frame(environment).empty());
  }
}

}  // namespace
}  // namespace lvsa::property
