#include "analysis/diagnose/readings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "analysis/diagnose/reading_costs.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kLargestFrames = 4096;  // more latent frames are no video that anybody makes

constexpr std::array<std::pair<std::int64_t, float>, 2> kWarmUps = {{{4096, 0.0F}, {1024, 1.0F}}};
constexpr std::array<std::int64_t, 7> kShardCounts = {2, 3, 4, 6, 8, 16, 32};

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
    if (reading.cost < reading_cost::kMost) take(self, reading);
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
    give(*spot, text,
         told_text_ ? reading_cost::kToldWrong + reading_cost::kOddText : reading_cost::kOddText,
         false);
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
      reading.cost = layout.cost + reading_cost::kFreeSize + model_cost_[m] + text.cost +
                     (size_told_ ? reading_cost::kToldWrong : 0.0F);
      if (reading.cost < reading_cost::kMost) take(self, reading);
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
  layout.cost += reading_cost::kPadding;
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
      if (reading.cost < reading_cost::kMost) take(self, reading);
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
    reading.cost = cost + spot.cost +
                   (whole_frames ? reading_cost::kHistory : reading_cost::kAnyHistory) +
                   static_cast<float>(history) / static_cast<float>(seq_len);
    if (reading.cost < reading_cost::kMost) take(self, reading);
  }
}

void ReadingFinder::at_frames(std::int64_t seq_len, std::int64_t frames, float cost, void* self,
                              Taker take) const {
  if (frames < 1 || frames > seq_len) return;
  float best = reading_cost::kMost;
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
    sharded(seq_len, frames, told_shards_,
            cost + (shards_expected_ ? 0.0F : reading_cost::kShardOnBackend), &watch, watching);
    layout.cost += shards_expected_ ? reading_cost::kWholeOnHook : 0.0F;
  }
  whole(seq_len, layout, &watch, watching);
  // What follows costs too much to beat a reading as good as this, or to make it doubtful.
  if (best < cost + 3.0F) return;
  free_size(seq_len, layout, self, take);
  if (told_shards_ == 1) {
    for (const std::int64_t shards : kShardCounts) {
      sharded(seq_len, frames, shards,
              cost + reading_cost::kShard + std::log(static_cast<float>(shards)), self, take);
    }
  }
  if (seq_len % 2 == 0) {
    BareReading twice = layout;
    twice.batch = 2;
    twice.cost += reading_cost::kBatch;
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
      reading.cost = spot.cost + text.cost +
                     (standard ? reading_cost::kStandardHorizon : reading_cost::kOtherHorizon);
      if (reading.cost < reading_cost::kMost) take(self, reading);
    }
  }
}

void ReadingFinder::run(std::int64_t seq_len, const Frames& frames, void* self, Taker take) const {
  for (const auto& [tokens, cost] : kWarmUps) {
    if (seq_len != tokens) continue;
    BareReading reading;
    reading.warm_up = true;
    reading.cost = reading_cost::kWarmUp + cost;
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
    const float text_cost = known != usual_texts_[m].end() ? known->cost : reading_cost::kOddText;
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
