#include "analysis/sweep/sweep_axes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_set>

#include "core/error.hpp"
#include "core/io/byte_file.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 28;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::kValue, what); }

// rotate and offset together: a setting that rotates has no offset of its own.
std::vector<SweepSetting> variants(const SweepAxes& axes, const SweepSetting& base,
                                   std::int64_t frames) {
  std::vector<SweepSetting> settings;
  for (const std::int64_t rotate : axes.rotate) {
    SweepSetting setting = base;
    setting.rotate = rotate != 0;
    setting.offset = 0;
    if (setting.rotate) {
      settings.push_back(setting);
      continue;
    }
    if (!axes.all_offsets) {
      for (const std::int64_t offset : axes.offsets) {
        setting.offset = offset;
        settings.push_back(setting);
      }
      continue;
    }
    const std::int64_t interval = std::max<std::int64_t>(1, interval_in_force(base, frames));
    if (interval > kMostSettings) refuse(fmt::format("--offsets all: {} of them", interval));
    for (std::int64_t offset = 0; offset < interval; ++offset) {
      setting.offset = offset;
      settings.push_back(setting);
    }
  }
  return settings;
}

/// The axes but rotate and offset, as digits of a number, the last the lowest.
class Bases {
 public:
  explicit Bases(const SweepAxes& axes) : axes_(axes) {
    const bool budget = !axes.budget.empty();
    sizes_ = {axes.window.size(),
              axes.n_first.size(),
              axes.interval.size(),
              budget ? axes.budget.size() : axes.reference.size(),
              budget ? 1 : axes.scale.size(),
              axes.expand.size()};
  }

  const std::vector<std::size_t>& sizes() const { return sizes_; }

  SweepSetting at(std::uint64_t index) const {
    std::vector<std::size_t> digits(sizes_.size());
    for (std::size_t i = sizes_.size(); i-- > 0;) {
      digits[i] = static_cast<std::size_t>(index % sizes_[i]);
      index /= sizes_[i];
    }
    SweepSetting setting;
    setting.window = axes_.window[digits[0]];
    setting.n_first = axes_.n_first[digits[1]];
    setting.interval = axes_.interval[digits[2]];
    if (axes_.budget.empty()) {
      setting.reference = axes_.reference[digits[3]];
      setting.scale = axes_.scale[digits[4]];
    } else {
      setting.budget = axes_.budget[digits[3]];
    }
    setting.expand = axes_.expand[digits[5]] != 0;
    return setting;
  }

 private:
  const SweepAxes& axes_;
  std::vector<std::size_t> sizes_;
};

// What the axes hold, for messages: "W 4 x n_first 1 x ...".
std::string sizes_text(const SweepAxes& axes) {
  const auto sizes = Bases(axes).sizes();
  return fmt::format(
      "W {} x n_first {} x interval {} x {} {} x scale {} x expand {} x rotate {} x "
      "offset {}",
      sizes[0], sizes[1], sizes[2], axes.budget.empty() ? "ref" : "budget", sizes[3], sizes[4],
      sizes[5], axes.rotate.size(), axes.all_offsets ? "all" : std::to_string(axes.offsets.size()));
}

std::int64_t base_count(const SweepAxes& axes) {
  const std::vector<std::size_t> sizes = Bases(axes).sizes();
  std::int64_t count = 1;
  for (const std::size_t size : sizes) {
    if (__builtin_mul_overflow(count, static_cast<std::int64_t>(size), &count) ||
        count > (std::int64_t{1} << 56)) {
      refuse(fmt::format("the axes have too many settings: {}", sizes_text(axes)));
    }
  }
  return count;
}

// SplitMix64: the same numbers everywhere, which the distributions of the standard library are not.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  /// 0 .. most, each as likely.
  std::uint64_t up_to(std::uint64_t most) {
    const std::uint64_t span = most + 1;
    const std::uint64_t limit = span == 0 ? 0 : -span % span;  // numbers that would favour some
    for (;;) {
      const std::uint64_t draw = next();
      if (draw >= limit) return span == 0 ? draw : draw % span;
    }
  }

 private:
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace

std::int64_t product_size(const SweepAxes& axes, std::int64_t frames) {
  const std::int64_t bases = base_count(axes);
  if (!axes.all_offsets) {
    return bases * static_cast<std::int64_t>(variants(axes, SweepSetting{}, frames).size());
  }
  if (bases > kMostSettings) return bases;
  const Bases all(axes);
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < bases; ++i) {
    count += static_cast<std::int64_t>(
        variants(axes, all.at(static_cast<std::uint64_t>(i)), frames).size());
  }
  return count;
}

std::vector<SweepSetting> grid_settings(const SweepAxes& axes, std::int64_t frames) {
  const std::int64_t count = product_size(axes, frames);
  if (count > kMostSettings) {
    refuse(
        fmt::format("the axes have {} settings, at most {} are supported: {}; --random N takes N "
                    "of them",
                    count, kMostSettings, sizes_text(axes)));
  }
  const Bases all(axes);
  const std::int64_t bases = base_count(axes);
  std::vector<SweepSetting> settings;
  settings.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < bases; ++i) {
    const auto some = variants(axes, all.at(static_cast<std::uint64_t>(i)), frames);
    settings.insert(settings.end(), some.begin(), some.end());
  }
  return settings;
}

std::vector<SweepSetting> random_settings(const SweepAxes& axes, std::int64_t count,
                                          std::uint64_t seed) {
  if (axes.all_offsets)
    refuse("--offsets all: not with --random; numbers are due, for example 0:3");
  if (count < 1 || count > kMostSettings) {
    refuse(fmt::format("--random {}: 1 to {} is due", count, kMostSettings));
  }
  const std::int64_t product = product_size(axes, 1);
  if (count > product) {
    refuse(fmt::format("--random {}: the axes have only {} settings: {}", count, product,
                       sizes_text(axes)));
  }
  // Floyd's choice of a subset.
  Draws draws(seed);
  std::unordered_set<std::uint64_t> chosen;
  for (auto top = static_cast<std::uint64_t>(product - count);
       top < static_cast<std::uint64_t>(product); ++top) {
    const std::uint64_t draw = draws.up_to(top);
    chosen.insert(chosen.count(draw) > 0 ? top : draw);
  }
  std::vector<std::uint64_t> indices(chosen.begin(), chosen.end());
  std::sort(indices.begin(), indices.end());
  const Bases all(axes);
  const auto each = static_cast<std::uint64_t>(variants(axes, SweepSetting{}, 1).size());
  std::vector<SweepSetting> settings;
  for (const std::uint64_t index : indices) {
    settings.push_back(variants(axes, all.at(index / each), 1)[index % each]);
  }
  return settings;
}

std::vector<SweepSetting> read_settings_file(const std::string& path) {
  std::istringstream text(read_small_file(path, kMostBytes));
  std::vector<SweepSetting> settings;
  std::map<std::string, std::int64_t> lines;
  std::int64_t number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      settings.push_back(parse_setting(line));
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("{}:{}: {}", path, number, error.what()));
    }
    const auto [there, is_new] = lines.emplace(setting_words(settings.back()), number);
    if (!is_new) {
      refuse(fmt::format("{}:{}: the setting of line {} once more: {}", path, number, there->second,
                         there->first));
    }
    if (settings.size() > static_cast<std::size_t>(kMostSettings)) {
      refuse(fmt::format("{}: more than {} settings", path, kMostSettings));
    }
  }
  if (settings.empty()) {
    refuse(fmt::format("{}: holds no setting; a line such as 'W=3 ref=21 scale=0.8' is due", path));
  }
  return settings;
}

}  // namespace lvsa::analysis
