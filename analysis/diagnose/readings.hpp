#pragma once
// All plausible ways to read a sequence length as frames, text and what else may lie in it, each
// with a cost: how unlikely it is, as minus the logarithm of a rough probability (docs/geometry.md
// has the table).

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "analysis/diagnose/diagnosis.hpp"
#include "core/config/presets.hpp"

namespace lvsa::analysis {

/// A reading without its texts.
struct BareReading {
  std::int64_t frames = 0;
  std::int64_t patches = 0;
  std::int64_t text = 0;
  std::int64_t history = 0;
  std::int64_t padding = 0;
  std::int32_t shards = 1;
  std::int32_t batch = 1;
  std::int32_t model = -1;  ///< index into ReadingFinder::models(); -1: none known
  std::int32_t size = -1;   ///< index into ReadingFinder::sizes(); -1: none known
  bool warm_up = false;
  bool as_set = false;     ///< P is what the settings say
  bool usual_text = true;  ///< a text length that the model is known to have
  bool told_size_off = false;
  bool told_text_off = false;
  float cost = 0.0F;

  /// The same tokens, all of them in one grid: what the plugin believes when it engages.
  bool same_grid(const FrameGrid& grid) const {
    return frames == grid.frames && patches == grid.patches_per_frame && text == grid.text_tokens &&
           history == 0 && shards == 1 && batch == 1 && !warm_up;
  }
};

/// Everything of a question but its length and T, ready to read many lengths. A reading takes about
/// a microsecond.
class ReadingFinder {
 public:
  /// `path` is the one in force, `candidates` the plugin's for P.
  ReadingFinder(const Question& question, AttentionPath path,
                const std::vector<std::int64_t>& candidates);

  const std::vector<ModelPreset>& models() const { return models_; }
  const std::vector<VideoSize>& sizes() const { return sizes_; }

  /// `told` T is believed; `set` T, which comes from the settings alone, may be another video's.
  struct Frames {
    std::optional<std::int64_t> told = {};
    std::optional<std::int64_t> set = {};
  };
  /// Calls `take` with every reading, in no order. Costs of 30 and more are left out.
  template <typename Take>
  void each(std::int64_t seq_len, const Frames& frames, Take&& take) const;

  /// All readings, the likeliest first, at most `most`, one for each grid and layout.
  std::vector<BareReading> ranked(std::int64_t seq_len, const Frames& frames,
                                  std::size_t most) const;

  /// The models that a grid fits as well as the best one, or nearly, the likeliest first.
  std::vector<std::int32_t> models_of(const BareReading& reading, float within_nats) const;

 private:
  struct Spot {  // one model's frame at one size
    std::int64_t patches = 0;
    std::int32_t model = 0;
    std::int32_t size = -1;
    float cost = 0.0F;
    bool as_set = false;
    bool told_off = false;
  };
  using Taker = void (*)(void*, const BareReading&);

  void add_models(const Question& question, AttentionPath path);
  void add_spots(const Question& question, const std::vector<std::int64_t>& candidates);
  void add_spot(std::int64_t patches, std::int32_t model, std::int32_t size, float cost,
                bool as_set, bool told_off);
  void add_texts(const Question& question, AttentionPath path);

  void run(std::int64_t seq_len, const Frames& frames, void* self, Taker take) const;
  void at_frames(std::int64_t seq_len, std::int64_t frames, float cost, void* self,
                 Taker take) const;
  void whole(std::int64_t tokens, const BareReading& layout, void* self, Taker take) const;
  void sharded(std::int64_t seq_len, std::int64_t frames, std::int64_t shards, float cost,
               void* self, Taker take) const;
  void behind_history(std::int64_t seq_len, std::int64_t frames, float cost, void* self,
                      Taker take) const;
  void free_size(std::int64_t tokens, const BareReading& layout, void* self, Taker take) const;
  void other_frames(std::int64_t seq_len, std::int64_t set, void* self, Taker take) const;

  std::vector<ModelPreset> models_;
  std::vector<float> model_cost_;
  std::vector<VideoSize> sizes_;
  std::vector<Spot> spots_;  // by patches
  struct Text {
    std::int64_t tokens = 0;
    float cost = 0.0F;
  };
  std::vector<std::vector<Text>> usual_texts_;  // by model
  std::vector<Text> all_usual_texts_;           // of all models, each length once
  std::vector<std::int64_t> largest_text_;      // by model: of texts of any other length
  std::int64_t largest_of_all_ = 0;
  std::optional<std::int64_t> told_text_;
  bool size_told_ = false;
  std::int64_t told_shards_ = 1;
  bool shards_expected_ = false;  // the path sees a rank's part
};

template <typename Take>
void ReadingFinder::each(std::int64_t seq_len, const Frames& frames, Take&& take) const {
  run(seq_len, frames, &take, [](void* self, const BareReading& reading) {
    (*static_cast<std::remove_reference_t<Take>*>(self))(reading);
  });
}

}  // namespace lvsa::analysis
