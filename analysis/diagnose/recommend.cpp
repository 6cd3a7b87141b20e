#include "analysis/diagnose/recommend.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "analysis/diagnose/pattern_cost.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kBytes = 2.0;  // of a bf16 number
constexpr double kGiga = 1e9;
constexpr const char* kLayerBackend =
    R"(--diffusion-attention-config '{"per_role": {"self": {"backend": "LVSA"}}}')";

struct Weights {
  const char* model;
  double transformer;   // parameters
  double text_encoder;  // parameters
  bool decodes_whole;   // the VAE takes the whole video at once, not a few frames at a time
};
// Published sizes; of Wan 2.2 A14B one of its two experts.
constexpr Weights kWeights[] = {
    {"wan-1.3b", 1.4e9, 5.7e9, false},    {"wan-14b", 14.3e9, 5.7e9, false},
    {"wan2.2-5b", 5.0e9, 5.7e9, false},   {"hunyuan-1.5", 8.3e9, 8.3e9, true},
    {"cogvideox-5b", 5.6e9, 4.8e9, true},
};

Weights weights_of(const ModelPreset& model) {
  for (const Weights& weights : kWeights) {
    if (model.name == weights.model) return weights;
  }
  const double width = static_cast<double>(model.heads * model.head_dim);
  return {"", 18.0 * width * width * static_cast<double>(model.blocks), 6e9, true};
}

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::kValue, what); }

bool divides(const ModelPreset& model, std::int64_t video_tokens, std::int64_t ulysses,
             std::int64_t tensor) {
  const std::int64_t heads = ulysses * tensor;
  return model.heads % heads == 0 && model.kv_heads % heads == 0 && video_tokens % ulysses == 0;
}

// Guidance passes first, they cost no communication; then Ulysses; then heads alone.
std::optional<ParallelDegrees> chosen_degrees(const RecommendRequest& request,
                                              const Behaviour& rules, std::int64_t video_tokens,
                                              std::int64_t gpus) {
  const ModelPreset& model = request.model;
  const bool newer = !rules.hooks_refuse_any_world;
  if (gpus == 1) return ParallelDegrees{};
  if (newer && gpus % 2 == 0 && divides(model, video_tokens, gpus / 2, 1))
    return ParallelDegrees{1, gpus / 2, 1, 2};
  if (newer && divides(model, video_tokens, gpus, 1)) return ParallelDegrees{1, gpus, 1, 1};
  if (divides(model, video_tokens, 1, gpus)) return ParallelDegrees{gpus, 1, 1, 1};
  return std::nullopt;
}

ParallelDegrees degrees_of(const RecommendRequest& request, const Behaviour& rules,
                           std::int64_t video_tokens) {
  if (request.degrees) {
    const ParallelDegrees& d = *request.degrees;
    if (d.ring > 1) {
      refuse(fmt::format(
          "ring {}: a ring never gathers the frame grid, LVSA runs dense; Ulysses {} would engage",
          d.ring, d.sequence()));
    }
    if (!divides(request.model, video_tokens, d.ulysses, d.tensor)) {
      refuse(fmt::format(
          "tensor parallel {} and Ulysses {}: {} heads, {} kv heads and {} video tokens do not "
          "divide",
          d.tensor, d.ulysses, request.model.heads, request.model.kv_heads, video_tokens));
    }
    return d;
  }
  if (const auto degrees = chosen_degrees(request, rules, video_tokens, request.gpus))
    return *degrees;
  std::vector<std::int64_t> work;
  for (std::int64_t gpus = 1; gpus <= 2 * request.gpus && gpus <= 64; ++gpus) {
    if (chosen_degrees(request, rules, video_tokens, gpus)) work.push_back(gpus);
  }
  refuse(fmt::format("{} GPUs: {} heads and {} video tokens do not divide by them; {} would work",
                     request.gpus, request.model.heads, video_tokens, fmt::join(work, ", ")));
}

MemoryEstimate memory_of(const RecommendRequest& request, const ParallelDegrees& degrees,
                         const FrameGrid& grid) {
  const ModelPreset& model = request.model;
  const Weights weights = weights_of(model);
  const double width = static_cast<double>(model.heads * model.head_dim);
  MemoryEstimate memory;
  memory.transformer = weights.transformer * kBytes / static_cast<double>(degrees.tensor) / kGiga;
  memory.text_encoder = weights.text_encoder * kBytes / kGiga;
  // Hidden state, q, k, v, output, the feed-forward's inner layer and copies of some: 14 of S x
  // width.
  memory.activations = 14.0 * kBytes * width * static_cast<double>(grid.seq_len()) /
                       static_cast<double>(degrees.sequence() * degrees.tensor) / kGiga;
  const double frames = static_cast<double>(weights.decodes_whole ? request.video_frames : 5);
  const double pixels =
      static_cast<double>(request.size.height) * static_cast<double>(request.size.width);
  const double per_pixel = 3.0 * 128.0 * kBytes;  // three maps of 128 channels at full size
  memory.vae_decode = frames * pixels * per_pixel / kGiga;
  memory.vae_decode_tiled = frames * std::min(pixels, 256.0 * 256.0) * per_pixel / kGiga;
  return memory;
}

void fit_memory(const RecommendRequest& request, Recommendation& result) {
  MemoryEstimate& memory = result.memory;
  double weights = memory.transformer + memory.text_encoder;
  double decode = memory.vae_decode;
  const auto peak = [&] { return weights + std::max(memory.activations, decode); };
  if (request.memory_gb) {
    const double limit = 0.95 * *request.memory_gb;
    if (peak() > limit && weights + decode > limit) {
      result.flags.push_back("--vae-use-tiling --vae-use-slicing");
      result.reasons.push_back(fmt::format(
          "VAE tiling: decoding the whole would take {:.0f} GB beside the weights", decode));
      decode = memory.vae_decode_tiled;
    }
    if (peak() > limit) {
      result.flags.push_back("--enable-cpu-offload");
      result.reasons.push_back("CPU offload: transformer and text encoder do not fit together");
      weights = std::max(memory.transformer, memory.text_encoder);
    }
    if (peak() > limit) {
      result.flags.back() = "--enable-layerwise-offload";
      result.reasons.back() = "layerwise offload: the transformer does not fit as a whole";
      weights = memory.transformer * 2.0 / static_cast<double>(request.model.blocks);
    }
    result.fits = peak() <= *request.memory_gb;
  }
  memory.peak = peak();
}

void add_settings(const RecommendRequest& request, const FrameGrid& grid, bool hook,
                  Recommendation& result) {
  const ModelPreset& model = request.model;
  const auto set = [&](const char* variable, std::int64_t value) {
    result.settings.emplace_back(variable, fmt::to_string(value));
  };
  set("LVSA_TOTAL_LATENT_FRAMES", grid.frames);
  set("LVSA_REFERENCE_LATENT_FRAMES", model.reference_latent_frames);
  if (grid.patches_per_frame != kDefaultPatchesPerFrame)
    set("LVSA_PATCHES_PER_FRAME", grid.patches_per_frame);
  if (model.rule.vae_temporal_factor != 4)
    set("LVSA_VAE_TEMPORAL_FACTOR", model.rule.vae_temporal_factor);
  set("LVSA_ROTATE_KEYFRAMES", 1);
  if (hook) result.settings.emplace_back(model.hook_variable, "1");
}

void add_times(const RecommendRequest& request, const FrameGrid& grid, Recommendation& result) {
  const auto rates = measured_rates(request.model, grid);
  if (!rates || !result.diagnosis.pattern) return;
  const double tokens = static_cast<double>(grid.seq_len());
  const double work = 4.0 * static_cast<double>(request.model.head_dim * request.model.heads) *
                      tokens * tokens * static_cast<double>(request.model.blocks) * 2.0;
  const ParallelDegrees& d = result.degrees;
  const double ranks = static_cast<double>(d.tensor * d.sequence() * d.cfg);
  result.dense_attention_ms = work / (rates->dense_tflops * 1e9) / ranks;
  // At interval 1 the plugin's loop is all of dense attention in pieces; its rate there was not
  // measured.
  if (result.diagnosis.pattern->interval == 1) return;
  result.attention_ms =
      work * result.diagnosis.pattern->token_density / (rates->loop_useful_tflops * 1e9) / ranks;
}

Question question_of(const RecommendRequest& request, const Behaviour& rules, const FrameGrid& grid,
                     const Recommendation& result, bool hook) {
  Question question;
  question.seq_len = hook ? grid.video_tokens() : grid.seq_len();
  question.latent_frames = grid.frames;
  question.behaviour = &rules;
  question.degrees = result.degrees;
  question.model = request.model;
  for (const auto& [variable, value] : result.settings) question.environment[variable] = value;
  return question;
}

}  // namespace

Recommendation recommend(const RecommendRequest& request) {
  const Behaviour& rules = request.behaviour ? *request.behaviour : behaviour(Version::k1_3);
  const ModelPreset& model = request.model;
  if (request.gpus < 1 || request.gpus > 1024)
    refuse(fmt::format("{} GPUs; 1 to 1024 are due", request.gpus));
  const std::int64_t text = model.text_kind == TextKind::kJoint ? model.usual_text_tokens : 0;
  const FrameGrid grid = make_frame_grid(latent_frames(model, request.video_frames),
                                         patches_per_frame(model, request.size), text);
  Recommendation result;
  result.degrees = degrees_of(request, rules, grid.video_tokens());
  const bool split = result.degrees.sequence() > 1;
  const bool world = split || result.degrees.tensor > 1;
  // A hook steps aside where the sequence is split: then the layer's own backend has to be LVSA.
  const bool hook = !model.hook_variable.empty() && !(rules.hooks_refuse_any_world ? world : split);
  add_settings(request, grid, hook, result);
  result.flags.push_back(kLayerBackend);
  const ParallelDegrees& d = result.degrees;
  if (d.tensor > 1) result.flags.push_back(fmt::format("--tensor-parallel-size {}", d.tensor));
  if (d.ulysses > 1) result.flags.push_back(fmt::format("--usp {}", d.ulysses));
  if (d.cfg > 1) result.flags.push_back(fmt::format("--cfg-parallel-size {}", d.cfg));
  result.diagnosis = diagnose(question_of(request, rules, grid, result, hook));
  if (!is_good(result.diagnosis.verdict)) {
    refuse(fmt::format("{} at {} frames of {}x{}: {} ({})", model.name, request.video_frames,
                       request.size.height, request.size.width, name(result.diagnosis.verdict),
                       fmt::join(result.diagnosis.reasons, "; ")));
  }
  if (d.cfg > 1)
    result.reasons.push_back("CFG parallel first: the passes exchange nothing inside attention");
  if (split)
    result.reasons.push_back(
        "Ulysses, not ring: the all-to-all restores the frame grid that LVSA needs");
  if (hook)
    result.reasons.push_back(
        fmt::format("{}: the hook sees the video's stream whole", model.hook_variable));
  if (!hook && split)
    result.reasons.push_back("no hook: under Ulysses it would only hand over to the backend");
  if (result.diagnosis.verdict == Verdict::kDenseByDesign) {
    result.reasons.push_back(fmt::format(
        "{} latent frames are within the reference {}: dense by design, nothing to gain",
        grid.frames, model.reference_latent_frames));
  }
  result.memory = memory_of(request, d, grid);
  fit_memory(request, result);
  add_times(request, grid, result);
  return result;
}

}  // namespace lvsa::analysis
