#pragma once
// Configuration of a sparse attention backend: the fields of the plugin RFC of vLLM-Omni (issue
// 2233), and step ranges as vLLM-Omni has them elsewhere. What the RFC leaves open is marked.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lvsa::reference {

/// Parameters by name, each as the JSON text of its value: nobody but the plugin interprets them,
/// `topk` apart.
using PluginParams = std::map<std::string, std::string>;

/// The share of blocks to keep over the denoising steps. The names are the RFC's, the formulas are
/// this project's (kept_share.hpp).
enum class SparsitySchedule { kConstant, kConservative, kAggressive };
std::string_view schedule_name(SparsitySchedule schedule);

/// Denoising steps first .. end - 1 take the parameters of a profile. Kept as it is given, however
/// many steps a run has.
struct StepRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
  std::string profile;
};

/// The profile that everybody has: dense attention.
inline constexpr std::string_view kDenseProfile = "dense";

struct BackendConfig {
  std::string backend = "auto";  ///< "auto", "none" (or "dense"), a name, or a class path
  std::string pattern_type = "dynamic_topk";
  PluginParams params;
  std::int64_t block_size_q = 128;  ///< tokens
  std::int64_t block_size_kv = 64;  ///< tokens
  std::optional<std::int64_t> window_size;
  std::optional<std::int64_t> spatial_radius;
  SparsitySchedule schedule = SparsitySchedule::kConstant;
  std::map<std::string, PluginParams> profiles;  ///< take the place of params of the same name
  std::vector<StepRange> step_ranges;
};

/// Share of blocks to keep where no `topk` says another: the default of the first version.
inline constexpr double kDefaultTopk = 0.5;

/// The number `topk` among the parameters; nothing where there is none, or null. Throws
/// Error(kValue) that begins with `where` for anything but a number above 0 and at most 1.
std::optional<double> topk_of(const PluginParams& params, const std::string& where);

/// Throws Error(kValue) naming the field, its value and what is due. Ranges are this project's.
void require_valid(const BackendConfig& config);

/// The profile of a step; nothing where no range holds it.
const StepRange* range_of(const BackendConfig& config, std::int64_t step);

}  // namespace lvsa::reference
