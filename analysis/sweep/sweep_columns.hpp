#pragma once
// The columns that tables of settings have, in every file the same.

#include <array>
#include <cstdint>
#include <string_view>

#include "analysis/sweep/setting.hpp"

namespace lvsa::analysis {

/// A number of a setting; -1 stands for an automatic interval and for no budget.
struct SettingColumn {
  std::string_view name;
  std::string_view unit;
  double (*value)(const SweepSetting&);
};

inline constexpr std::array<SettingColumn, 9> kSettingColumns = {{
    {"window", "latent frames",
     [](const SweepSetting& s) { return static_cast<double>(s.window); }},
    {"n_first", "latent frames",
     [](const SweepSetting& s) { return static_cast<double>(s.n_first); }},
    {"interval", "latent frames",
     [](const SweepSetting& s) { return static_cast<double>(s.interval.value_or(-1)); }},
    {"reference", "latent frames",
     [](const SweepSetting& s) { return static_cast<double>(s.reference); }},
    {"scale", "1", [](const SweepSetting& s) { return s.scale; }},
    {"budget", "latent frames",
     [](const SweepSetting& s) { return static_cast<double>(s.budget.value_or(-1)); }},
    {"expand", "1", [](const SweepSetting& s) { return s.expand ? 1.0 : 0.0; }},
    {"rotate", "1", [](const SweepSetting& s) { return s.rotate ? 1.0 : 0.0; }},
    {"offset", "latent frames",
     [](const SweepSetting& s) { return static_cast<double>(s.offset); }},
}};

struct FigureColumn {
  std::string_view name;
  std::string_view title;
  std::string_view unit;
  double (*value)(const SettingFigures&);
  void (*set)(SettingFigures&, double);
};

inline constexpr std::array<FigureColumn, 7> kFigureColumns = {{
    {"interval_in_force", "keyframe interval in force, 0: no keyframe grid", "latent frames",
     [](const SettingFigures& f) { return static_cast<double>(f.interval); },
     [](SettingFigures& f, double v) { f.interval = static_cast<std::int64_t>(v); }},
    {"frame_density", "attended share of the frame pairs, mean over the rotation", "1",
     [](const SettingFigures& f) { return f.frame_density; },
     [](SettingFigures& f, double v) { f.frame_density = v; }},
    {"token_density", "attended share of the token pairs, mean over the rotation", "1",
     [](const SettingFigures& f) { return f.token_density; },
     [](SettingFigures& f, double v) { f.token_density = v; }},
    {"expected_speedup", "expected speedup over dense attention", "1",
     [](const SettingFigures& f) { return f.expected_speedup; },
     [](SettingFigures& f, double v) { f.expected_speedup = v; }},
    {"union_coverage", "share of the frame pairs seen at least once in a full rotation", "1",
     [](const SettingFigures& f) { return f.union_coverage; },
     [](SettingFigures& f, double v) { f.union_coverage = v; }},
    {"oldest_unseen", "longest wait of a frame pair between two visits", "denoising steps",
     [](const SettingFigures& f) { return static_cast<double>(f.oldest_unseen); },
     [](SettingFigures& f, double v) { f.oldest_unseen = static_cast<std::int64_t>(v); }},
    {"steps_to_cover", "steps until every pair that is ever seen has been seen", "denoising steps",
     [](const SettingFigures& f) { return static_cast<double>(f.steps_to_cover); },
     [](SettingFigures& f, double v) { f.steps_to_cover = static_cast<std::int64_t>(v); }},
}};

}  // namespace lvsa::analysis
