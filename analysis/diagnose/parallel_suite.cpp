#include "analysis/diagnose/parallel_suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace lvsa::analysis {
namespace {

using reference::MergeForm;
using reference::ParallelDefect;

PatternSpec dense_pattern(std::int64_t frames) {
  PatternSpec spec;
  spec.frames = frames;
  spec.interval = 1;
  return spec;
}

PatternSpec lvsa_pattern(std::int64_t frames, std::int64_t window) {
  PatternSpec spec;
  spec.frames = frames;
  spec.window_frames = window;
  spec.n_first_frames = window > 0 ? 1 : 0;
  spec.interval = 4;
  spec.offset = 1;
  return spec;
}

ParallelShape shape_of(FrameGrid grid, reference::HeadCounts heads, const PatternSpec& pattern) {
  ParallelShape shape;
  shape.grid = grid;
  shape.heads = heads;
  shape.pattern = pattern;
  return shape;
}

// The parts of a tensor that a data set depends on; worlds share data where they can.
std::string key_of(const ParallelShape& s) {
  return fmt::format("{} {} {} {} {} {} {} {} {} {}", s.grid.frames, s.grid.patches_per_frame,
                     s.grid.text_tokens, s.heads.query, s.heads.key_value, s.head_dim,
                     s.pattern.window_frames, s.pattern.n_first_frames,
                     s.pattern.interval.value_or(0), s.pattern.offset);
}

class DataSets {
 public:
  const ParallelData& of(const ParallelShape& shape) {
    const std::string key = key_of(shape);
    const auto found = sets_.find(key);
    if (found != sets_.end()) return found->second;
    return sets_.emplace(key, make_parallel_data(shape)).first->second;
  }

 private:
  std::map<std::string, ParallelData> sets_;
};

ParallelVerdict judge(const ParallelCase& c, DataSets& sets, ParallelDefect defect) {
  const ParallelData& data = sets.of(c.shape);
  if (c.custom) return check_custom(data, c.run.world.size(), defect).own;
  ParallelRun run = c.run;
  run.defect = defect;
  return check_exact(data, run);
}

ParallelCase make_case(std::string name, const ParallelShape& shape, std::int64_t ulysses,
                       std::int64_t ring) {
  ParallelCase c;
  c.name = std::move(name);
  c.shape = shape;
  c.run.world = {ulysses, ring};
  return c;
}

}  // namespace

std::string ParallelCase::line() const {
  return fmt::format("{} U={} R={} T={} P={} text={} H={} Hkv={}{}{}", name, run.world.ulysses,
                     run.world.ring, shape.grid.frames, shape.grid.patches_per_frame,
                     shape.grid.text_tokens, shape.heads.query, shape.heads.key_value,
                     run.merge == MergeForm::kPublished ? " merge=published" : "",
                     run.merges_in_fp32 ? " fp32" : "");
}

std::vector<ParallelCase> parallel_cases(std::int64_t u, std::int64_t r) {
  std::vector<ParallelCase> cases;
  // T a multiple of R and P one of U, as the published modes ask for.
  const FrameGrid even{2 * r, u, 0};
  const FrameGrid even_text{2 * r, u, 5};
  const FrameGrid odd{9, 11, 0};
  const FrameGrid odd_text{9, 11, 3};
  cases.push_back(make_case("dense", shape_of(even, {u, u}, dense_pattern(2 * r)), u, r));
  cases.back().run.merge = MergeForm::kPublished;
  cases.push_back(make_case("lvsa", shape_of(even, {u, u}, lvsa_pattern(2 * r, 1)), u, r));
  cases.back().run.merge = MergeForm::kPublished;
  cases.push_back(
      make_case("groups-text", shape_of(even_text, {2 * u, u}, lvsa_pattern(2 * r, 1)), u, r));
  cases.push_back(make_case("fp32", shape_of(even_text, {2 * u, u}, lvsa_pattern(2 * r, 1)), u, r));
  cases.back().run.merge = MergeForm::kPublished;
  cases.back().run.merges_in_fp32 = true;
  cases.push_back(make_case("odd-dense", shape_of(odd, {6, 3}, dense_pattern(9)), u, r));
  cases.push_back(make_case("odd-lvsa", shape_of(odd_text, {6, 3}, lvsa_pattern(9, 1)), u, r));
  cases.push_back(make_case("no-window", shape_of(odd, {6, 3}, lvsa_pattern(9, 0)), u, r));
  for (std::size_t i = 4; i < cases.size(); ++i) cases[i].run.pads_heads = true;
  return cases;
}

std::vector<ParallelCase> custom_cases(std::int64_t world) {
  std::vector<ParallelCase> cases;
  cases.push_back(
      make_case("custom-inside", shape_of({13, world, 0}, {2, 1}, lvsa_pattern(13, 2)), 1, world));
  cases.push_back(make_case(
      "custom-text", shape_of({2 * world, 3, 4}, {2, 2}, lvsa_pattern(2 * world, 1)), 1, world));
  for (ParallelCase& c : cases) c.custom = true;
  return cases;
}

std::vector<ParallelCaseResult> run_parallel_suite(
    std::int64_t most_ulysses, std::int64_t most_ring,
    const std::function<void(std::int64_t, std::int64_t)>& done) {
  std::vector<ParallelCaseResult> results;
  DataSets sets;
  for (std::int64_t u = 1; u <= most_ulysses; ++u) {
    for (std::int64_t r = 1; r <= most_ring; ++r) {
      for (const ParallelCase& c : parallel_cases(u, r)) {
        results.push_back({c, judge(c, sets, ParallelDefect::kNone)});
      }
      if (done) done(u, r);
    }
  }
  for (std::int64_t world = 1; world <= std::max(most_ulysses, most_ring); ++world) {
    for (const ParallelCase& c : custom_cases(world)) {
      results.push_back({c, judge(c, sets, ParallelDefect::kNone)});
    }
  }
  return results;
}

std::int64_t ParallelDefectReport::killed() const {
  return std::ranges::count_if(defects, [](const auto& line) { return !line.by.empty(); });
}

bool ParallelDefectReport::good() const {
  return healthy_accused_by.empty() && killed() == static_cast<std::int64_t>(defects.size());
}

ParallelDefectReport run_parallel_defects() {
  std::vector<ParallelCase> cases;
  for (const auto& [u, r] : {std::pair{1, 3}, {1, 4}, {2, 1}, {2, 2}, {3, 2}, {4, 1}}) {
    for (ParallelCase& c : parallel_cases(u, r)) {
      if (!c.run.merges_in_fp32) cases.push_back(std::move(c));
    }
  }
  // Real counts of heads: 28 on 7 over two ranks are padded to 32 on 8.
  cases.push_back(make_case("heads-28-7", shape_of({4, 3, 0}, {28, 7}, lvsa_pattern(4, 1)), 2, 1));
  cases.back().run.pads_heads = true;
  for (ParallelCase& c : custom_cases(3)) cases.push_back(std::move(c));

  DataSets sets;
  const auto failed = [&](ParallelDefect defect) {
    std::vector<std::string> names;
    for (const ParallelCheckInfo& info : parallel_checks()) {
      names.emplace_back(info.name);
    }
    std::vector<std::string> found;
    for (const ParallelCase& c : cases) {
      for (const NamedCheck& check : judge(c, sets, defect).checks) {
        if (check.state == CheckState::kFails) found.push_back(check.name);
      }
    }
    std::erase_if(names, [&](const std::string& name) {
      return std::ranges::find(found, name) == found.end();
    });
    return names;
  };
  ParallelDefectReport report;
  report.healthy_accused_by = failed(ParallelDefect::kNone);
  for (const auto& info : reference::all_parallel_defects()) {
    report.defects.push_back({info.name, info.description, failed(info.defect)});
  }
  return report;
}

}  // namespace lvsa::analysis
