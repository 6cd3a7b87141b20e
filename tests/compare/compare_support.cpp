#include "tests/compare/compare_support.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "core/error.hpp"

namespace lvsa::analysis::testing {
namespace {

std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

double unit(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

struct Noise {
  std::vector<double> q, k, v;
};

double word(const std::string& words, const std::string& name, double otherwise) {
  std::istringstream in(words);
  for (std::string each; in >> each;) {
    if (each.starts_with(name + "=")) return std::atof(each.c_str() + name.size() + 1);
  }
  return otherwise;
}

class Band : public PatternRule {
 public:
  explicit Band(const std::string& words)
      : width_(static_cast<std::int64_t>(word(words, "width", 3.0))),
        turn_(static_cast<std::int64_t>(word(words, "turn", 1.0))),
        fail_(word(words, "fail", 0.0) == 1.0) {}
  bool depends_on_step() const override { return turn_ > 1; }
  bool depends_on_head() const override { return fail_; }
  HeadPattern make(const PatternInput& input) const override {
    if (fail_ && input.head % 2 == 1) throw Error(ErrorKind::kValue, "band: an odd head");
    const auto axis = BlockAxis::uniform(input.video.grid.seq_len(), 8);
    const std::int64_t shift = input.step % turn_;
    HeadPattern pattern;
    pattern.map = make_block_map(axis, axis, [&](std::int64_t r, std::int64_t c) {
      return std::abs(r + shift - c) <= width_;
    });
    return pattern;
  }

 private:
  std::int64_t width_, turn_;
  bool fail_;
};

class Speckle : public PatternRule {
 public:
  explicit Speckle(const std::string& words) : share_(word(words, "share", 0.5)) {
    if (!(share_ >= 0.0 && share_ <= 1.0)) throw Error(ErrorKind::kValue, "share: 0 .. 1 is due");
  }
  bool depends_on_head() const override { return true; }
  HeadPattern make(const PatternInput& input) const override {
    return speckled(input.video.grid.seq_len(), share_, static_cast<std::uint64_t>(input.head),
                    input.head % 2 == 1);
  }
  double prediction_flops(const PatternInput&) const override { return 1e9; }

 private:
  double share_;
};

}  // namespace

Sample noise_sample(const FrameGrid& grid, std::int64_t dim, std::uint64_t seed, double loudness) {
  const auto count = static_cast<std::size_t>(grid.seq_len() * dim);
  auto noise = std::make_shared<Noise>();
  std::uint64_t next = seed * 1000003;
  for (auto* values : {&noise->q, &noise->k, &noise->v}) {
    for (std::size_t i = 0; i < count; ++i) values->push_back(2.0 * unit(mixed(next++)) - 1.0);
  }
  for (double& x : noise->q) x *= loudness;
  const auto view = [&](const std::vector<double>& values) {
    TensorView made;
    made.data = values.data();
    made.dtype = LVSA_F64;
    made.shape = {1, grid.seq_len(), 1, dim};
    made.strides = {grid.seq_len() * dim, dim, dim, 1};
    return made;
  };
  return {{"noise", 0, 0, 0, 0},
          grid,
          1.0 / std::sqrt(static_cast<double>(dim)),
          view(noise->q),
          view(noise->k),
          view(noise->v),
          noise};
}

NoiseSource::NoiseSource(const FrameGrid& grid, std::int64_t dim, std::int64_t heads)
    : grid_(grid), dim_(dim) {
  for (std::int64_t head = 0; head < heads; ++head) ids_.push_back({"noise", 0, 0, 0, head});
}

Sample NoiseSource::load(std::size_t index) const {
  Sample sample = noise_sample(grid_, dim_, index + 1, 4.0);
  sample.id = ids_.at(index);
  return sample;
}

HeadPattern speckled(std::int64_t tokens, double share, std::uint64_t salt, bool reversed) {
  HeadPattern pattern = pattern_of_ranges(
      BlockAxis::uniform(tokens, 9), BlockAxis::uniform(tokens, 70),
      [&](std::int64_t place, std::vector<KeyRange>& out) {
        const auto row = static_cast<std::uint64_t>(place);
        for (std::int64_t j = 0; j < tokens; ++j) {
          const std::uint64_t bits =
              mixed(mixed(row + (salt << 40)) + static_cast<std::uint64_t>(j));
          // Whole stretches at times, so that full blocks are among them.
          const bool in_stretch =
              unit(mixed(salt * 7 + row / 9 + 31 * static_cast<std::uint64_t>(j / 70))) <
              share * share;
          if (!(unit(bits) < share) && !in_stretch) continue;
          if (!out.empty() && out.back().second == j) {
            ++out.back().second;
          } else {
            out.emplace_back(j, j + 1);
          }
        }
      });
  if (reversed) {
    std::vector<std::int32_t> order;
    for (std::int64_t i = tokens; i-- > 0;) order.push_back(static_cast<std::int32_t>(i));
    pattern.order = Permutation(std::move(order), "reversed");
  }
  return pattern;
}

CompareRule band_rule(const std::string& words) {
  return {words, "band", DensityKnob{"width", 0.0, 40.0, true},
          [](const std::string& line) { return std::make_unique<Band>(line); }};
}

CompareRule speckle_rule(const std::string& words) {
  return {words, "speckle", DensityKnob{"share", 0.0, 1.0, false},
          [](const std::string& line) { return std::make_unique<Speckle>(line); }};
}

}  // namespace lvsa::analysis::testing
