#include "analysis/sweep/setting.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <set>
#include <sstream>

#include "analysis/sweep/setting_limits.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"
#include "core/pattern/keyframe_interval.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kWords =
    "W, n_first, interval, ref, scale, budget, expand, rotate, offset";

[[noreturn]] void refuse(const std::string& word, std::string_view due) {
  throw Error(ErrorKind::kValue, fmt::format("setting '{}': {}", printable(word), due));
}

std::int64_t parse_count(const std::string& word, std::string_view value, std::int64_t least) {
  std::int64_t number = 0;
  const char* end = value.data() + value.size();
  const auto read = std::from_chars(value.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number < least || number > kMostSettingFrames) {
    refuse(word, fmt::format("an integer of {} to {} is due", least, kMostSettingFrames));
  }
  return number;
}

bool parse_switch(const std::string& word, std::string_view value) {
  if (value != "0" && value != "1") refuse(word, "0 or 1 is due");
  return value == "1";
}

double parse_scale(const std::string& word, std::string_view value) {
  double number = 0.0;
  const char* end = value.data() + value.size();
  const auto read = std::from_chars(value.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || !(number >= 0.0) || number > kMostSettingScale) {
    refuse(word, fmt::format("a number of 0 to {} is due", kMostSettingScale));
  }
  return number;
}

void set_word(SweepSetting& setting, const std::string& word, std::string_view name,
              std::string_view value) {
  if (name == "W") {
    setting.window = parse_count(word, value, 0);
  } else if (name == "n_first") {
    setting.n_first = parse_count(word, value, 0);
  } else if (name == "interval") {
    setting.interval.reset();
    if (value != "auto") setting.interval = parse_count(word, value, 0);
  } else if (name == "ref") {
    setting.reference = parse_count(word, value, 1);
  } else if (name == "scale") {
    setting.scale = parse_scale(word, value);
  } else if (name == "budget") {
    setting.budget = parse_count(word, value, 1);
  } else if (name == "expand") {
    setting.expand = parse_switch(word, value);
  } else if (name == "rotate") {
    setting.rotate = parse_switch(word, value);
  } else if (name == "offset") {
    setting.offset = parse_count(word, value, 0);
  } else {
    refuse(word, fmt::format("no such word; there are {}", kWords));
  }
}

}  // namespace

std::string setting_words(const SweepSetting& s) {
  const std::string interval = s.interval ? std::to_string(*s.interval) : "auto";
  const std::string density = s.budget ? fmt::format("budget={}", *s.budget)
                                       : fmt::format("ref={} scale={}", s.reference, s.scale);
  return fmt::format("W={} n_first={} interval={} {} expand={:d} rotate={:d} offset={}", s.window,
                     s.n_first, interval, density, s.expand, s.rotate, s.offset);
}

SweepSetting parse_setting(const std::string& words) {
  SweepSetting setting;
  std::set<std::string> seen;
  std::istringstream stream(words);
  for (std::string word; stream >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      refuse(word, fmt::format("NAME=VALUE is due, with one of {}", kWords));
    }
    const std::string name = word.substr(0, equals);
    set_word(setting, word, name, std::string_view(word).substr(equals + 1));
    if (!seen.insert(name).second) refuse(word, "this word stands twice");
  }
  if (seen.empty()) refuse(words, fmt::format("words are due: {}", kWords));
  if (setting.budget && (seen.count("ref") > 0 || seen.count("scale") > 0)) {
    refuse(words, "budget stands in place of ref and scale; leave it out, or them");
  }
  if (setting.rotate && setting.offset != 0) {
    refuse(words, "with rotate=1 all offsets are gone through; offset=0 is due");
  }
  return setting;
}

std::int64_t interval_in_force(const SweepSetting& setting, std::int64_t frames) {
  if (setting.interval) return *setting.interval;
  IntervalInputs inputs;
  inputs.frames = frames;
  inputs.window_frames = setting.window;
  inputs.n_first_frames = setting.n_first;
  inputs.reference_frames = setting.budget.value_or(setting.reference);
  inputs.sparsity_scale = setting.budget ? 1.0 : setting.scale;
  return keyframe_interval(inputs);
}

std::vector<PatternSpec> pattern_specs(const SweepSetting& setting, std::int64_t frames) {
  PatternSpec spec;
  spec.frames = frames;
  spec.window_frames = setting.window;
  spec.n_first_frames = setting.n_first;
  spec.interval = interval_in_force(setting, frames);
  spec.offset = setting.offset;
  spec.expand_window = setting.expand;
  if (!setting.rotate) return {spec};
  // An interval of T or more has one keyframe, which then goes through all T frames.
  const std::int64_t offsets = std::max<std::int64_t>(1, *spec.interval);
  if (offsets > kMostSettingFrames) {
    throw Error(ErrorKind::kValue,
                fmt::format("setting '{}': a rotation over {} offsets is too long",
                            setting_words(setting), offsets));
  }
  std::vector<PatternSpec> specs(static_cast<std::size_t>(offsets), spec);
  for (std::int64_t n = 0; n < offsets; ++n) specs[static_cast<std::size_t>(n)].offset = n;
  return specs;
}

}  // namespace lvsa::analysis
