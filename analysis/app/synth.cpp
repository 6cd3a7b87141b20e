// lvsa-verify synth: structured synthetic tensors, for those who have no captures.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "analysis/app/command.hpp"
#include "analysis/synth/synthetic_file.hpp"
#include "analysis/synth/video_words.hpp"
#include "core/error.hpp"
#include "core/io/hdf5_writer.hpp"

namespace lvsa::app {
namespace {

struct SynthOptions {
  std::vector<std::string> words;
  std::string output;
  analysis::SyntheticChoice choice;
  bool compress = false;
};

int run_synth(const SynthOptions& options) {
  leave_hdf5_open_at_exit();
  const std::string text = fmt::format("{}", fmt::join(options.words, " "));
  const std::string words = synth::video_words(synth::parse_video(text));
  const auto file =
      create_tensor_file(options.output, tensor_format_of_name(options.output), options.compress);
  const auto written = analysis::write_synthetic_capture(*file, text, options.choice);
  file->commit();
  fmt::print("{}: {} call{} of {} head{}, {:.1f} MiB of q, k and v\n{}\n", options.output,
             written.calls, written.calls == 1 ? "" : "s", written.heads,
             written.heads == 1 ? "" : "s", written.bytes / 0x1p20, words);
  return kAllGood;
}

}  // namespace

void add_synth_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<SynthOptions>();
  CLI::App* command = app.add_subcommand(
      "synth",
      "Write q, k and v of a synthetic video with spatial, temporal, global and diffuse "
      "heads");
  command
      ->add_option("words", options->words,
                   "NAME=VALUE: T h w text heads D layers steps seed objects speed camera mix "
                   "sharpness noise dtype; what is not said has its default")
      ->type_name("WORDS");
  command
      ->add_option("-o,--out", options->output,
                   "The capture: .h5, .safetensors, or a folder of .npy files (a name that ends "
                   "in / or .npy)")
      ->required()
      ->type_name("FILE");
  const auto add_numbers = [&](const char* name, std::vector<std::int64_t>& numbers,
                               const char* what) {
    command->add_option(name, numbers, what)->delimiter(',')->type_name("N,N,...");
  };
  add_numbers("--layers", options->choice.layers, "Only these layers");
  add_numbers("--steps", options->choice.steps, "Only these denoising steps");
  add_numbers("--heads", options->choice.heads, "Only these heads");
  command->add_flag("--compress", options->compress, "Deflate the datasets (HDF5)");
  command->footer(
      "Example:\n"
      "  lvsa-verify synth -o video.h5 T=21 h=30 w=52 heads=4 layers=2 steps=3 camera=pan:0.2\n"
      "  lvsa-verify kernel --capture video.h5 --kernel cpu --settings 'W=3 n_first=1 ref=21'\n"
      "Words, and what the heads attend to: docs/synthetic.md.");
  command->callback([options, &body] { body = [options] { return run_synth(*options); }; });
}

}  // namespace lvsa::app
