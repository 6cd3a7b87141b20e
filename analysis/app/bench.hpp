#pragma once
// lvsa-verify bench

#include "analysis/app/command.hpp"

namespace lvsa::app {

void add_bench_command(CLI::App& app, Body& body);

}  // namespace lvsa::app
