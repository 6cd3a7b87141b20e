// LVSA as a rule of block maps, against the restatement token by token.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/error.hpp"
#include "tests/sparse_static/sparse_case.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::sparse_test {
namespace {

using reference::LvsaWords;
using reference::SparseVideo;

struct Drawn {
  LvsaWords words;
  std::string text;
};

Drawn any_words() {
  Drawn drawn;
  LvsaWords& w = drawn.words;
  w.window = *rc::gen::inRange(0, 5);
  w.n_first = *rc::gen::inRange(0, 4);
  w.reference = *rc::gen::inRange(1, 22);
  w.scale = *rc::gen::element(0.0, 0.3, 0.5, 1.0, 2.0);
  w.expand = *rc::gen::arbitrary<bool>();
  w.rotate = *rc::gen::arbitrary<bool>();
  w.step = *rc::gen::inRange(0, 9);
  if (*rc::gen::arbitrary<bool>()) w.interval = *rc::gen::inRange(0, 7);
  if (!w.rotate) w.offset = *rc::gen::inRange(0, 9);
  if (*rc::gen::inRange(0, 3) == 0) w.condition = {3, 5};
  drawn.text = fmt::format("lvsa scale={} window={} n_first={} reference={} expand={}", w.scale,
                           w.window, w.n_first, w.reference, w.expand ? 1 : 0);
  if (w.interval) drawn.text += fmt::format(" interval={}", *w.interval);
  drawn.text += w.rotate ? " rotate=1" : fmt::format(" offset={}", w.offset);
  if (!w.condition.empty()) drawn.text += " condition=3,5";
  return drawn;
}

RC_GTEST_PROP(LvsaRule, AttendsThePairsOfTheRestatement, ()) {
  const SparseVideo video = *any_video(14, 6);
  const Drawn drawn = any_words();
  std::string text = drawn.text;
  if (*rc::gen::inRange(0, 4) == 0) {
    text += " blocks=frame";
  } else {
    text += fmt::format(" block_q={} block_k={}", *rc::gen::element(1, 7, 16, 64, 128),
                        *rc::gen::element(1, 5, 32, 64, 130));
  }
  RC_LOG() << describe(video) << ": " << text << std::endl;
  RC_ASSERT(token_mask(pattern_of(text, video, drawn.words.step)) ==
            reference::lvsa_token_mask(video, drawn.words));
}

TEST(LvsaRule, NeedsNoMasksWhereFramesAreBlocks) {
  const HeadPattern pattern = pattern_of("lvsa blocks=frame window=1 interval=4", {9, 5, 7, 40});
  EXPECT_TRUE(pattern.mask.entry.empty());
  EXPECT_EQ(pattern.map.rows.begins(),
            (std::vector<std::int64_t>{0, 35, 70, 105, 140, 175, 210, 245, 280, 315, 350, 355}));
}

TEST(LvsaRule, StoresEqualMasksOnce) {
  const HeadPattern pattern = pattern_of("lvsa reference=5 window=1", {60, 15, 26, 0});
  EXPECT_GT(pattern.map.kept(), 4000);
  EXPECT_LT(pattern.mask.masks(), 700);
}

TEST(LvsaRule, TakesTheOffsetFromTheStepWhereItRotates) {
  const SparseVideo video{12, 2, 2, 0};
  EXPECT_EQ(pattern_of("lvsa window=1 interval=4 rotate=1", video, 6),
            pattern_of("lvsa window=1 interval=4 offset=2", video, 0));
  EXPECT_TRUE(make_rule("lvsa rotate=1")->depends_on_step());
  EXPECT_FALSE(make_rule("lvsa")->depends_on_step());
}

TEST(LvsaRule, AlwaysExpandsIn12) {
  const SparseVideo video{20, 1, 1, 0};
  const std::string words = "lvsa window=2 interval=3 n_first=2 expand=0";
  EXPECT_EQ(pattern_of(words + " version=1.2", video),
            pattern_of("lvsa window=2 interval=3 n_first=2", video));
  EXPECT_NE(pattern_of(words, video), pattern_of("lvsa window=2 interval=3 n_first=2", video));
}

std::string refusal(const std::string& words) {
  return test_support::refusal_of([&] { make_rule(words); });
}

TEST(LvsaRule, RefusesParametersThatExcludeEachOther) {
  EXPECT_EQ(refusal("lvsa rotate=1 offset=2"), "lvsa: offset=2: rotate=1 decides it");
  EXPECT_EQ(refusal("lvsa blocks=frame block_k=32"),
            "lvsa: block_k=32: blocks=frame decides the size of blocks");
  EXPECT_EQ(refusal("lvsa version=1.2 condition=0"),
            "lvsa: condition=0: version=1.3 is due for it");
  EXPECT_EQ(refusal("lvsa window=-1"), "lvsa: window=-1: an integer of 0 .. 16777216 is due");
  EXPECT_EQ(refusal("lvsa condition=1.5"), "lvsa: condition=1.5: numbers of latent frames are due");
}

}  // namespace
}  // namespace lvsa::sparse_test
