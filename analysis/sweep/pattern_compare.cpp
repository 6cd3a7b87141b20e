#include "analysis/sweep/pattern_compare.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "analysis/sweep/pattern_rows.hpp"
#include "analysis/sweep/pattern_search.hpp"
#include "analysis/sweep/pattern_skip.hpp"
#include "analysis/sweep/sweep_patterns.hpp"
#include "analysis/sweep/sweep_plan.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostResults = 2'000'000;

CompareFigures no_figures() {
  CompareFigures figures;
  figures.metrics.fill(kNan);
  for (const FigureInfo& figure : compare_figures()) figure.place(figures) = kNan;
  return figures;
}

// Whether the words leave the knob free: some parameters exclude each other.
bool can_turn(const CompareRule& rule) {
  if (rule.knob.parameter.empty()) return false;
  const double middle = 0.5 * (rule.knob.sparsest + rule.knob.densest);
  try {
    rule.make(with_knob(rule, rule.knob.integer
                                  ? fmt::format("{}", static_cast<std::int64_t>(middle))
                                  : fmt::format("{:.5g}", middle)));
  } catch (const Error&) {
    return false;
  }
  return true;
}

std::vector<CompareEntry> entries_of(const std::vector<CompareRule>& rules,
                                     const std::vector<double>& densities) {
  std::vector<CompareEntry> entries;
  for (std::size_t r = 0; r < rules.size(); ++r) {
    if (densities.empty() || !can_turn(rules[r])) {
      entries.push_back({r, kNan});
      continue;
    }
    for (const double density : densities) entries.push_back({r, density});
  }
  return entries;
}

class Comparison {
 public:
  Comparison(const SampleSource& source, const CompareOptions& options)
      : source_(source), options_(options) {
    // What is wrong with the samples is what is wrong with a sweep's.
    const SweepPlan plan =
        plan_of_source(source, {}, options.rows.rows_per_frame, options.rows.seed);
    results_.grid = plan.grid;
    results_.head_dim = plan.head_dim;
    results_.samples = plan.samples;
    results_.sample_classes = plan.classes;
    results_.excluded = plan.excluded;
    results_.identity = plan.identity;
    results_.rows_per_frame = options.rows.rows_per_frame;
    results_.row_seed = options.rows.seed;
    results_.height = options.height;
    results_.width = options.width;
    results_.rules = options.rules;
    results_.entries = entries_of(options.rules, options.densities);
    for (const SampleId& id : results_.samples) heads_ = std::max(heads_, id.head + 1);
    results_.rates_source = options.rates.source(results_.head_dim, heads_, results_.grid);
    if (options.timer != nullptr) results_.time_source = options.timer->source();
    if (results_.entries.size() > kMostResults / results_.samples.size()) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{} patterns x {} samples: at most {} results are supported",
                              results_.entries.size(), results_.samples.size(), kMostResults));
    }
    const std::size_t count = results_.entries.size() * results_.samples.size();
    results_.values.assign(count, no_figures());
    results_.words.resize(count);
    results_.choices.resize(count);
    for (const CompareRule& rule : results_.rules) searches_.emplace_back(rule);
    tokens_ = choose_rows(results_.grid, options.rows);
  }

  CompareResults run(const std::function<void(std::size_t)>& done) {
    for (std::size_t i = 0; i < results_.samples.size(); ++i) {
      run_sample(i);
      if (done) done(i + 1);
    }
    return std::move(results_);
  }

 private:
  using Made = std::shared_ptr<const MadePatterns>;

  PatternInput input_of(const Sample& sample) const {
    PatternInput input;
    input.video = {results_.grid, results_.height, results_.width};
    input.q = sample.q;
    input.k = sample.k;
    input.v = sample.v;
    input.scale = sample.scale;
    input.head = sample.id.head;
    input.heads = heads_;
    input.layer = std::max<std::int64_t>(sample.id.layer, 0);
    input.step = std::max<std::int64_t>(sample.id.step, 0);
    return input;
  }

  std::vector<double> targets_of(std::size_t rule) const {
    std::vector<double> targets;
    for (const CompareEntry& entry : results_.entries) {
      if (entry.rule == rule) targets.push_back(entry.target);
    }
    return targets;
  }

  // [entries]; empty where the rule cannot be made. One rule a thread.
  std::vector<Made> make_all(const Sample& sample, std::size_t index) {
    const PatternInput input = input_of(sample);
    std::vector<std::vector<Made>> of_rule(results_.rules.size());
    std::vector<std::string> faults(results_.rules.size());
    const int threads = options_.threads > 0 ? options_.threads : omp_get_max_threads();
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (std::size_t r = 0; r < results_.rules.size(); ++r) {
      try {
        of_rule[r] = searches_[r].find(input, targets_of(r));
      } catch (const std::exception& error) {
        faults[r] = error.what();
        if (faults[r].empty()) faults[r] = "no reason given";
        // Only who calls can say them.
        if (results_.height == 0 && faults[r].find("height") != std::string::npos) {
          faults[r] += " (--grid HxW or --model says them)";
        }
      }
    }
    std::vector<Made> made;
    std::vector<std::size_t> next(results_.rules.size(), 0);
    for (std::size_t e = 0; e < results_.entries.size(); ++e) {
      const std::size_t r = results_.entries[e].rule;
      if (faults[r].empty()) {
        made.push_back(of_rule[r][next[r]++]);
        continue;
      }
      if (!options_.exclude) {
        throw Error(ErrorKind::kValue, fmt::format("pattern '{}' ({}): {}", results_.rules[r].words,
                                                   describe(sample.id), faults[r]));
      }
      made.push_back(nullptr);
      results_.failures.push_back({e, index, faults[r]});
    }
    return made;
  }

  void run_sample(std::size_t index) {
    const Sample sample = source_.load(index);
    const std::vector<Made> made = make_all(sample, index);
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
    rows.threads = options_.threads;
    const std::vector<MetricValues> values =
        evaluate_head_patterns(sample, patterns, tokens_, rows);
    if (options_.timer != nullptr) time_sample(sample, index, made);
    std::map<const HeadPattern*, SkipFigures> skips;
    for (const HeadPattern* pattern : patterns) {
      if (skips_blocks(*pattern)) {
        skips[pattern] = measure_skip(sample, *pattern, options_.threads);
      }
    }
    for (std::size_t e = 0; e < made.size(); ++e) {
      if (made[e]) fill(e, index, *made[e], place, values, skips);
    }
  }

  // Of a rotation the first pattern. Entries that share a pattern share its time.
  void time_sample(const Sample& sample, std::size_t index, const std::vector<Made>& made) {
    const PatternInput input = input_of(sample);
    options_.timer->take(sample);
    std::map<const HeadPattern*, MeasuredTime> known;
    for (std::size_t e = 0; e < made.size(); ++e) {
      if (!made[e]) continue;
      const HeadPattern& pattern = *made[e]->patterns.front();
      const std::string& words = made[e]->words;
      if (const auto at = known.find(&pattern); at != known.end()) {
        results_.values[results_.place(e, index)].measured = at->second;
        continue;
      }
      std::string reason = options_.timer->untimed_reason(pattern, words);
      MeasuredTime time;
      try {
        if (reason.empty()) {
          const auto rule = results_.rules[results_.entries[e].rule].make(words);
          time = options_.timer->time(pattern, {*rule, words}, input);
        }
      } catch (const Error& error) {
        reason = error.what();
      }
      if (!reason.empty()) results_.untimed.push_back({e, index, reason});
      results_.values[results_.place(e, index)].measured = known[&pattern] = time;
    }
  }

  void fill(std::size_t e, std::size_t index, const MadePatterns& made,
            const std::map<const HeadPattern*, std::size_t>& place,
            const std::vector<MetricValues>& values,
            const std::map<const HeadPattern*, SkipFigures>& skips) {
    const CompareEntry& entry = results_.entries[e];
    const std::size_t at = results_.place(e, index);
    CompareFigures& figures = results_.values[at];
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
    const std::string& rule = results_.rules[entry.rule].name;
    figures.time = predict_time({made.computed_density, made.prediction_flops, made.reordered},
                                options_.rates.of(rule, results_.head_dim, heads_, results_.grid),
                                results_.grid.seq_len(), results_.head_dim);
    results_.words[at] = made.words;
    results_.choices[at] = made.patterns.front()->choice;
  }

  const SampleSource& source_;
  const CompareOptions& options_;
  CompareResults results_;
  std::vector<PatternSearch> searches_;
  std::vector<std::int64_t> tokens_;
  std::int64_t heads_ = 1;
};

}  // namespace

CompareResults compare_patterns(const SampleSource& source, const CompareOptions& options,
                                const std::function<void(std::size_t)>& done) {
  return Comparison(source, options).run(done);
}

}  // namespace lvsa::analysis
