#include "analysis/diagnose/readings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "analysis/diagnose/video_sizes.hpp"

namespace lvsa::analysis {
namespace {

// Costs in nats. They are judgements, not measurements; docs/geometry.md says what each stands for.
constexpr float kOtherFamily = 8.0F;  // than the path's or the hook's
constexpr float kCommonSize = 2.0F;   // not one of the model's own sizes
constexpr float kSizeAsSet = 1.0F;    // what the settings say, but no usual size
constexpr float kFreeSize = 8.0F;     // any other size with whole patches
constexpr float kToldWrong = 9.0F;    // size or text differ from what was told
constexpr float kOddText = 6.0F;      // a text length that the model may have, but usually has not
constexpr float kStandardHorizon = 4.0F;  // another T than the settings', of a usual length
constexpr float kOtherHorizon = 6.0F;     // any other T
constexpr float kShard = 7.0F;            // a rank's part, without sequence parallelism being told
constexpr float kWholeOnHook = 4.0F;      // the whole sequence where a part is due
constexpr float kShardOnBackend = 1.0F;   // a part where the whole is due
constexpr float kPadding = 1.5F;
constexpr float kBatch = 5.5F;    // two passes in one sequence
constexpr float kHistory = 8.0F;  // whole frames in front of the grid
constexpr float kAnyHistory = 12.0F;
constexpr float kWarmUp = 3.0F;
constexpr float kMost = 30.0F;
constexpr std::int64_t kLargestFrames = 4096;  // more latent frames are no video that anybody makes

constexpr std::array<std::pair<std::int64_t, float>, 2> kWarmUps = {{{4096, 0.0F}, {1024, 1.0F}}};
constexpr std::array<std::int64_t, 7> kShardCounts = {2, 3, 4, 6, 8, 16, 32};

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

// Two sides of at most 3 to 1 in whole patches: what a frame of unknown size must have.
bool has_plausible_sides(std::int64_t patches) {
  if (patches < 64 || patches > 65536) return false;
  for (auto side = static_cast<std::int64_t>(std::sqrt(static_cast<double>(patches)));
       side >= 1 && side * side * 3 >= patches; --side) {
    if (patches % side == 0 && side * side <= patches) return true;
  }
  return false;
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
    float cost = family.empty() || model.hook_variable == family ? 0.0F : kOtherFamily;
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
        if (text.tokens != *question.text_tokens) text.cost += kToldWrong;
      }
      const auto told = std::ranges::find(usual, *question.text_tokens, &Text::tokens);
      if (told != usual.end()) {
        told->cost = 0.0F;
      } else if (model.text_kind != TextKind::kNone) {
        usual.push_back(
            {*question.text_tokens, *question.text_tokens <= largest ? 0.0F : kOddText});
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
    const float off = size_told_ ? kToldWrong : 0.0F;
    if (question.size)
      add_spot(patches_at(model, *question.size), m, index(*question.size), cost, false, false);
    for (const VideoSize& size : model.sizes) {
      add_spot(patches_at(model, size), m, index(size), cost + off, false, size_told_);
    }
    for (const VideoSize& size : common_video_sizes()) {
      add_spot(patches_at(model, size), m, index(size), cost + off + kCommonSize, false,
               size_told_);
    }
    for (const std::int64_t patches : candidates) {
      if (!sized || patches > 65536) continue;
      add_spot(patches, m, -1, cost + off + kSizeAsSet, true, size_told_);
    }
  }
  std::ranges::stable_sort(spots_, {},
                           [](const Spot& spot) { return std::tuple(spot.patches, spot.cost); });
}

// Readings of `tokens` as one grid and its text; `layout` says the rest, with its cost so far.
void ReadingFinder::whole(std::int64_t tokens, const BareReading& layout, void* self,
                          Taker take) const {
  const auto give = [&](const Spot& spot, std::int64_t text, float text_cost, bool usual) {
    BareReading reading = layout;
    reading.patches = spot.patches;
    reading.text = text;
    reading.model = spot.model;
    reading.size = spot.size;
    reading.as_set = spot.as_set;
    reading.usual_text = usual;
    reading.told_size_off = spot.told_off;
    reading.told_text_off = told_text_ && *told_text_ != text;
    reading.cost = layout.cost + spot.cost + text_cost;
    if (reading.cost < kMost) take(self, reading);
  };
  const std::int64_t frames = layout.frames;
  for (const Text& text : all_usual_texts_) {
    const std::int64_t video = tokens - text.tokens;
    if (video <= 0 || video % frames != 0) continue;
    const std::int64_t patches = video / frames;
    for (auto spot = std::ranges::lower_bound(spots_, patches, {}, &Spot::patches);
         spot != spots_.end() && spot->patches == patches; ++spot) {
      const auto& usual = usual_texts_[static_cast<std::size_t>(spot->model)];
      const auto known = std::ranges::find(usual, text.tokens, &Text::tokens);
      if (known != usual.end()) give(*spot, text.tokens, known->cost, true);
    }
  }
  if (largest_of_all_ == 0) return;
  const std::int64_t least = std::max<std::int64_t>((tokens - largest_of_all_) / frames, 1);
  for (auto spot = std::ranges::lower_bound(spots_, least, {}, &Spot::patches);
       spot != spots_.end() && spot->patches * frames < tokens; ++spot) {
    const std::int64_t text = tokens - spot->patches * frames;
    const auto model = static_cast<std::size_t>(spot->model);
    if (text > largest_text_[model] || text >= spot->patches * frames) continue;
    if (std::ranges::find(usual_texts_[model], text, &Text::tokens) != usual_texts_[model].end())
      continue;
    give(*spot, text, told_text_ ? kToldWrong + kOddText : kOddText, false);
  }
}

// A size that is on no list: T divides what the usual texts leave.
void ReadingFinder::free_size(std::int64_t tokens, const BareReading& layout, void* self,
                              Taker take) const {
  for (std::size_t m = 0; m < models_.size(); ++m) {
    for (const Text& text : usual_texts_[m]) {
      const std::int64_t video = tokens - text.tokens;
      if (video <= 0 || video % layout.frames != 0) continue;
      const std::int64_t patches = video / layout.frames;
      const auto there = std::ranges::lower_bound(spots_, patches, {}, &Spot::patches);
      if (there != spots_.end() && there->patches == patches) continue;
      if (!has_plausible_sides(patches)) continue;
      BareReading reading = layout;
      reading.patches = patches;
      reading.text = text.tokens;
      reading.model = static_cast<std::int32_t>(m);
      reading.told_size_off = size_told_;
      reading.told_text_off = told_text_ && *told_text_ != text.tokens;
      reading.cost =
          layout.cost + kFreeSize + model_cost_[m] + text.cost + (size_told_ ? kToldWrong : 0.0F);
      if (reading.cost < kMost) take(self, reading);
    }
  }
}

// seq_len is one rank's part of a padded sequence.
void ReadingFinder::sharded(std::int64_t seq_len, std::int64_t frames, std::int64_t shards,
                            float cost, void* self, Taker take) const {
  std::int64_t tokens = 0;
  if (__builtin_mul_overflow(seq_len, shards, &tokens)) return;
  BareReading layout;
  layout.frames = frames;
  layout.shards = static_cast<std::int32_t>(shards);
  layout.cost = cost;
  whole(tokens, layout, self, take);
  if (shards < 2) return;
  layout.cost += kPadding;
  for (const Text& text : all_usual_texts_) {
    // T * P is at most what is there, and less than a padding away from it.
    const std::int64_t patches = (tokens - text.tokens) / frames;
    const std::int64_t padding = tokens - text.tokens - patches * frames;
    if (patches < 1 || padding < 1 || padding >= shards) continue;
    for (auto spot = std::ranges::lower_bound(spots_, patches, {}, &Spot::patches);
         spot != spots_.end() && spot->patches == patches; ++spot) {
      const auto& usual = usual_texts_[static_cast<std::size_t>(spot->model)];
      const auto known = std::ranges::find(usual, text.tokens, &Text::tokens);
      if (known == usual.end()) continue;
      BareReading reading = layout;
      reading.patches = patches;
      reading.text = text.tokens;
      reading.padding = padding;
      reading.model = spot->model;
      reading.size = spot->size;
      reading.as_set = spot->as_set;
      reading.told_size_off = spot->told_off;
      reading.cost += spot->cost + known->cost;
      if (reading.cost < kMost) take(self, reading);
    }
  }
}

// Tokens in front of the grid: frames of an earlier part of the video, or of anything.
void ReadingFinder::behind_history(std::int64_t seq_len, std::int64_t frames, float cost,
                                   void* self, Taker take) const {
  for (const Spot& spot : spots_) {
    if (spot.patches > seq_len / frames) break;
    const auto model = static_cast<std::size_t>(spot.model);
    if (models_[model].text_kind == TextKind::kJoint && !told_text_ && largest_text_[model] > 0)
      continue;
    const std::int64_t history =
        seq_len - frames * spot.patches - usual_texts_[model].front().tokens;
    if (history < 1 || history >= frames * spot.patches) continue;
    const bool whole_frames = history % spot.patches == 0;
    BareReading reading;
    reading.frames = frames;
    reading.patches = spot.patches;
    reading.text = usual_texts_[model].front().tokens;
    reading.history = history;
    reading.model = spot.model;
    reading.size = spot.size;
    reading.as_set = spot.as_set;
    reading.told_size_off = spot.told_off;
    reading.cost = cost + spot.cost + (whole_frames ? kHistory : kAnyHistory) +
                   static_cast<float>(history) / static_cast<float>(seq_len);
    if (reading.cost < kMost) take(self, reading);
  }
}

void ReadingFinder::at_frames(std::int64_t seq_len, std::int64_t frames, float cost, void* self,
                              Taker take) const {
  if (frames < 1 || frames > seq_len) return;
  float best = kMost;
  std::pair<Taker, void*> through{take, self};
  struct Watch {
    float* best;
    void* self;
    Taker take;
  } watch{&best, self, take};
  const Taker watching = [](void* state, const BareReading& reading) {
    auto* seen = static_cast<Watch*>(state);
    *seen->best = std::min(*seen->best, reading.cost);
    seen->take(seen->self, reading);
  };
  BareReading layout;
  layout.frames = frames;
  layout.cost = cost;
  if (told_shards_ > 1) {
    sharded(seq_len, frames, told_shards_, cost + (shards_expected_ ? 0.0F : kShardOnBackend),
            &watch, watching);
    layout.cost += shards_expected_ ? kWholeOnHook : 0.0F;
  }
  whole(seq_len, layout, &watch, watching);
  // What follows costs too much to beat a reading as good as this, or to make it doubtful.
  if (best < cost + 3.0F) return;
  free_size(seq_len, layout, self, take);
  if (told_shards_ == 1) {
    for (const std::int64_t shards : kShardCounts) {
      sharded(seq_len, frames, shards, cost + kShard + std::log(static_cast<float>(shards)), self,
              take);
    }
  }
  if (seq_len % 2 == 0) {
    BareReading twice = layout;
    twice.batch = 2;
    twice.cost += kBatch;
    whole(seq_len / 2, twice, self, take);
  }
  behind_history(seq_len, frames, cost, self, take);
}

// Another video than the settings were made for.
void ReadingFinder::other_frames(std::int64_t seq_len, std::int64_t set, void* self,
                                 Taker take) const {
  for (const Spot& spot : spots_) {
    const auto m = static_cast<std::size_t>(spot.model);
    for (const Text& text : usual_texts_[m]) {
      const std::int64_t video = seq_len - text.tokens;
      if (video <= 0 || video % spot.patches != 0) continue;
      const std::int64_t frames = video / spot.patches;
      if (frames == set || frames < 2 || frames > kLargestFrames) continue;
      const std::int64_t reference = models_[m].reference_latent_frames - 1;
      const bool standard = reference > 0 && (frames - 1) % reference == 0;
      BareReading reading;
      reading.frames = frames;
      reading.patches = spot.patches;
      reading.text = text.tokens;
      reading.model = spot.model;
      reading.size = spot.size;
      reading.as_set = spot.as_set;
      reading.told_size_off = spot.told_off;
      reading.told_text_off = told_text_ && *told_text_ != text.tokens;
      reading.cost = spot.cost + text.cost + (standard ? kStandardHorizon : kOtherHorizon);
      if (reading.cost < kMost) take(self, reading);
    }
  }
}

void ReadingFinder::run(std::int64_t seq_len, const Frames& frames, void* self, Taker take) const {
  for (const auto& [tokens, cost] : kWarmUps) {
    if (seq_len != tokens) continue;
    BareReading reading;
    reading.warm_up = true;
    reading.cost = kWarmUp + cost;
    take(self, reading);
  }
  if (frames.told) {
    at_frames(seq_len, *frames.told, 0.0F, self, take);
    return;
  }
  if (frames.set) at_frames(seq_len, *frames.set, 0.5F, self, take);
  other_frames(seq_len, frames.set.value_or(0), self, take);
}

std::vector<BareReading> ReadingFinder::ranked(std::int64_t seq_len, const Frames& frames,
                                               std::size_t most) const {
  std::vector<BareReading> readings;
  each(seq_len, frames, [&](const BareReading& reading) { readings.push_back(reading); });
  std::ranges::stable_sort(readings, {}, &BareReading::cost);
  const auto key = [](const BareReading& r) {
    return std::tuple(r.frames, r.patches, r.text, r.history, r.shards, r.batch, r.padding,
                      r.warm_up);
  };
  std::vector<BareReading> unique;
  for (const BareReading& reading : readings) {
    if (unique.size() >= most) break;
    const bool there =
        std::ranges::any_of(unique, [&](const BareReading& r) { return key(r) == key(reading); });
    if (!there) unique.push_back(reading);
  }
  return unique;
}

std::vector<std::int32_t> ReadingFinder::models_of(const BareReading& reading,
                                                   float within_nats) const {
  std::vector<std::pair<float, std::int32_t>> found;
  for (const Spot& spot : spots_) {
    if (spot.patches != reading.patches) continue;
    const auto m = static_cast<std::size_t>(spot.model);
    const auto known = std::ranges::find(usual_texts_[m], reading.text, &Text::tokens);
    if (known == usual_texts_[m].end() && reading.text > largest_text_[m]) continue;
    const float text_cost = known != usual_texts_[m].end() ? known->cost : kOddText;
    found.emplace_back(spot.cost + text_cost, spot.model);
  }
  if (found.empty() && reading.model >= 0) found.emplace_back(0.0F, reading.model);
  std::ranges::sort(found);
  std::vector<std::int32_t> models;
  for (const auto& [cost, model] : found) {
    if (cost > found.front().first + within_nats) break;
    models.push_back(model);
  }
  return models;
}

}  // namespace lvsa::analysis
