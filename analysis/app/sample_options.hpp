#pragma once
// Where the tensors come from: options that commands on captured and synthetic tensors share.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analysis/app/command.hpp"
#include "analysis/sweep/sample.hpp"
#include "analysis/verify/capture.hpp"

namespace lvsa::app {

struct SampleOptions {
  analysis::CaptureOptions capture;
  std::string synthetic;  ///< words of a synthetic video
  std::string layers;     ///< as parse_integer_axis() takes them; empty: all
  std::string heads;
  std::string steps;
  bool exclude_bad = false;
};

/// Adds --capture, --frames, --patches, --text, --layout, --synthetic, --layers, --heads, --steps
/// and
/// --exclude-bad.
void add_sample_options(CLI::App* command, SampleOptions& options);

/// Throws Error(kValue) when neither or both of capture and video were given, and what opening them
/// throws.
std::unique_ptr<analysis::SampleSource> open_samples(const SampleOptions& options);

}  // namespace lvsa::app
