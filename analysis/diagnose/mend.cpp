#include "analysis/diagnose/mend.hpp"

#include <fmt/format.h>

#include <bit>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr float kToBelieve = 10.0F;  // nats: a mend is not built on less likely readings
constexpr const char* kLayerBackend =
    R"(--diffusion-attention-config '{"per_role": {"self": {"backend": "LVSA"}}}')";

// One thing to change: a variable (then `apply` alone says it all) or a flag of the serving
// command.
struct Change {
  std::function<void(Question&)> apply;
  std::string flag;
};

bool on_hook(AttentionPath path) {
  return path == AttentionPath::kWanHook || path == AttentionPath::kHunyuanHook ||
         path == AttentionPath::kCosmos3Hook;
}

// LVSA_CONFIG replaces the other variables, so what it holds is changed in it.
void set(Question& question, const std::string& variable, const std::string& key,
         std::int64_t value) {
  Environment& environment = question.environment;
  const std::string text = get(environment, "LVSA_CONFIG").value_or("");
  if (text.empty() || key.empty()) {
    environment[variable] = fmt::to_string(value);
    return;
  }
  nlohmann::json config = nlohmann::json::parse(text);
  config[key] = value;
  environment["LVSA_CONFIG"] = config.dump();
}

std::vector<Change> geometry_changes(const Question& question, const Judge& judge,
                                     const BareReading& reading) {
  std::vector<Change> changes;
  changes.push_back(
      {[patches = reading.patches](Question& q) { set(q, "LVSA_PATCHES_PER_FRAME", "", patches); },
       ""});
  const auto& total = judge.settings().config.total_latent_frames;
  const bool unknown = !total && !judge.told_frames();
  if (unknown || (total && *total != reading.frames)) {
    changes.push_back({[frames = reading.frames](Question& q) {
                         set(q, "LVSA_TOTAL_LATENT_FRAMES", "total_latent_frames", frames);
                       },
                       ""});
  }
  for (const Contradiction& wrong : judge.contradictions_of(reading.model)) {
    changes.push_back(
        {[wrong](Question& q) { set(q, wrong.variable, wrong.key, std::stoll(wrong.due)); }, ""});
  }
  const bool wan = reading.model >= 0 &&
                   judge.finder().models()[static_cast<std::size_t>(reading.model)].hook_variable ==
                       "LVSA_WAN_HOOK";
  const bool backend = judge.settings().path == AttentionPath::kBackend;
  if (wan && backend && reading.shards > 1 && question.degrees.ring == 1) {
    changes.push_back({[](Question& q) {
                         q.environment["LVSA_WAN_HOOK"] = "1";
                         q.path = AttentionPath::kWanHook;
                       },
                       ""});
  }
  return changes;
}

std::vector<Change> parallel_changes(const Question& question, const Judge& judge,
                                     const BareReading& reading) {
  std::vector<Change> changes;
  const PluginSettings& settings = judge.settings();
  const ParallelDegrees degrees = question.degrees;
  if (degrees.ring > 1) {
    const std::int64_t all = degrees.sequence();
    changes.push_back({[all](Question& q) {
                         q.degrees.ulysses = all;
                         q.degrees.ring = 1;
                       },
                       fmt::format("--usp {} --ring 1", all)});
  }
  const bool parallel = degrees.sequence() > 1 || reading.shards > 1;
  if (parallel && settings.behaviour->fallback_names_delegate) {
    changes.push_back({[](Question& q) { q.layer_is_lvsa = true; }, kLayerBackend});
  }
  if (!settings.behaviour->hooks_refuse_any_world) return changes;
  if (on_hook(settings.path) && degrees.tensor > 1) {
    const char* hooks[] = {"LVSA_WAN_HOOK", "LVSA_HUNYUAN_HOOK", "LVSA_COSMOS3_HOOK"};
    const auto variable = hooks[static_cast<std::size_t>(settings.path) - 1];
    changes.push_back({[variable](Question& q) {
                         q.environment[variable] = "0";
                         q.path = AttentionPath::kBackend;
                       },
                       ""});
  }
  if (parallel) {
    changes.push_back(
        {[](Question& q) { q.degrees.ulysses = q.degrees.ring = 1; }, "--usp 1 --ring 1"});
  }
  return changes;
}

// The question as it would be asked with the changes made. A Wan sequence that the backend sees in
// parts was not told to be parallel: the parts are its degree.
Question with_changes(const Question& question, const Judge& judge, const BareReading& reading,
                      const std::vector<Change>& changes, unsigned chosen) {
  Question mended = question;
  mended.video_frames.reset();
  // Where nobody knows T, only the variable makes it known.
  mended.latent_frames.reset();
  if (judge.told_frames()) mended.latent_frames = reading.frames;
  if (!mended.model && reading.model >= 0) {
    mended.model = judge.finder().models()[static_cast<std::size_t>(reading.model)];
  }
  mended.text_tokens.reset();
  mended.size.reset();
  if (mended.degrees.sequence() == 1) mended.degrees.ulysses = reading.shards;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if ((chosen >> i & 1U) != 0) changes[i].apply(mended);
  }
  return mended;
}

std::string quoted(const std::string& value) {
  const bool plain = value.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:/+-") ==
                     std::string::npos;
  if (plain && !value.empty()) return value;
  std::string result = "'";
  for (const char c : value) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

Fix described(const Question& before, const Question& after, const std::vector<Change>& changes,
              unsigned chosen, Verdict gives) {
  Fix fix;
  for (const auto& [variable, value] : after.environment) {
    if (get(before.environment, variable) == value) continue;
    fix.settings.emplace_back(variable, value);
    fix.lines.push_back(fmt::format("export {}={}", variable, quoted(value)));
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if ((chosen >> i & 1U) == 0 || changes[i].flag.empty()) continue;
    fix.flags.push_back(changes[i].flag);
    fix.lines.push_back(fmt::format("vllm serve MODEL --omni {}", changes[i].flag));
  }
  fix.gives = gives;
  return fix;
}

// Why no setting helps; empty where one may.
std::string hopeless(const BareReading& reading) {
  if (reading.warm_up) {
    return "this is the length of a warm-up run, harmless: ask for the length of the generation "
           "itself";
  }
  if (reading.history > 0) {
    return "no setting makes LVSA skip tokens in front of the grid: keep them out of "
           "self-attention, or "
           "run this model dense";
  }
  if (reading.batch > 1) {
    return "no setting makes LVSA read two passes in one sequence: let the pipeline put them on "
           "the batch "
           "axis or run them one after the other";
  }
  if (reading.told_size_off || reading.told_text_off) {
    return "what was told does not fit the sequence: correct --height, --width, --text or "
           "--seq-len first";
  }
  return "";
}

}  // namespace

std::int64_t seen_length(const BareReading& reading, AttentionPath path,
                         const ParallelDegrees& degrees, bool gathers) {
  const std::int64_t video = reading.frames * reading.patches;
  const std::int64_t whole = on_hook(path) ? video : video + reading.text;
  const std::int64_t parts = on_hook(path) || !gathers ? degrees.sequence() : degrees.ring;
  return (whole + parts - 1) / parts;
}

Mend find_mend(const Question& question, const Judge& judge, const Ruling& ruling) {
  Mend mend;
  if (!ruling.top || ruling.top->cost > kToBelieve) {
    mend.fix.about =
        "nothing known explains this sequence well enough to advise: say --model, --frames, "
        "--height and --width";
    return mend;
  }
  const bool right_grid = ruling.verdict == Verdict::kMisconfigured;
  const BareReading& reading = right_grid ? *ruling.agreeing : *ruling.top;
  mend.fix.about = hopeless(reading);
  if (!mend.fix.about.empty()) return mend;
  std::vector<Change> changes = geometry_changes(question, judge, reading);
  for (Change& change : parallel_changes(question, judge, reading))
    changes.push_back(std::move(change));
  // A backend that was given parts although nothing streams around a ring gets them again.
  const bool gathers =
      reading.shards == 1 || question.degrees.ring > 1 || on_hook(judge.settings().path);
  const unsigned all = 1U << changes.size();
  for (int size = 1; size <= static_cast<int>(changes.size()); ++size) {
    for (unsigned chosen = 1; chosen < all; ++chosen) {
      if (std::popcount(chosen) != size) continue;
      Question mended = with_changes(question, judge, reading, changes, chosen);
      try {
        const AttentionPath path = plugin_settings(mended).path;
        mended.seq_len = seen_length(reading, path, mended.degrees, gathers);
        const Judge again(mended);
        const Verdict verdict = again.rule(mended.seq_len, again.told_frames()).verdict;
        if (!is_good(verdict)) continue;
        mend.fix = described(question, mended, changes, chosen, verdict);
        mend.mended = std::move(mended);
        return mend;
      } catch (const Error&) {
        continue;  // settings that do not go together
      }
    }
  }
  mend.fix.about = "no setting or flag that is known to this tool makes this call right";
  return mend;
}

}  // namespace lvsa::analysis
