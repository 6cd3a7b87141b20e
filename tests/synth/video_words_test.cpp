// Words of synthetic videos, and the samples that come from them.
#include "analysis/synth/video_words.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "analysis/synth/head_maker.hpp"
#include "analysis/synth/synthetic_source.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::synth {
namespace {

const char* const kSmall = "T=3 h=4 w=5 text=2 heads=4 D=24 layers=2 steps=2 seed=5";

std::string refusal(const std::string& words) {
  return test_support::refusal_of([&] { parse_video(words); });
}

TEST(VideoWords, SurviveTheWayToTextAndBack) {
  const std::string words = video_words(parse_video(
      "T=5 h=7 w=9 text=3 heads=5 D=32 layers=2 steps=4 seed=18446744073709551615 objects=2 "
      "speed=0.1 camera=pan:-0.25,tilt:0.3 mix=global:5 sharpness=0.7 noise=0.2 dtype=f16"));
  EXPECT_EQ(video_words(parse_video(words)), words);
  EXPECT_NE(words.find("seed=18446744073709551615"), std::string::npos);
  EXPECT_NE(words.find("camera=pan:-0.25,tilt:0.3"), std::string::npos);
}

TEST(VideoWords, ClassesShareAnyNumberOfHeads) {
  for (std::int64_t heads = 1; heads <= 30; ++heads) {
    const VideoWords v = parse_video("heads=" + std::to_string(heads));
    EXPECT_EQ(v.mix[0] + v.mix[1] + v.mix[2] + v.mix[3], heads);
  }
  EXPECT_EQ(parse_video("heads=12").mix, (std::array<std::int64_t, 4>{4, 4, 2, 2}));
}

TEST(VideoWords, BadOnesAreNamed) {
  EXPECT_NE(refusal("T=0").find("T=0: a number from 1"), std::string::npos) << refusal("T=0");
  EXPECT_NE(refusal("frames=3").find("frames=3: NAME=VALUE"), std::string::npos);
  EXPECT_NE(refusal("T=3 T=4").find("T once"), std::string::npos);
  EXPECT_NE(refusal("D=33").find("even"), std::string::npos);
  EXPECT_NE(refusal("mix=spatial:3").find("heads=12"), std::string::npos);
  EXPECT_NE(refusal("mix=spacial:12").find("spatial:4"), std::string::npos);
  EXPECT_NE(refusal("camera=left").find("pan:N"), std::string::npos);
  EXPECT_NE(refusal("speed=nan").find("0 to 8"), std::string::npos);
  EXPECT_NE(refusal("dtype=fp8").find("bf16, f16 or f32"), std::string::npos);
  EXPECT_NE(refusal("T=4096 h=4096 w=4096").find("tokens"), std::string::npos);
}

TEST(SyntheticSource, ListsLayersStepsAndHeadsWithTheirClasses) {
  const auto source = analysis::make_synthetic_source(kSmall);
  ASSERT_EQ(source->ids().size(), 16U);
  EXPECT_EQ(source->ids()[5], (analysis::SampleId{"synthetic", 0, 1, 0, 1}));
  EXPECT_EQ(source->grid(0).seq_len(), 62);
  const auto classes = analysis::sample_classes(*source);
  ASSERT_EQ(classes.size(), 16U);
  EXPECT_EQ(std::count(classes.begin(), classes.end(), "spatial"), 2 * 4);  // 4:4:2:2 of 4 heads
  EXPECT_EQ(classes[0], classes[4]);                                        // the same at all steps
}

TEST(SyntheticSource, ChoosesAndNamesWhatIsNotThere) {
  const auto source = analysis::make_synthetic_source(kSmall, {{1}, {0}, {3, 1}});
  ASSERT_EQ(source->ids().size(), 2U);
  EXPECT_EQ(source->ids()[1], (analysis::SampleId{"synthetic", 1, 0, 0, 3}));
  try {
    analysis::make_synthetic_source(kSmall, {{}, {}, {4}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "synthetic video: head 4 not there; it has heads 0-3");
  }
}

std::uint64_t hash_of(const Tensor& tensor) {
  return analysis::byte_hash(tensor.bytes(), tensor.size_bytes());
}

TEST(SyntheticSource, HasTheSameBitsOnAnyNumberOfThreads) {
  const VideoWords words = parse_video(kSmall);
  const Scene scene(words);
  const HeadMaker maker(words, scene, 1, 1, 2);
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const std::uint64_t one = hash_of(maker.queries());
  omp_set_num_threads(5);
  EXPECT_EQ(hash_of(maker.queries()), one);
  omp_set_num_threads(before);
}

// Recorded; a change means that results of published words are no longer repeated.
TEST(SyntheticSource, KeepsItsBits) {
  const VideoWords words = parse_video(kSmall);
  const Scene scene(words);
  std::string hashes;
  for (std::int64_t head = 0; head < 4; ++head) {
    const HeadMaker maker(words, scene, 0, 1, head);
    hashes += analysis::hash_text(hash_of(maker.queries()) ^ hash_of(maker.keys()) * 3 ^
                                  hash_of(maker.values()) * 5) +
              " ";
  }
  EXPECT_EQ(hashes, "ecc6f845b0fa51af 5415570dca8a47db 9791eb01e0e3db5a 86881467a19b1816 ");
}

TEST(SyntheticSource, SeedsLayersStepsAndHeadsDiffer) {
  const auto first = [](const std::string& more, std::int64_t layer, std::int64_t step,
                        std::int64_t head) {
    const VideoWords words = parse_video("T=3 h=4 w=5 heads=2 D=24 layers=2 steps=2" + more);
    const Scene scene(words);
    return hash_of(HeadMaker(words, scene, layer, step, head).queries());
  };
  const std::uint64_t base = first("", 0, 0, 0);
  EXPECT_NE(first(" seed=2", 0, 0, 0), base);
  EXPECT_NE(first("", 1, 0, 0), base);
  EXPECT_NE(first("", 0, 1, 0), base);
  EXPECT_NE(first("", 0, 0, 1), base);
}

TEST(SyntheticSource, TinyVideosWork) {
  for (const char* words : {"T=1 h=1 w=1 heads=4 D=12", "T=2 h=1 w=3 heads=4 D=14 objects=0 text=1",
                            "T=2 h=3 w=1 heads=4 D=12 sharpness=0 noise=0 speed=8 camera=pan:8"}) {
    const auto source = analysis::make_synthetic_source(words);
    for (std::size_t i = 0; i < source->ids().size(); ++i) {
      const auto sample = source->load(i);
      std::vector<double> row(static_cast<std::size_t>(sample.q.shape[3]));
      sample.q.read_row(0, sample.grid.seq_len() - 1, 0, row.data());
      for (const double x : row) EXPECT_TRUE(std::isfinite(x));
    }
  }
}

}  // namespace
}  // namespace lvsa::synth
