// lvsa-verify steps: the denoising step as the plugin infers it from its calls, against the true
// one.

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <memory>

#include "analysis/app/command.hpp"
#include "analysis/diagnose/step_render.hpp"
#include "analysis/diagnose/step_simulation.hpp"
#include "analysis/diagnose/step_trace.hpp"
#include "core/config/config.hpp"
#include "core/config/presets.hpp"
#include "core/error.hpp"
#include "core/pattern/schedule.hpp"

namespace lvsa::app {
namespace {

using analysis::StepCall;
using analysis::StepSettings;

struct StepsOptions {
  std::string trace;
  std::string model = "wan-1.3b";
  std::string version = "1.3";
  std::string environment_file;
  std::optional<std::int64_t> blocks;
  std::int64_t passes = 2;
  std::int64_t cfg_parallel = 1;
  std::optional<std::int64_t> steps;
  std::int64_t requests = 1;
  std::string seq_lens;
  std::int64_t warmup = 0;
  std::int64_t batch = 1;
  bool publishes = false;
  std::optional<double> teacache;
  std::string coefficients;
  std::int64_t tea_first = 1;
  std::int64_t tea_last = 0;
  std::optional<double> cachedit;
  analysis::DbCacheSettings db;
  std::string changes = "0.05";
  std::optional<std::int64_t> interval;
  std::optional<std::int64_t> frames;
  std::optional<std::int64_t> latent_frames;
  bool rotate = false;
  bool json = false;
  bool all = false;
};

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::kValue, message); }

template <typename T>
std::vector<T> parse_list(const std::string& text, const char* option) {
  std::vector<T> values;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    T value{};
    const auto [stop, error] = std::from_chars(text.data() + start, text.data() + comma, value);
    if (error != std::errc() || stop != text.data() + comma) {
      refuse(fmt::format("{} {}: a list of numbers such as 0.1,0.05 is due", option, text));
    }
    values.push_back(value);
    start = comma + 1;
  }
  return values;
}

analysis::CacheRule cache_rule(const StepsOptions& options) {
  if (options.teacache && options.cachedit) {
    refuse("--teacache and --cachedit: one of the two is due");
  }
  if (options.teacache) {
    analysis::TeaCacheSettings settings;
    settings.threshold = *options.teacache;
    settings.first_steps = options.tea_first;
    settings.last_steps = options.tea_last;
    if (!options.coefficients.empty()) {
      settings.coefficients = parse_list<double>(options.coefficients, "--teacache-polynomial");
    }
    return analysis::CacheRule(settings);
  }
  if (options.cachedit) {
    analysis::DbCacheSettings settings = options.db;
    settings.threshold = *options.cachedit;
    return analysis::CacheRule(settings);
  }
  return {};
}

analysis::TracePlan plan_of(const StepsOptions& options, const ModelPreset& model) {
  analysis::TracePlan plan;
  plan.blocks = options.blocks.value_or(model.blocks);
  plan.passes = options.passes;
  plan.cfg_parallel = options.cfg_parallel;
  plan.steps = options.steps.value_or(40);
  plan.requests = options.requests;
  plan.warmup_seq_len = options.warmup;
  plan.batch = options.batch;
  plan.publishes_step = options.publishes;
  plan.cache = cache_rule(options);
  plan.changes = parse_list<double>(options.changes, "--change");
  for (const double change : plan.changes) {
    if (!(change >= 0.0)) refuse(fmt::format("--change {}: at least 0 is due", change));
  }
  if (!options.seq_lens.empty()) {
    plan.seq_lens = parse_list<std::int64_t>(options.seq_lens, "--seq-len");
  } else {
    plan.seq_lens = {model.reference_latent_frames * patches_per_frame(model)};
  }
  return plan;
}

// Interval of the keyframe grid, from what says the most.
std::optional<std::int64_t> interval_of(const StepsOptions& options, const ModelPreset& model,
                                        const Environment& environment) {
  if (options.interval) return options.interval;
  Config config = config_from_environment(environment);
  if (!get(environment, "LVSA_REFERENCE_LATENT_FRAMES") && !get(environment, "LVSA_CONFIG")) {
    config.reference_latent_frames = model.reference_latent_frames;
  }
  std::optional<std::int64_t> frames = options.latent_frames;
  if (!frames && options.frames) frames = latent_frames(model, *options.frames);
  if (!frames) frames = config.total_latent_frames;
  if (!frames) return std::nullopt;
  return make_schedule(config, *frames).interval.value_or(0);
}

std::string title_of(const StepsOptions& options, const analysis::TracePlan& plan) {
  if (!options.trace.empty()) return fmt::format("recorded    {}", options.trace);
  std::string title =
      fmt::format("made        {} request{} x {} steps x {} passes x {} blocks", plan.requests,
                  plan.requests == 1 ? "" : "s", plan.steps, plan.passes, plan.blocks);
  if (plan.cfg_parallel > 1) title += fmt::format(", CFG-parallel {}", plan.cfg_parallel);
  if (plan.batch > 1) title += fmt::format(", batches of {}", plan.batch);
  if (options.teacache) title += fmt::format(", TeaCache {}", *options.teacache);
  if (options.cachedit) title += fmt::format(", Cache-DiT {}", *options.cachedit);
  if (options.teacache || options.cachedit) {
    title += fmt::format(" at a change of {} a step (assumed: weights and prompt decide)",
                         options.changes);
  }
  return title + (plan.publishes_step ? ", the pipeline publishes its step" : "");
}

std::string feed_recorded(const StepsOptions& options, analysis::StepSimulation& simulation) {
  if (options.cfg_parallel < 1 || options.passes % options.cfg_parallel != 0) {
    refuse(fmt::format("--cfg-parallel {} with --passes {}: a divisor is due", options.cfg_parallel,
                       options.passes));
  }
  analysis::StepTruth truth(options.passes / options.cfg_parallel, options.steps);
  std::int64_t told = 0;
  const analysis::TraceFacts facts = analysis::read_trace(options.trace, [&](StepCall call) {
    const StepCall completed = truth.complete(call);
    if (!call.true_step) {
      call.true_step = call.published_step ? call.published_step : completed.true_step;
      if (!call.published_step) call.request = completed.request;
    } else {
      ++told;
    }
    simulation.add(call);
  });
  if (told > 0 && told < facts.calls) {
    refuse(fmt::format("{}: {} of {} calls say their step; all or none are due", options.trace,
                       told, facts.calls));
  }
  if (facts.has_true_steps) return "recorded";
  if (facts.has_published_steps) return "as the pipeline published them";
  return fmt::format("counted from the passes ({} a step on this rank{})",
                     options.passes / options.cfg_parallel,
                     options.steps ? fmt::format(", {} steps a request", *options.steps)
                                   : "; --steps tells requests of one length apart");
}

int run_steps(const StepsOptions& options) {
  const ModelPreset& model = find_preset(options.model);
  StepSettings settings;
  settings.environment = options.environment_file.empty()
                             ? process_environment()
                             : environment_from_file(options.environment_file);
  settings.version = parse_version(options.version);
  settings.cfg_parallel = options.cfg_parallel;
  settings.interval = interval_of(options, model, settings.environment);
  const analysis::TracePlan plan = plan_of(options, model);
  analysis::StepSimulation simulation(settings);
  analysis::StepRenderOptions render;
  render.all_rows = options.all;
  render.title = title_of(options, plan);
  render.rotates = options.rotate || config_from_environment(settings.environment).rotate_keyframes;
  if (options.trace.empty()) {
    analysis::make_trace(plan, [&](const StepCall& call) { simulation.add(call); });
    render.truth = "of the plan";
  } else {
    render.truth = feed_recorded(options, simulation);
  }
  const analysis::StepReport report = simulation.finish();
  fmt::print("{}", options.json ? analysis::steps_as_json(report, simulation, settings, render)
                                : analysis::steps_as_text(report, simulation, settings, render));
  return report.agrees() ? kAllGood : kCheckFailed;
}

void add_run_options(CLI::App* command, StepsOptions& options) {
  command->add_option("--model", options.model, "Gives blocks, reference and sizes")
      ->capture_default_str()
      ->type_name("NAME");
  command->add_option("--blocks", options.blocks, "Attention blocks (default: the model's)");
  command->add_option("--passes", options.passes, "Forward passes a step, 2 with guidance")
      ->capture_default_str();
  command->add_option("--cfg-parallel", options.cfg_parallel, "Ranks that share the passes")
      ->capture_default_str();
  command->add_option("--steps", options.steps, "Denoising steps a request (default: 40)");
  command->add_option("--requests", options.requests, "Requests one after another")
      ->capture_default_str();
  command->add_option("--batch", options.batch, "Requests whose passes alternate within a step")
      ->capture_default_str();
  command
      ->add_option("--seq-len", options.seq_lens,
                   "Sequence lengths of the requests in turn (default: the model's reference)")
      ->type_name("N[,N...]");
  command->add_option("--warmup", options.warmup, "One pass of that sequence length before all")
      ->type_name("N");
  command->add_flag("--publishes-step", options.publishes, "The pipeline publishes its step");
}

void add_cache_options(CLI::App* command, StepsOptions& options) {
  auto* group = command->add_option_group("Caches", "What skips passes or blocks of a made trace");
  group->add_option("--teacache", options.teacache, "TeaCache with this threshold")->type_name("X");
  group
      ->add_option("--teacache-polynomial", options.coefficients,
                   "Its coefficients, highest power first (default: the change as it is)")
      ->type_name("X,X,...");
  group->add_option("--teacache-first", options.tea_first, "First steps that always compute")
      ->capture_default_str();
  group->add_option("--teacache-last", options.tea_last, "Last steps that always compute")
      ->capture_default_str();
  group->add_option("--cachedit", options.cachedit, "Cache-DiT (DBCache) with this threshold")
      ->type_name("X");
  group->add_option("--fn", options.db.first_blocks, "First blocks that are always computed")
      ->capture_default_str();
  group->add_option("--bn", options.db.last_blocks, "Last blocks that are always computed")
      ->capture_default_str();
  group->add_option("--cache-warmup", options.db.warmup_steps, "First steps without caching")
      ->capture_default_str();
  group->add_option("--cache-most", options.db.most_cached, "Most cached steps; -1: no limit")
      ->capture_default_str();
  group
      ->add_option("--cache-consecutive", options.db.most_consecutive,
                   "Most cached steps in a row; -1: no limit")
      ->capture_default_str();
  group
      ->add_option("--change", options.changes,
                   "Relative L1 change of each step, the last one for all that follow")
      ->capture_default_str()
      ->type_name("X[,X...]");
}

void add_offset_options(CLI::App* command, StepsOptions& options) {
  command->add_option("--lvsa", options.version, "Published behaviour, 1.2 or 1.3")
      ->capture_default_str();
  command
      ->add_option("--env", options.environment_file,
                   "Read NAME=value lines instead of this process's LVSA_* variables")
      ->type_name("FILE");
  command->add_option("--interval", options.interval, "Keyframe interval in latent frames")
      ->type_name("K");
  command->add_option("--frames", options.frames, "Video frames, for the interval");
  command->add_option("--latent-frames", options.latent_frames, "Latent frames, for the interval");
  command->add_flag("--rotate", options.rotate, "As with LVSA_ROTATE_KEYFRAMES=1");
  command->add_flag("--all", options.all, "A line for each step");
  command->add_flag("--json", options.json, "As JSON");
}

}  // namespace

void add_steps_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<StepsOptions>();
  CLI::App* command =
      app.add_subcommand("steps",
                         "Show the denoising step that the plugin infers from its calls against "
                         "the true one, and name what parts them");
  command
      ->add_option("--trace", options->trace,
                   "Recorded calls (CSV or JSON lines of layer, seq_len, published_step, step, "
                   "request) instead of made ones")
      ->type_name("FILE");
  add_run_options(command, *options);
  add_cache_options(command, *options);
  add_offset_options(command, *options);
  command->footer(
      "Examples:\n"
      "  lvsa-verify steps --requests 2 --frames 161 --rotate\n"
      "  lvsa-verify steps --lvsa 1.2 --cfg-parallel 2\n"
      "  lvsa-verify steps --teacache 0.2 --change 0.3,0.1,0.05 --json\n"
      "  lvsa-verify steps --trace calls.csv --steps 40\n"
      "Exit code 0 when every inferred step is the true one, 1 otherwise. See docs/steps.md.");
  command->callback([options, &body] { body = [options] { return run_steps(*options); }; });
}

}  // namespace lvsa::app
