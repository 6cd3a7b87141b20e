// What a question makes likely before any length is read: models, their texts, sizes of frames.

#include <algorithm>
#include <string_view>
#include <tuple>

#include "analysis/diagnose/reading_costs.hpp"
#include "analysis/diagnose/readings.hpp"
#include "analysis/diagnose/video_sizes.hpp"

namespace lvsa::analysis {
namespace {

bool on_hook(AttentionPath path) {
  return path == AttentionPath::kWanHook || path == AttentionPath::kHunyuanHook ||
         path == AttentionPath::kCosmos3Hook;
}

std::string_view hook_variable(AttentionPath path) {
  switch (path) {
    case AttentionPath::kWanHook:
      return "LVSA_WAN_HOOK";
    case AttentionPath::kHunyuanHook:
      return "LVSA_HUNYUAN_HOOK";
    case AttentionPath::kCosmos3Hook:
    case AttentionPath::kCosmos3Backend:
      return "LVSA_COSMOS3_HOOK";
    case AttentionPath::kBackend:
      break;
  }
  return "";
}

}  // namespace

ReadingFinder::ReadingFinder(const Question& question, AttentionPath path,
                             const std::vector<std::int64_t>& candidates)
    : told_text_(question.text_tokens),
      size_told_(question.size.has_value()),
      told_shards_(question.degrees.sequence()),
      shards_expected_(on_hook(path) || question.degrees.ring > 1) {
  add_models(question, path);
  add_texts(question, path);
  add_spots(question, candidates);
}

void ReadingFinder::add_models(const Question& question, AttentionPath path) {
  if (question.model) {
    models_ = {*question.model};
    model_cost_ = {0.0F};
    return;
  }
  models_ = builtin_presets();
  const std::string_view family = hook_variable(path);
  for (const ModelPreset& model : models_) {
    float cost =
        family.empty() || model.hook_variable == family ? 0.0F : reading_cost::kOtherFamily;
    // A setting that somebody made for the model speaks for it, a little.
    const auto reference = get(question.environment, "LVSA_REFERENCE_LATENT_FRAMES");
    if (reference && *reference != std::to_string(model.reference_latent_frames)) cost += 0.5F;
    model_cost_.push_back(cost);
  }
}

void ReadingFinder::add_texts(const Question& question, AttentionPath path) {
  for (const ModelPreset& model : models_) {
    std::vector<Text> usual;
    std::int64_t largest = 0;
    if (on_hook(path) || model.text_kind == TextKind::kNone) {
      usual = {{0, 0.0F}};  // the hooks see the video's stream alone
    } else if (model.text_kind == TextKind::kFrontOfKeys) {
      usual = {{0, 0.0F}};
      largest = model.largest_text_tokens;  // a tail of action or sound tokens
    } else {
      usual = {{model.usual_text_tokens, 0.5F}, {0, 4.0F}};
      if (model.usual_text_tokens == 1000 && model.largest_text_tokens == 1985) {
        // The language model's 1000, ByT5's 256 and the image encoder's 729.
        usual.insert(usual.end(), {{1256, 0.8F}, {1729, 1.5F}, {1985, 1.2F}});
      } else if (model.largest_text_tokens > model.usual_text_tokens) {
        usual.push_back({model.largest_text_tokens, 1.0F});
      }
      largest = model.largest_text_tokens;
    }
    if (question.text_tokens) {
      for (Text& text : usual) {
        if (text.tokens != *question.text_tokens) text.cost += reading_cost::kToldWrong;
      }
      const auto told = std::ranges::find(usual, *question.text_tokens, &Text::tokens);
      if (told != usual.end()) {
        told->cost = 0.0F;
      } else if (model.text_kind != TextKind::kNone) {
        usual.push_back({*question.text_tokens,
                         *question.text_tokens <= largest ? 0.0F : reading_cost::kOddText});
      }
    }
    for (const Text& text : usual) {
      const auto known = std::ranges::find(all_usual_texts_, text.tokens, &Text::tokens);
      if (known == all_usual_texts_.end()) all_usual_texts_.push_back(text);
    }
    usual_texts_.push_back(std::move(usual));
    largest_text_.push_back(largest);
    largest_of_all_ = std::max(largest_of_all_, largest);
  }
}

void ReadingFinder::add_spot(std::int64_t patches, std::int32_t model, std::int32_t size,
                             float cost, bool as_set, bool told_off) {
  if (patches < 1) return;
  for (Spot& spot : spots_) {
    if (spot.patches != patches || spot.model != model) continue;
    if (spot.cost > cost) spot = {patches, model, size, cost, as_set, told_off};
    return;
  }
  spots_.push_back({patches, model, size, cost, as_set, told_off});
}

void ReadingFinder::add_spots(const Question& question,
                              const std::vector<std::int64_t>& candidates) {
  const auto patches_at = [](const ModelPreset& model, VideoSize size) -> std::int64_t {
    if (size.height < model.rule.vae_spatial_factor * model.rule.patch_size ||
        size.width < model.rule.vae_spatial_factor * model.rule.patch_size) {
      return 0;
    }
    return patches_per_frame(model, size);
  };
  const auto index = [&](VideoSize size) {
    const auto known = std::ranges::find(sizes_, size);
    if (known != sizes_.end()) return static_cast<std::int32_t>(known - sizes_.begin());
    sizes_.push_back(size);
    return static_cast<std::int32_t>(sizes_.size() - 1);
  };
  const bool sized = get(question.environment, "LVSA_PATCHES_PER_FRAME").has_value() ||
                     get(question.environment, "LVSA_VIDEO_HEIGHT").has_value();
  for (std::int32_t m = 0; m < static_cast<std::int32_t>(models_.size()); ++m) {
    const ModelPreset& model = models_[static_cast<std::size_t>(m)];
    const float cost = model_cost_[static_cast<std::size_t>(m)];
    const float off = size_told_ ? reading_cost::kToldWrong : 0.0F;
    if (question.size)
      add_spot(patches_at(model, *question.size), m, index(*question.size), cost, false, false);
    for (const VideoSize& size : model.sizes) {
      add_spot(patches_at(model, size), m, index(size), cost + off, false, size_told_);
    }
    for (const VideoSize& size : common_video_sizes()) {
      add_spot(patches_at(model, size), m, index(size), cost + off + reading_cost::kCommonSize,
               false, size_told_);
    }
    for (const std::int64_t patches : candidates) {
      if (!sized || patches > 65536) continue;
      add_spot(patches, m, -1, cost + off + reading_cost::kSizeAsSet, true, size_told_);
    }
  }
  std::ranges::stable_sort(spots_, {},
                           [](const Spot& spot) { return std::tuple(spot.patches, spot.cost); });
}

}  // namespace lvsa::analysis
