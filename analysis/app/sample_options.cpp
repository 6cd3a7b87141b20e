#include "analysis/app/sample_options.hpp"

#include "analysis/sweep/capture_source.hpp"
#include "analysis/sweep/sweep_axes.hpp"
#include "analysis/synth/synthetic_source.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

std::vector<std::int64_t> chosen(const std::string& option, const std::string& text) {
  constexpr std::int64_t kMost = 1'000'000;
  if (text.empty()) return {};
  return analysis::parse_integer_axis(option, text, 0, kMost);
}

}  // namespace

void add_sample_options(CLI::App* command, SampleOptions& options) {
  analysis::CaptureOptions& capture = options.capture;
  CLI::Option* file = command
                          ->add_option("--capture", capture.path,
                                       "File of captured tensors (HDF5, safetensors, folder of "
                                       ".npy): docs/capture.md")
                          ->type_name("FILE");
  command->add_option("--frames", capture.frames, "T of the capture, where the file does not say")
      ->needs(file);
  command->add_option("--patches", capture.patches, "Its tokens a latent frame, P")->needs(file);
  command->add_option("--text", capture.text, "Its text tokens behind the video")->needs(file);
  command
      ->add_option("--layout", capture.layout,
                   "Order of its dimensions: bshd, bhsd, sbhd, shd, bs3hd for a packed qkv, ...")
      ->needs(file);
  command
      ->add_option(
          "--synthetic", options.synthetic,
          "A synthetic video in place of a capture, as 'T=21 h=8 w=13 heads=4 D=64 seed=1': "
          "docs/synthetic.md")
      ->type_name("WORDS")
      ->excludes(file);
  command->add_option("--layers", options.layers, "Only these layers, as 0,5,10:20")
      ->type_name("LIST");
  command->add_option("--heads", options.heads, "Only these query heads")->type_name("LIST");
  command->add_option("--steps", options.steps, "Only these denoising steps")->type_name("LIST");
  command->add_flag(
      "--exclude-bad", options.exclude_bad,
      "Leave out and count what cannot be used (NaN, infinity, other shapes); without "
      "it the first such sample is an error");
}

std::unique_ptr<analysis::SampleSource> open_samples(const SampleOptions& options) {
  const auto layers = chosen("--layers", options.layers);
  const auto heads = chosen("--heads", options.heads);
  const auto steps = chosen("--steps", options.steps);
  if (!options.synthetic.empty()) {
    return analysis::make_synthetic_source(options.synthetic, {layers, steps, heads});
  }
  if (options.capture.path.empty()) {
    throw Error(
        ErrorKind::kValue,
        "--capture FILE or --synthetic WORDS is due, for example --synthetic 'T=21 h=8 w=13 "
        "heads=4 D=64'");
  }
  return analysis::open_capture_source(
      {options.capture, layers, steps, heads, options.exclude_bad});
}

}  // namespace lvsa::app
