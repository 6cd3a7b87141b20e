#pragma once
// A few rows' sums over key tiles under many patterns: the inner part of evaluate_head_patterns().

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/sweep/partials_loops.hpp"
#include "analysis/sweep/pattern_tiles.hpp"
#include "analysis/sweep/row_evaluator.hpp"

namespace lvsa::analysis {

/// Values of all keys as the loops take them.
struct ValueTable {
  std::vector<double> values;  ///< [S][width]
  std::int64_t dim = 0;        ///< D
  std::int64_t width = 0;      ///< D up to a multiple of kPartialsPanel
};

/// A thread's working memory for one row. `scores` [S] must outlive the call.
class PatternRowSums {
 public:
  PatternRowSums(const KeyTiles& tiles, const ValueTable& values, const PartialsLoops& loops,
                 std::size_t patterns);

  /// `words` [patterns][tiles]: what the row attends. figures[p] of pattern p.
  DenseFigures evaluate(std::span<const double> scores, std::span<const std::uint64_t> words,
                        std::span<SetFigures> figures);

 private:
  // Sums of one pattern, or of the dense row.
  struct Sum {
    std::vector<double> out;   // [width] of w v
    std::vector<double> mass;  // [cells] of w
  };
  void clear();
  void weigh(std::span<const double> scores, double top);
  void add_tile(std::size_t tile, std::span<const std::uint64_t> words);
  double add_keys(std::size_t tile, std::uint64_t keys, Sum& to) const;
  double finish(Sum& sum) const;
  double entropy(const Sum& sum, double mass) const;
  double log(double x) const;
  void compare(const Sum& sum, SetFigures& figures) const;
  DenseFigures dense_figures(double mass) const;
  SetFigures faint_figures(std::span<const double> scores, std::span<const std::uint64_t> words);

  const KeyTiles& tiles_;
  const ValueTable& values_;
  const PartialsLoops& loops_;
  std::vector<double> weights_;   // [S + some]
  std::vector<double> tile_out_;  // [width]
  Sum dense_;
  std::vector<Sum> sums_;
  double top_ = 0.0;
  double log_mass_ = 0.0;  // of the dense row
  double dense_norm_ = 0.0;
};

}  // namespace lvsa::analysis
