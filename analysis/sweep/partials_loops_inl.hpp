// The loops of partials_loops.hpp, written once for all sets of instructions. Included inside an
// unnamed namespace by partials_loops_*.cpp, each of which has defined before:
//   kLanes  doubles a vector: 2, 4 or 8
//   kRows   query rows that a product takes together, as far as registers go: a divisor of 8
// No standard header may be included here (see partials_loops.hpp). Compiled with
// -ffp-contract=off: a product and a sum are two roundings everywhere.

typedef double Vec __attribute__((vector_size(kLanes * 8), may_alias));
typedef int64_t Int __attribute__((vector_size(kLanes * 8), may_alias));
typedef uint64_t Bits __attribute__((vector_size(kLanes * 8), may_alias));
typedef double Anywhere __attribute__((vector_size(kLanes * 8), aligned(8), may_alias));

constexpr int kStep = 2 * kLanes;               // two vectors side by side
constexpr int kParts = kPartialsSums / kLanes;  // vectors that hold the partial sums

inline Vec load(const double* p) { return *reinterpret_cast<const Anywhere*>(p); }
inline void store(double* p, Vec x) { *reinterpret_cast<Anywhere*>(p) = x; }
inline Vec splat(double x) { return x - Vec{}; }
inline Vec absolute(Vec x) {
  return reinterpret_cast<Vec>(reinterpret_cast<Bits>(x) & 0x7fffffffffffffffULL);
}

#include "reference/attention/oracle_exp_inl.hpp"

// ln x for x > 0 that is no subnormal number. x = 2^n f with f in [sqrt(1/2), sqrt(2)); ln f =
// 2 atanh(s) with s = (f - 1) / (f + 1), |s| <= 0.172, by its series, whose remainder is below
// 2^-60.
inline Vec log_positive(Vec x) {
  const Int bits = reinterpret_cast<Int>(x);
  const Int n = (bits - 0x3fe6a09e667f3bcdLL) >> 52;
  const Vec f = reinterpret_cast<Vec>(bits - (n << 52));
  const Vec whole = reinterpret_cast<Vec>(n + 0x4338000000000000LL) - 0x1.8p52;
  const Vec s = (f - 1.0) / (f + 1.0);
  const Vec square = s * s;
  Vec series = splat(1.0 / 23.0);
  series = series * square + 1.0 / 21.0;
  series = series * square + 1.0 / 19.0;
  series = series * square + 1.0 / 17.0;
  series = series * square + 1.0 / 15.0;
  series = series * square + 1.0 / 13.0;
  series = series * square + 1.0 / 11.0;
  series = series * square + 1.0 / 9.0;
  series = series * square + 1.0 / 7.0;
  series = series * square + 1.0 / 5.0;
  series = series * square + 1.0 / 3.0;
  series = series * square;
  const Vec twice = s * 2.0;
  return whole * 0x1.62e42feep-1 + (twice + (twice * series + whole * 0x1.a39ef35793c76p-33));
}

// The partial sums as one number, in the order that partials_loops.hpp gives.
inline double add_up(const Vec (&parts)[kParts]) {
  double p[kPartialsSums];
#pragma GCC unroll 4
  for (int part = 0; part < kParts; ++part) store(p + part * kLanes, parts[part]);
  return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
}

void multiply(const PartialsProduct* args) {
  const PartialsProduct& m = *args;
  for (int64_t row = 0; row < m.rows; row += kRows) {
    const double* a[kRows];
    for (int r = 0; r < kRows; ++r) a[r] = m.a + (row + r) * m.a_pitch;
    for (int column = 0; column < kPartialsPanel; column += kStep) {
      double* const c = m.c + row * m.c_pitch + column;
      Vec sum[kRows][2] = {};
      if (!m.fresh) {
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
          sum[r][0] = load(c + r * m.c_pitch);
          sum[r][1] = load(c + r * m.c_pitch + kLanes);
        }
      }
      const double* b = m.b + column;
      for (int64_t i = 0; i < m.depth; ++i, b += kPartialsPanel) {
        const Vec left = load(b);
        const Vec right = load(b + kLanes);
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
          const Vec factor = splat(a[r][i]);
          sum[r][0] += factor * left;
          sum[r][1] += factor * right;
        }
      }
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        store(c + r * m.c_pitch, sum[r][0]);
        store(c + r * m.c_pitch + kLanes, sum[r][1]);
      }
    }
  }
}

void soften(PartialsSoften* args) {
  PartialsSoften& a = *args;
  double* const w = a.weights;
  const int64_t padded = (a.keys + kPartialsPanel - 1) / kPartialsPanel * kPartialsPanel;
  for (int64_t j = a.keys; j < padded; ++j) w[j] = w[0];  // the largest score stays
  Vec top = splat(-__builtin_inf());
  for (int64_t j = 0; j < padded; j += kLanes) {
    const Vec s = load(w + j) * a.scale;
    store(w + j, s);
    top = s > top ? s : top;
  }
  double most = top[0];
  for (int lane = 1; lane < kLanes; ++lane) most = top[lane] > most ? top[lane] : most;
  for (int64_t j = 0; j < padded; j += kLanes) store(w + j, exp_nonpositive(load(w + j) - most));
  for (int64_t j = a.keys; j < padded; ++j) w[j] = 0.0;
  Vec sum[kParts] = {};
  for (int64_t j = 0; j < padded; j += kPartialsSums) {
#pragma GCC unroll 4
    for (int part = 0; part < kParts; ++part) sum[part] += load(w + j + part * kLanes);
  }
  a.max_score = most;
  a.normaliser = add_up(sum);
}

// Of two vectors, the pieces of kPiece lanes with even numbers are added to those with odd ones. A
// template of the vector too, so that shuffles of other lengths than it has are never looked at.
template <int kPiece, typename V>
inline V fold(V a, V b) {
  if constexpr (kLanes == 8 && kPiece == 4) {
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) +
           __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
  }
  if constexpr (kLanes == 8 && kPiece == 2) {
    return __builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13) +
           __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15);
  }
  if constexpr (kLanes == 8 && kPiece == 1) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14) +
           __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
  }
  if constexpr (kLanes == 4 && kPiece == 2) {
    return __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
  }
  if constexpr (kLanes == 4 && kPiece == 1) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
  }
  if constexpr (kLanes == 2) {
    return __builtin_shufflevector(a, b, 0, 2) + __builtin_shufflevector(a, b, 1, 3);
  }
}

template <int kPiece>
inline void fold_pairs(Vec (&t)[8], int count) {
#pragma GCC unroll 4
  for (int i = 0; i < count; ++i) t[i] = fold<kPiece>(t[2 * i], t[2 * i + 1]);
}

// to[i] += the sum of v[i], for eight of them at once: halves of vectors are added side by side,
// then quarters, then single numbers, which is the order that partials_loops.hpp gives.
inline void add_up_eight(const Vec (&v)[8][kParts], double* to) {
  Vec t[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    t[i] = v[i][0];
    if constexpr (kParts == 2) t[i] = v[i][0] + v[i][kParts - 1];
    if constexpr (kParts == 4) t[i] = (v[i][0] + v[i][2]) + (v[i][1] + v[i][3]);
  }
  if constexpr (kLanes == 8) fold_pairs<4>(t, 4);
  if constexpr (kLanes >= 4) fold_pairs<2>(t, 16 / kLanes);
  fold_pairs<1>(t, 8 / kLanes);
#pragma GCC unroll 4
  for (int i = 0; i < 8 / kLanes; ++i) store(to + i * kLanes, load(to + i * kLanes) + t[i]);
}

void combine(const PartialsCombine* args) {
  const PartialsCombine& a = *args;
  for (int64_t i = 0; i < a.count; ++i) {
    const SlotPair pair = a.pairs[i];
    const double* const left = a.table + int64_t{pair.left} * kPartialsSums;
    const double* const right = a.table + int64_t{pair.right} * kPartialsSums;
    double* const sum = a.table + (a.first + i) * kPartialsSums;
    for (int c = 0; c < kPartialsSums; c += kLanes)
      store(sum + c, load(left + c) + load(right + c));
  }
}

void compare(const PartialsCompare* args) {
  const PartialsCompare& a = *args;
  Vec dense[kParts];
  for (int part = 0; part < kParts; ++part) dense[part] = load(a.dense + part * kLanes);
  for (int64_t first = 0; first < a.count; first += 8) {
    Vec out[8][kParts];
    Vec difference[8][kParts];
    Vec product[8][kParts];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      const int64_t set = first + i < a.count ? first + i : a.count - 1;
      const double* const left = a.table + int64_t{a.pairs[set].left} * kPartialsSums;
      const double* const right = a.table + int64_t{a.pairs[set].right} * kPartialsSums;
      for (int part = 0; part < kParts; ++part) {
        const int c = part * kLanes;
        out[i][part] = (load(left + c) + load(right + c)) * a.factors[set];
        difference[i][part] = out[i][part] - dense[part];
        product[i][part] = absolute(difference[i][part]);
      }
    }
    add_up_eight(product, a.l1 + first);
    for (int i = 0; i < 8; ++i) {
      for (int part = 0; part < kParts; ++part) {
        product[i][part] = difference[i][part] * difference[i][part];
      }
    }
    add_up_eight(product, a.l2 + first);
    for (int i = 0; i < 8; ++i) {
      for (int part = 0; part < kParts; ++part) product[i][part] = out[i][part] * dense[part];
    }
    add_up_eight(product, a.dot + first);
    for (int i = 0; i < 8; ++i) {
      for (int part = 0; part < kParts; ++part) product[i][part] = out[i][part] * out[i][part];
    }
    add_up_eight(product, a.norm + first);
  }
}

void scale(const double* from, double factor, int64_t count, double* to) {
  int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) store(to + c, load(from + c) * factor);
  for (; c < count; ++c) to[c] = from[c] * factor;
}

// y = kOf(x), the rest of fewer than kLanes in a vector of its own.
template <Vec (*kOf)(Vec)>
inline void map_array(const double* x, double* y, int64_t count) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(y + i, kOf(load(x + i)));
  if (i == count) return;
  Vec value = {};
  for (int64_t j = i; j < count; ++j) value[j - i] = x[j];
  value = kOf(value);
  for (int64_t j = i; j < count; ++j) y[j] = value[j - i];
}

void exp_array(const double* x, double* y, int64_t count) {
  map_array<exp_nonpositive>(x, y, count);
}

void log_array(const double* x, double* y, int64_t count) { map_array<log_positive>(x, y, count); }

void gather(const PartialsGather* args) {
  const PartialsGather& a = *args;
  constexpr int kAtOnce = kPartialsPanel / kLanes;
  for (int64_t column = 0; column < a.width; column += kPartialsPanel) {
    Vec sum[kAtOnce];
#pragma GCC unroll 8
    for (int i = 0; i < kAtOnce; ++i) sum[i] = load(a.sum + column + i * kLanes);
    for (uint64_t left = a.keys; left != 0; left &= left - 1) {
      const int64_t j = __builtin_ctzll(left);
      const Vec weight = splat(a.weights[j]);
      const double* const value = a.values + j * a.width + column;
#pragma GCC unroll 8
      for (int i = 0; i < kAtOnce; ++i) sum[i] += weight * load(value + i * kLanes);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kAtOnce; ++i) store(a.sum + column + i * kLanes, sum[i]);
  }
}
