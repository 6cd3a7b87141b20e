#pragma once
// The subcommands around the gate.

#include "analysis/app/command.hpp"

namespace lvsa::app {

void add_baseline_command(CLI::App& app, Body& body);
void add_gate_command(CLI::App& app, Body& body);
void add_judge_command(CLI::App& app, Body& body);

}  // namespace lvsa::app
