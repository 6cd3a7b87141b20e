// Why an inferred step is not the true one.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "analysis/diagnose/step_simulation.hpp"

namespace lvsa::analysis {
namespace {

// The rows of one request, and what ran before it.
struct Generation {
  std::int64_t request = 0;
  std::vector<const StepRow*> rows;
  // Sequence length of the generation that ended just before; none while another is under way.
  std::optional<std::int64_t> length_before;
};

std::vector<Generation> split(const StepReport& report) {
  std::vector<Generation> generations;
  std::map<std::int64_t, std::size_t> at;
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    const StepRow& row = report.rows[i];
    const auto [found, is_new] = at.try_emplace(row.request, generations.size());
    if (is_new) {
      generations.push_back({row.request, {}, std::nullopt});
    }
    generations[found->second].rows.push_back(&row);
  }
  for (Generation& generation : generations) {
    const auto first = static_cast<std::size_t>(generation.rows.front() - report.rows.data());
    if (first == 0) continue;
    const StepRow& before = report.rows[first - 1];
    if (generations[at.at(before.request)].rows.back() == &before) {
      generation.length_before = before.seq_len;
    }
  }
  return generations;
}

bool is_wrong(const StepRow* row) { return row->wrong_calls > 0; }

class Explainer {
 public:
  Explainer(const StepReport& report, const StepSettings& settings, bool has_published_steps)
      : report_(report), settings_(settings), published_(has_published_steps) {
    // A batch shows as passes of one step in several rows; the counter sees them as one.
    counted_ = report.n_blocks.value_or(0) * report.counted_passes;
  }

  std::vector<Divergence> explain() {
    const std::vector<Generation> generations = split(report_);
    for (const Generation& generation : generations) {
      for (std::size_t i = 1; i < generation.rows.size(); ++i) {
        lanes_ = std::max<std::int64_t>(lanes_, generation.rows[i] - generation.rows[i - 1]);
      }
    }
    for (const Generation& generation : generations) explain_one(generation);
    return std::move(found_);
  }

 private:
  void explain_one(const Generation& generation) {
    const auto first_wrong = std::find_if(generation.rows.begin(), generation.rows.end(), is_wrong);
    if (first_wrong == generation.rows.end()) return;
    const std::size_t before = found_.size();
    const bool seen_any = !found_.empty();
    never_reset(generation);
    if (!reset(generation, **first_wrong)) {
      rate(generation, **first_wrong);
      lag(generation);
    }
    if (found_.size() > before || seen_any) return;
    add(DivergenceKind::kUnexplained, generation.request, (*first_wrong)->true_step,
        fmt::format("request {} step {}: inferred {}, and no known reason fits",
                    generation.request + 1, (*first_wrong)->true_step,
                    (*first_wrong)->last_inferred),
        "compare n_blocks and passes above with the model's");
  }

  // Each kind is named once, at the first request that shows it.
  void add(DivergenceKind kind, std::int64_t request, std::int64_t step, std::string message,
           std::string mend) {
    const bool known = std::any_of(found_.begin(), found_.end(),
                                   [kind](const Divergence& d) { return d.kind == kind; });
    if (!known) found_.push_back({kind, request, step, std::move(message), std::move(mend)});
  }

  std::string publish_hint() const {
    return published_ ? "the pipeline publishes its step: LVSA 1.3 takes it"
                      : "a pipeline that publishes its step (LVSA 1.3 takes it)";
  }

  void never_reset(const Generation& generation) {
    const StepRow& first = *generation.rows.front();
    if (generation.length_before != first.seq_len) return;
    if (first.first_inferred <= first.true_step) return;
    std::string effect;
    if (settings_.interval && *settings_.interval > 0) {
      const std::int64_t shift = first.first_inferred % *settings_.interval;
      effect = shift == 0
                   ? "; a multiple of the interval, so the offsets agree here"
                   : fmt::format("; keyframes are off by {} of {}", shift, *settings_.interval);
    }
    add(DivergenceKind::kNeverReset, generation.request, first.true_step,
        fmt::format("request {} starts at step {}: the count is never reset between generations "
                    "of equal seq_len ({}){}",
                    generation.request + 1, first.first_inferred, first.seq_len, effect),
        publish_hint() + ", or a restart of the worker between requests");
  }

  // True when another length in between set the count to zero.
  bool reset(const Generation& generation, const StepRow& wrong) {
    std::int64_t resets = 0;
    for (std::size_t i = 1; i < generation.rows.size(); ++i) {
      const StepRow& row = *generation.rows[i];
      // The rows stand in one array, so the one before it is what ran before it.
      const bool other_between = (generation.rows[i] - 1)->seq_len != row.seq_len;
      if (other_between && row.first_inferred == 0) ++resets;
    }
    if (resets == 0) return false;
    add(DivergenceKind::kReset, generation.request, wrong.true_step,
        fmt::format("request {}: calls of another seq_len in between set the count to 0, {} times",
                    generation.request + 1, resets),
        publish_hint() + ", or requests of one length at a time");
    return true;
  }

  std::string rate_reason(const StepRow& full) const {
    const std::int64_t layers = full.passes > 0 ? full.calls / full.passes : full.calls;
    if (lanes_ > 1) return fmt::format("{} requests alternate and all are counted", lanes_);
    if (report_.n_blocks && *report_.n_blocks != layers) {
      return fmt::format("it counts {} blocks, a pass has {}", *report_.n_blocks, layers);
    }
    if (settings_.cfg_parallel > 1 && full.passes < report_.counted_passes) {
      return fmt::format(
          "CFG-parallel {} leaves {} of {} passes to this rank, and LVSA {} counts "
          "as if it saw all",
          settings_.cfg_parallel, full.passes, report_.counted_passes,
          behaviour(settings_.version).name);
    }
    return fmt::format("it counts {} passes a step, this rank makes {}", report_.counted_passes,
                       full.passes);
  }

  void rate(const Generation& generation, const StepRow& wrong) {
    if (counted_ <= 0) return;
    const auto full =
        std::max_element(generation.rows.begin(), generation.rows.end(),
                         [](const StepRow* a, const StepRow* b) { return a->calls < b->calls; });
    const std::int64_t made = (*full)->calls * lanes_;
    if (made == counted_) return;
    const std::int64_t common = std::gcd(made, counted_);
    const std::string rate =
        made * 2 == counted_ ? "half rate"
                             : fmt::format("{}/{} of the rate", made / common, counted_ / common);
    add(DivergenceKind::kRate, generation.request, wrong.true_step,
        fmt::format("{}: a step makes {} calls here and {} are counted for one: {}",
                    made > counted_ && made % counted_ == 0
                        ? fmt::format("{} times the rate", made / counted_)
                        : rate,
                    made, counted_, rate_reason(**full)),
        rate_mend(**full));
  }

  std::string rate_mend(const StepRow& full) const {
    const std::int64_t layers = full.passes > 0 ? full.calls / full.passes : full.calls;
    if (lanes_ > 1) return publish_hint() + ", or one request at a time";
    if (report_.n_blocks && *report_.n_blocks != layers) {
      return fmt::format("LVSA_N_BLOCKS={}", layers);
    }
    const bool divides = behaviour(settings_.version).divides_cfg_passes;
    return fmt::format("LVSA_CFG_PASSES={}",
                       divides ? full.passes * settings_.cfg_parallel : full.passes);
  }

  void lag(const Generation& generation) {
    constexpr std::size_t kShown = 12;
    std::vector<std::int64_t> skipped;  // the first ones
    std::int64_t count = 0;
    const auto skip = [&](std::int64_t step, std::int64_t steps) {
      count += steps;
      for (std::int64_t i = 0; i < steps && skipped.size() < kShown; ++i) {
        skipped.push_back(step + i);
      }
    };
    std::int64_t expected = generation.rows.front()->true_step;
    for (const StepRow* row : generation.rows) {
      if (row->true_step > expected) skip(expected, row->true_step - expected);  // no call at all
      expected = row->true_step + 1;
      const bool is_last = row == generation.rows.back();
      if (row->calls < report_.calls_a_step && !is_last) skip(row->true_step, 1);
    }
    if (skipped.empty()) return;
    const StepRow& first = *generation.rows.front();
    const StepRow& last = *generation.rows.back();
    const std::int64_t base = first.first_inferred - first.true_step;
    const std::int64_t behind = last.true_step + base - last.last_inferred;
    if (behind <= 0) return;
    const auto wrong = std::count_if(generation.rows.begin(), generation.rows.end(), is_wrong);
    add(DivergenceKind::kLag, generation.request, skipped.front(),
        fmt::format("lags by {} at step {} after skipped passes: {} steps made fewer calls ({}{}); "
                    "{} steps are wrong",
                    behind, last.true_step, count, fmt::join(skipped, " "),
                    count > static_cast<std::int64_t>(skipped.size()) ? " ..." : "", wrong),
        publish_hint() + ", or no cache with rotating keyframes");
  }

  const StepReport& report_;
  const StepSettings& settings_;
  bool published_;
  std::int64_t counted_ = 0;
  std::int64_t lanes_ = 1;  // requests whose steps alternate
  std::vector<Divergence> found_;
};

}  // namespace

std::string_view name(DivergenceKind kind) {
  switch (kind) {
    case DivergenceKind::kNeverReset:
      return "never-reset";
    case DivergenceKind::kRate:
      return "rate";
    case DivergenceKind::kLag:
      return "lag";
    case DivergenceKind::kReset:
      return "reset";
    case DivergenceKind::kUnexplained:
      break;
  }
  return "unexplained";
}

std::vector<Divergence> explain_steps(const StepReport& report, const StepSettings& settings,
                                      bool has_published_steps) {
  return Explainer(report, settings, has_published_steps).explain();
}

}  // namespace lvsa::analysis
