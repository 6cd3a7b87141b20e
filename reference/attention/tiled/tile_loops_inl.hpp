// The inner loops, written once for all sets of instructions. Included inside an unnamed namespace
// by simd_*.cpp, each of which has defined before:
//   kLanes, kDimBlock                  floats a vector; keys (scores) or dims (values) a block
//   Vec, Int                           vectors of kLanes floats and of as many int32_t (GCC's own)
//   splat, fma, max                    max(a, b) gives b when either is NaN
//   scale_by_power_of_two(p, n, bits)  p * 2^n; n in [-160, 0] as float, `bits` its int32_t
//   from_bf16, from_fp16               kLanes elements at any address to floats
// All of it has internal linkage; no standard header may be included here (see tile_ops.hpp).

inline Vec load(const float* p) { return *reinterpret_cast<const Vec*>(p); }
inline void store(float* p, Vec x) { *reinterpret_cast<Vec*>(p) = x; }

// Keeps the compiler from making one FMA of this product and a later sum: the largest score must
// give exactly the maximum, so that its p is exactly 1.
inline Vec rounded(Vec x) {
#if defined(__AVX512F__)
  __asm__("" : "+v"(x));
#elif defined(__SSE2__)
  __asm__("" : "+x"(x));
#elif defined(__aarch64__)
  __asm__("" : "+w"(x));
#else
  __asm__("" : "+m"(x));
#endif
  return x;
}

// 2^x for x <= 0; exactly 1 at 0, exactly 0 from -150.5 down to -infinity, subnormal in between
// where it must be; NaN stays NaN. x = n + f with n an integer and f in [-1/2, 1/2]; 2^f by a
// polynomial of degree 6 whose constant term is 1 (minimax in the relative error, fitted again
// after the rounding of each coefficient: 0.09 units of 2^-24).
inline Vec exp2_nonpositive(Vec x) {
  const Vec shift = splat(0x1.8p23F);  // x + shift has the integer nearest x in its low bits
  x = max(splat(-160.0F), x);
  const Vec shifted = rounded(x + shift);
  const Vec n = rounded(shifted - shift);
  const Vec f = x - n;
  Vec p = splat(0x1.4e09aap-13F);
  p = fma(p, f, splat(0x1.5fb30ap-10F));
  p = fma(p, f, splat(0x1.3b1f2cp-7F));
  p = fma(p, f, splat(0x1.c6adbcp-5F));
  p = fma(p, f, splat(0x1.ebfbe8p-3F));
  p = fma(p, f, splat(0x1.62e432p-1F));
  p = fma(p, f, splat(1.0F));
  return scale_by_power_of_two(p, n, reinterpret_cast<Int>(shifted) - 0x4b400000);
}

// Nearest even, for p in [0, 1] or NaN. A NaN may get lost, but the sum holds it.
template <int kPDtype>
inline Vec round_p(Vec p) {
  if constexpr (kPDtype == LVSA_BF16) {
    const Int bits = reinterpret_cast<Int>(p);
    return reinterpret_cast<Vec>((bits + 0x7fff + ((bits >> 16) & 1)) & ~0xffff);
  } else if constexpr (kPDtype == LVSA_F16) {
    const Int bits = reinterpret_cast<Int>(p);
    const Vec normal = reinterpret_cast<Vec>((bits + 0xfff + ((bits >> 13) & 1)) & ~0x1fff);
    // Below 2^-14 fp16 has steps of 2^-24, as fp32 has in [1/2, 1).
    const Vec tiny = rounded(p + 0.5F) - 0.5F;
    return p >= 0x1p-14F ? normal : tiny;
  } else {
    return p;
  }
}

// scores = queries x keys, without the factor.
template <int kRows>
inline void score_tile(const TileArgs& a) {
  constexpr int kWidth = kRows * kLanes;
  for (int64_t key = 0; key < a.key_count; key += kDimBlock) {
    Vec sum[kDimBlock][kRows] = {};
    const float* query = a.queries;
    const float* k = a.keys + key * a.key_stride;
    for (int64_t d = 0; d < a.head_dim; ++d, query += kWidth, ++k) {
      Vec q[kRows];
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) q[r] = load(query + r * kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < kDimBlock; ++i) {
        const Vec element = splat(k[i * a.key_stride]);
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r) sum[i][r] = fma(element, q[r], sum[i][r]);
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kDimBlock; ++i) {
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        store(a.scores + (key + i) * kWidth + r * kLanes, sum[i][r]);
      }
    }
  }
}

// scores become p; maxima and sums move on; `decay` is what the sums so far are to be scaled by.
template <int kRows, int kPDtype>
inline void soften_tile(const TileArgs& a, Vec (&decay)[kRows]) {
  constexpr int kWidth = kRows * kLanes;
  const Vec factor = splat(a.score_factor);
  const Vec minus_infinity = splat(-__builtin_inff());
  Vec top[kRows];
  for (int r = 0; r < kRows; ++r) top[r] = minus_infinity;
  for (int64_t key = 0; key < a.key_count; ++key) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      top[r] = max(load(a.scores + key * kWidth + r * kLanes), top[r]);
    }
  }
  Vec sum[kRows];
  for (int r = 0; r < kRows; ++r) {
    const Vec before = load(a.maxima + r * kLanes);
    const Vec after = max(rounded(top[r] * factor), before);
    store(a.maxima + r * kLanes, after);
    // Where every score so far is -infinity, 0 in its stead: -infinity less itself would be NaN.
    top[r] = after == minus_infinity ? splat(0.0F) : after;
    decay[r] = exp2_nonpositive(before - top[r]);
    sum[r] = splat(0.0F);
  }
  for (int64_t key = 0; key < a.key_count; ++key) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      float* place = a.scores + key * kWidth + r * kLanes;
      const Vec p = exp2_nonpositive(rounded(load(place) * factor) - top[r]);
      sum[r] = sum[r] + p;
      store(place, round_p<kPDtype>(p));
    }
  }
  // The same order of operations as for the outputs: with V = 1 both get the same bits.
  for (int r = 0; r < kRows; ++r) {
    store(a.sums + r * kLanes, fma(load(a.sums + r * kLanes), decay[r], sum[r]));
  }
}

// outputs = outputs * decay + p x values.
template <int kRows>
inline void add_values(const TileArgs& a, const Vec (&decay)[kRows]) {
  constexpr int kWidth = kRows * kLanes;
  const float* value = a.values;
  float* output = a.outputs;
  for (int64_t d = 0; d < a.head_dim; d += kDimBlock) {
    Vec sum[kDimBlock][kRows] = {};
    const float* p = a.scores;
    const float* v = value;
    for (int64_t key = 0; key < a.key_count; ++key, p += kWidth, v += kDimBlock) {
      Vec weight[kRows];
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) weight[r] = load(p + r * kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < kDimBlock; ++i) {
        const Vec element = splat(v[i]);
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r) sum[i][r] = fma(element, weight[r], sum[i][r]);
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kDimBlock; ++i) {
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        float* place = output + i * kWidth + r * kLanes;
        store(place, fma(load(place), decay[r], sum[i][r]));
      }
    }
    value += kKeyTile * kDimBlock;
    output += kDimBlock * kWidth;
  }
}

template <int kRows>
void finish_panel(const TileArgs& a) {
  Vec decay[kRows];
  if (a.p_dtype == LVSA_BF16) {
    soften_tile<kRows, LVSA_BF16>(a, decay);
  } else if (a.p_dtype == LVSA_F16) {
    soften_tile<kRows, LVSA_F16>(a, decay);
  } else {
    soften_tile<kRows, LVSA_F32>(a, decay);
  }
  add_values<kRows>(a, decay);
}

void make_scores(const TileArgs* args) {
  if (args->row_vectors == 3) {
    score_tile<3>(*args);
  } else if (args->row_vectors == 2) {
    score_tile<2>(*args);
  } else {
    score_tile<1>(*args);
  }
}

void finish_tile(const TileArgs* args) {
  if (args->row_vectors == 3) {
    finish_panel<3>(*args);
  } else if (args->row_vectors == 2) {
    finish_panel<2>(*args);
  } else {
    finish_panel<1>(*args);
  }
}

void attend_tile(const TileArgs* args) {
  make_scores(args);
  finish_tile(args);
}

inline Vec convert(const void* source, lvsa_dtype dtype) {
  if (dtype == LVSA_BF16) return from_bf16(source);
  if (dtype == LVSA_F16) return from_fp16(source);
  Vec x;
  __builtin_memcpy(&x, source, sizeof(x));
  return x;
}

// The first `count` < kLanes elements and zeros: nothing past the end of the row is read.
inline Vec convert_some(const void* source, lvsa_dtype dtype, int64_t count) {
  unsigned char copy[sizeof(Vec)] = {};
  const uint64_t bytes = static_cast<uint64_t>(count) * (dtype == LVSA_F32 ? 4U : 2U);
  __builtin_memcpy(copy, source, bytes);
  return convert(copy, dtype);
}

void load_row(const void* source, lvsa_dtype dtype, int64_t count, float* row) {
  const char* from = static_cast<const char*>(source);
  const int64_t element = dtype == LVSA_F32 ? 4 : 2;
  int64_t d = 0;
  for (; d + kLanes <= count; d += kLanes) store(row + d, convert(from + d * element, dtype));
  if (d < count) {
    store(row + d, convert_some(from + d * element, dtype, count - d));
    d += kLanes;
  }
  for (; d % kMaxLanes != 0; d += kLanes) store(row + d, splat(0.0F));
}

void pack_values(const void* source, lvsa_dtype dtype, int64_t count, int64_t key, float* tile) {
  const char* from = static_cast<const char*>(source);
  const int64_t element = dtype == LVSA_F32 ? 4 : 2;
  constexpr int kStep = kLanes > kDimBlock ? kLanes : kDimBlock;
  alignas(Vec) float some[kStep];
  float* place = tile + key * kDimBlock;
  for (int64_t d = 0; d < count; d += kStep) {
    for (int part = 0; part < kStep; part += kLanes) {
      const int64_t left = count - d - part;
      const char* at = from + (d + part) * element;
      store(some + part, left >= kLanes ? convert(at, dtype)
                         : left > 0     ? convert_some(at, dtype, left)
                                        : splat(0.0F));
    }
    for (int block = 0; block < kStep && d + block < count; block += kDimBlock) {
      __builtin_memcpy(place, some + block, kDimBlock * sizeof(float));
      place += kKeyTile * kDimBlock;
    }
  }
}

void exp2_array(const float* x, float* y, int64_t count) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const uint64_t some = static_cast<uint64_t>(count - i < kLanes ? count - i : kLanes);
    Vec value = {};
    __builtin_memcpy(&value, x + i, some * sizeof(float));
    value = exp2_nonpositive(value);
    __builtin_memcpy(y + i, &value, some * sizeof(float));
  }
}
