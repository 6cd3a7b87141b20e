#include "analysis/diagnose/parallel_engage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/geometry/detection.hpp"

namespace lvsa::analysis {
namespace {

struct HookRow {
  std::string_view variable;  // switches it on
  std::string_view path;
  std::string_view origin;  // as the plugin's lines have it
};

constexpr HookRow kHooks[] = {
    {"LVSA_WAN_HOOK", "wan-hook", "wan_hook"},
    {"LVSA_HUNYUAN_HOOK", "hunyuan-hook", "hunyuan_hook"},
    {"LVSA_COSMOS3_HOOK", "cosmos3-hook", "cosmos3_hook"},
};

const HookRow* hook_of(const ModelPreset& model) {
  const auto* found = std::ranges::find(kHooks, model.hook_variable, &HookRow::variable);
  return found == std::end(kHooks) ? nullptr : found;
}

// Whether the world keeps a path from LVSA. CFG parallelism never does.
std::optional<FallbackReason> reason_of(const ParallelQuestion& q, bool hook,
                                        const Behaviour& rules) {
  if (rules.hooks_refuse_any_world) {
    const bool refused = hook ? q.tp * q.world.size() > 1 : q.world.ring > 1;
    return refused ? std::optional(FallbackReason::kDistributed) : std::nullopt;
  }
  const bool refused = hook ? q.world.size() > 1 : q.world.ring > 1;
  return refused ? std::optional(FallbackReason::kSequenceParallel) : std::nullopt;
}

std::string why(const ParallelQuestion& q, bool engages) {
  if (engages) {
    if (q.world.ulysses > 1) return "the all-to-all restores the full grid, heads are sharded";
    return q.tp > 1 ? "full grid, heads are sharded" : "full grid";
  }
  if (q.world.ring > 1) return "a ring never gathers the full sequence";
  if (q.world.ulysses > 1) return "the hook runs before the all-to-all and sees a shard";
  return "hooks of 1.2 step aside in any world above 1";
}

// The "k=v, k=v" part of the line, as each hook prints it.
std::string details(const HookRow& hook, const ParallelQuestion& q, std::int64_t seq_len,
                    const Behaviour& rules) {
  const bool any_world = rules.hooks_refuse_any_world;
  if (hook.path == "wan-hook") {
    return fmt::format("T_lat={}, full_seq={}, {}=True", q.grid.frames, seq_len,
                       any_world ? "distributed" : "sp_active");
  }
  if (hook.path == "cosmos3-hook") return "step=0";
  return any_world ? fmt::format("step=0, world_size={}", q.ranks()) : "step=0, sp_active=True";
}

std::string_view delegate(const HookRow& hook) {
  return hook.path == "cosmos3-hook" ? "self.attn (framework attention; SP-aware joint path)"
                                     : "self.attn — LVSA backend RE-ENGAGES on the "
                                       "framework-gathered full grid (NOT dense)";
}

// Whether the settings as they are would find the grid.
std::string settings_note(const ParallelQuestion& q, const Environment& environment) {
  if (!q.knows_frames()) {
    return "T is not known here: whether a frame grid fits the sequence is a matter of its own "
           "(see "
           "lvsa-verify geometry)";
  }
  const auto listed = candidate_patches_per_frame(environment);
  if (std::ranges::find(listed, q.grid.patches_per_frame) != listed.end()) return "";
  return fmt::format(
      "with these settings the backend looks for P = {}, not {}: LVSA_VIDEO_HEIGHT and "
      "LVSA_VIDEO_WIDTH, or LVSA_PATCHES_PER_FRAME={}, are due (see lvsa-verify geometry)",
      fmt::join(listed, ", "), q.grid.patches_per_frame, q.grid.patches_per_frame);
}

PathAnswer backend_answer(std::int64_t seq_len, const ParallelQuestion& q,
                          const Environment& environment, const Behaviour& rules) {
  const auto reason = reason_of(q, false, rules);
  PathAnswer answer{"backend",       !reason, seq_len,
                    why(q, !reason), "",      settings_note(q, environment),
                    std::nullopt};
  if (reason) answer.message = fallback_message("forward_cuda", *reason, seq_len, "", rules);
  // More text than video fits no grid in any world.
  if (!reason && q.knows_frames() && q.grid.text_tokens >= q.grid.video_tokens()) {
    answer.engages = false;
    answer.why = "more text than video: no geometry fits";
    answer.message = fallback_message(
        "forward_cuda", FallbackReason::kGeometryDetect, seq_len,
        fmt::format("T_lat={}, known_ppf=[{}]", q.grid.frames, q.grid.patches_per_frame), rules);
  }
  return answer;
}

PathAnswer hook_answer(const HookRow& hook, std::int64_t seq_len, const ParallelQuestion& q,
                       const Behaviour& rules) {
  const auto reason = reason_of(q, true, rules);
  PathAnswer answer{
      std::string(hook.path), !reason, seq_len, why(q, !reason), "", "", std::nullopt};
  if (!reason) return answer;
  answer.message = fallback_message(hook.origin, *reason, seq_len, details(hook, q, seq_len, rules),
                                    rules, delegate(hook));
  if (rules.fallback_names_delegate) answer.delegate_engages = q.world.ring == 1;
  return answer;
}

}  // namespace

std::vector<PathAnswer> parallel_answers(const ParallelLayout& layout, const ModelPreset& model,
                                         const Environment& environment, Version version) {
  const ParallelQuestion& q = layout.question;
  const std::int64_t chunk = layout.divisibility.chunk;
  const std::int64_t text = model.text_kind == TextKind::kJoint ? q.grid.text_tokens : 0;
  // After the all-to-all a rank has the tokens of its Ulysses group; a ring leaves it at that.
  const std::int64_t gathered = q.world.ring > 1 ? chunk * q.world.ulysses : q.video_tokens();
  const Behaviour& rules = behaviour(version);
  std::vector<PathAnswer> answers = {backend_answer(gathered + text, q, environment, rules)};
  // Hooks see the video alone: text comes as encoder states.
  if (const HookRow* hook = hook_of(model)) {
    answers.push_back(hook_answer(*hook, q.world.size() > 1 ? chunk : q.video_tokens(), q, rules));
  }
  return answers;
}

}  // namespace lvsa::analysis
