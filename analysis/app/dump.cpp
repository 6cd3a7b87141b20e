// lvsa-verify dump: attention maps of captured or synthetic heads, the pattern over them, and what
// it loses.

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/app/integer_option.hpp"
#include "analysis/app/progress.hpp"
#include "analysis/maps/dump_folder.hpp"
#include "analysis/maps/dump_text.hpp"
#include "analysis/maps/gpu_mass.hpp"
#include "analysis/maps/map_file.hpp"
#include "analysis/maps/map_pictures.hpp"
#include "analysis/report/html_dump.hpp"
#include "analysis/sweep/capture_source.hpp"
#include "analysis/sweep/sweep_axes.hpp"
#include "analysis/synth/synthetic_source.hpp"
#include "analysis/synth/video_words.hpp"
#include "core/config/presets.hpp"
#include "core/error.hpp"
#include "core/io/hdf5_writer.hpp"

namespace lvsa::app {
namespace {

using analysis::Dump;
using analysis::DumpOptions;
using analysis::LatentSize;
using analysis::SampleSource;

struct DumpCommand {
  std::string capture;
  std::string synthetic;
  std::optional<std::int64_t> frames;
  std::optional<std::int64_t> patches;
  std::optional<std::int64_t> text;
  std::string layout;
  std::string layers;
  std::string steps;
  std::string heads;
  bool exclude_bad = false;
  std::string setting;
  std::optional<std::int64_t> rows_per_frame;
  std::optional<std::int64_t> seed;
  std::string grid;
  std::string model;
  std::string rows;
  std::string images = "sheets";
  std::string colours = "log";
  std::string gpu;
  std::string out;
  std::string html;
  bool json = false;
};

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::kValue, message); }

std::vector<std::int64_t> chosen(const char* option, const std::string& text) {
  constexpr std::int64_t kMost = 1'000'000;
  if (text.empty()) return {};
  return analysis::parse_integer_axis(option, text, 0, kMost);
}

std::unique_ptr<SampleSource> open_source(const DumpCommand& options) {
  const auto layers = chosen("--layers", options.layers);
  const auto steps = chosen("--steps", options.steps);
  const auto heads = chosen("--heads", options.heads);
  if (!options.capture.empty()) {
    analysis::CaptureSourceOptions source;
    source.capture = {options.capture, options.frames, options.patches,
                      options.text,    options.layout, ""};
    source.layers = layers;
    source.steps = steps;
    source.heads = heads;
    source.exclude_bad = options.exclude_bad;
    return analysis::open_capture_source(source);
  }
  if (options.frames || options.patches || options.text || !options.layout.empty()) {
    refuse(
        "--frames, --patches, --text and --layout are said of a --capture; the words of "
        "--synthetic have the sizes");
  }
  return analysis::make_synthetic_source(options.synthetic, {layers, steps, heads});
}

LatentSize latent_size(const DumpCommand& options, const FrameGrid& grid) {
  if (!options.grid.empty()) {
    if (!options.model.empty()) refuse("--grid and --model: one of the two is due");
    return analysis::parse_latent_size(options.grid, grid.patches_per_frame);
  }
  if (options.capture.empty()) {
    const synth::VideoWords words = synth::parse_video(options.synthetic);
    return {words.height, words.width, "of the synthetic video"};
  }
  return analysis::find_latent_size(grid.patches_per_frame, PresetTable(), options.model);
}

DumpOptions dump_options(const DumpCommand& options, const FrameGrid& grid) {
  DumpOptions result;
  if (!options.setting.empty()) result.setting = analysis::parse_setting(options.setting);
  result.rows.rows_per_frame = options.rows_per_frame.value_or(result.rows.rows_per_frame);
  if (options.seed && *options.seed < 0) refuse("--seed: 0 or more is due");
  result.rows.seed = static_cast<std::uint64_t>(options.seed.value_or(1));
  analysis::rows_in_frame(grid, result.rows);  // refuses a negative number
  result.size = latent_size(options, grid);
  if (!options.rows.empty()) {
    if (result.size.guessed) {
      refuse(
          fmt::format("--rows {}: no model has {} tokens a frame; --grid HEIGHTxWIDTH (such as "
                      "{}x{}) says what rows and columns they make",
                      options.rows, grid.patches_per_frame, result.size.height, result.size.width));
    }
    result.places = analysis::parse_row_places(options.rows, grid, result.size);
  }
  return result;
}

// What decides the content of the files: folders of other dumps are left alone.
analysis::Provenance content_of(const DumpCommand& options, const DumpOptions& dump,
                                const SampleSource& source) {
  return {{"source", source.identity()},
          {"heads", fmt::format("layers {} steps {} heads {}", options.layers, options.steps,
                                options.heads)},
          {"setting", analysis::setting_words(dump.setting)},
          {"rows_per_frame", std::to_string(dump.rows.rows_per_frame)},
          {"seed", std::to_string(dump.rows.seed)},
          {"latent_size", fmt::format("{}x{}", dump.size.height, dump.size.width)},
          {"rows", options.rows},
          {"images", options.images},
          {"colours", options.colours},
          {"gpu", options.gpu.empty() ? "no" : "yes"}};
}

analysis::PictureOptions picture_options(const DumpCommand& options) {
  analysis::PictureOptions pictures;
  if (options.images == "none") pictures.pictures = analysis::Pictures::kNone;
  if (options.images == "heads") pictures.pictures = analysis::Pictures::kHeads;
  if (options.colours == "linear") pictures.scale = {0.0, 1.0, false};
  return pictures;
}

void write_folder(analysis::DumpFolder& folder, const Dump& dump, const DumpCommand& options) {
  const analysis::Provenance provenance = analysis::collect_provenance(command_line());
  folder.begin();
  analysis::write_dump_file(dump, folder.file("dump.h5"), provenance);
  folder.note("dump.h5");
  folder.write("heads.csv", analysis::dump_table(dump));
  analysis::draw_pictures(
      dump, picture_options(options),
      [&](const std::string& name, const std::string& bytes) { folder.write(name, bytes); });
  if (!options.html.empty()) analysis::write_dump_page(dump, options.html, provenance);
  folder.finish(provenance);
}

int run_dump(const DumpCommand& options) {
  if (options.capture.empty() == options.synthetic.empty()) {
    refuse("--capture FILE or --synthetic WORDS: one of the two is due");
  }
  leave_hdf5_open_at_exit();  // a full disk must not end in a crash
  std::unique_ptr<analysis::GpuFrameMass> gpu;
  if (!options.gpu.empty()) gpu = std::make_unique<analysis::GpuFrameMass>(options.gpu);
  const std::unique_ptr<SampleSource> source = open_source(options);
  const FrameGrid grid = analysis::common_grid(*source);
  DumpOptions request = dump_options(options, grid);
  request.gpu = gpu.get();
  analysis::check_pictures(source->ids(), grid, request.places.size(), picture_options(options));
  if (!options.html.empty()) analysis::check_page_size(source->ids().size(), request, grid);
  analysis::DumpFolder folder(options.out, content_of(options, request, *source));
  Progress progress(static_cast<std::int64_t>(source->ids().size()));
  const Dump dump = analysis::make_dump(*source, request, [&](std::size_t done) {
    progress.show(static_cast<std::int64_t>(done), 0.0, "heads");
  });
  progress.clear();
  write_folder(folder, dump, options);
  if (options.json) {
    fmt::print("{}\n", analysis::dump_as_json(dump).dump(2));
  } else {
    fmt::print("{}Written to {}: dump.h5, heads.csv{}\n", analysis::dump_as_text(dump), options.out,
               options.images == "none" ? "" : " and pictures");
  }
  return kAllGood;
}

void add_source(CLI::App* command, DumpCommand& options) {
  const auto group = command->add_option_group("Heads", "Where they come from, and which");
  group->add_option("--capture", options.capture, "Captured calls (docs/capture.md)")
      ->type_name("FILE");
  group
      ->add_option("--synthetic", options.synthetic,
                   "A synthetic video made on the fly, by its words (docs/synthetic.md)")
      ->type_name("WORDS");
  add_integer(group, "--frames", options.frames, "T", "Latent frames of the capture");
  add_integer(group, "--patches", options.patches, "P", "Tokens a latent frame of the capture");
  add_integer(group, "--text", options.text, "N", "Text tokens behind the video of the capture");
  group->add_option("--layout", options.layout, "Order of the capture's dimensions, such as bshd")
      ->type_name("ORDER");
  const char* const list = "LIST";
  group->add_option("--layers", options.layers, "Layers, such as 0,5:9 (default: all)")
      ->type_name(list);
  group->add_option("--steps", options.steps, "Denoising steps (default: all)")->type_name(list);
  group->add_option("--heads", options.heads, "Query heads (default: all)")->type_name(list);
  group->add_flag("--exclude-bad", options.exclude_bad,
                  "Leave out and count what cannot be used (NaN, other sizes) instead of refusing");
}

void add_maps(CLI::App* command, DumpCommand& options) {
  const auto group = command->add_option_group("Maps");
  group
      ->add_option("--setting", options.setting,
                   "Pattern over the maps, in latent frames: words of a sweep's table, such as "
                   "'W=3 n_first=1 interval=auto ref=21 scale=1 expand=1 rotate=0 offset=0' "
                   "(these are the defaults)")
      ->type_name("WORDS");
  add_integer(group, "--rows-per-frame", options.rows_per_frame, "N",
              "Query rows that a frame's masses are the mean of (default: 8; 0: all)");
  add_integer(group, "--seed", options.seed, "N", "Of the choice of these rows (default: 1)");
  group
      ->add_option("--rows", options.rows,
                   "Token maps of these query rows: frame:row:column of the latent grid, such as "
                   "0:15:26,10:3:4")
      ->type_name("F:Y:X,...");
  group->add_option("--grid", options.grid, "Rows and columns of tokens of a frame, such as 30x52")
      ->type_name("HxW");
  group
      ->add_option("--model", options.model,
                   "Take rows and columns from this model's sizes (default: the first model with "
                   "P tokens a frame)")
      ->type_name("NAME");
  group
      ->add_option("--gpu", options.gpu,
                   "Frame masses of all rows from the kernel of this library, liblvsa_cuda.so, on "
                   "a GPU (bf16 or fp16, head size 64 or 128)")
      ->type_name("PLUGIN");
}

void add_results(CLI::App* command, DumpCommand& options) {
  const auto group = command->add_option_group("Results");
  group->add_option("--out", options.out, "Folder of the files")->required()->type_name("DIR");
  group
      ->add_option("--images", options.images,
                   "none; sheets: a picture a layer and step, with its heads; heads: one a head "
                   "besides")
      ->check(CLI::IsMember({"none", "sheets", "heads"}))
      ->capture_default_str();
  group
      ->add_option("--colours", options.colours, "Scale of the pictures: log (1e-4 to 1) or linear")
      ->check(CLI::IsMember({"log", "linear"}))
      ->capture_default_str();
  group->add_option("--html", options.html, "A page of it all that needs nothing but a browser")
      ->type_name("FILE");
  group->add_flag("--json", options.json, "Print JSON");
}

}  // namespace

void add_dump_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<DumpCommand>();
  CLI::App* command = app.add_subcommand(
      "dump",
      "Attention maps: the mass that query frames give to key frames, head by head, what a pattern "
      "loses of it, and where single tokens look");
  add_source(command, *options);
  add_maps(command, *options);
  add_results(command, *options);
  command->footer(
      "Examples:\n"
      "  lvsa-verify dump --synthetic 'T=21 h=30 w=52 heads=12' --out maps\n"
      "  lvsa-verify dump --capture run.h5 --layers 3 --setting 'W=2 ref=21' --rows 10:15:26 --out "
      "maps\n"
      "The folder gets dump.h5 (HDF5 with dimension scales, for h5py and xarray), heads.csv, PNG "
      "and SVG pictures, animated PNGs over the steps, and dump.json, which says what they are "
      "(docs/dump.md).\n"
      "Exit codes: 0 done, 2 bad input.");
  command->callback([options, &body] { body = [options] { return run_dump(*options); }; });
}

}  // namespace lvsa::app
