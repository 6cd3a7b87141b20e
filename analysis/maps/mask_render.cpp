#include "analysis/maps/mask_render.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/pattern/mask_text.hpp"

namespace lvsa::analysis {
namespace {

using nlohmann::ordered_json;

void require_few_cells(const MaskMap& map, const char* form) {
  const std::int64_t frames = map.pattern.frames();
  if (frames > kMaxTextCells / frames) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} latent frames make {} x {} cells, too many for {}; --format json "
                            "is due",
                            frames, frames, frames, form));
  }
}

std::string interval_line(const MaskMap& map) {
  const Schedule& schedule = map.schedule;
  const IntervalTerms& terms = schedule.terms;
  std::string line;
  if (!schedule.interval) {
    line = "none (set to 0)";
  } else if (!schedule.automatic) {
    line = fmt::format("{} latent frames, set", *schedule.interval);
  } else if (terms.dense) {
    line = fmt::format("1, dense: {} latent frames are within the budget of {}",
                       map.pattern.frames(), terms.budget);
  } else {
    line =
        fmt::format("{} latent frames = max(strict {}, fallback {}); budget {}, target {} global",
                    terms.interval, terms.strict, terms.fallback, terms.budget, terms.target);
  }
  return fmt::format("{}; offset {}{}", line, map.spec.offset,
                     schedule.rotates ? " (rotates)" : "");
}

std::string globals_line(const MaskMap& map) {
  constexpr std::size_t kShown = 24;
  const auto& globals = map.pattern.globals;
  const std::size_t shown = std::min(globals.size(), kShown);
  return fmt::format(
      "{}: {}{}", globals.size(),
      fmt::join(globals.begin(), globals.begin() + static_cast<std::ptrdiff_t>(shown), " "),
      shown < globals.size() ? " ..." : "");
}

std::string text_note(const MaskSettings& settings) {
  switch (settings.model.text_kind) {
    case TextKind::kJoint:
      return fmt::format(" + {} text (joint)", settings.grid.text_tokens);
    case TextKind::kFrontOfKeys:
      return fmt::format(" + {} text (keys only)", settings.grid.text_tokens);
    case TextKind::kNone:
      break;
  }
  return "";
}

ordered_json interval_json(const MaskMap& map) {
  const IntervalTerms& terms = map.schedule.terms;
  ordered_json json = {{"latent_frames", nullptr},
                       {"automatic", map.schedule.automatic},
                       {"offset", map.spec.offset}};
  if (map.schedule.interval) json["latent_frames"] = *map.schedule.interval;
  if (map.schedule.automatic) {
    json["budget"] = terms.budget;
    json["dense"] = terms.dense;
    if (!terms.dense) {
      json["target"] = terms.target;
      json["strict"] = terms.strict;
      json["fallback"] = terms.fallback;
    }
  }
  return json;
}

ordered_json settings_json(const MaskMap& map) {
  const Config& config = map.settings.config;
  return {{"window_latent_frames", map.spec.window_frames},
          {"n_first_latent_frames", map.spec.n_first_frames},
          {"expand_window", map.spec.expand_window},
          {"rotate_keyframes", map.schedule.rotates},
          {"reference_latent_frames", config.reference_latent_frames},
          {"sparsity_scale", config.sparsity_scale},
          {"vae_temporal_factor", config.vae_temporal_factor},
          {"condition_latent_frames", map.spec.extra_globals}};
}

ordered_json counts_json(const MaskCounts& counts) {
  return {{"attended_frames_min", counts.least_frames},
          {"attended_frames_max", counts.most_frames},
          {"attended_frames_avg", counts.average_frames},
          {"frame_pairs", counts.frame_pairs},
          {"frame_density", counts.frame_density},
          {"token_pairs", counts.token_pairs},
          {"dense_token_pairs", counts.dense_token_pairs},
          {"token_density", counts.token_density},
          {"speedup_over_dense_at_most", counts.speedup_bound()}};
}

ordered_json rows_json(const FramePattern& pattern) {
  ordered_json rows = ordered_json::array();
  for (std::int64_t f = 0; f < pattern.frames(); ++f) {
    const FrameRange window = pattern.windows[static_cast<std::size_t>(f)];
    const auto attended = pattern.row(f);
    ordered_json row = {{"frame", f}, {"window", nullptr}, {"count", attended.size()}};
    if (!window.empty()) row["window"] = {window.lo, window.hi};
    row["attended"] = attended;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

std::string mask_summary(const MaskMap& map) {
  const MaskSettings& settings = map.settings;
  const FrameGrid& grid = settings.grid;
  const MaskCounts& counts = map.counts;
  std::string text =
      fmt::format("{} ({}), LVSA {}, denoising step {}\n", settings.model.name,
                  settings.model.title, behaviour(settings.version).name, settings.step);
  text += fmt::format("tokens      {} = {} latent frames x {} patches{}\n", grid.seq_len(),
                      grid.frames, grid.patches_per_frame, text_note(settings));
  text += fmt::format("window      {} latent frames on each side{}; first {} always global\n",
                      map.spec.window_frames, map.spec.expand_window ? ", expanded" : "",
                      map.spec.n_first_frames);
  text += fmt::format("interval    {}\n", interval_line(map));
  text += fmt::format("globals     {}\n", globals_line(map));
  text += fmt::format("attended    {} to {} frames a query frame, {:.1f} on average, of {}\n",
                      counts.least_frames, counts.most_frames, counts.average_frames, grid.frames);
  text += fmt::format("density     {:.4f} of frame pairs, {:.4f} of token pairs (text included)\n",
                      counts.frame_density, counts.token_density);
  text += fmt::format(
      "speedup     at most {:.2f}x over dense attention: 1 / token density, for a "
      "kernel at dense efficiency\n",
      counts.speedup_bound());
  return text;
}

std::string mask_as_text(const MaskMap& map) {
  require_few_cells(map, "text");
  return mask_text(map.pattern);
}

std::string mask_as_csv(const MaskMap& map) {
  require_few_cells(map, "CSV");
  const std::int64_t frames = map.pattern.frames();
  std::string text = "query_frame";
  for (std::int64_t k = 0; k < frames; ++k) text += fmt::format(",{}", k);
  text += '\n';
  for (std::int64_t f = 0; f < frames; ++f) {
    text += std::to_string(f);
    for (std::int64_t k = 0; k < frames; ++k) {
      text += ',';
      text += static_cast<char>(mask_cell(map.pattern, f, k));
    }
    text += '\n';
  }
  return text;
}

std::string mask_as_json(const MaskMap& map) {
  if (map.counts.frame_pairs > kMaxListedPairs) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} latent frames attend {} frames in all, too many for JSON; fewer "
                            "than {} are due",
                            map.pattern.frames(), map.counts.frame_pairs, kMaxListedPairs));
  }
  const MaskSettings& settings = map.settings;
  ordered_json json = {{"model", settings.model.name},
                       {"lvsa", std::string(behaviour(settings.version).name)},
                       {"step", settings.step},
                       {"latent_frames", settings.grid.frames},
                       {"patches_per_frame", settings.grid.patches_per_frame},
                       {"text_tokens", settings.grid.text_tokens},
                       {"text", std::string(name(settings.model.text_kind))},
                       {"tokens", settings.grid.seq_len()},
                       {"settings", settings_json(map)},
                       {"interval", interval_json(map)},
                       {"global_frames", map.pattern.globals},
                       {"counts", counts_json(map.counts)},
                       {"rows", rows_json(map.pattern)}};
  return json.dump() + '\n';
}

}  // namespace lvsa::analysis
