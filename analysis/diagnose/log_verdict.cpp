#include "analysis/diagnose/log_verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "analysis/diagnose/log_findings.hpp"
#include "analysis/diagnose/log_model.hpp"
#include "core/config/config.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// Text beyond this is none of any known model: HunyuanVideo 1.5 with an image.
constexpr std::int64_t kMostText = 1985;

int severity(Verdict verdict) {
  switch (verdict) {
    case Verdict::kMisread:
      return 5;
    case Verdict::kMisconfigured:
      return 4;
    case Verdict::kFallback:
      return 3;
    case Verdict::kUnknown:
      return 2;
    case Verdict::kSparse:
      return 1;
    case Verdict::kDenseByDesign:
      break;
  }
  return 0;
}

std::optional<AttentionPath> path_of(const LogRequest& request) {
  if (request.origin.starts_with("wan")) return AttentionPath::kWanHook;
  if (request.origin.starts_with("hunyuan")) return AttentionPath::kHunyuanHook;
  if (request.origin.starts_with("cosmos")) return AttentionPath::kCosmos3Hook;
  return AttentionPath::kBackend;
}

class LogJudge {
 public:
  LogJudge(const LogFacts& facts, const LogContext& context, LogVerdict& verdict)
      : facts_(facts),
        context_(context),
        config_(config_from_environment(context.environment)),
        verdict_(verdict) {}

  void judge() {
    find_model();
    verdict_.version = context_.version.value_or(told_version());
    for (std::size_t s = 0; s < facts_.sources.size(); ++s) {
      const auto& requests = facts_.sources[s].requests;
      std::int64_t number = 0;
      for (std::size_t r = 0; r < requests.size(); ++r) {
        if (!requests[r].warm_up && is_told(requests[r])) judge_request(s, r, ++number);
      }
    }
  }

 private:
  // A rank that only printed that a hook is in place had no request.
  static bool is_told(const LogRequest& request) {
    return request.engagement != Engagement::kSilent || request.last_step >= 0 ||
           (request.seq_len && !request.origins.empty());
  }

  Version told_version() const {
    const bool older =
        std::any_of(facts_.sources.begin(), facts_.sources.end(), [](const LogSource& source) {
          return std::any_of(source.requests.begin(), source.requests.end(),
                             [](const LogRequest& r) { return r.reason == "distributed_cp"; });
        });
    return older && !facts_.newer ? Version::k1_2 : Version::k1_3;
  }

  void find_model() {
    ModelGuess guess{context_.model, "given"};
    if (!guess.model) guess = guess_model(facts_);
    model_ = guess.model;
    if (!model_) return;
    verdict_.model = model_->name;
    verdict_.model_reason = guess.reason;
  }

  // What diagnose() is asked about a request; nothing where the log says too little.
  std::optional<Question> question_of(const LogRequest& request) const {
    if (!request.seq_len || *request.seq_len < 1) return std::nullopt;
    Question question;
    question.seq_len = *request.seq_len;
    question.environment = context_.environment;
    question.behaviour = &behaviour(verdict_.version);
    question.model = model_;
    question.degrees = context_.degrees;
    question.path = path_of(request);
    set_degrees(request, question);
    question.latent_frames = request.frames ? request.frames : facts_.installed_frames;
    const auto set = [&](const char* name, const std::string& value) {
      question.environment.emplace(name, value);  // what was given stays
    };
    if (facts_.reference) {
      question.environment["LVSA_REFERENCE_LATENT_FRAMES"] = std::to_string(*facts_.reference);
    } else if (model_) {
      const auto implied = implied_reference(request, config_, *model_);
      if (implied) set("LVSA_REFERENCE_LATENT_FRAMES", std::to_string(*implied));
    }
    if (question.path == AttentionPath::kBackend) {
      if (request.patches) {
        question.environment["LVSA_PATCHES_PER_FRAME"] = std::to_string(*request.patches);
      } else if (request.candidates.size() > 2) {
        const std::string listed = request.candidates.substr(1, request.candidates.size() - 2);
        if (listed != std::to_string(kDefaultPatchesPerFrame)) {
          set("LVSA_PATCHES_PER_FRAME", listed);
        }
      }
    }
    return question;
  }

  // Degrees that the reason of a fallback implies, where none are given.
  void set_degrees(const LogRequest& request, Question& question) const {
    const bool given = question.degrees.sequence() > 1 || question.degrees.tensor > 1;
    const bool older = request.reason == name(FallbackReason::kDistributed);
    if (given || (!older && request.reason != name(FallbackReason::kSequenceParallel))) return;
    const auto ranks = std::max<std::int64_t>(2, static_cast<std::int64_t>(facts_.sources.size()));
    if (request.full_seq && *request.full_seq == *request.seq_len) {
      question.degrees.tensor = ranks;
    } else if (request.full_seq && *request.full_seq % *request.seq_len == 0) {
      question.degrees.ulysses = *request.full_seq / *request.seq_len;
    } else {
      question.degrees.ulysses = ranks;
    }
  }

  const std::optional<Diagnosis>& diagnosis_of(const LogRequest& request,
                                               const std::optional<Question>& question) {
    const auto key = std::tuple(request.seq_len, request.frames, request.patches, request.interval,
                                request.origin, request.candidates);
    const bool full = diagnoses_.size() >= kMostDiagnoses && diagnoses_.count(key) == 0;
    if (full) return none_;
    const auto [found, is_new] = diagnoses_.try_emplace(key);
    if (is_new && question) {
      try {
        found->second = diagnose(*question);
      } catch (const Error&) {
        // The log's own numbers contradict each other; its lines decide alone.
      }
    }
    return found->second;
  }

  void judge_request(std::size_t s, std::size_t r, std::int64_t number) {
    const LogRequest& request = facts_.sources[s].requests[r];
    const std::optional<Question> question = question_of(request);
    const std::optional<Diagnosis>& diagnosis = diagnosis_of(request, question);
    RequestVerdict judged{s, r, number, Verdict::kUnknown, ""};
    if (request.engagement == Engagement::kSilent) {
      judged.reason = "no line says whether it engaged; LVSA_WARN_FALLBACK=0, or lines are missing";
    } else if (request.engagement == Engagement::kFallback) {
      judge_fallback(request, judged);
    } else {
      judge_engaged(request, diagnosis, judged);
    }
    const bool worst =
        verdict_.requests.empty() || severity(judged.verdict) > severity(verdict_.verdict);
    if (worst) {
      verdict_.verdict = judged.verdict;
      verdict_.headline = judged.reason;
      verdict_.diagnosis = fitting(request, judged.verdict, question, diagnosis);
    }
    verdict_.requests.push_back(std::move(judged));
  }

  // What diagnose() says, where it speaks of the same: the log decides.
  static std::optional<Diagnosis> fitting(const LogRequest& request, Verdict verdict,
                                          const std::optional<Question>& question,
                                          std::optional<Diagnosis> diagnosis) {
    if (!diagnosis || is_good(verdict)) return diagnosis;
    if (verdict != Verdict::kFallback) {
      return diagnosis->verdict == verdict ? diagnosis : std::nullopt;
    }
    if (request.reason == name(FallbackReason::kNoLatentFrames)) {
      return with_frames(*question, *std::move(diagnosis));
    }
    const bool same = diagnosis->plugin.reason && name(*diagnosis->plugin.reason) == request.reason;
    if (same) return diagnosis;
    // The standalone library has rules of its own; the mend of the sequence holds for it as well.
    if (request.origin != "standalone" || is_good(diagnosis->verdict)) return std::nullopt;
    diagnosis->reasons.clear();
    return diagnosis;
  }

  // T is missing: the likeliest reading has it, and it is the first of the mend.
  static std::optional<Diagnosis> with_frames(Question question, Diagnosis diagnosis) {
    if (diagnosis.readings.empty()) return diagnosis;
    const std::string frames = std::to_string(diagnosis.readings.front().grid.frames);
    question.environment["LVSA_TOTAL_LATENT_FRAMES"] = frames;
    question.latent_frames.reset();
    Diagnosis told;
    try {
      told = diagnose(question);
    } catch (const Error&) {
      return std::nullopt;
    }
    Fix fix = is_good(told.verdict) ? Fix{} : told.fix;
    fix.gives = is_good(told.verdict) ? told.verdict : told.fix.gives;
    fix.settings.insert(fix.settings.begin(), {"LVSA_TOTAL_LATENT_FRAMES", frames});
    fix.lines.insert(fix.lines.begin(), "export LVSA_TOTAL_LATENT_FRAMES=" + frames);
    if (fix.about.empty()) fix.about = "T is that of the likeliest reading; check it";
    diagnosis.fix = std::move(fix);
    return diagnosis;
  }

  static void judge_fallback(const LogRequest& request, RequestVerdict& judged) {
    if (request.delegates) {
      judged.reason = fmt::format(
          "{} steps aside ({}) and hands over to the layer's own attention; no line says that "
          "LVSA engaged there",
          request.origin, request.reason);
      return;
    }
    judged.verdict = Verdict::kFallback;
    judged.reason =
        fmt::format("dense: {} falls back ({}) at seq_len {}, the generation's own length",
                    request.origin, request.reason, request.seq_len.value_or(0));
  }

  // Text tokens that the model cannot have; 0 for none.
  std::int64_t impossible_text(const LogRequest& request) const {
    const std::int64_t text = request.text.value_or(0);
    if (text <= 0) return 0;
    if (!model_) return text > kMostText ? text : 0;
    if (model_->text_kind != TextKind::kJoint) return text;
    return text > std::max(model_->largest_text_tokens, model_->usual_text_tokens) ? text : 0;
  }

  void judge_engaged(const LogRequest& request, const std::optional<Diagnosis>& diagnosis,
                     RequestVerdict& judged) {
    if (const std::int64_t text = impossible_text(request); text > 0) {
      judged.verdict = Verdict::kMisread;
      judged.reason = fmt::format(
          "engages with P = {} and takes {} tokens for text, which {} does not have: frames of "
          "video are treated as text",
          request.patches.value_or(0), text, model_ ? model_->title : "no known model");
      return;
    }
    const bool same_grid = diagnosis && diagnosis->plugin.grid &&
                           diagnosis->plugin.grid->patches_per_frame == request.patches &&
                           diagnosis->plugin.grid->frames == request.frames;
    if (same_grid && diagnosis->verdict == Verdict::kMisread) {
      judged.verdict = Verdict::kMisread;
      judged.reason = diagnosis->reasons.empty() ? "engages on a grid that nothing known explains"
                                                 : diagnosis->reasons.front();
      return;
    }
    if (judge_reference(request, judged)) return;
    if (request.engagement == Engagement::kEngaged) {
      const bool told = same_grid && is_good(diagnosis->verdict);
      judged.verdict = told ? diagnosis->verdict : Verdict::kUnknown;
      judged.reason = told ? "engaged; the interval is that of the settings given"
                           : "engaged, but no line tells the keyframe interval";
      return;
    }
    const bool sparse = request.engagement == Engagement::kSparse;
    judged.verdict = sparse ? Verdict::kSparse : Verdict::kDenseByDesign;
    judged.reason = fmt::format("engaged: T = {}, interval {}{}", request.frames.value_or(0),
                                request.interval.value_or(sparse ? 0 : 1),
                                sparse ? "" : ", every frame attended");
  }

  // The reference of another model, told or implied by the interval.
  bool judge_reference(const LogRequest& request, RequestVerdict& judged) const {
    if (!model_) return false;
    const std::int64_t own = model_->reference_latent_frames;
    const auto used = facts_.reference && facts_.standalone
                          ? facts_.reference
                          : implied_reference(request, config_, *model_);
    const bool dense_beyond = !used && request.engagement == Engagement::kDense &&
                              request.frames.value_or(0) > own && config_.auto_keyframes &&
                              config_.sparsity_scale <= 1.0;
    if (dense_beyond) {
      judged.verdict = Verdict::kMisconfigured;
      judged.reason = fmt::format("engaged but dense: T = {} is beyond the {} of {}",
                                  *request.frames, own, model_->title);
      return true;
    }
    if (!used || *used == own) return false;
    judged.verdict = Verdict::kMisconfigured;
    judged.reason = fmt::format(
        "reference of another model: interval {} at T = {} is that of {} latent frames ({}); {} "
        "has {}",
        request.interval.value_or(0), request.frames.value_or(0), *used, models_of_reference(*used),
        model_->title, own);
    return true;
  }

  using Key = std::tuple<std::optional<std::int64_t>, std::optional<std::int64_t>,
                         std::optional<std::int64_t>, std::optional<std::int64_t>, std::string,
                         std::string>;

  // Of different lengths: no server sees more, and garbage must not cost hours.
  static constexpr std::size_t kMostDiagnoses = 64;

  const LogFacts& facts_;
  const LogContext& context_;
  const std::optional<Diagnosis> none_;
  Config config_;
  LogVerdict& verdict_;
  std::optional<ModelPreset> model_;
  std::map<Key, std::optional<Diagnosis>> diagnoses_;
};

}  // namespace

LogVerdict judge_log(const LogFacts& facts, const LogContext& context) {
  LogVerdict verdict;
  LogJudge(facts, context, verdict).judge();
  if (verdict.requests.empty()) {
    verdict.headline = "no request in the log: only warm-ups or what was installed";
  }
  for (std::size_t s = 0; s < facts.sources.size(); ++s) {
    const LogSource& source = facts.sources[s];
    if (!source.memory.empty()) verdict.memory.push_back(memory_trend(source));
    for (std::size_t r = 0; r < source.requests.size(); ++r) {
      if (source.requests[r].timed_steps == 0) continue;
      verdict.times.push_back(time_trend(source, r));
      verdict.times.back().source_index = s;
      const auto judged = std::find_if(
          verdict.requests.begin(), verdict.requests.end(),
          [&](const RequestVerdict& each) { return each.source == s && each.request == r; });
      verdict.times.back().number = judged == verdict.requests.end() ? 0 : judged->number;
    }
  }
  find_in_log(facts, verdict);
  for (const std::string& note : context.notes) {
    verdict.findings.push_back({false, "given", note, "", 0, ""});
  }
  return verdict;
}

void require_known_lines(const LogFacts& facts, const std::string& path) {
  if (facts.known_lines() > 0) return;
  const std::string why = facts.lines == 0
                              ? "the log is empty"
                              : fmt::format(
                                    "no line of LVSA in {} line{}: the log of another program, "
                                    "or LVSA was not selected as attention backend",
                                    facts.lines, facts.lines == 1 ? "" : "s");
  throw Error(ErrorKind::kValue, fmt::format("{}: {}; lines with [LVSA], [LVSA-hook], "
                                             "[LVSA-FALLBACK] and their kin are due",
                                             path == "-" ? "standard input" : path, why));
}

}  // namespace lvsa::analysis
