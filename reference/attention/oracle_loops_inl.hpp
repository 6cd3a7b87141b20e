// The oracle's inner loops, written once for all sets of instructions. Included inside an unnamed
// namespace by oracle_loops_*.cpp, each of which has defined before:
//   kLanes  doubles a vector: 2, 4 or 8
//   kRows   query rows that a loop takes together, as far as registers go: 2 or 4
// No standard header may be included here (see oracle_loops.hpp). Compiled with
// -ffp-contract=off: a product and a sum are two roundings everywhere.

typedef double Vec __attribute__((vector_size(kLanes * 8), may_alias));
typedef int64_t Int __attribute__((vector_size(kLanes * 8), may_alias));
typedef uint64_t Bits __attribute__((vector_size(kLanes * 8), may_alias));
typedef double Anywhere __attribute__((vector_size(kLanes * 8), aligned(8), may_alias));

constexpr int kStep = 2 * kLanes;             // two vectors side by side
constexpr int kParts = kOracleSums / kLanes;  // vectors that hold the partial sums

inline Vec load(const double* p) { return *reinterpret_cast<const Anywhere*>(p); }
inline void store(double* p, Vec x) { *reinterpret_cast<Anywhere*>(p) = x; }
inline Vec splat(double x) { return x - Vec{}; }
inline Vec absolute(Vec x) {
  return reinterpret_cast<Vec>(reinterpret_cast<Bits>(x) & 0x7fffffffffffffffULL);
}

#include "reference/attention/oracle_exp_inl.hpp"

// sums[r] += factors[r][at] x and magnitudes[r] += |factors[r][at] x|, x two vectors at `from`.
template <int kCount>
inline void add_products(const double* const (&factors)[kCount], int64_t at, const double* from,
                         Vec (&sums)[kCount][2], Vec (&magnitudes)[kCount][2]) {
  const Vec left = load(from);
  const Vec right = load(from + kLanes);
#pragma GCC unroll 4
  for (int r = 0; r < kCount; ++r) {
    const Vec factor = splat(factors[r][at]);
    const Vec t0 = factor * left;
    const Vec t1 = factor * right;
    sums[r][0] += t0;
    sums[r][1] += t1;
    magnitudes[r][0] += absolute(t0);
    magnitudes[r][1] += absolute(t1);
  }
}

// Two vectors of each row, at `place` in the arrays of rows `row` and following.
template <int kCount>
inline void store_pairs(const Vec (&pairs)[kCount][2], double* const* to, int64_t row,
                        int64_t place) {
#pragma GCC unroll 4
  for (int r = 0; r < kCount; ++r) {
    store(to[row + r] + place, pairs[r][0]);
    store(to[row + r] + place + kLanes, pairs[r][1]);
  }
}

template <int kCount>
inline void score_panel(const OracleScoreArgs& a, int64_t row, int64_t panel) {
  const double* const keys = a.key_block + panel * kOraclePanel * a.head_dim;
  const double* q[kCount];
  for (int r = 0; r < kCount; ++r) q[r] = a.queries[row + r];
  for (int part = 0; part < kOraclePanel; part += kStep) {
    Vec product[kCount][2] = {};
    Vec magnitude[kCount][2] = {};
    const double* k = keys + part;
    for (int64_t d = 0; d < a.head_dim; ++d, k += kOraclePanel) {
      add_products(q, d, k, product, magnitude);
    }
    const int64_t place = panel * kOraclePanel + part;
    store_pairs(product, a.products, row, place);
    store_pairs(magnitude, a.magnitudes, row, place);
  }
}

template <int kCount>
inline void values_rows(const OracleValueArgs& a, int64_t row) {
  const double* w[kCount];
  for (int r = 0; r < kCount; ++r) w[r] = a.weights[row + r];
  for (int64_t c = 0; c < a.width; c += kStep) {
    Vec sum[kCount][2];
    Vec magnitude[kCount][2];
#pragma GCC unroll 4
    for (int r = 0; r < kCount; ++r) {
      sum[r][0] = load(a.sums[row + r] + c);
      sum[r][1] = load(a.sums[row + r] + c + kLanes);
      magnitude[r][0] = load(a.magnitudes[row + r] + c);
      magnitude[r][1] = load(a.magnitudes[row + r] + c + kLanes);
    }
    const double* v = a.value_block + c;
    for (int64_t j = 0; j < a.keys; ++j, v += a.width) add_products(w, j, v, sum, magnitude);
    store_pairs(sum, a.sums, row, c);
    store_pairs(magnitude, a.magnitudes, row, c);
  }
}

template <int kCount>
inline void deviations_rows(const OracleDeviationArgs& a, int64_t row) {
  const double* w[kCount];
  const double* e[kCount];
  for (int r = 0; r < kCount; ++r) {
    w[r] = a.weights[row + r];
    e[r] = a.eta_weights[row + r];
  }
  for (int64_t c = 0; c < a.width; c += kStep) {
    Vec deviation[kCount][2];
    Vec shift[kCount][2];
    Vec centre[kCount][2];
#pragma GCC unroll 4
    for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 2
      for (int part = 0; part < 2; ++part) {
        deviation[r][part] = load(a.deviations[row + r] + c + part * kLanes);
        shift[r][part] = load(a.shifts[row + r] + c + part * kLanes);
        centre[r][part] = load(a.centres[row + r] + c + part * kLanes);
      }
    }
    const double* v = a.value_block + c;
    for (int64_t j = 0; j < a.keys; ++j, v += a.width) {
      const Vec value[2] = {load(v), load(v + kLanes)};
#pragma GCC unroll 4
      for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 2
        for (int part = 0; part < 2; ++part) {
          const Vec distance = absolute(value[part] - centre[r][part]);
          deviation[r][part] += splat(w[r][j]) * distance;
          shift[r][part] += splat(e[r][j]) * distance;
        }
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 2
      for (int part = 0; part < 2; ++part) {
        store(a.deviations[row + r] + c + part * kLanes, deviation[r][part]);
        store(a.shifts[row + r] + c + part * kLanes, shift[r][part]);
      }
    }
  }
}

// The rest of the rows, fewer than kRows, one by one.
void score(const OracleScoreArgs* args) {
  for (int64_t panel = 0; panel < args->panels; ++panel) {
    int64_t row = 0;
    for (; row + kRows <= args->rows; row += kRows) score_panel<kRows>(*args, row, panel);
    for (; row < args->rows; ++row) score_panel<1>(*args, row, panel);
  }
}

void add_values(const OracleValueArgs* args) {
  int64_t row = 0;
  for (; row + kRows <= args->rows; row += kRows) values_rows<kRows>(*args, row);
  for (; row < args->rows; ++row) values_rows<1>(*args, row);
}

void add_deviations(const OracleDeviationArgs* args) {
  int64_t row = 0;
  for (; row + kRows <= args->rows; row += kRows) deviations_rows<kRows>(*args, row);
  for (; row < args->rows; ++row) deviations_rows<1>(*args, row);
}

void add_absolute(const double* value_block, int64_t keys, int64_t width, double* sums) {
  for (int64_t j = 0; j < keys; ++j, value_block += width) {
    for (int64_t c = 0; c < width; c += kLanes) {
      store(sums + c, load(sums + c) + absolute(load(value_block + c)));
    }
  }
}

inline double add_up(const Vec (&parts)[kParts]) {
  double sum = 0.0;
  for (int part = 0; part < kParts; ++part) {
    for (int lane = 0; lane < kLanes; ++lane) sum += parts[part][lane];
  }
  return sum;
}

inline double largest(const Vec (&parts)[kParts]) {
  double most = parts[0][0];
  for (int part = 0; part < kParts; ++part) {
    for (int lane = 0; lane < kLanes; ++lane) {
      if (parts[part][lane] > most) most = parts[part][lane];
    }
  }
  return most;
}

// q.k becomes s_j; the result is the largest. NaN counts as -infinity here; its p is NaN.
inline double scale_scores(const OracleSoftenArgs& a, int64_t padded) {
  Vec top[kParts];
  for (int part = 0; part < kParts; ++part) top[part] = splat(-__builtin_inf());
  for (int64_t j = 0; j < padded; j += kOracleSums) {
#pragma GCC unroll 4
    for (int part = 0; part < kParts; ++part) {
      double* const place = a.products + j + part * kLanes;
      const Vec s = load(place) * a.scale;
      store(place, s);
      top[part] = s > top[part] ? s : top[part];
    }
  }
  return largest(top);
}

void soften(OracleSoftenArgs* args) {
  OracleSoftenArgs& a = *args;
  const int64_t padded = (a.keys + kOracleSums - 1) / kOracleSums * kOracleSums;
  // Copies of key 0 that have no magnitude: neither m nor the largest eta moves.
  for (int64_t j = a.keys; j < padded; ++j) {
    a.products[j] = a.products[0];
    a.magnitudes[j] = 0.0;
  }
  a.max_score = scale_scores(a, padded);
  const double dot = a.dot;
  const double scale = a.scale < 0.0 ? -a.scale : a.scale;
  Vec sum[kParts] = {};
  Vec weighted[kParts] = {};
  Vec worst[kParts] = {};
  for (int64_t j = 0; j < padded; j += kOracleSums) {
#pragma GCC unroll 4
    for (int part = 0; part < kParts; ++part) {
      double* const score = a.products + j + part * kLanes;
      double* const magnitude = a.magnitudes + j + part * kLanes;
      const Vec s = load(score);
      const Vec below = a.max_score - s;
      const Vec eta = (load(magnitude) * scale) * dot +
                      ((absolute(s) * a.score + below * a.exponent) + a.constant) * a.unit;
      store(score, exp_nonpositive(-below));
      store(magnitude, load(score) * eta);
      worst[part] = eta > worst[part] ? eta : worst[part];
    }
    if (j + kOracleSums > a.keys) {
      for (int64_t rest = a.keys; rest < padded; ++rest)
        a.products[rest] = a.magnitudes[rest] = 0.0;
    }
#pragma GCC unroll 4
    for (int part = 0; part < kParts; ++part) {
      sum[part] += load(a.products + j + part * kLanes);
      weighted[part] += load(a.magnitudes + j + part * kLanes);
    }
  }
  a.normaliser = add_up(sum);
  a.weighted_eta = add_up(weighted);
  a.max_eta = largest(worst);
}

void exp_array(const double* x, double* y, int64_t count) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(y + i, exp_nonpositive(load(x + i)));
  if (i == count) return;
  Vec value = {};
  for (int64_t j = i; j < count; ++j) value[j - i] = x[j];
  value = exp_nonpositive(value);
  for (int64_t j = i; j < count; ++j) y[j] = value[j - i];
}
