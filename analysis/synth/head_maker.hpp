#pragma once
// q, k and v of one head of a synthetic video, token by token: any row can be made anywhere, with
// the same bits on every machine and any number of threads.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "analysis/synth/head_plan.hpp"
#include "analysis/synth/rope.hpp"
#include "analysis/synth/scene.hpp"
#include "core/tensor/tensor.hpp"

namespace lvsa::synth {

class HeadMaker {
 public:
  /// `scene` outlives the maker. Throws Error(kValue) for a layer, step or head beyond the words'.
  HeadMaker(const VideoWords& words, const Scene& scene, std::int64_t layer, std::int64_t step,
            std::int64_t head);

  /// D elements of a token's row, not rounded yet; `out` has room for them.
  void query_row(std::int64_t token, double* out) const { score_row(token, 0, out); }
  void key_row(std::int64_t token, double* out) const { score_row(token, 1, out); }
  void value_row(std::int64_t token, double* out) const;

  /// [1, S, 1, D] in the words' type.
  Tensor queries() const;
  Tensor keys() const;
  Tensor values() const;

  const HeadPlan& plan() const { return plan_; }

 private:
  struct Axis {
    RopeAxis rope;
    TurnTable positions;
    std::vector<exact::SinCos> start;  ///< [pairs] the constant part's direction, times its length
  };
  struct Wave {
    double y, x, t;  ///< radians a token, a token, a frame
    double phase;
  };

  void score_row(std::int64_t token, std::uint64_t part, double* out) const;
  void place_axis(std::size_t axis, std::int64_t position, std::int64_t moved,
                  const double* material, double* out) const;
  void add_noise(std::int64_t token, std::uint64_t part, double level, double* out) const;
  std::vector<double> draw(std::uint64_t what, std::int64_t count) const;
  void draw_score_parts();
  void draw_value_parts();
  template <typename Row>
  Tensor fill(Row row) const;

  VideoWords words_;
  const Scene& scene_;
  HeadPlan plan_;
  std::uint64_t stream_;  ///< of this layer and head; the same at all steps
  std::vector<Axis> axes_;
  std::array<std::unique_ptr<TurnTable>, 2> moved_;  ///< height, width
  std::vector<double> materials_;                    ///< [materials][D] before the rotation
  std::vector<double> looks_;                        ///< [materials][D] of v
  std::vector<Wave> waves_;
  std::vector<double> wave_rows_;  ///< [waves][D]
  double sink_ = 0.0;              ///< level in q and k
};

}  // namespace lvsa::synth
