#pragma once
// What the kernels of the prediction are given. Filled by cuda/launch/sparge_prediction.cpp.

#include <cstdint>

namespace lvsa::cuda::prediction {

/// A tensor of 16-bit numbers [B, S, H, D] whose elements lie side by side; strides in elements.
struct Rows {
  const std::uint16_t* data = nullptr;
  std::int64_t strides[3] = {0, 0, 0};
};

/// The settings of one query head.
struct HeadNumbers {
  std::int32_t taken = 0;  ///< blocks of a row; 0: the CDF rule
  float most = 0.0F;       ///< its threshold
  float least = 0.0F;      ///< simthreshd1
  float skip_log2 = 0.0F;  ///< +inf: none
};

/// As many heads as fit into the parameters of a launch, which hold at least 4096 bytes.
inline constexpr int kHeadsAtOnce = 128;
struct HeadNumbersPart {
  int first = 0;
  int count = 0;
  HeadNumbers numbers[kHeadsAtOnce];
};

/// Arrays that do not depend on q and k; null: not wanted.
struct Tables {
  HeadNumbers* numbers = nullptr;                         ///< [heads]
  float* skip_log2 = nullptr;                             ///< [heads]
  std::int32_t* row_begin = nullptr;                      ///< [row_blocks + 1]
  std::int32_t* column_begin = nullptr;                   ///< [column_blocks + 1]
  std::int64_t* row_first = nullptr;                      ///< [batch * heads * row_blocks]
  std::int32_t* map_of_head = nullptr;                    ///< [batch * heads]
  std::int32_t* zeroed[3] = {nullptr, nullptr, nullptr};  ///< fault words
  std::int64_t zeroed_count[3] = {0, 0, 0};
  int tokens = 0;
  int block_rows = 0;
  int block_columns = 0;
  int row_blocks = 0;
  int column_blocks = 0;
  std::int64_t batch_heads = 0;
};

inline constexpr int kMeanTokens = 256;  ///< tokens that a block of threads adds up

/// The mean of all k of a head: sums of kMeanTokens tokens each, then the whole.
struct MeanWork {
  Rows x;
  int heads = 0;
  int tokens = 0;
  int parts = 0;
  std::int64_t batch_heads = 0;
  double* sums = nullptr;            ///< [batch * heads][parts][D], scaled as widened() does
  std::uint32_t* largest = nullptr;  ///< [batch * heads][parts][D / 2] packed spans
  std::uint32_t* flipped = nullptr;  ///< likewise
  float* centre = nullptr;           ///< [batch * heads][D]
  std::int32_t* faults = nullptr;    ///< [batch * heads]
};

/// What is known of all elements of a mean.
struct MeanSpan {
  float largest = 0.0F;  ///< none is larger in size
  float ratio = 0.0F;    ///< that over a number of which all are multiples
};

/// Means of blocks, and which of them are alike.
struct PoolWork {
  Rows x;
  int heads = 0;        ///< of x
  int heads_per_x = 1;  ///< query heads that share one of x
  int tokens = 0;
  int blocks = 0;
  std::int64_t batch_heads = 0;
  bool partial_kept = true;
  bool backwards = false;                ///< the last blocks first
  bool likeness = true;                  ///< false: all thresholds are below 0
  const float* centre = nullptr;         ///< null: none
  const HeadNumbers* numbers = nullptr;  ///< of the query heads
  float* means = nullptr;                ///< [batch * heads][blocks][D]
  MeanSpan* spans = nullptr;             ///< [batch * heads][blocks]
  std::uint8_t* alike = nullptr;         ///< [batch * query heads][blocks]
  std::int32_t* faults = nullptr;        ///< [batch * heads]
};

/// Pooled scores, as fp32 bits where the indices will stand.
struct ScoreWork {
  int heads = 0;
  int heads_per_kv = 1;
  int row_blocks = 0;
  int column_blocks = 0;
  std::int64_t batch_heads = 0;
  float scale = 0.0F;
  bool round_p = false;
  const float* q_means = nullptr;
  const float* k_means = nullptr;
  const MeanSpan* q_spans = nullptr;
  const MeanSpan* k_spans = nullptr;
  const std::uint8_t* k_alike = nullptr;
  float* scores = nullptr;  ///< [batch * heads][row_blocks][column_blocks]
};

struct SelectWork {
  int heads = 0;
  int heads_per_kv = 1;
  int row_blocks = 0;
  int column_blocks = 0;
  std::int64_t rows = 0;  ///< batch * heads * row_blocks
  bool round_p = false;
  bool sink = false;
  const HeadNumbers* numbers = nullptr;
  const std::uint8_t* q_alike = nullptr;
  const std::uint8_t* k_alike = nullptr;
  const std::int32_t* q_faults = nullptr;  ///< [batch * heads]
  const std::int32_t* k_faults = nullptr;  ///< [batch * kv heads]
  std::int32_t* faults = nullptr;          ///< [batch * heads], may be null
  std::int32_t* row_count = nullptr;
  std::int32_t* indices = nullptr;  ///< holds the scores before
};

/// More columns than this do not fit into the shared memory of every device since 8.0.
inline constexpr int kMostColumns = 24000;

}  // namespace lvsa::cuda::prediction
