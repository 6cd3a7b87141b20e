// lvsa-verify mask: the pattern of a model, a length and a denoising step, to look at or to read
// in.

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "analysis/app/command.hpp"
#include "analysis/app/integer_option.hpp"
#include "analysis/maps/mask_image.hpp"
#include "analysis/maps/mask_render.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::app {
namespace {

using analysis::MaskMap;
using analysis::MaskRequest;

struct MaskOptions {
  std::string model = "wan-1.3b";
  std::string models_file;
  std::string environment_file;
  std::string version = "1.3";
  std::string format;
  std::string output;
  bool json = false;
  bool list_models = false;
  MaskRequest request;
};

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::kValue, message); }

// --format, --json and the ending of --output, which must not say different things.
std::string resolve_format(const MaskOptions& options) {
  if (options.json && !options.format.empty() && options.format != "json") {
    refuse(fmt::format("--json and --format {}: one of the two is due", options.format));
  }
  if (options.json) return "json";
  if (!options.format.empty()) return options.format;
  for (const char* format : {"json", "csv", "png"}) {
    if (options.output.ends_with(fmt::format(".{}", format))) return format;
  }
  return "text";
}

std::string render(const MaskMap& map, const std::string& format) {
  if (format == "json") return analysis::mask_as_json(map);
  if (format == "csv") return analysis::mask_as_csv(map);
  if (format == "png") return encode_png(analysis::draw_mask(map));
  return analysis::mask_as_text(map);
}

void print_models(const PresetTable& presets) {
  for (const ModelPreset& preset : presets.all()) {
    fmt::print("{:<14} {}: reference {} latent frames, {} heads / {} kv, head dim {}, {} blocks\n",
               preset.name, preset.title, preset.reference_latent_frames, preset.heads,
               preset.kv_heads, preset.head_dim, preset.blocks);
    for (const VideoSize& size : preset.sizes) {
      fmt::print("{:<14}   {}x{}: {} patches a latent frame\n", "", size.height, size.width,
                 patches_per_frame(preset, size));
    }
    fmt::print("{:<14}   source: {}\n", "", preset.source);
  }
}

int run_mask(const MaskOptions& options) {
  PresetTable presets;
  if (!options.models_file.empty()) presets.add_file(options.models_file);
  if (options.list_models) {
    print_models(presets);
    return kAllGood;
  }
  const std::string format = resolve_format(options);
  if (format == "png" && options.output.empty()) {
    refuse("--format png: --output FILE is due, a picture does not go to the terminal");
  }
  const Environment environment = options.environment_file.empty()
                                      ? process_environment()
                                      : environment_from_file(options.environment_file);
  MaskRequest request = options.request;
  request.version = parse_version(options.version);
  const MaskMap map = analysis::build_mask_map(
      analysis::resolve_mask_settings(request, presets.find(options.model), environment));
  const std::string bytes = render(map, format);
  if (options.output.empty()) {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      throw Error(ErrorKind::kIo, "standard output: cannot be written (disk full or closed?)");
    }
  } else {
    write_file_atomically(options.output, bytes);
  }
  // What was asked for goes to stdout alone, so that it can be piped; JSON has all of this inside.
  if (format != "json") fmt::print(stderr, "{}", analysis::mask_summary(map));
  return kAllGood;
}

// An option whose absence means something.
template <typename T>
CLI::Option* add_optional(CLI::App* command, const char* name, std::optional<T>& target,
                          const char* type, const char* help) {
  return command
      ->add_option_function<T>(
          name, [&target](const T& value) { target = value; }, help)
      ->type_name(type);
}

void add_switch(CLI::App* command, std::optional<bool>& target, const char* on, const char* on_help,
                const char* off, const char* off_help) {
  const auto set = [&target](bool value) {
    return [&target, value](std::int64_t) { target = value; };
  };
  CLI::Option* yes = command->add_flag_function(on, set(true), on_help);
  command->add_flag_function(off, set(false), off_help)->excludes(yes);
}

void add_sizes(CLI::App* command, MaskOptions& options) {
  MaskRequest& request = options.request;
  command->add_option("--model", options.model, "Model; --list-models shows them")
      ->capture_default_str()
      ->type_name("NAME");
  command->add_option("--models", options.models_file, "JSON file with more models")
      ->type_name("FILE");
  command->add_flag("--list-models", options.list_models, "Print the models and stop");
  add_integer(command, "--frames", request.video_frames, "N",
              "Length in video frames (default: the model's reference)");
  add_integer(command, "--latent-frames", request.latent_frames, "T",
              "Length in latent frames, instead of --frames");
  add_integer(command, "--height", request.height, "PIXELS", "Of the video, with --width");
  add_integer(command, "--width", request.width, "PIXELS", "Of the video, with --height");
  add_integer(command, "--patches", request.patches, "P",
              "Tokens a latent frame, instead of --height and --width");
  add_integer(command, "--text", request.text_tokens, "N",
              "Text tokens (default: the model's usual number)");
  add_integer(command, "--step", request.step, "N", "Denoising step (default: 0)");
}

void add_pattern_settings(CLI::App* command, MaskOptions& options) {
  MaskRequest& request = options.request;
  const auto group = command->add_option_group(
      "Pattern",
      "Each overrides its LVSA_* variable; windows and intervals in video frames, as the "
      "variables have them");
  group->add_option("--lvsa", options.version, "Published behaviour, 1.2 or 1.3")
      ->capture_default_str();
  group
      ->add_option("--env", options.environment_file,
                   "Read NAME=value lines instead of this process's LVSA_* variables")
      ->type_name("FILE");
  add_integer(group, "--window", request.window, "N", "Window on each side, in video frames");
  add_integer(group, "--n-first", request.n_first, "N",
              "First frames that are always global, in video frames");
  add_optional(group, "--interval", request.interval, "N|auto",
               "Keyframe interval in video frames, or auto");
  add_integer(group, "--reference", request.reference, "T",
              "Reference (training) length in latent frames; the model's by default");
  add_optional(group, "--scale", request.scale, "X", "Sparsity scale: below 1 is sparser");
  add_switch(group, request.rotate, "--rotate", "Keyframes move with the step", "--no-rotate",
             "Keyframes stay");
  add_switch(group, request.expand, "--expand", "Windows grow over global frames", "--no-expand",
             "Windows keep their width");
  add_optional(group, "--condition", request.condition, "LIST",
               "Latent frames that condition the video and are always global, such as 0,20");
}

void add_results(CLI::App* command, MaskOptions& options) {
  command
      ->add_option("--format", options.format,
                   "text, json, csv or png (default: by the ending "
                   "of --output, else text)")
      ->check(CLI::IsMember({"text", "json", "csv", "png"}))
      ->type_name("FORM");
  command->add_flag("--json", options.json, "The same as --format json");
  command->add_option("--output", options.output, "Write there instead of to stdout")
      ->type_name("FILE");
}

}  // namespace

void add_mask_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<MaskOptions>();
  CLI::App* command = app.add_subcommand(
      "mask",
      "Show which frames attend which: the pattern of a model, a length and a denoising "
      "step, with its density and expected speedup");
  add_sizes(command, *options);
  add_pattern_settings(command, *options);
  add_results(command, *options);
  command->footer(
      "Examples:\n"
      "  lvsa-verify mask --frames 161\n"
      "  lvsa-verify mask --model hunyuan-1.5 --frames 257 --rotate --step 3 --output mask.png\n"
      "  LVSA_SPARSITY_SCALE=0.7 lvsa-verify mask --model wan-14b --frames 241 --json\n"
      "The text has a row a query frame and a column a key frame, as the plugin's own mask log "
      "prints it: G global, W window, X both, . not attended; then the number of attended frames. "
      "The summary goes to stderr.\n"
      "Sizes that neither an option nor an LVSA_* variable gives are the model's.");
  command->callback([options, &body] { body = [options] { return run_mask(*options); }; });
}

}  // namespace lvsa::app
