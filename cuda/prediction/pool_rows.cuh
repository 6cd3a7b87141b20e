#pragma once
// The rows of a block of q or k, added up by the warps that share them.

#include "cuda/prediction/device_rows.cuh"

namespace lvsa::cuda::prediction {

inline constexpr int kPoolWarps = 4;
inline constexpr int kPoolThreads = 32 * kPoolWarps;

inline constexpr int kPoolWarpRows = 32;

template <int kDim, int kRows>
struct PoolLayout {
  static constexpr int kWarps = kRows / kPoolWarpRows;  ///< of a block of rows
  static constexpr int kBlocks = kPoolWarps / kWarps;   ///< of rows a block of threads
  static constexpr int kChunks = kDim / 8;              ///< lanes of a row
  static constexpr int kGroups = 32 / kChunks;          ///< rows that a warp reads at once
  static constexpr int kAtOnce = 4;                     ///< loads of a lane that are under way
  static constexpr int kStep = kGroups * kAtOnce;
  static_assert(kPoolWarpRows % kStep == 0);
};

/// A block of rows.
struct PoolBlock {
  const std::uint16_t* rows;
  std::int64_t stride;
  int count;
  const float* centre;  ///< null: none
};

/// What a lane has of its eight columns.
struct PoolLane {
  double sums[8] = {0, 0, 0, 0, 0, 0, 0, 0};      ///< scaled as widened() does
  float unit_sums[8] = {0, 0, 0, 0, 0, 0, 0, 0};  ///< of the rows of length 1
  std::uint32_t largest = 0;                      ///< packed
  std::uint32_t least = 0xffffffffU;              ///< packed, of sizes other than 0, less 1
  bool zeros = false;                             ///< a row was 0 in all eight columns
  bool sure = true;  ///< rows had lengths that kLikenessError is proven for
};

/// Chunks of rows `first` + i * kGroups; past the end of a block that is not full, those of its
/// last row, so that all loads are under way at once.
template <int kGroups, bool kFull, int kAtOnce>
__device__ __forceinline__ void load_rows(Chunk (&chunks)[kAtOnce], const PoolBlock& b, int first,
                                          int column) {
#pragma unroll
  for (int i = 0; i < kAtOnce; ++i) {
    int row = first + i * kGroups;
    if (!kFull) row = min(row, b.count - 1);
    chunks[i] = load_chunk_once(b.rows + row * b.stride + column);
  }
}

/// Adds up rows `first` + i * kGroups.
template <typename Type, int kDim, int kRows, bool kLikeness, bool kCentred, bool kFull>
__device__ __forceinline__ void add_rows(PoolLane& t,
                                         Chunk (&chunks)[PoolLayout<kDim, kRows>::kAtOnce],
                                         int first, int count, const float (&middle)[8]) {
  using Layout = PoolLayout<kDim, kRows>;
  float squares[Layout::kAtOnce];
#pragma unroll
  for (int i = 0; i < Layout::kAtOnce; ++i) {
    const bool there = kFull || first + i * Layout::kGroups < count;
    std::uint32_t any = 0;
    float square = 0.0F;
#pragma unroll
    for (int p = 0; p < 4; ++p) {
      std::uint32_t word = chunks[i].words[p];
      if (kCentred) word = centred<Type>(word, middle[2 * p], middle[2 * p + 1]);
      if (!there) word = 0;
      chunks[i].words[p] = word;
      any |= sizes(word);
      t.least = smaller_less_1(t.least, sizes(word));
      t.sums[2 * p] = add(t.sums[2 * p], widened_low<Type>(word));
      t.sums[2 * p + 1] = add(t.sums[2 * p + 1], widened_high<Type>(word));
      if constexpr (kLikeness) {
        square = fmaf(Type::low(word), Type::low(word), square);
        square = fmaf(Type::high(word), Type::high(word), square);
      }
    }
    const auto& words = chunks[i].words;
    t.largest = largest_halves(t.largest, sizes(words[0]), sizes(words[1]));
    t.largest = largest_halves(t.largest, sizes(words[2]), sizes(words[3]));
    t.zeros = t.zeros || (there && any == 0);
    squares[i] = square;
  }
  if constexpr (kLikeness) {
#pragma unroll
    for (int i = 0; i < Layout::kAtOnce; ++i) {
#pragma unroll
      for (int step = 1; step < Layout::kChunks; step *= 2) {
        squares[i] += __shfl_xor_sync(kAllLanes, squares[i], step);
      }
      if (!kFull && first + i * Layout::kGroups >= count) continue;
      t.sure = t.sure && squares[i] >= kLeastSquare && squares[i] <= kLargestSquare;
      const float inverse = near_inverse_root(squares[i]);
#pragma unroll
      for (int p = 0; p < 4; ++p) {
        const std::uint32_t word = chunks[i].words[p];
        t.unit_sums[2 * p] = fmaf(Type::low(word), inverse, t.unit_sums[2 * p]);
        t.unit_sums[2 * p + 1] = fmaf(Type::high(word), inverse, t.unit_sums[2 * p + 1]);
      }
    }
  }
}

/// Adds up a lane's rows, `begin` and the warp's next, the following ones being loaded meanwhile.
template <typename Type, int kDim, int kRows, bool kLikeness, bool kCentred, bool kFull>
__device__ __forceinline__ void add_warp_rows(PoolLane& t, const PoolBlock& b, int begin,
                                              int column, const float (&middle)[8]) {
  using Layout = PoolLayout<kDim, kRows>;
  Chunk next[Layout::kAtOnce];
  load_rows<Layout::kGroups, kFull>(next, b, begin, column);
#pragma unroll
  for (int first = 0; first < kPoolWarpRows; first += Layout::kStep) {
    Chunk now[Layout::kAtOnce];
#pragma unroll
    for (int i = 0; i < Layout::kAtOnce; ++i) now[i] = next[i];
    if (first + Layout::kStep < kPoolWarpRows) {
      load_rows<Layout::kGroups, kFull>(next, b, begin + first + Layout::kStep, column);
    }
    add_rows<Type, kDim, kRows, kLikeness, kCentred, kFull>(t, now, begin + first, b.count, middle);
  }
}

}  // namespace lvsa::cuda::prediction
