#pragma once
// lvsa-verify geometry --log: the part of the subcommand that reads logs.

#include <CLI/CLI.hpp>
#include <string>

#include "analysis/diagnose/log_verdict.hpp"

namespace lvsa::app {

struct LogOptions {
  std::string log;  ///< path, or "-"; empty: no log is asked for
  bool follow = false;
  std::string html;  ///< path of the page; empty: none is asked for
};

/// --log and --follow.
void add_log_options(CLI::App* command, LogOptions& options);

/// Reads the log, prints what it means (text, or JSON) and writes the page. Returns the exit code;
/// throws Error for a log that cannot be read or is of another program.
int run_geometry_log(const LogOptions& options, const analysis::LogContext& context, bool json);

}  // namespace lvsa::app
