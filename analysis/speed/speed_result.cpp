#include "analysis/speed/speed_result.hpp"

#include <array>

namespace lvsa::analysis {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"FASTER", "SAME", "SLOWER", "UNDECIDED"};

}  // namespace

std::string_view speed_verdict_name(SpeedVerdict verdict) {
  return kNames[static_cast<std::size_t>(verdict)];
}

std::optional<SpeedVerdict> parse_speed_verdict(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<SpeedVerdict>(i);
  }
  return std::nullopt;
}

SpeedVerdict overall_verdict(const SpeedComparison& comparison) {
  SpeedVerdict overall = SpeedVerdict::kSame;
  const auto rank = [](SpeedVerdict verdict) {
    switch (verdict) {
      case SpeedVerdict::kSlower:
        return 3;
      case SpeedVerdict::kUndecided:
        return 2;
      case SpeedVerdict::kFaster:
        return 1;
      case SpeedVerdict::kSame:
        break;
    }
    return 0;
  };
  for (const SpeedCase& c : comparison.cases) {
    if (rank(c.verdict) > rank(overall)) overall = c.verdict;
  }
  return overall;
}

}  // namespace lvsa::analysis
