#pragma once
// The options that say which settings a sweep goes through.

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/app/command.hpp"
#include "analysis/sweep/sweep_axes.hpp"

namespace lvsa::app {

/// Texts as they were typed; empty: not given.
struct SettingOptions {
  std::string window;
  std::string n_first;
  std::string interval;
  std::string reference;
  std::string scale;
  std::string budget;
  std::string expand;
  std::string rotate;
  std::string offsets;
  std::int64_t random = 0;  ///< 0: the whole product
  std::uint64_t seed = 1;
  std::string file;
};

void add_setting_options(CLI::App* command, SettingOptions& options);

/// For videos of T frames. Throws Error(kValue, kIo) that names the option.
std::vector<analysis::SweepSetting> chosen_settings(const SettingOptions& options,
                                                    std::int64_t frames);

}  // namespace lvsa::app
