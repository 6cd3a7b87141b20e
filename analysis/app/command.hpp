#pragma once
// What the subcommands of lvsa-verify share: how they are added, and their exit codes.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace lvsa::app {

/// Documented exit codes of lvsa-verify.
enum ExitCode : int {
  kAllGood = 0,
  kCheckFailed = 1,
  kBadInput = 2,       ///< bad usage or bad input: one line on stderr says what and what is right
  kInternalError = 70  ///< a defect of this program
};

/// The subcommand that the command line chose sets this to its body; main calls it. The body
/// returns an exit code and throws lvsa::Error for bad input.
using Body = std::function<int()>;

/// The command line as it was typed (words quoted where they need it), for provenance.
std::string command_line();
/// Its words, the program first.
const std::vector<std::string>& command_words();

/// Each adds its subcommand with options, help and an example.
void add_kernel_command(CLI::App& app, Body& body);
void add_vectors_command(CLI::App& app, Body& body);
void add_eval_command(CLI::App& app, Body& body);
void add_evidence_command(CLI::App& app, Body& body);
void add_mask_command(CLI::App& app, Body& body);
void add_pattern_command(CLI::App& app, Body& body);
void add_selftest_command(CLI::App& app, Body& body);
void add_export_command(CLI::App& app, Body& body);
void add_check_command(CLI::App& app, Body& body);
void add_merge_command(CLI::App& app, Body& body);
void add_recover_command(CLI::App& app, Body& body);
void add_explain_command(CLI::App& app, Body& body);
void add_shrink_command(CLI::App& app, Body& body);
void add_replay_command(CLI::App& app, Body& body);
void add_steps_command(CLI::App& app, Body& body);
void add_parallel_command(CLI::App& app, Body& body);
void add_geometry_command(CLI::App& app, Body& body);
void add_backend_command(CLI::App& app, Body& body);
void add_recommend_command(CLI::App& app, Body& body);
void add_sweep_command(CLI::App& app, Body& body);
void add_quality_command(CLI::App& app, Body& body);
void add_dump_command(CLI::App& app, Body& body);
void add_synth_command(CLI::App& app, Body& body);
void add_manual_command(CLI::App& app, Body& body);

}  // namespace lvsa::app
