#include "cuda/pattern/batch.hpp"

#include <string>

#include "core/error.hpp"

namespace lvsa::cuda {
namespace {

// Blocks of a launch; with a warp a configuration a launch takes eight times as many.
constexpr std::int64_t kMaxConfigurations = 0x7fffffff;

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::kValue, message); }

}  // namespace

void check_batch(const PatternBatch& batch, const PatternSummary* summary) {
  if (batch.count < 0 || batch.count > kMaxConfigurations) {
    refuse("pattern batch of " + std::to_string(batch.count) + " configurations; 0 .. " +
           std::to_string(kMaxConfigurations) + " is due");
  }
  if (batch.frame_capacity < 1 || batch.frame_capacity > kMaxPatternFrames) {
    refuse("frame_capacity is " + std::to_string(batch.frame_capacity) + "; 1 .. " +
           std::to_string(kMaxPatternFrames) + " is due");
  }
  if (batch.extra_count < 0 || (batch.extra_count > 0 && batch.extra_frames == nullptr)) {
    refuse("extra_frames is null or extra_count (" + std::to_string(batch.extra_count) +
           ") negative");
  }
  if (batch.count > 0 && (batch.settings == nullptr || summary == nullptr)) {
    refuse("settings or summary of a pattern batch is null");
  }
}

}  // namespace lvsa::cuda
