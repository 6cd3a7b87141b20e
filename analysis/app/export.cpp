// lvsa-verify export: cases as a file, for kernels that live in Python.

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "analysis/app/command.hpp"
#include "analysis/app/fixtures.hpp"
#include "analysis/app/progress.hpp"
#include "analysis/verify/exchange.hpp"
#include "analysis/verify/suite.hpp"
#include "core/error.hpp"
#include "core/io/hdf5_writer.hpp"

namespace lvsa::app {
namespace {

using analysis::Case;

struct Options {
  std::string suite;
  std::vector<std::string> cases;
  std::string filter;
  std::string output;
  std::string fixtures;
  std::string format;
  bool compress = false;
};

std::vector<Case> chosen_cases(const Options& options) {
  if (options.suite.empty() == options.cases.empty()) {
    throw Error(ErrorKind::kValue,
                "export: a suite (smoke, default, full or a file) or --case LINE is due");
  }
  std::vector<Case> cases;
  if (!options.suite.empty()) {
    cases = analysis::suite_cases(options.suite, [&] { return fixtures_folder(options.fixtures); });
  }
  for (const std::string& line : options.cases) cases.push_back(analysis::parse_case(line));
  if (std::any_of(cases.begin(), cases.end(), [](const Case& c) { return !c.pattern.empty(); })) {
    throw Error(ErrorKind::kValue,
                "export: a case with pattern= has block maps, which these files do not hold");
  }
  std::erase_if(cases, [&](const Case& c) {
    return analysis::to_line(c).find(options.filter) == std::string::npos;
  });
  if (cases.empty()) {
    throw Error(ErrorKind::kValue,
                fmt::format("--filter '{}': no case line contains it", options.filter));
  }
  return cases;
}

TensorFormat chosen_format(const Options& options) {
  if (options.format == "h5") return TensorFormat::kHdf5;
  if (options.format == "safetensors") return TensorFormat::kSafetensors;
  if (options.format == "npy") return TensorFormat::kNpyFolder;
  return tensor_format_of_name(options.output);
}

int run(const Options& options) {
  leave_hdf5_open_at_exit();
  const std::vector<Case> cases = chosen_cases(options);
  if (!options.compress) analysis::require_disk(options.output, cases);
  const auto file = create_tensor_file(options.output, chosen_format(options), options.compress);
  const auto count = static_cast<std::int64_t>(cases.size());
  analysis::write_exchange_root(*file, count);
  Progress progress(count);
  for (std::int64_t i = 0; i < count; ++i) {
    const Case& c = cases[static_cast<std::size_t>(i)];
    progress.show(i, 0.0, c.model);
    analysis::write_exchange_case(*file, analysis::exchange_group(i), c);
  }
  file->commit();
  progress.clear();
  fmt::print("{}: {} case{}, {:.1f} MiB of q, k and v\n", options.output, count,
             count == 1 ? "" : "s", analysis::exchange_bytes(cases) / 0x1p20);
  return kAllGood;
}

}  // namespace

void add_export_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "export", "Write cases with inputs and pattern to a file, for kernels in Python");
  CLI::Option* suite =
      command
          ->add_option("suite", options->suite,
                       "smoke, default, full, random:COUNT[:SEED], or a file of case lines")
          ->type_name("SUITE");
  command
      ->add_option("--case", options->cases,
                   "Write this case line instead of a suite; may be given several times")
      ->type_name("LINE")
      ->excludes(suite);
  command->add_option("--filter", options->filter, "Only cases whose line contains this text")
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
  command->callback([options, &body] { body = [options] { return run(*options); }; });
}

}  // namespace lvsa::app
