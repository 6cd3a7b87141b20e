#pragma once
// Batches of configurations: random ones, the device's answer and core's.

#include <rapidcheck.h>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "core/pattern/index_structures.hpp"
#include "cuda/pattern/pattern.hpp"

namespace lvsa::cuda::test {

/// One configuration on the host; its extra frames are its own.
struct Configuration {
  PatternSettings settings{};
  std::vector<std::int32_t> extra;
};

/// "T=21 W=3 n_first=1 interval=auto ...": enough to write the case down as a test.
std::string text(const Configuration& c);
void showValue(const Configuration& c, std::ostream& stream);

/// Mostly short videos, up to `most_frames` latent frames; all settings valid.
rc::Gen<Configuration> any_configuration(std::int32_t most_frames);

/// What one configuration gives, in the order of the fields of PatternArrays. Equal answers are
/// equal patterns.
struct Answer {
  PatternSummary summary{};
  std::vector<std::int32_t> globals;
  std::vector<std::uint8_t> is_global;
  std::vector<std::int32_t> windows;  // lo, hi, lo, hi, ...
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> list;
  std::vector<std::uint8_t> mask;
  std::vector<std::int32_t> indptr;
  std::vector<std::int32_t> indices;
  std::vector<std::int32_t> column_frames;
  std::vector<std::int64_t> global_copies;  // source, target, ...
  std::vector<std::int64_t> local_copies;
};

/// Core's answer. Throws what core throws.
Answer core_answer(const Configuration& c, std::int64_t patches_per_frame);

/// The device's answers, by build_patterns.
std::vector<Answer> device_answers(const std::vector<Configuration>& batch,
                                   std::int64_t patches_per_frame);

/// The device's summaries, by summarise_patterns.
std::vector<PatternSummary> device_summaries(const std::vector<Configuration>& batch);

/// Empty when equal, else the name of the first field that differs with both values.
std::string difference(const PatternSummary& due, const PatternSummary& got);
std::string difference(const Answer& due, const Answer& got);

}  // namespace lvsa::cuda::test
