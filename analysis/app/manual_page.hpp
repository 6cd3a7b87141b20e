#pragma once
// The manual page of a command, made from the text of its --help.

#include <CLI/CLI.hpp>
#include <string>

namespace lvsa::app {

/// The page of lvsa-verify itself (`command` null) or of one of its subcommands, as man(7) source;
/// section 1. `version` stands at the foot.
std::string manual_page(const CLI::App& program, const CLI::App* command,
                        const std::string& version);

/// "lvsa-verify-kernel.1", or "lvsa-verify.1" for null.
std::string manual_file(const CLI::App& program, const CLI::App* command);

}  // namespace lvsa::app
