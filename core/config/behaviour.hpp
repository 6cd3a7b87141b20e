#pragma once
// The two published behaviours of LVSA. Every difference between them that this library follows is
// a field here, so that code asks for the behaviour and never for the version.

#include <string_view>

namespace lvsa {

enum class Version { k1_2, k1_3 };

struct Behaviour {
  /// Several candidates for the patches per frame fit: take the one with the fewest text tokens
  /// (then the smaller one) and warn, instead of the first in the order of the list.
  bool smallest_text_wins;
  /// Backend and hooks honour LVSA_EXPAND_WINDOW; before, they always expanded. (The library's own
  /// metadata builder takes the switch as an argument in both.)
  bool plugin_honours_expand_window;
  /// LVSA_CONDITION_LATENT_FRAMES joins the global frames.
  bool condition_frames;
  /// A denoising step published by the pipeline is taken as it is, where there is one.
  bool takes_published_step;
  /// The passes of classifier-free guidance are divided by the CFG-parallel degree.
  bool divides_cfg_passes;
  /// Model hooks fall back for any world above 1; later for sequence parallelism only.
  bool hooks_refuse_any_world;
  /// The fallback line says what really runs instead of always naming dense attention.
  bool fallback_names_delegate;
  std::string_view name;
};

/// The behaviour of a version.
const Behaviour& behaviour(Version version);

/// "1.2" or "1.3" to a version. Throws Error(kValue) that names the text otherwise.
Version parse_version(std::string_view text);

}  // namespace lvsa
