// lvsa-verify geometry: why a run is dense, or wrong, from a captured sequence length.

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/app/geometry_log.hpp"
#include "analysis/app/integer_option.hpp"
#include "analysis/diagnose/batch.hpp"
#include "analysis/diagnose/diagnosis.hpp"
#include "analysis/diagnose/diagnosis_text.hpp"
#include "analysis/diagnose/model_folder.hpp"
#include "analysis/report/html_batch.hpp"
#include "analysis/report/provenance.hpp"
#include "core/config/config.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::app {
namespace {

using analysis::Question;
using analysis::Verdict;

struct GeometryOptions {
  std::string model;
  std::string models_file;
  std::string environment_file;
  std::string version = "1.3";
  std::string path;
  std::string layer_backend;
  std::string batch_file;
  bool json = false;
  std::optional<std::int64_t> seq_len;
  std::optional<std::int64_t> height;
  std::optional<std::int64_t> width;
  std::optional<std::int64_t> tensor;
  std::optional<std::int64_t> ulysses;
  std::optional<std::int64_t> ring;
  std::optional<std::int64_t> cfg;
  Question question;
  LogOptions log;
};

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::kValue, message); }

// A name of the table, or the folder of a model; of that also what its files say against the table.
ModelPreset model_of(const GeometryOptions& options, std::vector<std::string>& notes) {
  std::error_code ignored;
  if (options.model.find('/') == std::string::npos &&
      !std::filesystem::is_directory(options.model, ignored)) {
    PresetTable presets;
    if (!options.models_file.empty()) presets.add_file(options.models_file);
    return presets.find(options.model);
  }
  const analysis::ModelFolder folder = analysis::read_model_folder(options.model);
  if (!folder.is_video) {
    refuse(fmt::format("{}: {} makes images: there are no frames that LVSA could leave out",
                       options.model, folder.transformer));
  }
  for (const auto& lines : {folder.differs, folder.assumed})
    notes.insert(notes.end(), lines.begin(), lines.end());
  if (folder.second_expert) {
    notes.push_back(
        "the model has two transformers: the standalone installation of LVSA 1.2 left the second "
        "one dense");
  }
  return folder.model;
}

Question question_of(const GeometryOptions& options, std::vector<std::string>& notes) {
  Question question = options.question;
  question.environment = options.environment_file.empty()
                             ? process_environment()
                             : environment_from_file(options.environment_file);
  question.behaviour = &behaviour(parse_version(options.version));
  if (!options.path.empty()) question.path = analysis::parse_attention_path(options.path);
  if (!options.model.empty()) question.model = model_of(options, notes);
  if (options.height.has_value() != options.width.has_value()) {
    refuse(fmt::format("{}: --height and --width together are due",
                       options.height ? fmt::format("--height {}", *options.height)
                                      : fmt::format("--width {}", *options.width)));
  }
  if (options.height) question.size = VideoSize{*options.height, *options.width};
  question.degrees = {options.tensor.value_or(1), options.ulysses.value_or(1),
                      options.ring.value_or(1), options.cfg.value_or(1)};
  question.layer_is_lvsa = options.layer_backend == "lvsa";
  return question;
}

int run_batch(const GeometryOptions& options) {
  std::vector<std::string> notes;
  const Question question = question_of(options, notes);
  analysis::Batch batch(question);
  analysis::read_batch_file(options.batch_file, question, batch);
  const analysis::BatchSummary summary = batch.summary();
  if (options.json) {
    fmt::print("{}\n", batch_as_json(summary).dump(2));
  } else {
    fmt::print("{}", batch_as_text(summary));
  }
  if (!options.log.html.empty()) {
    write_file_atomically(options.log.html,
                          analysis::html_batch(summary, question, options.batch_file,
                                               analysis::collect_provenance(command_line())));
  }
  const auto count = [&](Verdict verdict) {
    return summary.by_verdict[static_cast<std::size_t>(verdict)];
  };
  return count(Verdict::kSparse) + count(Verdict::kDenseByDesign) == summary.rows ? kAllGood
                                                                                  : kCheckFailed;
}

int run_log(const GeometryOptions& options, bool version_given) {
  const bool other = options.seq_len || !options.batch_file.empty() || options.height ||
                     options.question.video_frames || options.question.latent_frames ||
                     options.question.text_tokens;
  if (other) {
    refuse("--log: lengths and sizes are read from the log; --seq-len and its kin are not due");
  }
  analysis::LogContext context;
  const Question question = question_of(options, context.notes);
  context.environment = question.environment;
  if (version_given) context.version = parse_version(options.version);
  context.model = question.model;
  context.degrees = question.degrees;
  return run_geometry_log(options.log, context, options.json);
}

int run_one(const GeometryOptions& options) {
  if (!options.batch_file.empty()) {
    if (options.seq_len) refuse("--seq-len and --batch: one of the two is due");
    return run_batch(options);
  }
  if (!options.log.html.empty()) {
    refuse("--html is the page of a log or a batch: --log FILE or --batch FILE is due");
  }
  std::vector<std::string> notes;
  Question question = question_of(options, notes);
  if (!options.seq_len)
    refuse("--seq-len N or --batch FILE is due: the tokens of one attention call, or of many");
  question.seq_len = *options.seq_len;
  const bool framed = question.video_frames || question.latent_frames ||
                      config_from_environment(question.environment).total_latent_frames;
  if (!framed) {
    refuse(
        "the number of frames is unknown: --frames, --latent-frames or LVSA_TOTAL_LATENT_FRAMES is "
        "due "
        "(a plugin that does not know it either falls back with reason=no_t_lat)");
  }
  analysis::Diagnosis diagnosis = analysis::diagnose(question);
  diagnosis.notes.insert(diagnosis.notes.end(), notes.begin(), notes.end());
  if (options.json) {
    fmt::print("{}\n", diagnosis_as_json(question, diagnosis).dump(2));
  } else {
    fmt::print("{}", diagnosis_as_text(question, diagnosis));
  }
  return analysis::is_good(diagnosis.verdict) ? kAllGood : kCheckFailed;
}

void add_question(CLI::App* command, GeometryOptions& options) {
  add_integer(command, "--seq-len", options.seq_len, "N",
              "Tokens of the queries of one self-attention call");
  command
      ->add_option("--model", options.model,
                   "Model (lvsa-verify mask --list-models shows them), or a model's folder in the "
                   "layout of diffusers")
      ->type_name("NAME");
  command->add_option("--models", options.models_file, "JSON file with more models")
      ->type_name("FILE");
  add_integer(command, "--frames", options.question.video_frames, "N", "Length in video frames");
  add_integer(command, "--latent-frames", options.question.latent_frames, "T",
              "Length in latent frames, instead of --frames");
  add_integer(command, "--height", options.height, "PIXELS", "Of the video, with --width");
  add_integer(command, "--width", options.width, "PIXELS", "Of the video, with --height");
  add_integer(command, "--text", options.question.text_tokens, "N", "Text tokens in the sequence");
}

void add_run(CLI::App* command, GeometryOptions& options) {
  const auto group = command->add_option_group("Run", "How the model is served");
  group
      ->add_option("--path", options.path,
                   "Where the length was seen: backend, wan-hook, hunyuan-hook, cosmos3-hook or "
                   "cosmos3-backend (default: as the LVSA_*_HOOK variables say)")
      ->type_name("PATH");
  group->add_option("--lvsa", options.version, "Published behaviour, 1.2 or 1.3")
      ->capture_default_str();
  group
      ->add_option("--env", options.environment_file,
                   "Read NAME=value lines instead of this process's LVSA_* variables")
      ->type_name("FILE");
  add_integer(group, "--tp", options.tensor, "N", "Tensor parallel degree");
  add_integer(group, "--ulysses", options.ulysses, "N", "Ulysses sequence parallel degree");
  add_integer(group, "--ring", options.ring, "N", "Ring sequence parallel degree");
  add_integer(group, "--cfg", options.cfg, "N", "CFG parallel degree");
  group
      ->add_option("--layer-backend", options.layer_backend,
                   "The attention backend of the layers that a hook hands over to: lvsa or other")
      ->check(CLI::IsMember({"lvsa", "other"}));
}

}  // namespace

void add_geometry_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<GeometryOptions>();
  CLI::App* command = app.add_subcommand("geometry",
                                         "Say why a run is dense, or wrong: what the plugin makes "
                                         "of a sequence length, what it really is, "
                                         "and which settings mend it");
  add_question(command, *options);
  add_run(command, *options);
  command
      ->add_option("--batch", options->batch_file,
                   "Judge many calls: CSV or NDJSON with seq_len and T (or frames), or HDF5 "
                   "datasets of these names")
      ->type_name("FILE");
  add_log_options(command, options->log);
  command->add_option("--html", options->log.html, "Write a page of the log or the batch")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "Examples:\n"
      "  lvsa-verify geometry --seq-len 75600 --model wan-14b --frames 81\n"
      "  lvsa-verify geometry --seq-len 42840 --latent-frames 21 --json\n"
      "  lvsa-verify geometry --log run.log --html run.html\n"
      "  lvsa-verify geometry --batch calls.csv --model ./Wan2.2-TI2V-5B-Diffusers --html "
      "calls.html\n"
      "Exit codes: 0 sparse, or dense by design; 1 anything else; 2 bad usage or input.");
  command->callback([options, command, &body] {
    body = [options, versioned = command->count("--lvsa") > 0] {
      return options->log.log.empty() ? run_one(*options) : run_log(*options, versioned);
    };
  });
}

}  // namespace lvsa::app
