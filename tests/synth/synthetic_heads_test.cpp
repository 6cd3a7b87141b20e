// What the heads of a synthetic video attend to, measured on their softmax.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/synth/head_maker.hpp"

namespace lvsa::synth {
namespace {

const char* const kVideo =
    "T=11 h=12 w=16 text=5 heads=4 D=128 layers=2 steps=4 seed=3 objects=3 speed=0.3 "
    "camera=pan:0.2 mix=spatial:1,temporal:1,global:1,diffuse:1";

// Attention mass of one query on each token, from the definition.
std::vector<double> masses(const Tensor& q, const Tensor& k, std::int64_t token) {
  const std::int64_t dim = q.shape()[3];
  std::vector<double> query(static_cast<std::size_t>(dim));
  std::vector<double> key(static_cast<std::size_t>(dim));
  q.view().read_row(0, token, 0, query.data());
  std::vector<double> mass;
  for (std::int64_t s = 0; s < k.shape()[1]; ++s) {
    k.view().read_row(0, s, 0, key.data());
    mass.push_back(std::inner_product(query.begin(), query.end(), key.begin(), 0.0) /
                   std::sqrt(static_cast<double>(dim)));
  }
  const double top = *std::max_element(mass.begin(), mass.end());
  double sum = 0.0;
  for (double& m : mass) sum += m = std::exp(m - top);
  for (double& m : mass) m /= sum;
  return mass;
}

struct Statistics {
  double same_frame = 0.0;     // means over the sampled queries
  double same_position = 0.0;  // in other frames, within a token of the place in the picture
  double same_matter = 0.0;    // in other frames, within a token of where it has moved
  double first_and_text = 0.0;
  double entropy = 0.0;             // over that of a uniform distribution
  std::vector<double> by_distance;  // mean mass of a frame at |f - f'|
};

class Heads : public testing::Test {
 protected:
  std::int64_t head_of(HeadClass head_class, std::int64_t layer) const {
    for (std::int64_t h = 0; h < words.heads; ++h) {
      if (class_of(words, layer, h) == head_class) return h;
    }
    ADD_FAILURE() << "no head of class " << class_name(head_class);
    return 0;
  }

  Statistics measure(HeadClass head_class, std::int64_t step, std::int64_t layer = 0) const {
    const HeadMaker maker(words, scene, layer, step, head_of(head_class, layer));
    const Tensor q = maker.queries();
    const Tensor k = maker.keys();
    Statistics all;
    all.by_distance.resize(static_cast<std::size_t>(words.frames));
    std::vector<double> pairs(all.by_distance.size());
    const std::int64_t size = words.height * words.width;
    double count = 0.0;
    for (std::int64_t token = 1; token < words.frames * size; token += 53) {
      const auto mass = masses(q, k, token);
      add(all, pairs, mass, token);
      count += 1.0;
    }
    for (double* sum : {&all.same_frame, &all.same_position, &all.same_matter, &all.first_and_text,
                        &all.entropy}) {
      *sum /= count;
    }
    for (std::size_t d = 0; d < pairs.size(); ++d) all.by_distance[d] /= std::max(pairs[d], 1.0);
    return all;
  }

  void add(Statistics& all, std::vector<double>& pairs, const std::vector<double>& mass,
           std::int64_t token) const {
    const std::int64_t size = words.height * words.width;
    const auto place = [&](std::int64_t t) {
      return scene.look(t / size, t % size / words.width, t % size % words.width);
    };
    const Look mine = place(token);
    const std::int64_t frame = token / size;
    for (std::int64_t f = 0; f < words.frames; ++f) {
      pairs[static_cast<std::size_t>(std::abs(f - frame))] += 1.0;
    }
    for (std::size_t i = 0; i < mass.size(); ++i) {
      const auto t = static_cast<std::int64_t>(i);
      const bool text = t >= words.frames * size;
      if (mass[i] > 0.0) {
        all.entropy -= mass[i] * std::log(mass[i]) / std::log(static_cast<double>(mass.size()));
      }
      if (text || t < size) all.first_and_text += mass[i];
      if (text) continue;
      all.by_distance[static_cast<std::size_t>(std::abs(t / size - frame))] += mass[i];
      if (t / size == frame) {
        all.same_frame += mass[i];
        continue;
      }
      const std::int64_t dy = t % size / words.width - token % size / words.width;
      const std::int64_t dx = t % size % words.width - token % size % words.width;
      if (std::abs(dy) <= 1 && std::abs(dx) <= 1) all.same_position += mass[i];
      const Look other = place(t);
      if (other.material == mine.material && std::abs(other.place.y - mine.place.y) <= 1.5 &&
          std::abs(other.place.x - mine.place.x) <= 1.5) {
        all.same_matter += mass[i];
      }
    }
  }

  VideoWords words = parse_video(kVideo);
  Scene scene{words};
};

TEST_F(Heads, SpatialOnesStayInTheirFrame) {
  const Statistics s = measure(HeadClass::kSpatial, 3);
  EXPECT_GT(s.same_frame, 0.6);  // 1 / 11 by chance
  EXPECT_LT(s.first_and_text, 0.2);
}

TEST_F(Heads, SpatialMassFallsWithTheFrameDistance) {
  const Statistics s = measure(HeadClass::kSpatial, 3);
  for (std::size_t d = 1; d <= 5; ++d) {
    EXPECT_LT(s.by_distance[d], s.by_distance[d - 1]) << "at distance " << d;
  }
  // As exp(-a d) with a near 1 it loses two orders of magnitude over five frames.
  EXPECT_LT(s.by_distance[5], s.by_distance[0] / 50.0);
}

TEST_F(Heads, TemporalOnesFollowWhatMovedThroughAllFrames) {
  const Statistics s = measure(HeadClass::kTemporal, 3);
  EXPECT_GT(s.same_matter, 0.6);
  EXPECT_GT(s.same_matter, s.same_position);  // the camera pans
  EXPECT_LT(s.same_frame, 0.3);
  EXPECT_GT(s.by_distance.back(), 0.25 / 11.0);  // not only the neighbours
}

TEST_F(Heads, GlobalOnesLookAtTheFirstFrameAndTheText) {
  EXPECT_GT(measure(HeadClass::kGlobal, 3).first_and_text, 0.8);
  EXPECT_LT(measure(HeadClass::kDiffuse, 3).first_and_text, 0.2);
}

TEST_F(Heads, DiffuseOnesAreNearlyUniform) {
  const Statistics s = measure(HeadClass::kDiffuse, 3);
  EXPECT_GT(s.entropy, 0.95);
  EXPECT_NEAR(s.same_frame, 1.0 / 11.0, 0.05);
}

TEST_F(Heads, StructureGrowsWhileTheNoiseFallsOverTheSteps) {
  for (const std::int64_t layer : {0, 1}) {
    double frame = 0.0;
    double matter = 0.0;
    double sink = 0.0;
    for (const std::int64_t step : {0, 3}) {
      const double now = measure(HeadClass::kSpatial, step, layer).same_frame;
      EXPECT_GT(now, frame);
      frame = now;
      const double followed = measure(HeadClass::kTemporal, step, layer).same_matter;
      EXPECT_GT(followed, matter);
      matter = followed;
      const double first = measure(HeadClass::kGlobal, step, layer).first_and_text;
      EXPECT_GT(first, sink);
      sink = first;
    }
  }
}

}  // namespace
}  // namespace lvsa::synth
