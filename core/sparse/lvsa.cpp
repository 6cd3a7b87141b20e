// LVSA itself: whole frames, by core/pattern.

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/blocks/rule_words.hpp"
#include "core/blocks/segment_pattern.hpp"
#include "core/config/behaviour.hpp"
#include "core/pattern/frame_pattern.hpp"
#include "core/pattern/keyframe_interval.hpp"
#include "core/sparse/rules.hpp"

namespace lvsa::sparse {
namespace {

constexpr std::array<RuleParameter, 13> kParameters = {{
    {"version", "1.3", "published behaviour, 1.2 or 1.3"},
    {"scale", "1", "sparsity scale of the automatic interval, 0 .. 1e6"},
    {"window", "3", "W, latent frames on each side, from 0"},
    {"n_first", "1", "first latent frames, always attended, from 0"},
    {"interval", "auto", "keyframe interval in latent frames, auto, or 0 for no keyframes"},
    {"reference", "21", "latent frames the model was trained for"},
    {"expand", "1", "1: windows grow over keyframes; 0: not (1.2 always expands)"},
    {"offset", "0", "of the keyframes, latent frames; not with rotate"},
    {"rotate", "0", "1: the offset is the denoising step modulo the interval"},
    {"condition", "", "latent frames that condition the video, 0,20: always attended (1.3)"},
    {"blocks", "tokens", "tokens: block_q x block_k; frame: blocks of a frame each"},
    {"block_q", "128", "tokens of a query block, 1 .. 4096"},
    {"block_k", "64", "tokens of a key block, 1 .. 4096"},
}};

constexpr std::int64_t kMost = std::int64_t{1} << 24;

struct Settings {
  double scale = 1.0;
  std::int64_t reference = 21;
  std::optional<std::int64_t> interval;  // unset: automatic
  bool rotate = false;
  bool frame_blocks = false;
  BlockSize block;
  PatternSpec spec;  // frames, interval and offset are those of the input
};

// The pieces of a sequence: its frames, then text in pieces of a frame's size.
BlockAxis frame_axis(const FrameGrid& grid) {
  std::vector<std::int64_t> begins;
  for (std::int64_t at = 0; at < grid.seq_len(); at += grid.patches_per_frame) begins.push_back(at);
  begins.push_back(grid.seq_len());
  return BlockAxis::of_begins(std::move(begins));
}

std::vector<QuerySegment> segments_of(const FramePattern& frames, const FrameGrid& grid) {
  const std::int64_t size = grid.patches_per_frame;
  std::vector<QuerySegment> segments;
  for (std::int64_t f = 0; f < grid.frames; ++f) {
    QuerySegment segment{f * size, (f + 1) * size, {}};
    for (const std::int32_t key : frames.row(f)) {
      append_range(segment.keys, key * size, (key + 1) * size);
    }
    append_range(segment.keys, grid.video_tokens(), grid.seq_len());
    segments.push_back(std::move(segment));
  }
  if (grid.text_tokens > 0) {
    segments.push_back({grid.video_tokens(), grid.seq_len(), {{0, grid.seq_len()}}});
  }
  return segments;
}

class Lvsa : public PatternRule {
 public:
  explicit Lvsa(Settings settings) : settings_(std::move(settings)) {}

  bool depends_on_step() const override { return settings_.rotate; }

  HeadPattern make(const PatternInput& input) const override {
    const FrameGrid& grid = input.video.grid;
    PatternSpec spec = settings_.spec;
    spec.frames = grid.frames;
    spec.interval = settings_.interval;
    if (!spec.interval) {
      spec.interval = keyframe_interval({grid.frames, spec.window_frames, spec.n_first_frames,
                                         settings_.reference, settings_.scale});
    }
    if (settings_.rotate) spec.offset = *spec.interval > 0 ? input.step % *spec.interval : 0;
    const FramePattern frames = build_frame_pattern(spec);
    const std::vector<QuerySegment> segments = segments_of(frames, grid);
    if (settings_.frame_blocks) {
      return pattern_of_segments(frame_axis(grid), frame_axis(grid), segments);
    }
    return pattern_of_segments(BlockAxis::uniform(grid.seq_len(), settings_.block.rows),
                               BlockAxis::uniform(grid.seq_len(), settings_.block.columns),
                               segments);
  }

 private:
  Settings settings_;
};

void read_condition(const RuleWords& words, const Behaviour& behaviour, PatternSpec& spec) {
  if (words.text("condition").empty()) return;
  if (!behaviour.condition_frames) words.refuse("condition", "version=1.3 is due for it");
  for (const double frame : words.numbers("condition", 0, static_cast<double>(kMost))) {
    spec.extra_globals.push_back(static_cast<std::int64_t>(frame));
    if (static_cast<double>(spec.extra_globals.back()) != frame) {
      words.refuse("condition", "numbers of latent frames are due");
    }
  }
}

std::unique_ptr<PatternRule> make(const RuleWords& words) {
  Settings settings;
  words.choice("version", {"1.2", "1.3"});
  const Behaviour& published = behaviour(parse_version(words.text("version")));
  settings.scale = words.number("scale", 0.0, 1e6);
  settings.reference = words.integer("reference", 1, kMost);
  settings.rotate = words.flag("rotate");
  if (words.text("interval") != "auto") settings.interval = words.integer("interval", 0, kMost);
  settings.spec.window_frames = words.integer("window", 0, kMost);
  settings.spec.n_first_frames = words.integer("n_first", 0, kMost);
  const bool expand = words.flag("expand");
  settings.spec.expand_window = expand || !published.plugin_honours_expand_window;
  settings.spec.offset = words.integer("offset", 0, kMost);
  if (settings.rotate && words.given("offset")) words.refuse("offset", "rotate=1 decides it");
  read_condition(words, published, settings.spec);
  settings.frame_blocks = words.choice("blocks", {"tokens", "frame"}) == "frame";
  settings.block = {words.integer("block_q", 1, 4096), words.integer("block_k", 1, 4096)};
  for (const char* size : {"block_q", "block_k"}) {
    if (settings.frame_blocks && words.given(size)) {
      words.refuse(size, "blocks=frame decides the size of blocks");
    }
  }
  return std::make_unique<Lvsa>(std::move(settings));
}

}  // namespace

const RuleInfo& lvsa_rule() {
  static const RuleInfo info{"lvsa",
                             "LVSA",
                             "Long Video Sparse Attention, behaviour of 1.2 and 1.3",
                             "keyframes and a window of frames around each; text attended by all",
                             kParameters,
                             &make,
                             {"scale", 0.0, 64.0, false}};
  return info;
}

}  // namespace lvsa::sparse
