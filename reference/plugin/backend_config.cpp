#include "reference/plugin/backend_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.hpp"

namespace lvsa::reference {
namespace {

constexpr std::int64_t kLargestBlock = 65536;
constexpr std::int64_t kLargestWindow = 2147483647;
constexpr std::int64_t kMostSteps = 1000000;

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::kValue, message); }

void require_within(const char* field, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return;
  refuse(fmt::format("{} {}: an integer from {} to {} is due", field, value, least, most));
}

bool is_identifier(const std::string& text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), plain);
}

// A class path has a module in front of its last ':' (or '.') and a function behind it.
void require_backend(const std::string& backend) {
  if (backend.empty()) refuse("backend '': auto, none, a name or a class path is due");
  const std::size_t colon = backend.rfind(':');
  const std::size_t cut = colon != std::string::npos ? colon : backend.rfind('.');
  if (cut == std::string::npos) return;
  if (cut == 0 || cut + 1 == backend.size()) {
    refuse(fmt::format("backend '{}': a class path is module.path:function", backend));
  }
}

void require_ranges(const BackendConfig& config) {
  std::int64_t end = 0;
  for (const StepRange& range : config.step_ranges) {
    const std::string shown = fmt::format("step_ranges [{}, {})", range.first, range.end);
    if (range.first < 0 || range.end > kMostSteps) {
      refuse(fmt::format("{}: steps from 0 to {} are due", shown, kMostSteps));
    }
    if (range.end <= range.first) {
      refuse(
          fmt::format("{}: holds no step; the end, itself outside, is due after the first", shown));
    }
    if (range.first < end) {
      refuse(
          fmt::format("{}: begins before step {}, where the one before ends; ranges are due in "
                      "order and apart",
                      shown, end));
    }
    end = range.end;
    if (range.profile != kDenseProfile && config.profiles.count(range.profile) == 0) {
      refuse(fmt::format("{}: unknown profile '{}'; dense or one of profiles is due", shown,
                         range.profile));
    }
  }
}

}  // namespace

std::string_view schedule_name(SparsitySchedule schedule) {
  switch (schedule) {
    case SparsitySchedule::kConservative:
      return "conservative";
    case SparsitySchedule::kAggressive:
      return "aggressive";
    default:
      return "constant";
  }
}

std::optional<double> topk_of(const PluginParams& params, const std::string& where) {
  const auto found = params.find("topk");
  if (found == params.end() || found->second == "null") return std::nullopt;
  const std::string& text = found->second;
  double value = 0.0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool number = error == std::errc() && stop == text.data() + text.size();
  if (number && value > 0.0 && value <= 1.0) return value;
  refuse(fmt::format("{} {}: a number above 0 and at most 1 is due", where, text.substr(0, 60)));
}

void require_valid(const BackendConfig& config) {
  require_backend(config.backend);
  if (!is_identifier(config.pattern_type)) {
    refuse(fmt::format("pattern_type '{}': letters, digits and _ are due, as in dynamic_topk",
                       config.pattern_type));
  }
  require_within("block_size_q", config.block_size_q, 1, kLargestBlock);
  require_within("block_size_kv", config.block_size_kv, 1, kLargestBlock);
  if (config.window_size) require_within("window_size", *config.window_size, 1, kLargestWindow);
  if (config.spatial_radius) {
    require_within("spatial_radius", *config.spatial_radius, 0, kLargestWindow);
  }
  (void)topk_of(config.params, "params.topk");
  for (const auto& [name, params] : config.profiles) {
    if (name == kDenseProfile) {
      refuse("profiles.dense: dense attention has no parameters; another name is due");
    }
    (void)topk_of(params, fmt::format("profiles.{}.topk", name));
  }
  require_ranges(config);
}

const StepRange* range_of(const BackendConfig& config, std::int64_t step) {
  for (const StepRange& range : config.step_ranges) {
    if (step >= range.first && step < range.end) return &range;
  }
  return nullptr;
}

}  // namespace lvsa::reference
