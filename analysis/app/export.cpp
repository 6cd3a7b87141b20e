// lvsa-verify export: cases as a file, for kernels that live in Python.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "analysis/app/command.hpp"
#include "analysis/app/fixtures.hpp"
#include "analysis/app/progress.hpp"
#include "analysis/blocks/exchange_traps.hpp"
#include "analysis/verify/exchange.hpp"
#include "analysis/verify/suite.hpp"
#include "core/error.hpp"
#include "core/io/hdf5_writer.hpp"

namespace lvsa::app {
namespace {

using analysis::Case;

struct ExportOptions {
  std::string suite;
  std::vector<std::string> cases;
  std::string filter;
  std::string output;
  std::string fixtures;
  std::string format;
  bool compress = false;
};

// A case, and the name of the trap that its group is for.
using Chosen = analysis::TrapCase;

std::vector<Chosen> chosen_cases(const ExportOptions& options) {
  if (options.suite.empty() == options.cases.empty()) {
    throw Error(ErrorKind::kValue,
                "export: a suite (smoke, default, full, blocks-smoke, blocks, flashinfer-traps, "
                "flex-traps or a file) or --case LINE is due");
  }
  std::vector<Chosen> chosen;
  if (analysis::is_trap_suite(options.suite)) {
    chosen = analysis::trap_cases(options.suite);
  } else if (!options.suite.empty()) {
    const auto fixtures = [&] { return fixtures_folder(options.fixtures); };
    for (Case& c : analysis::suite_cases(options.suite, fixtures))
      chosen.push_back({"", std::move(c)});
  }
  for (const std::string& line : options.cases) chosen.push_back({"", analysis::parse_case(line)});
  std::erase_if(chosen, [&](const Chosen& one) {
    return (one.name + " " + analysis::to_line(one.c)).find(options.filter) == std::string::npos;
  });
  if (chosen.empty()) {
    throw Error(ErrorKind::kValue,
                fmt::format("--filter '{}': no case line contains it", options.filter));
  }
  return chosen;
}

TensorFormat chosen_format(const ExportOptions& options) {
  if (options.format == "h5") return TensorFormat::kHdf5;
  if (options.format == "safetensors") return TensorFormat::kSafetensors;
  if (options.format == "npy") return TensorFormat::kNpyFolder;
  return tensor_format_of_name(options.output);
}

int run_export(const ExportOptions& options) {
  leave_hdf5_open_at_exit();
  const std::vector<Chosen> chosen = chosen_cases(options);
  std::vector<Case> cases;
  for (const Chosen& one : chosen) cases.push_back(one.c);
  if (!options.compress) analysis::require_disk(options.output, cases);
  const auto file = create_tensor_file(options.output, chosen_format(options), options.compress);
  const auto count = static_cast<std::int64_t>(cases.size());
  analysis::write_exchange_root(*file, count);
  if (analysis::is_trap_suite(options.suite)) file->attribute("/", "traps", options.suite);
  Progress progress(count);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto& [trap, c] = chosen[static_cast<std::size_t>(i)];
    const std::string group = analysis::exchange_group(i);
    progress.show(i, 0.0, c.model);
    analysis::write_exchange_case(*file, group, c);
    if (!trap.empty()) file->attribute(group, "trap", trap);
  }
  file->commit();
  progress.clear();
  fmt::print("{}: {} case{}, {:.1f} MiB of q, k and v\n", options.output, count,
             count == 1 ? "" : "s", analysis::exchange_bytes(cases) / 0x1p20);
  return kAllGood;
}

}  // namespace

void add_export_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand(
      "export", "Write cases with inputs and pattern to a file, for kernels in Python");
  CLI::Option* suite =
      command
          ->add_option("suite", options->suite,
                       "smoke, default, full, random:COUNT[:SEED], blocks-smoke, blocks, "
                       "flashinfer-traps, flex-traps, or a file of case lines")
          ->type_name("SUITE");
  command
      ->add_option("--case", options->cases,
                   "Write this case line instead of a suite; may be given several times")
      ->type_name("LINE")
      ->excludes(suite);
  command
      ->add_option("--filter", options->filter,
                   "Only cases whose line, or trap, contains this text")
      ->type_name("TEXT");
  command
      ->add_option("-o,--output", options->output,
                   "The file: .h5, .safetensors, or a folder of .npy files (a name that "
                   "ends in / or .npy)")
      ->required()
      ->type_name("FILE");
  command->add_option("--format", options->format, "h5, safetensors or npy, whatever the name says")
      ->check(CLI::IsMember({"h5", "safetensors", "npy"}));
  command->add_flag("--compress", options->compress, "Deflate the datasets (HDF5)");
  command
      ->add_option("--fixtures", options->fixtures,
                   "Folder of the recorded vectors (default: found beside the executable)")
      ->type_name("DIR");
  command->footer(
      "Example:\n"
      "  lvsa-verify export smoke -o cases.h5\n"
      "  python3 python/lvsa_fill.py cases.h5 mymodule:attention\n"
      "  lvsa-verify check cases.h5\n"
      "The form of the file: docs/exchange.md.");
  command->callback([options, &body] { body = [options] { return run_export(*options); }; });
}

}  // namespace lvsa::app
