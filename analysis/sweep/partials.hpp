#pragma once
// Frame partials: for each query row the softmax over the keys of one latent frame alone, for every
// frame, and over the text. The output of any pattern that attends whole frames is then a merge of
// them (docs/sweep_metrics.md): one pass over the tensors serves every pattern.
//
// The same bits on any number of threads, on any set of instructions and whichever rows are
// computed beside a row.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "analysis/sweep/sample.hpp"
#include "reference/attention/simd_level.hpp"

namespace lvsa::analysis {

/// Cells of a row: the latent frames, ascending, and behind them the text where there is any.
std::int64_t cell_count(const FrameGrid& grid);

/// Partials of some query rows. Softmax over the keys j of a cell: m = max s_j,
/// L = sum exp(s_j - m), out = sum exp(s_j - m) v_j / L. m and L are kept apart, since m + ln L
/// would lose digits where scores are large.
struct FramePartials {
  std::int64_t cells = 0;
  std::int64_t head_dim = 0;
  std::vector<std::int64_t> tokens;  ///< [R] query tokens
  std::vector<double> max_score;     ///< [R][cells] m
  std::vector<double> normaliser;    ///< [R][cells] L, 1 .. keys
  std::vector<double> out;           ///< [R][cells][D]; empty unless asked for

  std::size_t rows() const { return tokens.size(); }
  /// Natural log-sum-exp of a cell's scores, m + ln L.
  double lse(std::size_t row, std::int64_t cell) const;
  std::span<const double> output(std::size_t row, std::int64_t cell) const;
};

struct PartialsOptions {
  bool outputs = true;  ///< false: masses alone, which is half the work
  int threads = 0;      ///< 0: as many as OpenMP has
  /// Which loops: the same bits with all, for tests and measurements.
  reference::SimdLevel level = reference::best_simd_level();
};

/// Partials of the rows of these query tokens; they take 8 R cells (D + 2) bytes. Throws
/// Error(kValue) that names the sample for shapes that do not fit its grid, a query token outside
/// the sequence, and a value in k, v or a row of q that is not finite.
FramePartials compute_partials(const Sample& sample, std::span<const std::int64_t> tokens,
                               const PartialsOptions& options = {});

/// The same in blocks of neighbouring rows, each of at most `bytes` (and at least one row).
void stream_partials(const Sample& sample, std::span<const std::int64_t> tokens,
                     const PartialsOptions& options, std::int64_t bytes,
                     const std::function<void(const FramePartials&)>& take);

/// The dense softmax's mass on each cell, [cells]; their sum is 1 up to rounding.
std::vector<double> cell_masses(const FramePartials& partials, std::size_t row);

}  // namespace lvsa::analysis
