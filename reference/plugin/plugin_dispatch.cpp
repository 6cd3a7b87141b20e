#include "reference/plugin/plugin_dispatch.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/error.hpp"
#include "reference/plugin/plugin_params.hpp"

namespace lvsa::reference {
namespace {

constexpr std::int64_t kMostTokens = std::int64_t{1} << 40;
constexpr std::int64_t kMostOfAnAxis = std::int64_t{1} << 20;  // products of three stay in 64 bits

void require_within(const AttentionCall& call, const char* field, std::int64_t value,
                    std::int64_t most) {
  if (value >= 1 && value <= most) return;
  throw Error(ErrorKind::kValue, fmt::format("call '{}': {} {}: an integer from 1 to {} is due",
                                             call.name, field, value, most));
}

[[noreturn]] void refuse(const AttentionCall& call, const char* what) {
  throw Error(ErrorKind::kValue, fmt::format("call '{}': {}", call.name, what));
}

PluginCall plugin_call(const BackendConfig& config, const AttentionCall& call, std::int64_t step,
                       std::int64_t steps, PluginPolicy policy, const DispatchQuirks& quirks,
                       std::vector<std::string>& warnings) {
  PluginCall made;
  made.is_causal = call.is_causal;
  if (policy == PluginPolicy::kFirst) {
    made.query_shape = {call.batch, call.heads, call.seq_len, call.head_dim};
    made.topk = scheduled_topk(config, step, steps);
    return made;
  }
  made.signature = 2;
  made.query_shape = {call.batch, call.seq_len, call.heads, call.head_dim};
  made.softmax_scale =
      call.softmax_scale.value_or(1.0 / std::sqrt(static_cast<double>(call.head_dim)));
  made.params = merged_params(config, call, step, steps, quirks, warnings);
  if (call.attn_mask) made.params["attn_mask"] = "\"<given>\"";
  if (call.full_attn_spans) made.params["full_attn_spans"] = "\"<given>\"";
  return made;
}

// An input that changes the result and that a call carries: its names, and whether the plugin says
// that it takes it.
struct GatedInput {
  const char* reason;
  const char* input;
  const char* capability;
  bool advertised;
};

std::optional<GatedInput> first_unmet(const AttentionCall& call, const PluginCapabilities& has,
                                      bool ask_capabilities) {
  const GatedInput mask{"mask", "attn_mask", "supports_attention_mask", has.attention_mask};
  const GatedInput spans{"spans", "full_attn_spans", "supports_full_attn_spans",
                         has.full_attn_spans};
  if (call.attn_mask && !(ask_capabilities && mask.advertised)) return mask;
  if (call.full_attn_spans && !(ask_capabilities && spans.advertised)) return spans;
  return std::nullopt;
}

std::string shown(const InstalledPlugin& plugin) {
  return plugin.name.empty() ? plugin.path : plugin.name;
}

}  // namespace

std::string_view outcome_name(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::kPlugin:
      return "plugin";
    case OutcomeKind::kError:
      return "error";
    default:
      return "dense";
  }
}

void require_valid(const AttentionCall& call) {
  require_within(call, "batch", call.batch, kMostOfAnAxis);
  require_within(call, "seq_len", call.seq_len, kMostTokens);
  require_within(call, "heads", call.heads, kMostOfAnAxis);
  require_within(call, "head_dim", call.head_dim, kMostOfAnAxis);
  if (call.frames.has_value() != call.patches_per_frame.has_value()) {
    refuse(call, "frames and patches_per_frame are due together");
  }
  if (call.latent_shape.has_value() != call.patch_size.has_value()) {
    refuse(call, "latent_shape and patch_size are due together");
  }
  if (call.frames && call.latent_shape) {
    refuse(call, "frames or latent_shape: one of the two is due");
  }
  if (call.frames) {
    require_within(call, "frames", *call.frames, kMostOfAnAxis);
    require_within(call, "patches_per_frame", *call.patches_per_frame, kMostTokens);
  }
  for (std::size_t axis = 0; call.latent_shape && axis < 3; ++axis) {
    require_within(call, "latent_shape", (*call.latent_shape)[axis], kMostOfAnAxis);
    require_within(call, "patch_size", (*call.patch_size)[axis], kMostOfAnAxis);
  }
  if (call.softmax_scale && !(std::isfinite(*call.softmax_scale) && *call.softmax_scale > 0.0)) {
    refuse(call, "softmax_scale: a finite number above 0 is due");
  }
}

Construction construct_attention(const BackendConfig& config,
                                 std::span<const InstalledPlugin> installed, bool is_self_attention,
                                 PluginPolicy policy, const DispatchQuirks& quirks) {
  if (!is_self_attention) return {OutcomeKind::kDense, "cross-attention", 0, {}, ""};
  Resolution found = resolve_backend(config.backend, installed, policy, quirks);
  if (found.kind == Resolution::Kind::kNone) {
    return {OutcomeKind::kDense, "backend-none", 0, {}, ""};
  }
  if (found.kind == Resolution::Kind::kPlugin) {
    return {OutcomeKind::kPlugin, "resolved", found.plugin, std::move(found.warnings), ""};
  }
  const std::string fault =
      fmt::format("no sparse attention for backend '{}': {}", config.backend, found.why);
  if (policy == PluginPolicy::kFirst) {
    found.warnings.push_back(fault + "; dense attention runs instead");
    return {OutcomeKind::kDense, "unresolved", 0, std::move(found.warnings), ""};
  }
  return {OutcomeKind::kError, "unresolved", 0, std::move(found.warnings),
          fmt::format("{}; installed: {}", fault, installed_names(installed))};
}

StepOutcome call_attention(const Construction& layer, const BackendConfig& config,
                           std::span<const InstalledPlugin> installed, const AttentionCall& call,
                           std::int64_t step, std::int64_t steps, PluginPolicy policy,
                           const DispatchQuirks& quirks) {
  if (layer.kind != OutcomeKind::kPlugin) return {layer.kind, layer.reason, {}, {}, layer.error};
  const StepRange* range = range_of(config, step);
  if (range != nullptr && range->profile == kDenseProfile) {
    return {OutcomeKind::kDense, "profile", {}, {}, ""};
  }
  const InstalledPlugin& plugin = installed[layer.plugin];
  const bool first = policy == PluginPolicy::kFirst;
  StepOutcome made{OutcomeKind::kPlugin, "resolved", {}, {}, ""};
  if (const auto unmet = first_unmet(call, plugin.capabilities, !first)) {
    if (!first) {
      return {OutcomeKind::kError,
              unmet->reason,
              {},
              {},
              fmt::format("plugin '{}' got {}, but does not advertise {}", shown(plugin),
                          unmet->input, unmet->capability)};
    }
    if (!quirks.first_loses_masks) {
      return {OutcomeKind::kDense,
              unmet->reason,
              {},
              {fmt::format("the call has {}, which the first version cannot hand over; dense "
                           "attention runs instead",
                           unmet->input)},
              ""};
    }
    made.reason = std::string(unmet->reason) + "-lost";
  }
  made.call = plugin_call(config, call, step, steps, policy, quirks, made.warnings);
  return made;
}

}  // namespace lvsa::reference
