#include "analysis/diagnose/evidence_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lvsa::analysis {
namespace {

std::string size_text(const VideoSize& size) {
  return fmt::format("{}x{}", size.height, size.width);
}

std::string counted(std::int64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string sum_text(const BareReading& r, std::int64_t seq_len) {
  std::string inside = fmt::format("{} * {}", r.frames, r.patches);
  if (r.history > 0) inside = fmt::format("{} + {}", r.history, inside);
  if (r.text > 0) inside += fmt::format(" + {}", r.text);
  if (r.padding > 0) inside += fmt::format(" + {}", r.padding);
  if (r.batch > 1) return fmt::format("{} = {} * ({})", seq_len, r.batch, inside);
  if (r.shards > 1) return fmt::format("{} = ({}) / {}", seq_len, inside, r.shards);
  return fmt::format("{} = {}", seq_len, inside);
}

std::string size_evidence(const BareReading& r, const ModelPreset* model, const Reading& reading) {
  if (reading.size && model) {
    const bool own = std::ranges::find(model->sizes, *reading.size) != model->sizes.end();
    return fmt::format("{} gives P={} by the patch rule of {}{}", size_text(*reading.size),
                       r.patches, model->name, own ? ", one of its own sizes" : "");
  }
  if (r.as_set) return fmt::format("P={} is what the settings say", r.patches);
  return fmt::format("P={} is no usual size, but divides into whole patches", r.patches);
}

std::string text_evidence(const BareReading& r, const ModelPreset& model) {
  if (r.text == 0) {
    return model.text_kind == TextKind::kNone
               ? fmt::format("{} has no text in self-attention, and nothing is left over",
                             model.name)
               : "nothing is left over for text";
  }
  return fmt::format("{} text tokens are {}", r.text,
                     r.usual_text ? fmt::format("a usual number for {}", model.name)
                                  : fmt::format("within the {} that {} can have",
                                                model.largest_text_tokens, model.name));
}

std::string frames_evidence(const BareReading& r, const ReadingFinder::Frames& frames) {
  if (frames.told == r.frames) return fmt::format("T={} as told", r.frames);
  if (frames.set == r.frames) return fmt::format("T={} as LVSA_TOTAL_LATENT_FRAMES says", r.frames);
  return fmt::format("T={} fits exactly; the settings say {}", r.frames,
                     frames.set ? fmt::to_string(*frames.set) : "nothing");
}

void add_layout(const BareReading& r, std::vector<std::string>& evidence) {
  if (r.shards > 1) {
    evidence.push_back(
        fmt::format("one of {} parts of a sequence-parallel split{}", r.shards,
                    r.padding > 0 ? fmt::format(", with {} padded", r.padding) : ""));
  }
  if (r.batch > 1) evidence.push_back(fmt::format("{} guidance passes in one sequence", r.batch));
  if (r.history > 0) {
    evidence.push_back(r.history % r.patches == 0
                           ? fmt::format("{} of history in front of the grid",
                                         counted(r.history / r.patches, "frame", "frames"))
                           : fmt::format("{} history tokens in front of the grid", r.history));
  }
}

}  // namespace

Reading told_reading(const ReadingFinder& finder, const BareReading& bare, std::int64_t seq_len,
                     const ReadingFinder::Frames& frames) {
  Reading reading;
  reading.grid = {bare.frames, bare.patches, bare.text};
  reading.shards = bare.shards;
  reading.padding = bare.padding;
  reading.batch = bare.batch;
  reading.history_tokens = bare.history;
  reading.warm_up = bare.warm_up;
  reading.cost = static_cast<double>(bare.cost);
  if (bare.warm_up) {
    reading.evidence.push_back(
        fmt::format("{} is the length of a dummy run that warms the model up", seq_len));
    return reading;
  }
  for (const std::int32_t model : finder.models_of(bare, 2.5F)) {
    reading.models.push_back(finder.models()[static_cast<std::size_t>(model)].name);
  }
  if (bare.size >= 0) reading.size = finder.sizes()[static_cast<std::size_t>(bare.size)];
  const ModelPreset* model =
      bare.model >= 0 ? &finder.models()[static_cast<std::size_t>(bare.model)] : nullptr;
  reading.evidence.push_back(sum_text(bare, seq_len));
  reading.evidence.push_back(frames_evidence(bare, frames));
  reading.evidence.push_back(size_evidence(bare, model, reading));
  if (model) reading.evidence.push_back(text_evidence(bare, *model));
  add_layout(bare, reading.evidence);
  if (bare.told_size_off) reading.evidence.push_back("against it: another size was told");
  if (bare.told_text_off) reading.evidence.push_back("against it: another text length was told");
  return reading;
}

std::string brief(const Reading& reading) {
  if (reading.warm_up) return "a warm-up run";
  std::string text =
      fmt::format("T={} x P={}", reading.grid.frames, reading.grid.patches_per_frame);
  if (reading.size) text += fmt::format(" ({})", size_text(*reading.size));
  text += reading.grid.text_tokens > 0 ? fmt::format(" + {} text", reading.grid.text_tokens)
                                       : ", no text";
  if (reading.shards > 1) text += fmt::format(", 1 of {} parts", reading.shards);
  if (reading.padding > 0) text += fmt::format(", {} padded", reading.padding);
  if (reading.batch > 1) text += fmt::format(", {} passes", reading.batch);
  if (reading.history_tokens > 0)
    text += fmt::format(", {} tokens in front", reading.history_tokens);
  if (!reading.models.empty()) text += fmt::format(" [{}]", fmt::join(reading.models, ", "));
  return text;
}

std::vector<std::string> verdict_reasons(const Ruling& ruling, const PluginOutcome& plugin,
                                         const std::vector<Reading>& readings,
                                         const std::vector<Contradiction>& contradictions) {
  std::vector<std::string> lines;
  const std::string grid =
      plugin.grid ? fmt::format("T={} x P={} + {} text", plugin.grid->frames,
                                plugin.grid->patches_per_frame, plugin.grid->text_tokens)
                  : "";
  switch (ruling.verdict) {
    case Verdict::kSparse:
    case Verdict::kDenseByDesign:
      lines.push_back(
          plugin.grid
              ? fmt::format("the plugin engages on {}, which is what the sequence is", grid)
              : "the hook steps aside and the layer's LVSA backend engages on the gathered grid");
      if (ruling.verdict == Verdict::kDenseByDesign) {
        lines.push_back(
            "the video is no longer than the attention budget: every frame attends every frame, "
            "and there is nothing to gain");
      }
      break;
    case Verdict::kFallback:
      lines.push_back(fmt::format("the plugin runs dense: {}", name(*plugin.reason)));
      if (!readings.empty())
        lines.push_back(fmt::format("the sequence is {}", brief(readings.front())));
      break;
    case Verdict::kMisread:
      lines.push_back(fmt::format("the plugin engages on {}, and nothing complains", grid));
      lines.push_back(readings.empty()
                          ? "no known geometry of this model has such a sequence"
                          : fmt::format("the sequence is {}", brief(readings.front())));
      if (!readings.empty() && plugin.grid && !readings.front().warm_up &&
          plugin.grid->patches_per_frame != readings.front().grid.patches_per_frame) {
        lines.push_back(
            "frames are cut in the wrong places: windows and anchors hold tokens of others");
      }
      break;
    case Verdict::kMisconfigured:
      lines.push_back(fmt::format("the grid {} is right, the settings are another model's", grid));
      for (const Contradiction& wrong : contradictions) {
        lines.push_back(fmt::format(
            "{} is {}; {} is due for {}", wrong.variable, wrong.is, wrong.due,
            readings.empty() || readings.front().models.empty() ? "this model"
                                                                : readings.front().models.front()));
      }
      break;
    case Verdict::kUnknown:
      lines.push_back(plugin.grid
                          ? fmt::format("the plugin engages on {}, and nothing known confirms or "
                                        "contradicts it",
                                        grid)
                          : "nothing known explains the sequence");
      break;
  }
  return lines;
}

}  // namespace lvsa::analysis
