#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analysis/diagnose/recommend.hpp"

namespace lvsa::analysis {

std::string recommendation_as_text(const Recommendation& r) {
  std::string text;
  for (const auto& [variable, value] : r.settings)
    text += fmt::format("export {}={}\n", variable, value);
  text += "vllm serve MODEL --omni";
  for (const std::string& flag : r.flags) text += " \\\n  " + flag;
  text += fmt::format("\n\nverdict     {}\n", name(r.diagnosis.verdict));
  if (r.diagnosis.pattern) {
    const PatternCost& cost = *r.diagnosis.pattern;
    text += fmt::format(
        "pattern     T={} x P={}, interval {}; a frame attends {:.1f} frames; token density "
        "{:.3f}\n",
        cost.grid.frames, cost.grid.patches_per_frame, cost.interval, cost.average_attended,
        cost.token_density);
  }
  if (r.dense_attention_ms) {
    text += fmt::format(
        "attention   {}{:.0f} ms dense, a denoising step of two passes on each GPU (H200 rates)\n",
        r.attention_ms ? fmt::format("{:.0f} ms sparse with the plugin's loop, ", *r.attention_ms)
                       : "",
        *r.dense_attention_ms);
  }
  const MemoryEstimate& m = r.memory;
  text += fmt::format(
      "memory      about {:.0f} GB a GPU: transformer {:.1f}, text encoder {:.1f}, activations "
      "{:.1f}, "
      "VAE decode {:.1f} ({:.1f} tiled)\n",
      m.peak, m.transformer, m.text_encoder, m.activations, m.vae_decode, m.vae_decode_tiled);
  if (!r.fits)
    text +=
        "            does NOT fit by this estimate: more GPUs, fewer frames or a smaller size are "
        "due\n";
  std::string label = "because";
  for (const std::string& reason : r.reasons) {
    text += fmt::format("{:<10}  {}\n", label, reason);
    label.clear();
  }
  return text;
}

nlohmann::ordered_json recommendation_as_json(const Recommendation& r) {
  using Json = nlohmann::ordered_json;
  Json settings = Json::object();
  for (const auto& [variable, value] : r.settings) settings[variable] = value;
  const MemoryEstimate& m = r.memory;
  const auto or_null = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
  };
  Json pattern = nullptr;
  if (r.diagnosis.pattern) {
    const PatternCost& cost = *r.diagnosis.pattern;
    pattern = {{"T", cost.grid.frames},
               {"P", cost.grid.patches_per_frame},
               {"text_tokens", cost.grid.text_tokens},
               {"interval", cost.interval},
               {"density", cost.frame_density},
               {"token_density", cost.token_density}};
  }
  return {{"settings", settings},
          {"flags", r.flags},
          {"degrees",
           {{"tensor", r.degrees.tensor},
            {"ulysses", r.degrees.ulysses},
            {"ring", r.degrees.ring},
            {"cfg", r.degrees.cfg}}},
          {"verdict", name(r.diagnosis.verdict)},
          {"pattern", pattern},
          {"attention_ms", or_null(r.attention_ms)},
          {"dense_attention_ms", or_null(r.dense_attention_ms)},
          {"memory_gb",
           {{"peak", m.peak},
            {"transformer", m.transformer},
            {"text_encoder", m.text_encoder},
            {"activations", m.activations},
            {"vae_decode", m.vae_decode},
            {"vae_decode_tiled", m.vae_decode_tiled}}},
          {"fits", r.fits},
          {"reasons", r.reasons}};
}

}  // namespace lvsa::analysis
