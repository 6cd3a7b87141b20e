#pragma once
// The inner loops of the tiled kernel as a table of functions, one table a set of instructions.
//
// Layouts, all fp32. A *panel* is a group of query rows that the loops take together, row_vectors
// vectors of `lanes` rows: the vectors run along the query rows, so that maximum and sum of a row
// stay in a lane and K and V are read one element at a time, in the order in which they lie.
//   query panel   [head_dim][panel rows]
//   key tile      [kKeyTile][key_stride], the keys after the last one zero up to a multiple of
//                 dim_block
//   value tile    [head_dim / dim_block][kKeyTile][dim_block]
//   scores        [kKeyTile][panel rows]
//   output panel  [head_dim rounded up to dim_block][panel rows], not yet divided by the sum
//
// Plain data and plain functions only: this header is compiled with several sets of instructions,
// and an inline function here would leave the linker to choose between them.

#include <stdint.h>

#include "core/kernel/lvsa_kernel.h"

namespace lvsa::reference {

/// Keys a tile. The partial sums of a tile start at zero and join the running ones in one FMA,
/// which keeps the error of the sums at kKeyTile + tiles roundings instead of one rounding a key.
constexpr int kKeyTile = 128;
constexpr int kMaxRowVectors = 3;
constexpr int kMaxLanes = 16;

/// One tile of keys against one panel of query rows.
struct TileArgs {
  const float* queries;
  const float* keys;
  const float* values;
  float* scores;
  float* outputs;
  float* maxima;       // [panel rows], in units of log2: of score_factor * q.k; -inf at the start
  float* sums;         // [panel rows]
  int64_t key_stride;  // floats
  int64_t head_dim;
  int64_t key_count;   // 1 .. kKeyTile
  int row_vectors;     // 1 .. kMaxRowVectors
  lvsa_dtype p_dtype;  // LVSA_F16 and LVSA_BF16 round P, anything else does not
  float score_factor;  // >= 0; p = exp2(score_factor * q.k - maximum)
};

struct TileOps {
  const char* name;
  const char* description;
  int lanes;
  int dim_block;
  double exp_ulps;  // bound on the error of exp2, in units of 2^-24 of the result
  /// Converts `count` neighbouring elements; writes zeros up to the next multiple of kMaxLanes.
  void (*load_row)(const void* source, lvsa_dtype dtype, int64_t count, float* row);
  /// Converts one key's values into its places of a value tile, with zeros up to dim_block.
  void (*pack_values)(const void* source, lvsa_dtype dtype, int64_t count, int64_t key,
                      float* tile);
  void (*attend_tile)(const TileArgs* args);
  /// attend_tile() in two steps: scores, which may be looked at and made -infinity before the rest.
  void (*make_scores)(const TileArgs* args);
  void (*finish_tile)(const TileArgs* args);
  /// exp2 of arguments <= 0; here for the test that measures its error.
  void (*exp2_array)(const float* x, float* y, int64_t count);
};

extern const TileOps kBaselineOps;
extern const TileOps kAvx2Ops;    // defined in builds for x86-64 only
extern const TileOps kAvx512Ops;  // likewise

}  // namespace lvsa::reference
