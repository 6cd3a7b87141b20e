// lvsa-verify recommend: settings and flags with which a model runs sparse on a machine.

#include "analysis/diagnose/recommend.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/diagnose/model_folder.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

struct RecommendOptions {
  std::string model;
  std::string version = "1.3";
  std::int64_t frames = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t gpus = 1;
  std::int64_t tensor = 0;
  std::int64_t ulysses = 0;
  std::int64_t ring = 0;
  double memory = 0.0;
  bool json = false;
};

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::kValue, message); }

ModelPreset model_of(const std::string& name) {
  std::error_code ignored;
  if (name.find('/') == std::string::npos && !std::filesystem::is_directory(name, ignored))
    return find_preset(name);
  const analysis::ModelFolder folder = analysis::read_model_folder(name);
  if (!folder.is_video)
    refuse(fmt::format("{}: {} makes images: nothing for LVSA to do", name, folder.transformer));
  return folder.model;
}

int run_recommend(const RecommendOptions& options) {
  analysis::RecommendRequest request;
  request.model = model_of(options.model);
  request.video_frames = options.frames;
  if ((options.height > 0) != (options.width > 0)) refuse("--height and --width together are due");
  request.size =
      options.height > 0 ? VideoSize{options.height, options.width} : request.model.sizes.front();
  request.gpus = options.gpus;
  request.behaviour = &behaviour(parse_version(options.version));
  if (!std::isfinite(options.memory) || options.memory < 0)
    refuse(fmt::format("--memory {}: GB, above 0, are due", options.memory));
  if (options.memory > 0) request.memory_gb = options.memory;
  if (options.tensor > 0 || options.ulysses > 0 || options.ring > 0) {
    analysis::ParallelDegrees degrees{std::max<std::int64_t>(options.tensor, 1),
                                      std::max<std::int64_t>(options.ulysses, 1),
                                      std::max<std::int64_t>(options.ring, 1), 1};
    request.degrees = degrees;
  }
  const analysis::Recommendation result = analysis::recommend(request);
  if (options.json) {
    fmt::print("{}\n", recommendation_as_json(result).dump(2));
  } else {
    fmt::print("{}", recommendation_as_text(result));
  }
  return result.fits ? kAllGood : kCheckFailed;
}

}  // namespace

void add_recommend_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<RecommendOptions>();
  CLI::App* command = app.add_subcommand("recommend",
                                         "Print the settings and flags with which a model runs "
                                         "sparse on a machine, with density, attention "
                                         "time, memory and the reasons");
  constexpr std::int64_t kMost = 1 << 20;
  const CLI::Range counted(std::int64_t{1}, kMost);
  command->add_option("--model", options->model, "Model, or its folder")
      ->required()
      ->type_name("NAME");
  command->add_option("--frames", options->frames, "Video frames")->required()->check(counted);
  command->add_option("--height", options->height, "Pixels (default: the model's)")->check(counted);
  command->add_option("--width", options->width, "Pixels")->check(counted);
  command->add_option("--gpus", options->gpus, "Of the machine")
      ->check(counted)
      ->capture_default_str();
  command->add_option("--memory", options->memory, "Of one GPU in GB (default: not looked at)");
  command->add_option("--tp", options->tensor, "This tensor parallel degree")->check(counted);
  command->add_option("--ulysses", options->ulysses, "This Ulysses degree")->check(counted);
  command->add_option("--ring", options->ring, "This ring degree; refused above 1")->check(counted);
  command->add_option("--lvsa", options->version, "Published behaviour, 1.2 or 1.3")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "Example:\n"
      "  lvsa-verify recommend --model wan-14b --frames 161 --height 720 --width 1280 --gpus 4 "
      "--memory 80\n"
      "Exit codes: 0 a recommendation, 1 one that does not fit in the memory by estimate, 2 what "
      "would run dense, "
      "or bad input.");
  command->callback([options, &body] { body = [options] { return run_recommend(*options); }; });
}

}  // namespace lvsa::app
