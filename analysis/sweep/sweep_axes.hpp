#pragma once
// The settings of a sweep: the product of axes, a random choice from it, or a list.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/sweep/setting.hpp"

namespace lvsa::analysis {

/// A sweep of more settings is refused.
inline constexpr std::int64_t kMostSettings = 1'000'000;

/// The values of each axis, in the order in which they were given. An axis that is not swept has
/// one.
struct SweepAxes {
  std::vector<std::int64_t> window = {3};
  std::vector<std::int64_t> n_first = {1};
  std::vector<std::optional<std::int64_t>> interval = {std::nullopt};
  std::vector<std::int64_t> reference = {21};
  std::vector<double> scale = {1.0};
  std::vector<std::int64_t> budget = {};  ///< stands for reference and scale unless it is empty
  std::vector<std::int64_t> expand = {1};
  std::vector<std::int64_t> rotate = {0};
  std::vector<std::int64_t> offsets = {0};  ///< of the settings that do not rotate
  bool all_offsets = false;                 ///< 0 .. interval - 1 in place of `offsets`
};

/// ITEM[,ITEM]..., an item being NUMBER or FIRST:LAST[:STEP], LAST included where it is reached,
/// and STEP 1 where it is left out. `axis` names the option. Throws Error(kValue) that names axis,
/// text and what would be right: no number, out of range, an empty range, a value that stands
/// twice.
std::vector<std::int64_t> parse_integer_axis(const std::string& axis, const std::string& text,
                                             std::int64_t least, std::int64_t most);
/// Decimal steps are exact: 0.5:1.5:0.1 has 0.8, not 0.7999999999999999.
std::vector<double> parse_real_axis(const std::string& axis, const std::string& text, double least,
                                    double most);
/// The same with `auto` as a number.
std::vector<std::optional<std::int64_t>> parse_interval_axis(const std::string& axis,
                                                             const std::string& text);

/// How many settings the product has. Throws Error(kValue) with the sizes of the axes when 63 bits
/// do not hold it. `frames` counts with all_offsets alone.
std::int64_t product_size(const SweepAxes& axes, std::int64_t frames);

/// All of the product; the last of W, n_first, interval, budget or ref, scale, expand, rotate,
/// offset is the fastest. Throws Error(kValue) for more than kMostSettings.
std::vector<SweepSetting> grid_settings(const SweepAxes& axes, std::int64_t frames);

/// `count` different settings of the product, each choice as likely as any other, in the product's
/// order; the same for the same seed everywhere. Throws Error(kValue) when the product has fewer,
/// and for all_offsets.
std::vector<SweepSetting> random_settings(const SweepAxes& axes, std::int64_t count,
                                          std::uint64_t seed);

/// One setting a line, in the words of parse_setting(); empty lines and what stands behind # are
/// left out. Throws Error(kIo, kValue) that names file and line; a setting that stands twice is
/// one such.
std::vector<SweepSetting> read_settings_file(const std::string& path);

}  // namespace lvsa::analysis
