#include "analysis/diagnose/step_render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lvsa::analysis {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostRuns = 40;

// Steps of one request that are off by the same number.
struct Run {
  const StepRow* first;
  const StepRow* last;
};

std::int64_t off_by(const StepRow& row) { return row.last_inferred - row.true_step; }

std::vector<Run> runs_of(const StepReport& report, bool each) {
  std::vector<Run> runs;
  for (const StepRow& row : report.rows) {
    const bool grows = !each && !runs.empty() && runs.back().last->request == row.request &&
                       runs.back().last->true_step + 1 == row.true_step &&
                       off_by(*runs.back().last) == off_by(row) &&
                       (runs.back().last->wrong_calls > 0) == (row.wrong_calls > 0) &&
                       runs.back().last->calls == row.calls;
    if (grows) {
      runs.back().last = &row;
    } else {
      runs.push_back({&row, &row});
    }
  }
  return runs;
}

std::string range(std::int64_t first, std::int64_t last) {
  return first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
}

std::string offsets(const Run& run, const StepSimulation& simulation, bool inferred) {
  constexpr std::int64_t kShown = 4;
  std::string text;
  const auto count = run.last - run.first + 1;
  for (std::ptrdiff_t i = 0; i < std::min<std::ptrdiff_t>(count, kShown); ++i) {
    const StepRow& row = run.first[i];
    text += fmt::format("{}{}", i > 0 ? " " : "",
                        simulation.offset(inferred ? row.last_inferred : row.true_step));
  }
  return text + (count > kShown ? " .." : "");
}

std::string run_line(const Run& run, const StepSimulation& simulation, bool has_offsets) {
  const bool wrong = run.first->wrong_calls > 0;
  std::string line = fmt::format("{:>7}  {:<11}{:>7}  {:<11}", run.first->request + 1,
                                 range(run.first->true_step, run.last->true_step), run.first->calls,
                                 range(run.first->last_inferred, run.last->last_inferred));
  if (has_offsets) {
    line += fmt::format("{:<15}{:<15}", offsets(run, simulation, false),
                        offsets(run, simulation, true));
  }
  return line + (wrong ? "wrong" : "right") + "\n";
}

std::string share(std::int64_t part, std::size_t whole) {
  if (whole == 0) return "none of 0";
  return fmt::format("{} of {} ({:.1f} %)", part, whole,
                     100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string interval_text(const StepSettings& settings, const StepRenderOptions& options) {
  if (!settings.interval) return "not known: --interval, --frames or --latent-frames says it";
  return fmt::format("{} latent frames{}", *settings.interval,
                     options.rotates ? ", rotating"
                                     : "; LVSA_ROTATE_KEYFRAMES is off, so offsets stay 0 and only "
                                       "what is logged by step is off");
}

}  // namespace

std::string steps_as_text(const StepReport& report, const StepSimulation& simulation,
                          const StepSettings& settings, const StepRenderOptions& options) {
  const bool has_offsets = settings.interval.has_value();
  std::string text = fmt::format(
      "{}\ncounter     LVSA {}: a step is {} blocks x {} passes\ntrue steps  {}\ninterval    "
      "{}\n\n",
      options.title, behaviour(settings.version).name,
      report.n_blocks ? std::to_string(*report.n_blocks) : "unknown", report.counted_passes,
      options.truth, interval_text(settings, options));
  text += fmt::format("request  true step    calls  inferred   {}\n",
                      has_offsets ? "true offset    inferred" : "");
  const std::vector<Run> runs = runs_of(report, options.all_rows);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!options.all_rows && i == kMostRuns) {
      text += fmt::format("    ... {} more lines; --all shows them\n", runs.size() - i);
      break;
    }
    text += run_line(runs[i], simulation, has_offsets);
  }
  text += fmt::format("\nwrong steps    {}\n", share(report.wrong_steps, report.rows.size()));
  if (has_offsets) {
    text += fmt::format("wrong offsets  {}{}\n", share(report.wrong_offsets, report.rows.size()),
                        options.rotates ? "" : ", if they rotated");
  }
  if (report.first_wrong_row >= 0) {
    const StepRow& row = report.rows[static_cast<std::size_t>(report.first_wrong_row)];
    text += fmt::format("first wrong    request {} step {} (call {}): inferred {}\n",
                        row.request + 1, row.true_step, report.first_wrong_call, row.last_inferred);
  }
  for (const Divergence& d : report.divergences) {
    text += fmt::format("{}: {}\n  mend: {}\n", name(d.kind), d.message, d.mend);
  }
  return text;
}

std::string steps_as_json(const StepReport& report, const StepSimulation& simulation,
                          const StepSettings& settings, const StepRenderOptions& options) {
  ordered_json json = {{"title", options.title},
                       {"lvsa", behaviour(settings.version).name},
                       {"true_steps", options.truth},
                       {"agrees", report.agrees()},
                       {"calls", report.calls},
                       {"n_blocks", nullptr},
                       {"counted_passes", report.counted_passes},
                       {"interval", nullptr},
                       {"rotates", options.rotates},
                       {"steps", report.rows.size()},
                       {"wrong_steps", report.wrong_steps},
                       {"wrong_offsets", nullptr},
                       {"first_wrong", nullptr}};
  if (report.n_blocks) json["n_blocks"] = *report.n_blocks;
  if (settings.interval) {
    json["interval"] = *settings.interval;
    json["wrong_offsets"] = report.wrong_offsets;
  }
  if (report.first_wrong_row >= 0) {
    const StepRow& row = report.rows[static_cast<std::size_t>(report.first_wrong_row)];
    json["first_wrong"] = {{"request", row.request},
                           {"step", row.true_step},
                           {"call", report.first_wrong_call},
                           {"inferred", row.last_inferred}};
  }
  json["divergences"] = ordered_json::array();
  for (const Divergence& d : report.divergences) {
    json["divergences"].push_back({{"kind", name(d.kind)},
                                   {"request", d.request},
                                   {"step", d.step},
                                   {"message", d.message},
                                   {"mend", d.mend}});
  }
  json["rows"] = ordered_json::array();
  for (const StepRow& row : report.rows) {
    ordered_json entry = {{"request", row.request},
                          {"true_step", row.true_step},
                          {"seq_len", row.seq_len},
                          {"calls", row.calls},
                          {"first_inferred", row.first_inferred},
                          {"inferred", row.last_inferred},
                          {"wrong_calls", row.wrong_calls}};
    if (settings.interval) {
      entry["true_offset"] = simulation.offset(row.true_step);
      entry["offset"] = simulation.offset(row.last_inferred);
    }
    json["rows"].push_back(std::move(entry));
  }
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace lvsa::analysis
