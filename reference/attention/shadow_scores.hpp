#pragma once
// Scores for the shadow, with bounds of what a kernel's own scores are off. Keys come in
// panels, so that a vector unit works on several keys while each key's sum keeps the order of the
// head dimension.

#include <cstdint>
#include <vector>

#include "reference/attention/shadow.hpp"
#include "reference/attention/shadow_loops.hpp"

namespace lvsa::reference {

/// Up to kShadowPanel keys, [D][kShadowPanel].
class ShadowPanel {
 public:
  explicit ShadowPanel(std::int64_t dim)
      : dim_(dim), values_(static_cast<std::size_t>(dim * kShadowPanel), 0.0) {}
  /// Puts a key of D elements at place i.
  void set(std::int64_t i, const double* key);
  const double* data() const { return values_.data(); }
  std::int64_t dim() const { return dim_; }

 private:
  std::int64_t dim_;
  std::vector<double> values_;
};

/// The loops of this machine; all give the same bits.
const ShadowLoops& shadow_loops();

/// scores[i] = scale q.k_i, and errors[i]: how far a kernel's score of the panel's key i may be
/// off, its product with scale and log2(e) included. Both have room for kShadowPanel.
void panel_scores(const ShadowLoops& loops, const ShadowPanel& panel, const double* query,
                  double scale, const ShadowErrors& errors, double* scores, double* score_errors);

}  // namespace lvsa::reference
