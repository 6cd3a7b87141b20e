#pragma once
// Small block-sparse problems for the device's kernels, held against the oracle over maps with a
// bound for every element.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/blocks/block_problem.hpp"
#include "core/blocks/lvsa_blocks.h"
#include "tests/cuda/attention_case.hpp"

namespace lvsa::cuda::test {

struct BlockShape {
  std::int64_t batch = 1;
  std::int64_t queries = 300;
  std::int64_t keys = 300;
  std::int64_t heads = 2;
  std::int64_t kv_heads = 2;
  std::int64_t head_dim = 64;
  std::int64_t block_rows = 128;
  std::int64_t block_columns = 128;
  lvsa_dtype dtype = LVSA_BF16;
  bool heads_first = false;  ///< [B, H, S, D] with gaps between the rows, else [B, S, H, D]
  bool f32_out = false;
  bool want_lse = true;
  double sigma = 1.0;  ///< of q and k
};
std::string text(const BlockShape& s);

/// How random maps are drawn.
struct MapStyle {
  unsigned kept = 50;       ///< percent of the key blocks
  bool masks = false;       ///< more than half of the kept blocks have one
  bool order = false;       ///< needs queries = keys
  unsigned cuts = 0;        ///< places where blocks end early, on both sides
  unsigned empty_rows = 0;  ///< percent of the query blocks
  /// A token that no query attends, though masked blocks hold it; -1: none.
  std::int64_t hidden = -1;
};

/// A sequence cut into blocks of `block` tokens that end early at `cuts` random places.
BlockAxis cut_axis(std::int64_t tokens, std::int64_t block, unsigned cuts, std::mt19937_64& random);
HeadPattern random_map(const BlockAxis& rows, const BlockAxis& columns, const MapStyle& style,
                       std::mt19937_64& random);
/// A map for each (batch element, head), all over the same blocks.
std::vector<HeadPattern> random_maps(const BlockShape& s, const MapStyle& style,
                                     std::uint64_t seed);

struct BlockCase {
  BlockShape shape;
  std::vector<HeadPattern> patterns;
  BlockProblem arrays;
  HostTensor q, k, v;

  BlockCase(const BlockShape& shape, std::vector<HeadPattern> patterns, std::uint64_t seed = 1);
  /// Overwrites one token of k and v of all heads and batch elements.
  void poison(std::int64_t token, std::uint16_t bits);
  /// The problem of the case; q, k, v, out and lse are null.
  lvsa_block_problem problem() const;
};

struct BlockOutputs {
  lvsa_status status = LVSA_OK;
  std::string message;
  HostTensor out;              // bits of 16-bit outputs
  std::vector<float> out_f32;  // in the same places
  std::vector<float> lse;      // [B, Sq, H], with a red zone behind
};

/// Runs a kernel for device memory on its default stream, or one for host memory, and waits.
BlockOutputs run_blocks(const lvsa_block_kernel& kernel, const BlockCase& c);

/// What the oracle saw.
struct BlockCounts {
  std::int64_t rows = 0;
  std::int64_t rows_with_skips = 0;
  std::int64_t rows_in_doubt = 0;
};

/// Holds up to 400 rows against the oracle on the inputs of `c`, and looks for stray writes; empty,
/// or the first difference.
std::string compare(const BlockCase& c, const BlockOutputs& outputs, BlockCounts* counts = nullptr);

/// All kernels of the entry point, by name.
const lvsa_block_kernel& block_kernel(const std::string& name);
/// run_marked_blocks() on all row blocks and outputs full of NaN, behind the same interface.
const lvsa_block_kernel& marked_kernel();

}  // namespace lvsa::cuda::test
