#pragma once
// Which plugin a configuration means, among those that are installed.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference/plugin/backend_config.hpp"

namespace lvsa::reference {

/// What happens to failures. kFirst: dense attention with a warning, and plugins are called as
/// fn(query, key, value, topk, is_causal) on [B, H, S, D]. kSecond: an error that lists what is
/// installed, and fn(query, key, value, params, is_causal=, softmax_scale=) on [B, S, H, D].
enum class PluginPolicy { kFirst, kSecond };

/// What the published dispatchers do differently (vLLM-Omni pull requests 2231 and 4493).
struct DispatchQuirks {
  bool first_loses_masks = false;         ///< calls the plugin, which never sees the mask
  bool second_knows_names_only = false;   ///< "auto" and class paths are looked up as names
  bool second_hands_params_only = false;  ///< pattern_type, block sizes and radii stay behind
};

/// What a plugin that takes inputs which change the result says of itself; second version.
struct PluginCapabilities {
  bool attention_mask = false;   ///< "supports_attention_mask"
  bool full_attn_spans = false;  ///< "supports_full_attn_spans"
};

struct InstalledPlugin {
  std::string name;  ///< of its entry point; empty: can be imported, but is no entry point
  std::string path;  ///< module.path:function; may be empty where there is a name
  bool loads = true;
  std::string load_error;    ///< why it does not load; may be empty
  bool takes_first = true;   ///< has the signature of the first version
  bool takes_second = true;  ///< and of the second
  PluginCapabilities capabilities;
};

struct Resolution {
  enum class Kind { kNone, kPlugin, kFailed };
  Kind kind = Kind::kNone;
  std::size_t plugin = 0;             ///< its place among the installed, for kPlugin
  std::string why;                    ///< for kFailed
  std::vector<std::string> warnings;  ///< plugins that "auto" passed over
};

/// True for what is resolved as a class path: a ':' in it, or a '.' that does not lead.
bool is_class_path(const std::string& backend);

/// "none" and "dense" ask for dense attention. "auto" takes the first entry point that loads, in
/// the order of `installed`. A class path is imported. Anything else is the name of an entry point,
/// compared without case; of several the first counts, also where it does not load. A plugin
/// without the signature of the policy counts as one that does not load (this project's choice;
/// Python would fail at the first call).
Resolution resolve_backend(const std::string& backend, std::span<const InstalledPlugin> installed,
                           PluginPolicy policy, const DispatchQuirks& quirks = {});

/// Names of the entry points in alphabetical order, as the second version's error lists them;
/// "none" where there are none.
std::string installed_names(std::span<const InstalledPlugin> installed);

}  // namespace lvsa::reference
