#include "analysis/app/setting_options.hpp"

#include "analysis/sweep/setting_limits.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::kMostSettingFrames;
using analysis::SweepAxes;

bool no_axis(const SettingOptions& o) {
  return o.window.empty() && o.n_first.empty() && o.interval.empty() && o.reference.empty() &&
         o.scale.empty() && o.budget.empty() && o.expand.empty() && o.rotate.empty() &&
         o.offsets.empty();
}

void set_integers(const char* option, const std::string& text, std::int64_t least,
                  std::int64_t most, std::vector<std::int64_t>& axis) {
  if (!text.empty()) axis = analysis::parse_integer_axis(option, text, least, most);
}

SweepAxes axes_of(const SettingOptions& o) {
  SweepAxes axes;
  if (no_axis(o)) {
    axes.window = {1, 2, 3, 4};
    axes.scale = analysis::parse_real_axis("--scale", "0.5:1.5:0.1", 0.0, 2.0);
    axes.rotate = {0, 1};
    return axes;
  }
  set_integers("--window", o.window, 0, kMostSettingFrames, axes.window);
  set_integers("--n-first", o.n_first, 0, kMostSettingFrames, axes.n_first);
  set_integers("--reference", o.reference, 1, kMostSettingFrames, axes.reference);
  set_integers("--budget", o.budget, 1, kMostSettingFrames, axes.budget);
  set_integers("--expand", o.expand, 0, 1, axes.expand);
  set_integers("--rotate", o.rotate, 0, 1, axes.rotate);
  if (!o.interval.empty()) axes.interval = analysis::parse_interval_axis("--interval", o.interval);
  if (!o.scale.empty()) {
    axes.scale = analysis::parse_real_axis("--scale", o.scale, 0.0, analysis::kMostSettingScale);
  }
  axes.all_offsets = o.offsets == "all";
  if (!axes.all_offsets) {
    set_integers("--offsets", o.offsets, 0, kMostSettingFrames, axes.offsets);
  }
  return axes;
}

}  // namespace

void add_setting_options(CLI::App* command, SettingOptions& options) {
  const auto axis = [&](const char* name, std::string& text, const char* help) {
    return command->add_option(name, text, help)->type_name("AXIS");
  };
  axis("--window", options.window, "W, latent frames on each side of a query's frame (3)");
  axis("--n-first", options.n_first, "First latent frames that all attend (1)");
  axis("--interval", options.interval,
       "Keyframe interval in latent frames, or auto; 0: no keyframes (auto)");
  CLI::Option* reference =
      axis("--reference", options.reference, "Reference length in latent frames (21)");
  CLI::Option* scale = axis("--scale", options.scale, "Sparsity scale (1)");
  axis("--budget", options.budget,
       "Frames that a frame may attend, in place of reference and scale")
      ->excludes(reference)
      ->excludes(scale);
  axis("--expand", options.expand, "1: windows widen over keyframes, 0: they do not (1)");
  axis("--rotate", options.rotate,
       "1: the keyframes rotate, figures are those of a full rotation; 0: they stay (0)");
  axis("--offsets", options.offsets,
       "Offset of the keyframes of settings that do not rotate, or all: 0 .. interval - 1 (0)");
  CLI::Option* random =
      command->add_option("--random", options.random, "N settings drawn from the axes' product")
          ->check(CLI::Range(std::int64_t{1}, analysis::kMostSettings))
          ->type_name("N");
  command->add_option("--seed", options.seed, "Seed of --random")
      ->capture_default_str()
      ->needs(random);
  command
      ->add_option(
          "--settings-file", options.file,
          "File with one setting a line, as 'W=3 n_first=1 interval=auto ref=21 scale=0.8', "
          "in place of axes")
      ->type_name("FILE")
      ->excludes(random);
}

std::vector<analysis::SweepSetting> chosen_settings(const SettingOptions& options,
                                                    std::int64_t frames) {
  if (!options.file.empty()) {
    if (!no_axis(options)) {
      throw Error(
          ErrorKind::kValue,
          "--settings-file: holds whole settings; axes (--window, --scale, ...) are not due "
          "beside it");
    }
    return analysis::read_settings_file(options.file);
  }
  const SweepAxes axes = axes_of(options);
  if (options.random > 0) return analysis::random_settings(axes, options.random, options.seed);
  return analysis::grid_settings(axes, frames);
}

}  // namespace lvsa::app
