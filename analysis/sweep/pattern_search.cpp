#include "analysis/sweep/pattern_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

namespace lvsa::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kNearEnough = 0.002;  // of the target
constexpr int kMostTries = 14;         // a target
constexpr double kMostScanned = 128;   // values of an integer knob that are all tried

bool is_static(const PatternRule& rule) { return !rule.needs_tensors() && !rule.depends_on_head(); }

using Pattern = std::shared_ptr<const HeadPattern>;

// The patterns of a rotation; empty for a rule that does not come back within the frames.
std::vector<Pattern> rotation(const PatternRule& rule, PatternInput input) {
  std::vector<Pattern> steps;
  const auto at = [&](std::int64_t step) -> const HeadPattern& {
    while (static_cast<std::int64_t>(steps.size()) <= step) {
      input.step = static_cast<std::int64_t>(steps.size());
      steps.push_back(std::make_shared<const HeadPattern>(rule.make(input)));
    }
    return *steps[static_cast<std::size_t>(step)];
  };
  for (std::int64_t period = 1; period <= std::max<std::int64_t>(input.video.grid.frames, 1);
       ++period) {
    bool repeats = true;
    for (std::int64_t i = 0; i < period && repeats; ++i) repeats = at(period + i) == at(i);
    if (!repeats) continue;
    steps.resize(static_cast<std::size_t>(period));
    return steps;
  }
  return {};
}

void fill_densities(MadePatterns& made) {
  for (const Pattern& pattern : made.patterns) {
    made.token_density += token_density(*pattern);
    made.block_density += block_density(pattern->map);
    made.computed_density += computed_density(pattern->map);
    made.reordered = made.reordered || (pattern->order && !pattern->order->is_identity());
  }
  const auto count = static_cast<double>(made.patterns.size());
  made.token_density /= count;
  made.block_density /= count;
  made.computed_density /= count;
}

}  // namespace

double computed_density(const BlockMap& map) {
  double pairs = 0.0;  // whole numbers, exact
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    std::int64_t keys = 0;
    for (const std::int32_t column : map.row(r)) keys += map.columns.size(column);
    pairs += static_cast<double>(keys) * static_cast<double>(map.rows.size(r));
  }
  return pairs /
         (static_cast<double>(map.rows.tokens()) * static_cast<double>(map.columns.tokens()));
}

MadePatterns make_patterns(const CompareRule& rule, const std::string& words,
                           const PatternInput& input) {
  const std::unique_ptr<PatternRule> made_rule = rule.make(words);
  MadePatterns made;
  made.words = words;
  made.knob = kNan;
  if (made_rule->depends_on_step() && is_static(*made_rule)) {
    made.patterns = rotation(*made_rule, input);
  }
  if (made.patterns.empty()) {
    made.patterns.push_back(std::make_shared<const HeadPattern>(made_rule->make(input)));
  }
  made.prediction_flops = made_rule->prediction_flops(input);
  fill_densities(made);
  return made;
}

std::string with_knob(const CompareRule& rule, const std::string& value) {
  const std::string key = std::string(rule.knob.parameter) + "=";
  std::istringstream in(rule.words);
  std::string words;
  for (std::string word; in >> word;) {
    if (word.starts_with(key)) continue;
    words += (words.empty() ? "" : " ") + word;
  }
  return words + " " + key + value;
}

std::vector<PatternSearch::Made> PatternSearch::find(const PatternInput& input,
                                                     const std::vector<double>& targets) {
  if (!kept_.empty() &&
      std::equal(targets.begin(), targets.end(), targets_.begin(), targets_.end(),
                 [](double a, double b) { return a == b || (a != a && b != b); })) {
    return kept_;
  }
  input_ = &input;
  targets_ = targets;
  nearest_.assign(targets.size(), nullptr);
  tried_.clear();
  known_.clear();
  const bool searched =
      std::any_of(targets.begin(), targets.end(), [](double t) { return t == t; });
  const bool scanned = searched && rule_.knob.integer && span() < kMostScanned;
  if (scanned) scan();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i] == targets[i]) {
      if (!scanned) narrow(targets[i]);
    } else {
      nearest_[i] = std::make_shared<const MadePatterns>(make_patterns(rule_, rule_.words, input));
    }
  }
  kept_.clear();
  const std::unique_ptr<PatternRule> rule = rule_.make(nearest_.front()->words);
  const bool rotates = std::any_of(nearest_.begin(), nearest_.end(),
                                   [](const Made& made) { return made->patterns.size() > 1; });
  if (is_static(*rule) && (!rule->depends_on_step() || rotates)) kept_ = nearest_;
  return nearest_;
}

double PatternSearch::miss(std::size_t target) const {
  return nearest_[target] ? std::fabs(nearest_[target]->token_density - targets_[target])
                          : std::numeric_limits<double>::infinity();
}

// Makes the patterns of a place, and keeps those that are nearer to a target than all before.
double PatternSearch::try_place(double place) {
  const DensityKnob& knob = rule_.knob;
  const double exact = knob.sparsest + place * (knob.densest - knob.sparsest);
  const std::string text =
      knob.integer ? fmt::format("{}", static_cast<std::int64_t>(std::floor(exact + 0.5)))
                   : fmt::format("{:.5g}", exact);
  const auto before = known_.find(text);
  if (before != known_.end()) return tried_[place] = before->second;
  MadePatterns fresh = make_patterns(rule_, with_knob(rule_, text), *input_);
  fresh.knob = std::stod(text);
  const auto made = std::make_shared<const MadePatterns>(std::move(fresh));
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (std::fabs(made->token_density - targets_[i]) < miss(i)) nearest_[i] = made;
  }
  known_[text] = made->token_density;
  return tried_[place] = made->token_density;
}

void PatternSearch::scan() {
  for (double i = 0.0; i <= span(); i += 1.0) try_place(span() > 0.0 ? i / span() : 0.0);
}

double PatternSearch::span() const { return std::fabs(rule_.knob.densest - rule_.knob.sparsest); }

// Where the line between the nearest places below and above meets the target, not too near to
// either. Ends that were not tried are taken as densities 0 and 1. Nothing when no integer is left.
std::optional<double> PatternSearch::next_place(double target) const {
  double low = 0.0, high = 1.0, below = 0.0, above = 1.0;
  bool tried_low = false, tried_high = false;
  for (const auto& [place, density] : tried_) {
    if (density <= target) {
      low = place;
      below = density;
      tried_low = true;
    } else {
      high = place;
      above = density;
      tried_high = true;
      break;
    }
  }
  const double share = above > below ? (target - below) / (above - below) : 0.5;
  const double place = low + std::clamp(share, 0.1, 0.9) * (high - low);
  if (!rule_.knob.integer) return place;
  const double first = std::round(low * span()) + (tried_low ? 1.0 : 0.0);
  const double last = std::round(high * span()) - (tried_high ? 1.0 : 0.0);
  if (first > last) return std::nullopt;
  return std::clamp(std::round(place * span()), first, last) / span();
}

void PatternSearch::narrow(double target) {
  const auto at = static_cast<std::size_t>(std::find(targets_.begin(), targets_.end(), target) -
                                           targets_.begin());
  const auto near = [&] { return miss(at) <= kNearEnough * target; };
  for (int i = 0; i < kMostTries && !near(); ++i) {
    // After a few tries on one side the end is worth a look.
    const bool all_below = std::all_of(tried_.begin(), tried_.end(),
                                       [&](const auto& t) { return t.second <= target; });
    const bool all_above =
        std::all_of(tried_.begin(), tried_.end(), [&](const auto& t) { return t.second > target; });
    if (i >= 2 && (all_below || all_above)) {
      const double end = all_below ? 1.0 : 0.0;
      if (tried_.contains(end)) return;  // out of reach
      try_place(end);
      continue;
    }
    const std::size_t known = known_.size();
    const std::optional<double> place = next_place(target);
    if (!place) return;
    try_place(*place);
    if (known_.size() == known) return;  // the knob's digits are used up
  }
}

}  // namespace lvsa::analysis
