#pragma once
// Scripts with which shells complete the command line, made from the same options as --help.

#include <CLI/CLI.hpp>
#include <string>

namespace lvsa::app {

/// Subcommands, their options, and the values of those that take one of a list; files elsewhere.
std::string bash_completion(const CLI::App& program);
std::string zsh_completion(const CLI::App& program);
std::string fish_completion(const CLI::App& program);

}  // namespace lvsa::app
