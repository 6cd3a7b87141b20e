#include "analysis/diagnose/plugin_outcome.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

struct PathName {
  AttentionPath path;
  std::string_view name;
  std::string_view origin;         // as the plugin's lines have it
  std::string_view hook_variable;  // switches it on; empty: the backend itself
};

constexpr PathName kPaths[] = {
    {AttentionPath::kBackend, "backend", "forward_cuda", ""},
    {AttentionPath::kWanHook, "wan-hook", "wan_hook", "LVSA_WAN_HOOK"},
    {AttentionPath::kHunyuanHook, "hunyuan-hook", "hunyuan_hook", "LVSA_HUNYUAN_HOOK"},
    {AttentionPath::kCosmos3Hook, "cosmos3-hook", "cosmos3_hook", "LVSA_COSMOS3_HOOK"},
    {AttentionPath::kCosmos3Backend, "cosmos3-backend", "forward_cuda", "LVSA_COSMOS3_BACKEND"},
};

const PathName& row(AttentionPath path) { return kPaths[static_cast<std::size_t>(path)]; }

bool is_hook(AttentionPath path) {
  return path == AttentionPath::kWanHook || path == AttentionPath::kHunyuanHook ||
         path == AttentionPath::kCosmos3Hook;
}

// A switched-on hook is in the way only of the model whose layers it replaces.
bool serves(const PathName& path, const std::optional<ModelPreset>& model) {
  if (!model) return true;
  if (path.path == AttentionPath::kCosmos3Backend)
    return model->hook_variable == "LVSA_COSMOS3_HOOK";
  return model->hook_variable == path.hook_variable;
}

AttentionPath path_in_force(const Question& question) {
  if (question.path) return *question.path;
  for (const PathName& path : kPaths) {
    if (path.hook_variable.empty() || !serves(path, question.model)) continue;
    const auto value = get(question.environment, std::string(path.hook_variable));
    if (value && parse_flag(*value)) return path.path;
  }
  return AttentionPath::kBackend;
}

// Whether a world of this shape keeps the call from LVSA. CFG parallelism never does.
std::optional<FallbackReason> parallel_reason(const PluginSettings& settings) {
  const ParallelDegrees& degrees = settings.degrees;
  const bool hook = is_hook(settings.path);
  if (settings.behaviour->hooks_refuse_any_world) {
    const bool world = degrees.tensor * degrees.sequence() > 1;
    if (hook ? world : degrees.ring > 1) return FallbackReason::kDistributed;
    return std::nullopt;
  }
  if (hook ? degrees.sequence() > 1 : degrees.ring > 1) return FallbackReason::kSequenceParallel;
  return std::nullopt;
}

constexpr const char* python_bool(bool value) { return value ? "True" : "False"; }

// The "k=v, k=v" part of the line, as each place prints it.
std::string details(const PluginSettings& settings, FallbackReason reason, std::int64_t seq_len,
                    std::optional<std::int64_t> frames) {
  const bool parallel =
      reason == FallbackReason::kDistributed || reason == FallbackReason::kSequenceParallel;
  const bool any_world = settings.behaviour->hooks_refuse_any_world;
  switch (settings.path) {
    case AttentionPath::kWanHook:
      return fmt::format("T_lat={}, full_seq={}, {}={}", frames.value_or(0), seq_len,
                         any_world ? "distributed" : "sp_active", python_bool(parallel));
    case AttentionPath::kHunyuanHook:
      if (!parallel) return fmt::format("step=0, T_lat={}", frames.value_or(0));
      return any_world ? fmt::format("step=0, world_size={}", settings.degrees.tensor *
                                                                  settings.degrees.sequence() *
                                                                  settings.degrees.cfg)
                       : "step=0, sp_active=True";
    case AttentionPath::kCosmos3Hook:
      return parallel ? "step=0" : fmt::format("step=0, T_lat={}", frames.value_or(0));
    case AttentionPath::kBackend:
    case AttentionPath::kCosmos3Backend:
      break;
  }
  if (reason == FallbackReason::kNoLatentFrames) return "hint=set LVSA_TOTAL_LATENT_FRAMES";
  if (reason != FallbackReason::kGeometryDetect) return "";
  return fmt::format("T_lat={}, known_ppf=[{}]", frames.value_or(0),
                     fmt::join(settings.candidates, ", "));
}

// What a hook says it does instead, where the behaviour says so.
std::string delegate(AttentionPath path, bool parallel) {
  switch (path) {
    case AttentionPath::kWanHook:
      return parallel ? "self.attn — LVSA backend RE-ENGAGES on the framework-gathered full grid "
                        "(NOT dense)"
                      : "self.attn (LVSA backend; dense only if it also fails geometry on the full "
                        "grid)";
    case AttentionPath::kHunyuanHook:
      return parallel ? "self.attn — LVSA backend RE-ENGAGES on the framework-gathered full grid "
                        "(NOT dense)"
                      : "self.attn (LVSA backend; dense only if it also fails geometry/stream on "
                        "the full grid)";
    case AttentionPath::kCosmos3Hook:
      return parallel ? "self.attn (framework attention; SP-aware joint path)"
                      : "self.attn (framework attention)";
    default:
      return "";
  }
}

// The layer's own backend, where a hook leaves the call to it: it gets the gathered grid.
std::optional<bool> delegate_engages(const PluginSettings& settings, std::int64_t seq_len,
                                     std::optional<std::int64_t> frames) {
  if (!is_hook(settings.path) || !settings.behaviour->fallback_names_delegate) return std::nullopt;
  PluginSettings backend = settings;
  backend.path = AttentionPath::kBackend;
  std::int64_t gathered = 0;
  if (__builtin_mul_overflow(seq_len, settings.degrees.ulysses, &gathered)) return false;
  return bare_outcome(backend, gathered, frames).grid.has_value();
}

}  // namespace

std::string_view name(AttentionPath path) { return row(path).name; }

AttentionPath parse_attention_path(std::string_view text) {
  std::vector<std::string_view> names;
  for (const PathName& path : kPaths) {
    if (path.name == text) return path.path;
    names.push_back(path.name);
  }
  throw Error(ErrorKind::kValue,
              fmt::format("path '{}': one of {} is due", text, fmt::join(names, ", ")));
}

PluginSettings plugin_settings(const Question& question) {
  PluginSettings settings;
  settings.path = path_in_force(question);
  settings.behaviour = question.behaviour ? question.behaviour : &behaviour(Version::k1_3);
  settings.degrees = question.degrees;
  settings.config = config_from_environment(question.environment);
  settings.candidates = candidate_patches_per_frame(question.environment);
  const auto warn = get(question.environment, "LVSA_WARN_FALLBACK");
  settings.silenced = warn && !parse_flag(*warn);
  return settings;
}

std::optional<std::int64_t> plugin_frames(const PluginSettings& settings,
                                          std::optional<std::int64_t> told) {
  return settings.config.total_latent_frames ? settings.config.total_latent_frames : told;
}

BareOutcome bare_outcome(const PluginSettings& settings, std::int64_t seq_len,
                         std::optional<std::int64_t> frames) {
  if (const auto reason = parallel_reason(settings)) return {std::nullopt, reason};
  if (is_hook(settings.path)) {
    const auto grid = detect_hook_geometry(seq_len, frames.value_or(0));
    if (grid) return {grid, std::nullopt};
    return {std::nullopt,
            frames ? FallbackReason::kGeometryMismatch : FallbackReason::kNoLatentFrames};
  }
  if (!frames) return {std::nullopt, FallbackReason::kNoLatentFrames};
  std::optional<FrameGrid> taken;
  for (const std::int64_t patches : settings.candidates) {
    std::int64_t video = 0;
    std::int64_t text = 0;
    if (__builtin_mul_overflow(*frames, patches, &video)) continue;
    if (__builtin_sub_overflow(seq_len, video, &text) || text < 0 || text >= video) continue;
    const FrameGrid fit{*frames, patches, text};
    const bool better =
        !taken || (settings.behaviour->smallest_text_wins &&
                   (text < taken->text_tokens ||
                    (text == taken->text_tokens && patches < taken->patches_per_frame)));
    if (better) taken = fit;
  }
  if (taken) return {taken, std::nullopt};
  return {std::nullopt, FallbackReason::kGeometryDetect};
}

PluginOutcome plugin_outcome(const PluginSettings& settings, const Environment& environment,
                             std::int64_t seq_len, std::optional<std::int64_t> frames) {
  PluginOutcome outcome;
  outcome.path = settings.path;
  outcome.frames = frames;
  const BareOutcome bare = bare_outcome(settings, seq_len, frames);
  outcome.grid = bare.grid;
  outcome.reason = bare.reason;
  outcome.engages = bare.grid.has_value();
  outcome.silenced = settings.silenced;
  if (!is_hook(settings.path)) {
    outcome.candidates = settings.candidates;
    if (frames) {
      Detection found = detect_geometry(seq_len, *frames, environment, *settings.behaviour);
      outcome.fits = std::move(found.fits);
      if (outcome.engages) outcome.message = std::move(found.warning);
    }
  }
  if (!bare.reason) return outcome;
  const bool parallel = *bare.reason == FallbackReason::kDistributed ||
                        *bare.reason == FallbackReason::kSequenceParallel;
  // Without T the hook is never installed: it is the backend that says so.
  PluginSettings speaks = settings;
  if (*bare.reason == FallbackReason::kNoLatentFrames) speaks.path = AttentionPath::kBackend;
  outcome.message = fallback_message(row(speaks.path).origin, *bare.reason, seq_len,
                                     details(speaks, *bare.reason, seq_len, frames),
                                     *settings.behaviour, delegate(speaks.path, parallel));
  outcome.delegate_engages = delegate_engages(speaks, seq_len, frames);
  return outcome;
}

}  // namespace lvsa::analysis
