#pragma once
// Softmax and selection of a row of pooled scores, for host and device; see arithmetic.hpp.

#include "cuda/prediction/arithmetic.hpp"

namespace lvsa::cuda::prediction {

/// 1 / i in two parts.
struct Inverse {
  double high;
  double low;
};

/// a / i rounded once, for the i that `inverse` belongs to; |a| is 0 or in 2^-900 .. 2^900. The
/// first quotient is off by little more than half an ulp, so that the remainder is exact and
/// Markstein's theorem applies to the step that follows: high is 1 / i rounded to nearest.
LVSA_HOST_DEVICE double quotient(double a, double i, const Inverse& inverse) {
  const double near = fused(a, inverse.high, mul(a, inverse.low));
  return fused(fused(-near, i, a), inverse.high, near);
}

/// exact::exp() of core/exact for -700 <= x <= 0, below -700 that of -700.
LVSA_HOST_DEVICE double exponential(double x) {
  constexpr double kLn2High = 0x1.62e42fee00000p-1;
  constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  constexpr double kPerLn2 = 0x1.71547652b82fep+0;
  constexpr Inverse kInverse[15] = {{0.0, 0.0},
                                    {0x1.0000000000000p+0, 0.0},
                                    {0x1.0000000000000p-1, 0.0},
                                    {0x1.5555555555555p-2, 0x1.5555555555555p-56},
                                    {0x1.0000000000000p-2, 0.0},
                                    {0x1.999999999999ap-3, -0x1.999999999999ap-57},
                                    {0x1.5555555555555p-3, 0x1.5555555555555p-57},
                                    {0x1.2492492492492p-3, 0x1.2492492492492p-57},
                                    {0x1.0000000000000p-3, 0.0},
                                    {0x1.c71c71c71c71cp-4, 0x1.c71c71c71c71cp-58},
                                    {0x1.999999999999ap-4, -0x1.999999999999ap-58},
                                    {0x1.745d1745d1746p-4, -0x1.745d1745d1746p-59},
                                    {0x1.5555555555555p-4, 0x1.5555555555555p-58},
                                    {0x1.3b13b13b13b14p-4, -0x1.3b13b13b13b14p-58},
                                    {0x1.2492492492492p-4, 0x1.2492492492492p-58}};
  x = x < -700.0 ? -700.0 : x;
  const int whole = static_cast<int>(add(mul(x, kPerLn2), -0.5));  // towards 0, as there
  const double n = static_cast<double>(whole);
  const double r = add(add(x, -mul(n, kLn2High)), -mul(n, kLn2Low));
  double sum = 1.0;
  LVSA_UNROLL
  for (int i = 14; i > 0; --i) {
    sum = add(1.0, quotient(mul(sum, r), static_cast<double>(i), kInverse[i]));
  }
  // 0.7 <= sum <= 1.5 and n >= -1010: the result is normal, so that n can go into the exponent.
  const auto bits = std::bit_cast<std::uint64_t>(sum);
  return std::bit_cast<double>(
      bits + (static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)) << 52));
}

/// e^(score - highest) in fp32; 0 for a score of -infinity.
LVSA_HOST_DEVICE float weight_of(float score, float highest) {
  if (std::bit_cast<std::uint32_t>(score) == 0xff800000U) return 0.0F;
  return to_float(exponential(add(static_cast<double>(score), -static_cast<double>(highest))));
}

/// Whether the fp64 sum of `count` weights in any other order, rounded to fp32, is that of `sum`
/// too; then *total is it. Two orders differ by at most 2 (count - 1) 2^-53 of the true sum each
/// way.
LVSA_HOST_DEVICE bool total_is_certain(double sum, int count, float* total) {
  const double share = mul(static_cast<double>(count), 0x1p-51);
  const float least = to_float(mul(sum, add(1.0, -share)));
  const float most = to_float(mul(sum, add(1.0, share)));
  *total = most;
  return std::bit_cast<std::uint32_t>(least) == std::bit_cast<std::uint32_t>(most);
}

/// A sum of probabilities (0 .. 2^15) rounded to the type in one rounding.
template <typename Type>
LVSA_HOST_DEVICE double rounded_sum(double sum) {
  constexpr int kDropped = 53 - Type::kSignificandBits;
  constexpr double kLeastNormal = Type::kLeastExponent == -14 ? 0x1p-14 : 0x1p-126;
  if (sum < kLeastNormal) {  // multiples of the least subnormal; a sum with this ends in them
    constexpr double kRounder = Type::kLeastExponent == -14 ? 0x1.8p28 : 0x1.8p-81;
    return add(add(sum, kRounder), -kRounder);
  }
  const auto bits = std::bit_cast<std::uint64_t>(sum);
  const std::uint64_t half = (std::uint64_t{1} << (kDropped - 1)) - 1;
  return std::bit_cast<double>((bits + half + (bits >> kDropped & 1U)) &
                               ~((std::uint64_t{1} << kDropped) - 1));
}

/// Which entries of a row are taken, by the bits of their probabilities, which grow with them: all
/// above `least`, and of those equal to it the first `ties`, in ascending order of index.
struct Cut {
  std::uint32_t least = 0;
  std::int32_t ties = 0;
};
inline constexpr std::int32_t kAllTies = 0x7fffffff;

/// The `taken` largest, 1 .. number of entries. `count_from(bits)` says how many entries have these
/// bits or more; `lowest` and `highest` are the least and the largest bits.
template <typename CountFrom>
LVSA_HOST_DEVICE Cut cut_of_count(std::int32_t taken, std::uint32_t lowest, std::uint32_t highest,
                                  const CountFrom& count_from) {
  std::uint32_t least = lowest;       // count_from(least) >= taken
  std::uint32_t above = highest + 1;  // count_from(above) < taken
  std::int32_t larger = 0;            // count_from(above)
  while (above - least > 1) {
    const std::uint32_t middle = least + (above - least) / 2;
    const std::int32_t count = count_from(middle);
    if (count == taken) return {middle, kAllTies};
    if (count > taken) {
      least = middle;
    } else {
      above = middle;
      larger = count;
    }
  }
  return {least, taken - larger};
}

/// Scores as bits that grow with them, and back; -0 becomes 0, to which it is equal.
LVSA_HOST_DEVICE std::uint32_t ordered_bits(float score) {
  const auto bits = std::bit_cast<std::uint32_t>(add(score, 0.0F));
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000U;
}
LVSA_HOST_DEVICE float score_of_ordered(std::uint32_t bits) {
  return std::bit_cast<float>(bits >> 31 != 0 ? bits & 0x7fffffffU : ~bits);
}

/// The cut of the `taken` largest scores, in ordered bits; `count_from(score)` says how many are
/// this or more. The first guesses take them for evenly spread between the bounds, whose numbers
/// are known, then, and where that would leave the bounds, halves count.
template <typename CountFrom>
LVSA_HOST_DEVICE Cut cut_of_scores(std::int32_t taken, std::int32_t entries, float lowest,
                                   float highest, const CountFrom& count_from) {
  constexpr int kGuesses = 8;
  std::uint32_t least = ordered_bits(lowest);       // `many` are this or more, taken or more
  std::uint32_t above = ordered_bits(highest) + 1;  // `few` are this or more, fewer than taken
  std::int32_t many = entries;
  std::int32_t few = 0;
  for (int pass = 0; above - least > 1; ++pass) {
    std::uint32_t middle = least + (above - least) / 2;
    if (pass < kGuesses) {
      const float low = score_of_ordered(least);
      const float high = score_of_ordered(above - 1);
      const float share =
          near_quotient(static_cast<float>(many - taken) + 0.5F, static_cast<float>(many - few));
      const std::uint32_t guess = ordered_bits(low + (high - low) * share);
      if (guess > least && guess < above) middle = guess;
    }
    const std::int32_t count = count_from(score_of_ordered(middle));
    if (count == taken) return {middle, kAllTies};
    if (count > taken) {
      least = middle;
      many = count;
    } else {
      above = middle;
      few = count;
    }
  }
  return {least, taken - few};
}

/// Probabilities grow with scores, so that the largest scores have the largest ones. They are not
/// the same order where rounding gives different scores one probability. It cannot where scores are
/// further apart than 2^-20: the exponentials then differ by that factor, which two roundings on
/// either side (2^-24 each) leave above 1, as long as the larger probability is normal: a score
/// less than 60 below the highest one is, e^-60 / 2^15 > 2^-126. So a cut at score `last`, the
/// least that it takes, is sure when every other score is equal or further away.
inline constexpr float kSureDepth = 60.0F;
inline constexpr float kSureDistance = 0x1p-20F;
/// Weights in fp32, which are normal above that depth, that differ by this share of one of them
/// have different probabilities: rounding the quotients takes 2^-24 each.
inline constexpr float kSureShare = 0x1p-21F;
LVSA_HOST_DEVICE bool is_deep(float last, float highest) {
  return !(add(highest, -last) < kSureDepth);
}
LVSA_HOST_DEVICE bool is_near(float score, float last) {
  const float distance = score > last ? add(score, -last) : add(last, -score);
  return score != last && !(distance > kSureDistance);
}

/// As many in falling order as have a running sum, rounded to the type, of at most `most`; at least
/// one. `next_below(bits, &count)` gives the largest bits below these and how many entries have
/// them, or 0 for count at the end.
template <typename Type, typename NextBelow>
LVSA_HOST_DEVICE Cut cut_of_mass(float most, std::uint32_t highest, const NextBelow& next_below) {
  Cut cut{highest, 1};
  double sum = 0.0;
  std::uint32_t bits = highest + 1;
  while (true) {
    std::int32_t count = 0;
    bits = next_below(bits, &count);
    if (count == 0) return cut;
    const auto value = static_cast<double>(std::bit_cast<float>(bits));
    std::int32_t taken = 0;
    for (; taken < count; ++taken) {
      sum = add(sum, value);
      if (!(rounded_sum<Type>(sum) <= static_cast<double>(most))) break;
      if (bits == 0) {  // zeros change nothing
        taken = count;
        break;
      }
    }
    if (taken > 0) cut = {bits, taken};
    if (taken < count) return cut;
  }
}

/// The same by bisection, from sums in any order. `sum_from(bits)` adds up the entries with these
/// bits or more. False, and nothing is said, where such a sum is so near to the threshold that its
/// order decides: sums of `entries` numbers in two orders differ as total_is_certain() says.
template <typename Type, typename CountFrom, typename SumFrom>
LVSA_HOST_DEVICE bool sure_cut_of_mass(float most, std::int32_t entries, std::uint32_t highest,
                                       const CountFrom& count_from, const SumFrom& sum_from,
                                       Cut* cut) {
  const double share = mul(static_cast<double>(entries), 0x1p-51);
  const auto passes = [&](double sum) {
    return rounded_sum<Type>(sum) <= static_cast<double>(most);
  };
  enum Answer { kYes, kNo, kUnsure };
  const auto all_pass = [&](double sum) {
    if (passes(mul(sum, add(1.0, share)))) return kYes;
    return passes(mul(sum, add(1.0, -share))) ? kUnsure : kNo;
  };
  *cut = {0, kAllTies};
  Answer answer = all_pass(sum_from(0));
  if (answer != kNo) return answer == kYes;
  std::uint32_t failing = 0;
  std::uint32_t passing = highest + 1;
  double passing_sum = 0.0;
  while (passing - failing > 1) {
    const std::uint32_t middle = failing + (passing - failing) / 2;
    const double sum = sum_from(middle);
    answer = all_pass(sum);
    if (answer == kUnsure) return false;
    if (answer == kYes) {
      passing = middle;
      passing_sum = sum;
    } else {
      failing = middle;
    }
  }
  // Entries equal to `failing` exist, and not all of them pass.
  const std::int32_t ties = count_from(failing) - count_from(passing);
  const auto value = static_cast<double>(std::bit_cast<float>(failing));
  std::int32_t taken = 0;
  for (answer = kYes; taken < ties; ++taken) {
    answer = all_pass(add(passing_sum, mul(static_cast<double>(taken + 1), value)));
    if (answer == kUnsure) return false;
    if (answer == kNo) break;
  }
  *cut = taken > 0 ? Cut{failing, taken} : Cut{passing, kAllTies};
  if (taken == 0 && passing > highest) *cut = {highest, 1};
  return true;
}

}  // namespace lvsa::cuda::prediction
