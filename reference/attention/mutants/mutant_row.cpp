#include "reference/attention/mutants/mutant_row.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "core/numeric/small_floats.hpp"

namespace lvsa::reference {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

float to_bf16(float value) { return bf16_to_float(float_to_bf16(value)); }

// Running maximum, sum and output of one pass over tiles.
struct State {
  float max = -kInfinity;
  float sum = 0.0F;
  std::vector<float> acc;
};

float exponential(float x, Defect defect) {
  return std::exp2(x * (defect == Defect::kLog2e144 ? 1.44F : 1.44269504F));
}

// Scores of up to kBlock keys, each dot product in the order of the dimensions; several at a time
// because one alone waits for its own additions.
constexpr std::size_t kBlock = 8;
void add_scores(const float* q, std::span<const MutantKey> keys, std::int64_t dim, float scale,
                Defect defect, std::vector<float>& scores) {
  const std::int64_t used = defect == Defect::kHeadDimTailDropped ? dim - dim / 8 : dim;
  std::array<float, kBlock> dots{};
  std::array<const float*, kBlock> rows{};
  for (std::size_t j = 0; j < kBlock; ++j) rows[j] = keys[std::min(j, keys.size() - 1)].k;
  for (std::int64_t i = 0; i < used; ++i) {
    for (std::size_t j = 0; j < kBlock; ++j) dots[j] += q[i] * rows[j][i];
  }
  for (std::size_t j = 0; j < keys.size(); ++j) scores.push_back(dots[j] * scale + keys[j].bias);
}

// P in the type that it is multiplied in.
float rounded_weight(float p, Defect defect) {
  if (defect == Defect::kTowardZeroP) {
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(p) & 0xffff0000U);
  }
  if (defect != Defect::kFewerBitsOfP) return to_bf16(p);
  int exponent = 0;
  const float fraction = std::frexp(p, &exponent);
  return std::ldexp(std::floor(fraction * 16.0F) / 16.0F, exponent);
}

float next_max(const State& state, std::span<const float> scores, std::size_t tile, Defect defect) {
  if (defect == Defect::kMaxNotUpdated && tile > 0) return state.max;
  return std::max(state.max, *std::max_element(scores.begin(), scores.end()));
}

void add_tile(State& state, std::span<const float> scores, const MutantTile& tile,
              std::size_t index, std::size_t count, Defect defect) {
  const float max = next_max(state, scores, index, defect);
  const float rescale = state.max == -kInfinity ? 0.0F : exponential(state.max - max, defect);
  std::vector<float> part(state.acc.size(), 0.0F);
  float part_sum = 0.0F;
  for (std::size_t j = 0; j < tile.size(); ++j) {
    const float exact = max == -kInfinity ? 0.0F : exponential(scores[j] - max, defect);
    part_sum += tile[j].no_weight ? 0.0F : exact;
    const float p = tile[j].no_weight ? 0.0F : rounded_weight(exact, defect);
    for (std::size_t c = 0; c < part.size(); ++c) part[c] += p * tile[j].v[c];
  }
  const bool left_out = (defect == Defect::kSumMissesLastTile && index + 1 == count) ||
                        (defect == Defect::kSumMissesFirstTile && index == 0);
  const bool keeps_sum = defect == Defect::kSumNotRescaled && index > 0;
  const float old_sum =
      index == 0 && state.max == -kInfinity ? state.sum : state.sum * (keeps_sum ? 1.0F : rescale);
  state.sum = old_sum + (left_out ? 0.0F : part_sum);
  const bool keeps_acc = defect == Defect::kRescaleMissing && index == 1;
  for (std::size_t c = 0; c < part.size(); ++c) {
    const float sum = state.acc[c] * (keeps_acc ? 1.0F : rescale) + part[c];
    state.acc[c] = defect == Defect::kAccumulateBf16 ? to_bf16(sum) : sum;
  }
  state.max = max;
}

MutantResult finish(const State& state, Defect defect) {
  MutantResult result{state.acc, state.max + std::log(state.sum)};
  // A row without keys has neither a sum nor a maximum.
  const bool empty = state.max == -kInfinity;
  const bool divides = !empty || defect == Defect::kEmptyRowNan;
  for (float& value : result.out) value = divides ? value / state.sum : 0.0F;
  if (empty) result.lse = -kInfinity;
  if (defect == Defect::kLseBase2) result.lse *= 1.44269504F;
  if (defect == Defect::kLseWithoutMax) result.lse = std::log(state.sum);
  if (defect == Defect::kLseRoundedBf16) result.lse = to_bf16(result.lse);
  return result;
}

MutantResult pass(const float* q, std::int64_t dim, float scale, std::span<const MutantTile> tiles,
                  float carried, Defect defect) {
  State state{-kInfinity, carried, std::vector<float>(static_cast<std::size_t>(dim), 0.0F)};
  if (defect == Defect::kMaxStartsAtZero) state.max = 0.0F;
  std::vector<float> scores;
  for (std::size_t t = 0; t < tiles.size(); ++t) {
    scores.clear();
    for (std::size_t j = 0; j < tiles[t].size(); j += kBlock) {
      const std::size_t count = std::min(kBlock, tiles[t].size() - j);
      add_scores(q, std::span(tiles[t]).subspan(j, count), dim, scale, defect, scores);
    }
    if (!scores.empty()) add_tile(state, scores, tiles[t], t, tiles.size(), defect);
  }
  return finish(state, defect);
}

// Merges two halves by their log-sum-exps.
MutantResult merged(const MutantResult& a, const MutantResult& b, Defect defect) {
  const float max = std::max(a.lse, b.lse);
  const auto weight = [&](float lse) {
    if (defect == Defect::kMergeWithoutWeights) return 1.0F;
    return defect == Defect::kMergeWrongBase ? std::exp2(lse - max) : std::exp(lse - max);
  };
  // The defect: an empty half's -inf is subtracted from itself.
  const float first =
      defect == Defect::kMergeEmptyNan ? std::exp(a.lse - a.lse) * weight(a.lse) : weight(a.lse);
  const float second = weight(b.lse);
  MutantResult result{std::vector<float>(a.out.size()), max + std::log(first + second)};
  for (std::size_t c = 0; c < a.out.size(); ++c) {
    result.out[c] = (first * a.out[c] + second * b.out[c]) / (first + second);
  }
  return result;
}

}  // namespace

MutantResult mutant_row(const float* q, std::int64_t head_dim, float scale,
                        const std::vector<MutantTile>& tiles, std::size_t split, float carried,
                        Defect defect) {
  const bool merges =
      defect >= Defect::kMergeWrongBase && defect <= Defect::kMergeEmptyNan && !tiles.empty();
  if (!merges) return pass(q, head_dim, scale, tiles, carried, defect);
  const std::span all(tiles);
  return merged(pass(q, head_dim, scale, all.first(split), 0.0F, defect),
                pass(q, head_dim, scale, all.subspan(split), 0.0F, defect), defect);
}

}  // namespace lvsa::reference
