// lvsa-verify: one executable, one file per subcommand. Results go to stdout, everything else to
// stderr.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "analysis/app/bench.hpp"
#include "analysis/app/command.hpp"
#include "analysis/app/gate.hpp"
#include "analysis/app/rule_process.hpp"
#include "core/error.hpp"
#include "core/kernel/device_memory.hpp"
#include "core/version.hpp"

namespace {

constexpr const char* kAbout =
    "Research and validation toolkit for LVSA (Long Video Sparse Attention).\n"
    "Exit codes: 0 all good, 1 a check failed, 2 bad usage or input, 3 slower and 4 undecided "
    "(bench, "
    "gate), 70 internal error.";

int complain(const std::string& message, int code) {
  fmt::print(stderr, "lvsa-verify: {}\n", message);
  return code;
}

// Runs a subcommand's body and turns what it throws into the documented exit codes.
int run(const lvsa::app::Body& body) {
  try {
    const int code = body();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      return complain("standard output: cannot be written (disk full or closed?)",
                      lvsa::app::kBadInput);
    }
    return code;
  } catch (const lvsa::Error& error) {
    return complain(error.what(), lvsa::app::kBadInput);
  } catch (const lvsa::DeviceLost& lost) {  // by the kernel that this was about
    return complain(lost.what(), lvsa::app::kCheckFailed);
  } catch (const std::system_error& error) {  // what fmt::print throws when it cannot write
    return complain(fmt::format("standard output: {}", error.what()), lvsa::app::kBadInput);
  } catch (const std::bad_alloc&) {
    return complain("out of memory: the sizes asked for need more than this machine has",
                    lvsa::app::kBadInput);
  } catch (const std::exception& error) {
    return complain(fmt::format("internal error: {}", error.what()), lvsa::app::kInternalError);
  }
}

// "kernel, vectors, … or replay": the subcommands in the order of the help.
std::string names_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  const std::string last = names.back();
  names.pop_back();
  return fmt::format("{} or {}", fmt::join(names, ", "), last);
}

std::vector<std::string> typed_words;  // argv, kept for provenance

}  // namespace

std::string lvsa::app::command_line() {
  std::string line;
  for (const std::string& word : typed_words) {
    const bool plain =
        word.find_first_of(" '\"\\$&|;<>()*?#") == std::string::npos && !word.empty();
    line += (line.empty() ? "" : " ") + (plain ? word : "'" + word + "'");
  }
  return line;
}

const std::vector<std::string>& lvsa::app::command_words() { return typed_words; }

int main(int argc, char** argv) {
  typed_words.assign(argv, argv + argc);
  CLI::App app(kAbout, "lvsa-verify");
  app.set_version_flag("--version", fmt::format("lvsa-verify {} ({}, {}, {})", lvsa::kVersion,
                                                lvsa::kCommit, lvsa::kCompiler, lvsa::kBuildType));
  lvsa::app::Body body;
  lvsa::app::add_kernel_command(app, body);
  lvsa::app::add_vectors_command(app, body);
  lvsa::app::add_eval_command(app, body);
  lvsa::app::add_mask_command(app, body);
  lvsa::app::add_pattern_command(app, body);
  lvsa::app::add_selftest_command(app, body);
  lvsa::app::add_evidence_command(app, body);
  lvsa::app::add_export_command(app, body);
  lvsa::app::add_check_command(app, body);
  lvsa::app::add_merge_command(app, body);
  lvsa::app::add_recover_command(app, body);
  lvsa::app::add_explain_command(app, body);
  lvsa::app::add_shrink_command(app, body);
  lvsa::app::add_replay_command(app, body);
  lvsa::app::add_steps_command(app, body);
  lvsa::app::add_parallel_command(app, body);
  lvsa::app::add_geometry_command(app, body);
  lvsa::app::add_backend_command(app, body);
  lvsa::app::add_recommend_command(app, body);
  lvsa::app::add_baseline_command(app, body);
  lvsa::app::add_gate_command(app, body);
  lvsa::app::add_judge_command(app, body);
  lvsa::app::add_bench_command(app, body);
  lvsa::app::add_sweep_command(app, body);
  lvsa::app::add_quality_command(app, body);
  lvsa::app::add_dump_command(app, body);
  lvsa::app::add_synth_command(app, body);
  lvsa::app::add_manual_command(app, body);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return complain(fmt::format("{} (see lvsa-verify --help)", error.what()), lvsa::app::kBadInput);
  }
  lvsa::app::make_case_rules({});
  if (!body) {
    return complain(fmt::format("a subcommand is due: {} (see lvsa-verify --help)", names_of(app)),
                    lvsa::app::kBadInput);
  }
  return run(body);
}
