#pragma once
// The pass over a sample's tensors that makes frame partials: products of blocks of query rows with
// panels of keys, then of their weights with panels of values, one cell at a time.

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/sweep/partials.hpp"
#include "analysis/sweep/partials_loops.hpp"
#include "reference/attention/simd_level.hpp"

namespace lvsa::analysis {

/// The loops of a level. Throws Error(kValue) when the machine or the build lacks it.
const PartialsLoops& partials_loops(reference::SimdLevel level);
/// Those of the best level that this machine has; asking a processor takes long, so it is done
/// once.
const PartialsLoops& best_partials_loops();

/// Names the sample in front of `what`.
[[noreturn]] void refuse_sample(const Sample& sample, const std::string& what);

/// Throws Error(kValue) that names the sample for shapes that do not fit its grid and for query
/// tokens outside the sequence.
void check_sample(const Sample& sample, std::span<const std::int64_t> tokens);

/// One thread's part of the work; the threads share the queries and the place of the results.
class PartialsPass {
 public:
  /// `queries` [rows up to a multiple of kPartialsRows][D]. All that is passed must outlive it.
  PartialsPass(const Sample& sample, const std::vector<double>& queries, bool outputs,
               const PartialsLoops& loops, FramePartials& to);

  /// Rows first .. last - 1 over the keys of a cell; `first` is a multiple of kBlockRows. Throws
  /// Error(kValue) for keys and values that are not finite.
  void run(std::int64_t cell, std::int64_t first, std::int64_t last);

  static constexpr std::int64_t kBlockRows = 32;

 private:
  void pack(std::int64_t cell);
  void pack_panels(std::int64_t first_token);
  void check(const char* name, std::int64_t first_token) const;
  void score(std::int64_t first, std::int64_t rows);
  void soften(std::int64_t cell, std::int64_t first, std::int64_t rows);
  void add_values(std::int64_t rows);
  void store(std::int64_t cell, std::int64_t first, std::int64_t rows);

  const Sample& sample_;
  const std::vector<double>& queries_;
  const bool outputs_;
  const PartialsLoops& loops_;
  FramePartials& to_;
  const std::int64_t dim_;
  const std::int64_t width_;    // dim_ up to a multiple of kPartialsPanel
  std::int64_t packed_ = -1;    // the cell whose keys and values are in the panels
  std::int64_t keys_ = 0;       // of that cell
  std::int64_t padded_ = 0;     // up to a multiple of kPartialsPanel
  std::vector<double> read_;    // [keys][D]
  std::vector<double> k_;       // [padded keys / 16] panels [D][16]
  std::vector<double> v_;       // [width / 16] panels [keys][16]
  std::vector<double> scores_;  // [kBlockRows][padded keys], then weights
  std::vector<double> sums_;    // [kBlockRows][width]
};

}  // namespace lvsa::analysis
