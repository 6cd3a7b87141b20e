// lvsa-verify parallel: sequence-parallel plans, who owns what, and the computation in shards.

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/app/integer_option.hpp"
#include "analysis/diagnose/parallel_report.hpp"
#include "analysis/maps/mask_settings.hpp"
#include "core/error.hpp"
#include "core/pattern/schedule.hpp"

namespace lvsa::app {
namespace {

using analysis::ParallelLayout;
using analysis::ParallelQuestion;

struct ParallelOptions {
  std::string plan;
  bool all = false;
  bool json = false;
  bool compute = false;
  bool mutants = false;
  bool pads_heads = false;
  bool fp32 = false;
  std::string merge = "robust";
  std::string model = "wan-1.3b";
  std::string models_file;
  std::string environment_file;
  std::string version = "1.3";
  std::string path = "backend";
  std::optional<std::int64_t> tp, ulysses, ring, cfg;
  std::optional<std::int64_t> heads, kv_heads, seq_len, seed, rows;
  analysis::MaskRequest request;

  bool names_a_world() const {
    return tp || ulysses || ring || cfg || seq_len || request.video_frames ||
           request.latent_frames || request.patches || heads;
  }
};

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::kValue, message); }

int print(const ParallelOptions& options, const std::string& text,
          const nlohmann::ordered_json& json, bool good) {
  fmt::print("{}", options.json ? json.dump() + "\n" : text);
  return good ? kAllGood : kCheckFailed;
}

int run_plan(const ParallelOptions& options) {
  const analysis::PlanDocument document = analysis::read_plan(options.plan);
  analysis::PlanDegrees degrees = document.degrees.value_or(analysis::PlanDegrees{});
  degrees.ulysses = options.ulysses.value_or(degrees.ulysses);
  degrees.ring = options.ring.value_or(degrees.ring);
  ParallelQuestion ranges;  // says what is wrong with the degrees
  ranges.world = {degrees.ulysses, degrees.ring};
  ranges.grid.patches_per_frame = 1;
  analysis::make_parallel_layout(ranges);
  auto violations = analysis::plan_violations(document.plan);
  if (!violations.empty()) {
    if (options.all || options.json) {
      if (!options.all) violations.resize(1);  // the published validation stops there
      print(options, analysis::plan_as_text(violations, {}, {}),
            analysis::plan_as_json(violations, {}, {}), false);
    }
    refuse(fmt::format("{}: {}", options.plan, violations.front().line()));
  }
  const auto hazards = analysis::plan_hazards(document.plan, degrees);
  const auto splits = analysis::split_plan_tensors(document, degrees);
  bool good = std::ranges::none_of(hazards, &analysis::PlanFinding::harmful);
  for (const auto& split : splits) {
    good = good && split.outcome != "unsplit" && split.outcome != "refused";
  }
  return print(options, analysis::plan_as_text(violations, hazards, splits),
               analysis::plan_as_json(violations, hazards, splits), good);
}

int run_suite(const ParallelOptions& options) {
  if (options.mutants) {
    const auto report = analysis::run_parallel_defects();
    return print(options, analysis::defects_as_text(report), analysis::defects_as_json(report),
                 report.good());
  }
  const auto results = analysis::run_parallel_suite(8, 8);
  const bool good =
      std::ranges::all_of(results, [](const auto& result) { return result.verdict.good(); });
  return print(options, analysis::suite_as_text(results), analysis::suite_as_json(results), good);
}

std::int64_t at_least(const char* name, std::int64_t value, std::int64_t least) {
  if (value < least) refuse(fmt::format("{} {}: {} or more is due", name, value, least));
  return value;
}

// The grid that --seq-len stands for: T or P must be had from somewhere, or tokens alone are known.
FrameGrid grid_of_length(const ParallelOptions& options, const analysis::MaskSettings& settings,
                         const Environment& environment) {
  const std::int64_t text = options.request.text_tokens.value_or(settings.grid.text_tokens);
  const std::int64_t video = at_least("--seq-len", *options.seq_len, 1) - text;
  if (video < 1) {
    refuse(
        fmt::format("--seq-len {} with {} text tokens: no video is left", *options.seq_len, text));
  }
  const bool frames = options.request.video_frames || options.request.latent_frames ||
                      get(environment, "LVSA_TOTAL_LATENT_FRAMES");
  if (frames) {
    if (video % settings.grid.frames != 0) {
      refuse(fmt::format("--seq-len {}: {} video tokens are no multiple of T = {}",
                         *options.seq_len, video, settings.grid.frames));
    }
    return {settings.grid.frames, video / settings.grid.frames, text};
  }
  const std::int64_t patches = settings.grid.patches_per_frame;
  if (video % patches == 0) return {video / patches, patches, text};
  if (options.request.patches || options.request.height) {
    refuse(fmt::format("--seq-len {}: {} video tokens are no multiple of P = {}", *options.seq_len,
                       video, patches));
  }
  return {0, video, text};
}

ParallelQuestion question_of(const ParallelOptions& options, const analysis::MaskSettings& settings,
                             const Environment& environment) {
  ParallelQuestion question;
  question.tp = options.tp.value_or(1);
  question.world = {options.ulysses.value_or(1), options.ring.value_or(1)};
  question.cfg = options.cfg.value_or(1);
  question.heads.query = options.heads.value_or(settings.model.heads);
  question.heads.key_value =
      options.kv_heads.value_or(options.heads ? question.heads.query : settings.model.kv_heads);
  question.grid = options.seq_len ? grid_of_length(options, settings, environment) : settings.grid;
  question.rule = settings.model.rule;
  question.pads_heads = options.pads_heads;
  return question;
}

analysis::ComputeOptions compute_options(const ParallelOptions& options,
                                         const Environment& environment,
                                         const analysis::MaskSettings& settings,
                                         const FrameGrid& grid) {
  analysis::ComputeOptions made;
  const Schedule schedule = make_schedule(settings.config, grid.frames);
  const auto condition = condition_latent_frames(environment);
  made.pattern = pattern_spec(settings.config, schedule, grid.frames, settings.step,
                              behaviour(settings.version), condition);
  made.merge = options.merge == "published" ? reference::MergeForm::kPublished
                                            : reference::MergeForm::kRobust;
  made.merges_in_fp32 = options.fp32;
  made.seed = static_cast<std::uint64_t>(at_least("--seed", options.seed.value_or(1), 0));
  made.rows = at_least("--rows", options.rows.value_or(128), 0);
  return made;
}

bool path_engages(const ParallelOptions& options,
                  const std::vector<analysis::PathAnswer>& answers) {
  const bool backend = options.path == "backend";
  for (const analysis::PathAnswer& answer : answers) {
    if ((answer.path == "backend") != backend) continue;
    return answer.engages;
  }
  refuse(
      fmt::format("--path {}: model {} has no hook; backend is due", options.path, options.model));
}

int run_world(const ParallelOptions& options) {
  PresetTable presets;
  if (!options.models_file.empty()) presets.add_file(options.models_file);
  const Environment environment = options.environment_file.empty()
                                      ? process_environment()
                                      : environment_from_file(options.environment_file);
  analysis::MaskRequest request = options.request;
  request.version = parse_version(options.version);
  const auto settings =
      analysis::resolve_mask_settings(request, presets.find(options.model), environment);
  const ParallelQuestion question = question_of(options, settings, environment);
  const ParallelLayout layout = analysis::make_parallel_layout(question);
  const auto answers =
      analysis::parallel_answers(layout, settings.model, environment, settings.version);
  bool good = path_engages(options, answers) && layout.good();
  std::string text = analysis::layout_as_text(layout, answers);
  nlohmann::ordered_json json = analysis::layout_as_json(layout, answers);
  if (options.compute) {
    const auto made = analysis::compute_parallel(
        layout, compute_options(options, environment, settings, question.grid));
    // What was computed decides: a ring is exact although LVSA's plugin steps aside there.
    good = made.exact.good() && (!made.custom || made.custom->own.good());
    text += "\n" + analysis::computation_as_text(made);
    json["computation"] = analysis::computation_as_json(made);
  }
  return print(options, text, json, good);
}

int run_parallel(const ParallelOptions& options) {
  if (!options.plan.empty()) {
    if (options.compute || options.mutants) refuse("--plan with --compute: one of the two is due");
    return run_plan(options);
  }
  if (options.all) refuse("--all: --plan FILE is due with it");
  if (options.mutants && !options.compute) refuse("--mutants: --compute is due with it");
  if (options.mutants && options.names_a_world()) {
    refuse("--mutants: it has worlds of its own; no degrees or sizes are due");
  }
  if (options.compute && !options.names_a_world()) return run_suite(options);
  return run_world(options);
}

void add_world(CLI::App* command, ParallelOptions& options) {
  add_integer(command, "--tp", options.tp, "N", "Tensor parallel degree (default: 1)");
  add_integer(command, "--ulysses", options.ulysses, "N", "Ulysses degree (default: 1)");
  add_integer(command, "--ring", options.ring, "N", "Ring degree (default: 1)");
  add_integer(command, "--cfg", options.cfg, "N", "CFG parallel degree (default: 1)");
  command->add_option("--model", options.model, "Model: heads and sizes not given are its own")
      ->capture_default_str()
      ->type_name("NAME");
  command->add_option("--models", options.models_file, "JSON file with more models")
      ->type_name("FILE");
  add_integer(command, "--heads", options.heads, "N", "Query heads");
  add_integer(command, "--kv-heads", options.kv_heads, "N", "Key/value heads (default: --heads)");
  add_integer(command, "--seq-len", options.seq_len, "N", "Tokens of the whole sequence");
  add_integer(command, "--frames", options.request.video_frames, "N", "Length in video frames");
  add_integer(command, "--latent-frames", options.request.latent_frames, "T",
              "Length in latent frames, instead of --frames");
  add_integer(command, "--height", options.request.height, "PIXELS", "Of the video, with --width");
  add_integer(command, "--width", options.request.width, "PIXELS", "Of the video, with --height");
  add_integer(command, "--patches", options.request.patches, "P",
              "Tokens a latent frame, instead of --height and --width");
  add_integer(command, "--text", options.request.text_tokens, "N", "Text tokens behind the video");
  command->add_flag("--pad-heads", options.pads_heads,
                    "The later mode that pads heads which ulysses does not divide");
  command->add_option("--lvsa", options.version, "Published behaviour, 1.2 or 1.3")
      ->capture_default_str();
  command->add_option("--path", options.path, "What the exit code is about: backend or hook")
      ->capture_default_str()
      ->check(CLI::IsMember({"backend", "hook"}));
  command
      ->add_option("--env", options.environment_file,
                   "Read NAME=value lines instead of this process's LVSA_* variables")
      ->type_name("FILE");
}

void add_computation(CLI::App* command, ParallelOptions& options) {
  command->add_flag("--compute", options.compute,
                    "Compute attention in shards and compare with one rank; without degrees and "
                    "sizes: every world up to 8 x 8 on small shapes");
  command->add_flag("--mutants", options.mutants,
                    "With --compute: known defects, and which check finds which");
  command->add_option("--merge", options.merge, "Form of the ring merge: robust or published")
      ->capture_default_str()
      ->check(CLI::IsMember({"robust", "published"}));
  command->add_flag("--fp32", options.fp32, "Merge in fp32, as published, instead of fp64");
  add_integer(command, "--seed", options.seed, "N", "Of the values (default: 1)");
  add_integer(command, "--rows", options.rows, "N",
              "Query tokens to compare, beside the ends of the chunks; 0: all (default: 128)");
}

}  // namespace

void add_parallel_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<ParallelOptions>();
  CLI::App* command = app.add_subcommand(
      "parallel",
      "Sequence-parallel plans, who owns which tokens, heads and frames, whether LVSA engages, and "
      "attention computed in shards against one rank");
  command->add_option("--plan", options->plan, "Validate this plan (JSON, docs/parallel.md)")
      ->type_name("FILE");
  command->add_flag("--all", options->all, "With --plan: all violations, not the first alone");
  add_world(command, *options);
  add_computation(command, *options);
  command->add_flag("--json", options->json, "One JSON object instead of the text");
  command->footer(
      "Examples:\n"
      "  lvsa-verify parallel --model wan-14b --frames 161 --ulysses 4\n"
      "  lvsa-verify parallel --heads 28 --kv-heads 7 --ulysses 2 --pad-heads --compute\n"
      "  lvsa-verify parallel --plan plan.json --all\n"
      "  lvsa-verify parallel --compute --mutants\n"
      "Exit code 0: LVSA engages on --path and everything divides (with --compute: sharded results "
      "are those of one rank; with --plan: valid and without hazards), else 1; a plan that breaks "
      "a rule is bad input, 2.");
  command->callback([options, &body] { body = [options] { return run_parallel(*options); }; });
}

}  // namespace lvsa::app
