// Model geometries at their real patches per frame and lengths, one head or one group of heads.

#include <fmt/format.h>

#include <algorithm>

#include "analysis/verify/suite.hpp"

namespace lvsa::analysis {
namespace {

// Sizes of one model in a suite: one head, or one group of query heads on one key/value head. The
// numbers are those of the presets; a test holds the two together.
struct ModelRow {
  const char* model;
  std::int64_t reference;
  std::int64_t patches;
  std::int64_t text;
  std::int64_t group;
  std::int64_t head_dim;
};

constexpr ModelRow kWan13{"wan-1.3b", 21, 1560, 0, 1, 128};
constexpr ModelRow kWan13At720{"wan-1.3b", 21, 3600, 0, 1, 128};
constexpr ModelRow kWan14{"wan-14b", 21, 1560, 0, 1, 128};
constexpr ModelRow kWan22{"wan2.2-5b", 31, 880, 0, 1, 128};
constexpr ModelRow kHunyuan{"hunyuan-1.5", 33, 1560, 1000, 1, 128};
constexpr ModelRow kCosmos{"cosmos3", 48, 920, 0, 4, 128};
constexpr ModelRow kCog{"cogvideox-5b", 13, 1350, 226, 1, 64};

// Latent frames at a multiple of the horizon: the horizon counts the first frame once.
std::int64_t frames_at(const ModelRow& row, std::int64_t multiple) {
  return (row.reference - 1) * multiple + 1;
}

Case model_case(const ModelRow& row, std::int64_t multiple, std::int64_t step, DType dtype,
                InputKind input) {
  Case c;
  c.model = row.model;
  c.grid = {frames_at(row, multiple), row.patches, row.text};
  c.heads = row.group;
  c.head_dim = row.head_dim;
  c.dtype = dtype;
  c.reference_frames = row.reference;
  c.step = step;
  c.input = input;
  c.seed = static_cast<std::uint64_t>(100 * multiple + step + 1);
  return c;
}

Case sampled(Case c) {
  c.only_wanted = true;
  return c;
}

}  // namespace

std::vector<Case> model_cases() {
  constexpr auto kGauss = InputKind::kGauss;
  constexpr auto kIndicator = InputKind::kIndicator;
  std::vector<Case> cases = {
      // Wanted rows only, so that six times the horizon costs seconds; one case of some models in
      // full, since what a kernel does between the sampled rows counts too.
      sampled(model_case(kWan13, 1, 0, LVSA_BF16, kGauss)),
      sampled(model_case(kWan13, 2, 0, LVSA_BF16, kIndicator)),
      model_case(kWan13, 2, 1, LVSA_BF16, kIndicator),
      sampled(model_case(kWan13, 2, 2, LVSA_F16, kIndicator)),
      sampled(model_case(kWan13, 4, 4, LVSA_BF16, kIndicator)),
      sampled(model_case(kWan13, 6, 7, LVSA_BF16, kIndicator)),
      sampled(model_case(kWan13At720, 2, 1, LVSA_BF16, kIndicator)),
      sampled(model_case(kWan14, 3, 2, LVSA_BF16, kIndicator)),
      sampled(model_case(kWan14, 5, 11, LVSA_F32, kGauss)),
      model_case(kWan22, 2, 2, LVSA_BF16, kIndicator),
      sampled(model_case(kWan22, 4, 5, LVSA_BF16, kIndicator)),
      sampled(model_case(kHunyuan, 1, 0, LVSA_BF16, kIndicator)),
      sampled(model_case(kHunyuan, 2, 1, LVSA_BF16, kIndicator)),
      sampled(model_case(kHunyuan, 3, 3, LVSA_BF16, kIndicator)),
      sampled(model_case(kCosmos, 1, 0, LVSA_BF16, kGauss)),
      sampled(model_case(kCosmos, 2, 1, LVSA_BF16, kIndicator)),
      sampled(model_case(kCosmos, 3, 3, LVSA_BF16, kIndicator)),
      model_case(kCog, 1, 0, LVSA_BF16, kIndicator),
      sampled(model_case(kCog, 2, 1, LVSA_BF16, kIndicator)),
      sampled(model_case(kCog, 6, 6, LVSA_F16, kIndicator)),
  };
  for (Case& c : cases) c.kv_heads = 1;
  return cases;
}

std::vector<Case> all_model_cases() {
  constexpr std::int64_t kMostSteps = 8;
  std::vector<Case> cases;
  for (const ModelRow& row : {kWan13, kWan13At720, kWan14, kWan22, kHunyuan, kCosmos, kCog}) {
    for (std::int64_t multiple = 1; multiple <= 6; ++multiple) {
      const std::int64_t interval =
          case_schedule(model_case(row, multiple, 0, LVSA_BF16, InputKind::kGauss))
              .interval.value_or(1);
      for (std::int64_t step = 0; step < std::min(interval, kMostSteps); ++step) {
        for (const DType dtype : {LVSA_BF16, LVSA_F16, LVSA_F32}) {
          const InputKind input = step % 2 == 0 ? InputKind::kIndicator : InputKind::kGauss;
          cases.push_back(model_case(row, multiple, step, dtype, input));
        }
      }
    }
  }
  return cases;
}

}  // namespace lvsa::analysis
