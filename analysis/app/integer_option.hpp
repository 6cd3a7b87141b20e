#pragma once
// Options that take one 64-bit integer.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace lvsa::app {

/// All of `text` as a decimal integer; nothing when it is not one, or beyond 64 bits.
std::optional<std::int64_t> parse_integer(const std::string& text);

/// Adds an option whose absence means something. CLI11's own conversion takes 010 for eight and the
/// largest number for all beyond it. `type` is what the help shows for the value.
void add_integer(CLI::App* command, const char* name, std::optional<std::int64_t>& target,
                 const char* type, const char* help);

}  // namespace lvsa::app
