// The shadow's inner loops, written once for all sets of instructions. Included inside an unnamed
// namespace by shadow_loops_*.cpp, each of which has defined before:
//   kLanes  doubles a vector: 2, 4 or 8
// No standard header may be included here (see shadow_loops.hpp). Compiled with
// -ffp-contract=off: a product and a sum are two roundings everywhere.

typedef double Vec __attribute__((vector_size(kLanes * 8), may_alias));
typedef uint64_t Bits __attribute__((vector_size(kLanes * 8), may_alias));
typedef double Anywhere __attribute__((vector_size(kLanes * 8), aligned(8), may_alias));

inline Vec load(const double* p) { return *reinterpret_cast<const Anywhere*>(p); }
inline void store(double* p, Vec x) { *reinterpret_cast<Anywhere*>(p) = x; }
inline Vec absolute(Vec x) {
  return reinterpret_cast<Vec>(reinterpret_cast<Bits>(x) & 0x7fffffffffffffffULL);
}

// As many keys at once as three sums of them fit into sixteen registers.
constexpr int kVectors = kShadowPanel / kLanes < 4 ? kShadowPanel / kLanes : 4;

void score(const ShadowScoreArgs* args) {
  const ShadowScoreArgs& a = *args;
  for (int part = 0; part < kShadowPanel; part += kVectors * kLanes) {
    Vec sum[kVectors] = {};
    Vec magnitude[kVectors] = {};
    Vec partial[kVectors] = {};
    const double* key = a.panel + part;
    for (int64_t first = 0; first < a.head_dim; first += a.step) {
      const int64_t last = first + a.step < a.head_dim ? first + a.step : a.head_dim;
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) partial[i] += absolute(sum[i]);
      for (int64_t d = first; d < last; ++d, key += kShadowPanel) {
        const double q = a.query[d];
#pragma GCC unroll 4
        for (int i = 0; i < kVectors; ++i) {
          const Vec product = q * load(key + i * kLanes);
          sum[i] += product;
          magnitude[i] += absolute(product);
        }
      }
    }
    for (int i = 0; i < kVectors; ++i) {
      store(a.sums + part + i * kLanes, sum[i]);
      store(a.magnitudes + part + i * kLanes, magnitude[i]);
      store(a.partials + part + i * kLanes, partial[i]);
    }
  }
}

void add_values(const double* weights, const double* values, int64_t keys, int64_t width,
                double* sums) {
  constexpr int kAtOnce = 8;
  int64_t c = 0;
  for (; c + kAtOnce * kLanes <= width; c += kAtOnce * kLanes) {
    Vec sum[kAtOnce];
#pragma GCC unroll 8
    for (int i = 0; i < kAtOnce; ++i) sum[i] = load(sums + c + i * kLanes);
    const double* value = values + c;
    for (int64_t j = 0; j < keys; ++j, value += width) {
#pragma GCC unroll 8
      for (int i = 0; i < kAtOnce; ++i) sum[i] += weights[j] * load(value + i * kLanes);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kAtOnce; ++i) store(sums + c + i * kLanes, sum[i]);
  }
  for (; c < width; ++c) {
    double sum = sums[c];
    for (int64_t j = 0; j < keys; ++j) sum += weights[j] * values[j * width + c];
    sums[c] = sum;
  }
}
