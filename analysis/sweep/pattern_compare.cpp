#include "analysis/sweep/pattern_compare.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "analysis/sweep/pattern_compare_units.hpp"
#include "analysis/sweep/pattern_rows.hpp"
#include "analysis/sweep/pattern_search.hpp"
#include "analysis/sweep/pattern_skip.hpp"
#include "analysis/sweep/sweep_patterns.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

struct CompareWorker::Parts {
  using Made = std::shared_ptr<const MadePatterns>;

  const SampleSource& source;
  const ComparePlan& plan;
  const CompareOptions& options;
  std::vector<PatternSearch> searches;
  std::vector<std::int64_t> tokens;
  std::int64_t heads = 1;

  Parts(const SampleSource& from, const ComparePlan& what, const CompareOptions& how)
      : source(from), plan(what), options(how) {
    for (const CompareRule& rule : options.rules) searches.emplace_back(rule);
    tokens = choose_rows(plan.base.grid, options.rows);
    heads = head_count(plan.base.samples);
  }

  PatternInput input_of(const Sample& sample) const {
    PatternInput input;
    input.video = {plan.base.grid, plan.height, plan.width};
    input.q = sample.q;
    input.k = sample.k;
    input.v = sample.v;
    input.scale = sample.scale;
    input.head = sample.id.head;
    input.heads = heads;
    input.layer = std::max<std::int64_t>(sample.id.layer, 0);
    input.step = std::max<std::int64_t>(sample.id.step, 0);
    return input;
  }

  std::vector<double> targets_of(std::size_t rule) const {
    std::vector<double> targets;
    for (const CompareEntry& entry : plan.entries) {
      if (entry.rule == rule) targets.push_back(entry.target);
    }
    return targets;
  }

  // [entries]; empty where the rule cannot be made. One rule a thread.
  std::vector<Made> make_all(const Sample& sample, CompareUnit& unit) {
    const PatternInput input = input_of(sample);
    std::vector<std::vector<Made>> of_rule(searches.size());
    std::vector<std::string> faults(searches.size());
    const int threads = options.threads > 0 ? options.threads : omp_get_max_threads();
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (std::size_t r = 0; r < searches.size(); ++r) {
      try {
        of_rule[r] = searches[r].find(input, targets_of(r));
      } catch (const std::exception& error) {
        faults[r] = error.what();
        if (faults[r].empty()) faults[r] = "no reason given";
        // Only who calls can say them.
        if (plan.height == 0 && faults[r].find("height") != std::string::npos) {
          faults[r] += " (--grid HxW or --model says them)";
        }
      }
    }
    std::vector<Made> made;
    std::vector<std::size_t> next(searches.size(), 0);
    for (std::size_t e = 0; e < plan.entries.size(); ++e) {
      const std::size_t r = plan.entries[e].rule;
      if (faults[r].empty()) {
        made.push_back(of_rule[r][next[r]++]);
        continue;
      }
      if (!options.exclude) {
        throw Error(ErrorKind::kValue, fmt::format("pattern '{}' ({}): {}", options.rules[r].words,
                                                   describe(sample.id), faults[r]));
      }
      made.push_back(nullptr);
      unit.failures[e] = faults[r];
    }
    return made;
  }

  CompareUnit compute(std::size_t index) {
    const Sample sample = source.load(index);
    CompareUnit unit(plan.entries.size());
    const std::vector<Made> made = make_all(sample, unit);
    // Entries may share a pattern; each is evaluated once.
    std::map<const HeadPattern*, std::size_t> place;
    std::vector<const HeadPattern*> patterns;
    for (const Made& one : made) {
      if (!one) continue;
      for (const auto& pattern : one->patterns) {
        if (place.emplace(pattern.get(), patterns.size()).second) patterns.push_back(pattern.get());
      }
    }
    PatternRowsOptions rows;
    rows.threads = options.threads;
    const std::vector<MetricValues> values = evaluate_head_patterns(sample, patterns, tokens, rows);
    if (options.timer != nullptr) time_sample(sample, made, unit);
    std::map<const HeadPattern*, SkipFigures> skips;
    for (const HeadPattern* pattern : patterns) {
      if (skips_blocks(*pattern)) {
        skips[pattern] = measure_skip(sample, *pattern, options.threads);
      }
    }
    for (std::size_t e = 0; e < made.size(); ++e) {
      if (made[e]) fill(e, *made[e], place, values, skips, unit);
    }
    return unit;
  }

  // Of a rotation the first pattern. Entries that share a pattern share its time.
  void time_sample(const Sample& sample, const std::vector<Made>& made, CompareUnit& unit) {
    options.timer->take(input_of(sample));
    std::map<const HeadPattern*, TimedPattern> known;
    for (std::size_t e = 0; e < made.size(); ++e) {
      if (!made[e]) continue;
      const HeadPattern& pattern = *made[e]->patterns.front();
      if (known.find(&pattern) == known.end()) {
        known[&pattern] = options.timer->measure(pattern, made[e]->words);
      }
      const TimedPattern& timed = known[&pattern];
      unit.values[e].measured = timed.time;
      unit.untimed[e] = timed.untimed;
      unit.lost[e] = timed.lost;
    }
  }

  void fill(std::size_t e, const MadePatterns& made,
            const std::map<const HeadPattern*, std::size_t>& place,
            const std::vector<MetricValues>& values,
            const std::map<const HeadPattern*, SkipFigures>& skips, CompareUnit& unit) const {
    const CompareEntry& entry = plan.entries[e];
    const FrameGrid& grid = plan.base.grid;
    CompareFigures& figures = unit.values[e];
    for (std::size_t m = 0; m < kMetricCount; ++m) {
      MetricPool pool(static_cast<Metric>(m));
      for (const auto& pattern : made.patterns) pool.add(values[place.at(pattern.get())][m]);
      figures.metrics[m] = pool.value();
    }
    figures.token_density = made.token_density;
    figures.density_distance = std::fabs(made.token_density - entry.target);
    figures.block_density = made.block_density;
    figures.computed_density = made.computed_density;
    const auto skip = skips.find(made.patterns.front().get());
    figures.skip_density = skip == skips.end() ? kNan : made.token_density * skip->second.left;
    figures.skip_mass = skip == skips.end() ? kNan : skip->second.mass;
    figures.knob = made.knob;
    figures.patterns = static_cast<double>(made.patterns.size());
    const PatternRates rates =
        options.rates.of(plan.rules[entry.rule].name, plan.base.head_dim, heads, grid);
    figures.time = predict_time({made.computed_density, made.prediction_flops, made.reordered},
                                rates, grid.seq_len(), plan.base.head_dim);
    unit.words[e] = made.words;
    unit.choices[e] = made.patterns.front()->choice;
  }
};

CompareWorker::CompareWorker(const SampleSource& source, const ComparePlan& plan,
                             const CompareOptions& options)
    : parts_(std::make_unique<Parts>(source, plan, options)) {}

CompareWorker::~CompareWorker() = default;

CompareUnit CompareWorker::compute(std::int64_t unit) {
  return parts_->compute(static_cast<std::size_t>(unit) - 1);
}

CompareResults compare_patterns(const SampleSource& source, const CompareOptions& options,
                                const std::function<void(std::size_t)>& done) {
  const ComparePlan plan = plan_of_comparison(source, options);
  CompareWorker worker(source, plan, options);
  return finish_comparison(plan, [&](std::int64_t unit) {
    CompareUnit made = worker.compute(unit);
    if (done) done(static_cast<std::size_t>(unit));
    return made;
  });
}

}  // namespace lvsa::analysis
