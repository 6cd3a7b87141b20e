#include "analysis/diagnose/diagnosis_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "analysis/diagnose/evidence_text.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kShownReadings = 4;

void add(std::string& text, std::string_view label, std::string_view line) {
  text += fmt::format("{:<9}  {}\n", label, line);
}

void add_all(std::string& text, std::string_view label, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    add(text, label, line);
    label = "";
  }
}

std::string candidates_text(const PluginOutcome& plugin) {
  if (plugin.candidates.empty()) {
    return plugin.path == AttentionPath::kBackend || plugin.path == AttentionPath::kCosmos3Backend
               ? "no candidate for P: LVSA_PATCHES_PER_FRAME holds none"
               : "the hook takes P = seq_len / T and has no text";
  }
  std::vector<std::string> tried;
  for (const std::int64_t patches : plugin.candidates) {
    const bool fits = std::ranges::any_of(
        plugin.fits, [&](const FrameGrid& fit) { return fit.patches_per_frame == patches; });
    tried.push_back(fmt::format("{} ({})", patches, fits ? "fits" : "does not fit"));
  }
  return fmt::format("tried P = {}", fmt::join(tried, ", "));
}

void add_plugin(std::string& text, const PluginOutcome& plugin) {
  const std::string frames = plugin.frames ? fmt::format("T={}", *plugin.frames) : "T unknown";
  add(text, "plugin",
      plugin.grid
          ? fmt::format("engages on {} x P={} + {} text tokens ({})", frames,
                        plugin.grid->patches_per_frame, plugin.grid->text_tokens, name(plugin.path))
          : fmt::format("does not engage, {}: {} ({})", frames, name(*plugin.reason),
                        name(plugin.path)));
  add(text, "", candidates_text(plugin));
  if (!plugin.message.empty()) add(text, plugin.silenced ? "silenced" : "prints", plugin.message);
}

void add_readings(std::string& text, const std::vector<Reading>& readings) {
  std::string_view label = "readings";
  for (std::size_t i = 0; i < readings.size() && i < kShownReadings; ++i) {
    const Reading& reading = readings[i];
    if (i > 0 && reading.share < 0.001) break;
    add(text, label, fmt::format("{:>4.0f} %  {}", 100.0 * reading.share, brief(reading)));
    if (i == 0) {
      for (const std::string& line : reading.evidence)
        add(text, "", fmt::format("         - {}", line));
    }
    label = "";
  }
  if (readings.empty()) add(text, label, "none: nothing known has such a sequence");
}

void add_pattern(std::string& text, const Diagnosis& diagnosis) {
  if (!diagnosis.pattern) return;
  const PatternCost& cost = *diagnosis.pattern;
  const bool mended = !diagnosis.plugin.engages && diagnosis.fix.gives;
  add(text, mended ? "mended" : "pattern",
      fmt::format(
          "interval {}, {} anchors, window {} on each side; a frame attends {:.1f} of {} frames{}",
          cost.interval, cost.anchors, cost.window, cost.average_attended, cost.grid.frames,
          cost.budget > 0 ? fmt::format(" (budget {})", cost.budget) : ""));
  std::string price = fmt::format("token density {:.3f}: at most {:.2f}x over dense attention",
                                  cost.token_density, cost.speedup_bound);
  if (cost.measured_speedup) {
    price += fmt::format(", {:.2f}x with the plugin's per-frame loop (rates of one H200)",
                         *cost.measured_speedup);
  }
  add(text, "", price);
}

}  // namespace

std::string diagnosis_as_text(const Question& question, const Diagnosis& diagnosis) {
  std::string text;
  add(text, "verdict", fmt::format("{}  (seq_len {})", name(diagnosis.verdict), question.seq_len));
  add_all(text, "", diagnosis.reasons);
  if (!diagnosis.fix.lines.empty()) {
    add_all(text, "mend", diagnosis.fix.lines);
    add(text, "", fmt::format("tried again with this: {}", name(*diagnosis.fix.gives)));
  } else if (!is_good(diagnosis.verdict)) {
    add(text, "mend", diagnosis.fix.about);
  }
  add_plugin(text, diagnosis.plugin);
  add_readings(text, diagnosis.readings);
  add_pattern(text, diagnosis);
  add_all(text, "note", diagnosis.notes);
  return text;
}

}  // namespace lvsa::analysis
