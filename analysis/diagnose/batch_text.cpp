#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analysis/diagnose/batch.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::array kVerdicts = {Verdict::kSparse,  Verdict::kDenseByDesign, Verdict::kFallback,
                                  Verdict::kMisread, Verdict::kMisconfigured, Verdict::kUnknown};
constexpr int kMostShown = 10;

std::int64_t count(const BatchSummary& summary, Verdict verdict) {
  return summary.by_verdict[static_cast<std::size_t>(verdict)];
}

}  // namespace

std::string batch_as_text(const BatchSummary& summary) {
  std::string text = fmt::format("{} calls, {} distinct\n", summary.rows, summary.distinct);
  for (const Verdict verdict : kVerdicts) {
    const std::int64_t calls = count(summary, verdict);
    if (calls == 0) continue;
    text += fmt::format("{:<16} {:>10}  {:>5.1f} %\n", name(verdict), calls,
                        100.0 * static_cast<double>(calls) / static_cast<double>(summary.rows));
    if (is_good(verdict)) continue;
    int shown = 0;
    for (const BatchGroup& group : summary.groups) {
      if (group.verdict != verdict) continue;
      if (shown++ == kMostShown) break;
      text += fmt::format("  {:>10} x  seq_len {} at T {}\n", group.calls, group.seq_len,
                          group.frames ? fmt::to_string(*group.frames) : "unknown");
    }
  }
  if (count(summary, Verdict::kSparse) + count(summary, Verdict::kDenseByDesign) < summary.rows) {
    text += "lvsa-verify geometry --seq-len N --latent-frames T says why, and what mends it\n";
  }
  return text;
}

nlohmann::ordered_json batch_as_json(const BatchSummary& summary) {
  nlohmann::ordered_json verdicts;
  for (const Verdict verdict : kVerdicts)
    verdicts[std::string(name(verdict))] = count(summary, verdict);
  nlohmann::ordered_json groups = nlohmann::ordered_json::array();
  for (const BatchGroup& group : summary.groups) {
    nlohmann::ordered_json frames = nullptr;
    if (group.frames) frames = *group.frames;
    groups.push_back({{"seq_len", group.seq_len},
                      {"T", frames},
                      {"calls", group.calls},
                      {"verdict", name(group.verdict)}});
  }
  return {{"rows", summary.rows},
          {"distinct", summary.distinct},
          {"verdicts", verdicts},
          {"groups", groups}};
}

}  // namespace lvsa::analysis
