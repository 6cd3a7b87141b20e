// lvsa-verify recover: which keys a kernel attends, from its outputs alone, against the pattern.

#include "analysis/verify/recover.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "analysis/app/apart.hpp"
#include "analysis/app/command.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/app/recover_maps.hpp"
#include "analysis/maps/recovery_render.hpp"
#include "analysis/run/case_time.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::app {
namespace {

using analysis::MaskRecovery;
using analysis::RecoveryPlace;

struct RecoverCommand {
  std::string kernel = "cpu";
  std::string line;
  std::string format;
  std::string output;
  bool json = false;
  bool all = false;
  std::int64_t batch = -1;
  std::int64_t head = -1;
  std::int64_t max_runs = 20;
  std::int64_t threads = 0;
  ApartOptions apart;
};

std::string resolve_format(const RecoverCommand& options) {
  if (options.json && !options.format.empty() && options.format != "json") {
    throw Error(ErrorKind::kValue,
                fmt::format("--json and --format {}: one of the two is due", options.format));
  }
  if (options.json) return "json";
  if (!options.format.empty()) return options.format;
  for (const char* format : {"json", "svg", "png"}) {
    if (options.output.ends_with(fmt::format(".{}", format))) return format;
  }
  return "text";
}

RecoveryPlace place_of(const RecoverCommand& options, const MaskRecovery& recovery) {
  const auto [batch, head] = analysis::first_difference(recovery);
  const RecoveryPlace place{options.batch < 0 ? batch : options.batch,
                            options.head < 0 ? head : options.head};
  if (place.batch >= recovery.c.batch || place.head >= recovery.c.heads) {
    throw Error(ErrorKind::kValue,
                fmt::format("--batch {} --head {}: 0 .. {} and 0 .. {} are due", place.batch,
                            place.head, recovery.c.batch - 1, recovery.c.heads - 1));
  }
  return place;
}

std::string comparison(const MaskRecovery& recovery, bool all) {
  constexpr std::size_t kShown = 20;
  std::string text;
  std::size_t shown = 0;
  for (const auto& difference : recovery.differences) {
    if (!all && shown == kShown) {
      text += fmt::format("... {} more lines (--all)\n", recovery.differences.size() - shown);
      break;
    }
    text += difference.line + '\n';
    ++shown;
  }
  if (!recovery.mistake.empty()) text += fmt::format("explained by: {}\n", recovery.mistake);
  const auto rows = static_cast<std::int64_t>(recovery.row_mask.size());
  if (recovery.exact()) {
    text += fmt::format(
        "recovered from {} runs: all {} query rows attend exactly what the pattern "
        "has\n",
        recovery.runs, rows);
  } else {
    text += fmt::format("recovered from {} runs: {} query rows, {} of them undecided\n",
                        recovery.runs, rows, recovery.undecided_rows);
  }
  return text;
}

std::string render(const MaskRecovery& recovery, const RecoverCommand& options,
                   const std::string& format) {
  const RecoveryPlace place = place_of(options, recovery);
  if (format == "json") return analysis::recovery_as_json(recovery);
  if (format == "svg") return analysis::recovery_as_svg(recovery, place);
  if (format == "png") return encode_png(analysis::draw_recovery(recovery, place));
  return analysis::recovery_as_text(recovery, place);
}

// The kernel's part and what comes of it.
int recover(const RecoverCommand& options, const analysis::Case& c, const std::string& format,
            Apart& apart) {
  const KernelChoice choice = choose_kernel(options.kernel);
  apart.loaded();
  analysis::RecoverOptions how;
  how.max_runs = options.max_runs;
  how.threads = static_cast<std::int32_t>(options.threads);
  std::int64_t calls = 0;
  how.before_each = [&] { apart.part(fmt::format("call {} of the kernel", ++calls)); };
  const MaskRecovery recovery = analysis::recover_mask(c, *choice.kernel, how);
  apart.done();
  const std::string drawn = render(recovery, options, format);
  if (!options.output.empty()) {
    write_file_atomically(options.output, drawn);
  } else {
    std::fwrite(drawn.data(), 1, drawn.size(), stdout);
  }
  if (format == "text" || !options.output.empty()) {
    fmt::print("{}", comparison(recovery, options.all));
  }
  return recovery.exact() ? kAllGood : kCheckFailed;
}

int run_recover(const RecoverCommand& options) {
  const std::string format = resolve_format(options);
  if (format == "png" && options.output.empty()) {
    throw Error(ErrorKind::kValue,
                "--format png: --output FILE is due, a picture does not go to the terminal");
  }
  const analysis::Case c = analysis::parse_case(options.line);
  if (!c.pattern.empty()) {
    const RecoverMapsWords words{options.kernel, format,           options.output,
                                 options.all,    options.max_runs, options.threads};
    return run_apart(options.apart, options.kernel, analysis::default_timeout_s(c),
                     [&](Apart& apart) { return recover_maps(words, c, apart); });
  }
  return run_apart(options.apart, options.kernel, analysis::default_timeout_s(c),
                   [&](Apart& apart) { return recover(options, c, format, apart); });
}

void add_options(CLI::App* command, RecoverCommand& options) {
  command->add_option("--kernel", options.kernel, "Kernel: cpu, or a plugin path/to/lib.so[:name]")
      ->capture_default_str()
      ->type_name("NAME|PATH");
  command
      ->add_option("--case", options.line,
                   "Case line with sizes and pattern; its inputs and rows do not matter")
      ->required()
      ->type_name("LINE");
  command->add_option("--max-runs", options.max_runs, "Kernel runs, at most")
      ->capture_default_str()
      ->check(CLI::Range(2, 100000));
  command->add_option("--threads", options.threads, "Threads of the kernel; 0: its own choice")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  command
      ->add_option("--format", options.format,
                   "text, json, svg or png (default: by the ending of --output, else text)")
      ->check(CLI::IsMember({"text", "json", "svg", "png"}))
      ->type_name("FORM");
  command->add_flag("--json", options.json, "The same as --format json");
  command->add_option("--output", options.output, "Write the masks there instead of to stdout")
      ->type_name("FILE");
  command
      ->add_option("--batch", options.batch,
                   "Batch element whose masks are drawn (default: the first that differs)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  command->add_option("--head", options.head, "Head whose masks are drawn (the same)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  command->add_flag("--all", options.all, "Every line of the comparison, not the first 20");
  add_apart_options(command, options.apart);
}

}  // namespace

void add_recover_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<RecoverCommand>();
  CLI::App* command = app.add_subcommand(
      "recover",
      "Recover from a kernel's outputs alone which keys each query attends, and compare that with "
      "the pattern");
  add_options(command, *options);
  command->footer(
      "Example:\n"
      "  lvsa-verify recover --kernel ./libmine.so --case 'T=121 P=12 text=7 H=2 Hkv=1 D=64 "
      "dtype=bf16 ref=21 step=3 input=uniform seed=1 rows=0'\n"
      "All scores are equal in these runs, and V holds codes that tell the keys apart: frames, "
      "positions within the frame, text tokens, and random fingerprints that prove a finding. Keep "
      "P small; the mask of a kernel does not depend on it, its tiles' ends do.\n"
      "Of a case with pattern= (block maps) D keys a run are told apart, pair by pair: "
      "--max-runs.\n"
      "Exit code 1: some row attends something else than the pattern has, or the kernel crashed or "
      "hung.");
  command->callback([options, &body] { body = [options] { return run_recover(*options); }; });
}

}  // namespace lvsa::app
