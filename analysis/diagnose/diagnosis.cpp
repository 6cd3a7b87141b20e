#include "analysis/diagnose/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/diagnose/evidence_text.hpp"
#include "analysis/diagnose/mend.hpp"
#include "analysis/diagnose/pattern_cost.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kLargestLength = std::int64_t{1} << 40;
constexpr std::int64_t kLargestFrames = std::int64_t{1} << 24;
constexpr std::int64_t kLargestSide = 1 << 20;
constexpr std::int64_t kLargestDegree = 1 << 16;
constexpr std::size_t kMostReadings = 12;

void require_within(const char* what, std::optional<std::int64_t> value, std::int64_t least,
                    std::int64_t most) {
  if (!value || (*value >= least && *value <= most)) return;
  throw Error(ErrorKind::kValue,
              fmt::format("{} is {}; {} to {} is due", what, *value, least, most));
}

void check(const Question& q) {
  require_within("seq_len", q.seq_len, 1, kLargestLength);
  require_within("video frames", q.video_frames, 1, kLargestFrames);
  require_within("latent frames", q.latent_frames, 1, kLargestFrames);
  require_within("text tokens", q.text_tokens, 0, kLargestLength);
  if (q.size) {
    require_within("height", q.size->height, 1, kLargestSide);
    require_within("width", q.size->width, 1, kLargestSide);
  }
  require_within("tensor parallel degree", q.degrees.tensor, 1, kLargestDegree);
  require_within("Ulysses degree", q.degrees.ulysses, 1, kLargestDegree);
  require_within("ring degree", q.degrees.ring, 1, kLargestDegree);
  require_within("CFG parallel degree", q.degrees.cfg, 1, kLargestDegree);
  if (q.video_frames && q.latent_frames) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} video frames and {} latent frames: one of the two is due",
                            *q.video_frames, *q.latent_frames));
  }
}

void check_settings(const PluginSettings& settings) {
  const Config& config = settings.config;
  require_within("LVSA_TOTAL_LATENT_FRAMES", config.total_latent_frames, 1, kLargestFrames);
  require_within("LVSA_VAE_TEMPORAL_FACTOR", config.vae_temporal_factor, 1, 1024);
}

const ModelPreset* model_of(const Judge& judge, const std::optional<BareReading>& reading) {
  if (!reading || reading->model < 0) return nullptr;
  return &judge.finder().models()[static_cast<std::size_t>(reading->model)];
}

std::vector<Reading> all_readings(const Judge& judge, const Question& question) {
  const ReadingFinder::Frames frames{judge.told_frames(),
                                     judge.settings().config.total_latent_frames};
  std::vector<Reading> readings;
  double sum = 0.0;
  for (const BareReading& bare : judge.finder().ranked(question.seq_len, frames, kMostReadings)) {
    readings.push_back(told_reading(judge.finder(), bare, question.seq_len, frames));
    readings.back().share = std::exp(-readings.back().cost);
    sum += readings.back().share;
  }
  for (Reading& reading : readings) reading.share /= sum;
  return readings;
}

std::optional<PatternCost> cost_of(const Question& question, const FrameGrid& grid,
                                   const ModelPreset* model) {
  if (grid.frames > 100'000) return std::nullopt;
  const Config config = config_from_environment(question.environment);
  const Behaviour& rules = question.behaviour ? *question.behaviour : behaviour(Version::k1_3);
  const TextKind text = grid.text_tokens > 0 ? TextKind::kJoint : TextKind::kNone;
  try {
    return pattern_cost(config, rules, grid, text, model);
  } catch (const Error&) {
    return std::nullopt;  // settings from which no pattern can be built; the verdict says so
  }
}

void add_notes(const Question& question, const Judge& judge, Diagnosis& diagnosis) {
  const auto& settings = judge.settings();
  const bool any_hook = std::ranges::any_of(question.environment, [](const auto& entry) {
    return (entry.first == "LVSA_WAN_HOOK" || entry.first == "LVSA_HUNYUAN_HOOK" ||
            entry.first == "LVSA_COSMOS3_HOOK") &&
           parse_flag(entry.second);
  });
  if (any_hook && !settings.config.total_latent_frames) {
    diagnosis.notes.push_back(
        "a hook is installed only where LVSA_TOTAL_LATENT_FRAMES is set when the server starts");
  }
  if (diagnosis.plugin.silenced && !diagnosis.plugin.message.empty()) {
    diagnosis.notes.push_back("LVSA_WARN_FALLBACK keeps the line out of the log");
  }
  if (diagnosis.plugin.delegate_engages) {
    diagnosis.notes.push_back(
        *diagnosis.plugin.delegate_engages
            ? "the hook hands over to the layer's own backend: sparse again where that is LVSA, "
              "dense where it is not"
            : "the hook hands over to the layer's own backend, which does not engage either");
  }
  const std::int64_t parts = question.degrees.sequence();
  if (parts > 1 && !diagnosis.readings.empty() && !diagnosis.readings.front().warm_up &&
      diagnosis.readings.front().grid.video_tokens() % parts != 0) {
    diagnosis.notes.push_back(
        fmt::format("{} video tokens do not divide by the sequence-parallel degree {}",
                    diagnosis.readings.front().grid.video_tokens(), parts));
  }
}

}  // namespace

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSparse:
      return "sparse";
    case Verdict::kDenseByDesign:
      return "dense-by-design";
    case Verdict::kFallback:
      return "fallback";
    case Verdict::kMisread:
      return "misread";
    case Verdict::kMisconfigured:
      return "misconfigured";
    case Verdict::kUnknown:
      break;
  }
  return "unknown";
}

bool is_good(Verdict verdict) {
  return verdict == Verdict::kSparse || verdict == Verdict::kDenseByDesign;
}

Diagnosis diagnose(const Question& question) {
  check(question);
  const Judge judge(question);
  check_settings(judge.settings());
  Diagnosis diagnosis;
  const Ruling ruling = judge.rule(question.seq_len, judge.told_frames());
  diagnosis.plugin = plugin_outcome(judge.settings(), question.environment, question.seq_len,
                                    plugin_frames(judge.settings(), judge.told_frames()));
  diagnosis.readings = all_readings(judge, question);
  diagnosis.verdict = ruling.verdict;
  const auto wrong = ruling.verdict == Verdict::kMisconfigured
                         ? judge.contradictions(*ruling.agreeing)
                         : std::vector<Contradiction>{};
  diagnosis.reasons = verdict_reasons(ruling, diagnosis.plugin, diagnosis.readings, wrong);
  if (is_good(ruling.verdict)) {
    if (ruling.outcome.grid) {
      diagnosis.pattern = cost_of(question, *ruling.outcome.grid, model_of(judge, ruling.agreeing));
    } else if (ruling.top) {
      diagnosis.pattern =
          cost_of(question, {ruling.top->frames, ruling.top->patches, ruling.top->text},
                  model_of(judge, ruling.top));
    }
    diagnosis.fix.about = "nothing to mend";
  } else {
    Mend mend = find_mend(question, judge, ruling);
    diagnosis.fix = std::move(mend.fix);
    if (ruling.outcome.grid) {
      diagnosis.pattern = cost_of(question, *ruling.outcome.grid, model_of(judge, ruling.agreeing));
    } else if (mend.mended && ruling.top) {
      diagnosis.pattern =
          cost_of(*mend.mended, {ruling.top->frames, ruling.top->patches, ruling.top->text},
                  model_of(judge, ruling.top));
    }
  }
  add_notes(question, judge, diagnosis);
  return diagnosis;
}

}  // namespace lvsa::analysis
