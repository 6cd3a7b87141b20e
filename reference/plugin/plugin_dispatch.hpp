#pragma once
// What a dispatcher of the RFC does with an attention layer and its calls: which plugin is called
// with what, or dense attention, or an error. Nothing is computed; the decisions are the result.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference/plugin/backend_config.hpp"
#include "reference/plugin/resolve_backend.hpp"

namespace lvsa::reference {

/// One kind of call that a layer makes at each denoising step. At most one of the two forms of
/// geometry is given.
struct AttentionCall {
  std::string name = "self";
  bool is_self_attention = true;  ///< of the layer, at its construction
  std::int64_t batch = 1;
  std::int64_t seq_len = 1;  ///< tokens of the queries
  std::int64_t heads = 1;
  std::int64_t head_dim = 128;
  std::optional<std::int64_t> frames;                       ///< latent frames of the sequence
  std::optional<std::int64_t> patches_per_frame;            ///< with frames
  std::optional<std::array<std::int64_t, 3>> latent_shape;  ///< T, H, W behind the VAE
  std::optional<std::array<std::int64_t, 3>> patch_size;    ///< in T, H, W; with latent_shape
  bool attn_mask = false;                                   ///< the call carries a mask
  bool full_attn_spans = false;                             ///< or spans of full attention
  bool is_causal = false;
  std::optional<double> softmax_scale;  ///< 1 / sqrt(head_dim) where it is not given
  PluginParams extra;                   ///< dynamic parameters of the call
};

/// Throws Error(kValue) naming the call, the field, its value and what is due.
void require_valid(const AttentionCall& call);

enum class OutcomeKind { kDense, kPlugin, kError };
std::string_view outcome_name(OutcomeKind kind);

/// What a layer is once it is constructed. Reasons: kPlugin "resolved"; kDense "cross-attention",
/// "backend-none", "unresolved" (first policy); kError "unresolved" (second policy).
struct Construction {
  OutcomeKind kind = OutcomeKind::kDense;
  std::string reason;
  std::size_t plugin = 0;  ///< place among the installed, for kPlugin
  std::vector<std::string> warnings;
  std::string error;
};

/// How a plugin is called. Params hold `attn_mask` and `full_attn_spans` as "<given>".
struct PluginCall {
  int signature = 1;                          ///< version
  std::array<std::int64_t, 4> query_shape{};  ///< 1: [B, H, S, D], 2: [B, S, H, D]
  bool is_causal = false;
  double topk = 0.0;           ///< signature 1
  PluginParams params;         ///< signature 2
  double softmax_scale = 0.0;  ///< signature 2
};

/// What one call at one step does. Reasons: those of the construction, and kDense "profile" (the
/// step's profile is dense), "mask", "spans" (first policy); kPlugin "mask-lost", "spans-lost"
/// (published quirk); kError "mask", "spans" (second policy, not advertised).
struct StepOutcome {
  OutcomeKind kind = OutcomeKind::kDense;
  std::string reason;
  std::optional<PluginCall> call;
  std::vector<std::string> warnings;
  std::string error;
};

/// Decides by the configuration and whether the layer is self-attention; a layer of cross-attention
/// is dense for good, before anything is resolved.
Construction construct_attention(const BackendConfig& config,
                                 std::span<const InstalledPlugin> installed, bool is_self_attention,
                                 PluginPolicy policy, const DispatchQuirks& quirks = {});

/// The call at `step` of 0 .. steps - 1 of a layer that was constructed, which is no error. The
/// configuration and the call are valid.
StepOutcome call_attention(const Construction& layer, const BackendConfig& config,
                           std::span<const InstalledPlugin> installed, const AttentionCall& call,
                           std::int64_t step, std::int64_t steps, PluginPolicy policy,
                           const DispatchQuirks& quirks = {});

}  // namespace lvsa::reference
