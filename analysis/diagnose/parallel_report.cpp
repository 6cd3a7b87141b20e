#include "analysis/diagnose/parallel_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace lvsa::analysis {
namespace {

using reference::TokenRange;

constexpr std::int64_t kMostLines = 64;

std::string range_text(const TokenRange& range) {
  if (range.begin >= range.end) return "none";
  if (range.end == range.begin + 1) return fmt::format("{}", range.begin);
  return fmt::format("{}-{}", range.begin, range.end - 1);
}

std::string partial_text(const std::vector<PartialFrame>& partial) {
  std::string text;
  for (const PartialFrame& frame : partial) {
    text += fmt::format("{}{}[{}]", text.empty() ? "" : " ", frame.frame, range_text(frame.tokens));
  }
  return text.empty() ? "-" : text;
}

std::string near_text(const NearLength& near) {
  return fmt::format("T = {} ({} video frames, {} tokens)", near.latent_frames, near.video_frames,
                     near.video_tokens);
}

std::string table(const ParallelLayout& layout) {
  std::string text =
      fmt::format("{:>4} {:>3} {:>3} {:>3} {:>3}  {:<17} {:<9} {:<24} {:<17} {:<9} {}\n", "rank",
                  "tp", "u", "g", "cfg", "owns tokens", "frames", "frames in part [tokens]",
                  "computes rows", "heads", "kv heads");
  std::int64_t lines = 0;
  for (const RankShare& share : layout.ranks) {
    if (lines++ == kMostLines) {
      text += fmt::format("... {} more ranks: --json has all\n",
                          static_cast<std::int64_t>(layout.ranks.size()) - kMostLines);
      break;
    }
    const bool frames = share.first_frame >= 0;
    std::string heads = range_text(share.heads);
    if (share.padded_heads > 0) heads += fmt::format("+{} zero", share.padded_heads);
    text += fmt::format(
        "{:>4} {:>3} {:>3} {:>3} {:>3}  {:<17} {:<9} {:<24} {:<17} {:<9} {}\n", share.rank,
        share.tp, share.ulysses, share.ring, share.cfg,
        range_text(share.owns) +
            (share.padding_tokens > 0 ? fmt::format("+{} pad", share.padding_tokens) : ""),
        frames ? range_text({share.first_frame, share.last_frame + 1}) : "-",
        partial_text(share.partial), range_text(share.rows), heads, range_text(share.kv_heads));
  }
  return text;
}

std::string divisibility_text(const ParallelLayout& layout) {
  const Divisibility& d = layout.divisibility;
  const ParallelQuestion& q = layout.question;
  std::string text = fmt::format("tokens: {} / {} ranks: {}\n", q.video_tokens(), q.world.size(),
                                 d.tokens ? fmt::format("{} each", d.chunk)
                                          : fmt::format("does not divide, padding {}", d.padding));
  if (d.tokens) return text;
  if (d.below) text += fmt::format("  works below: {}\n", near_text(*d.below));
  if (d.above) text += fmt::format("  works above: {}\n", near_text(*d.above));
  const PaddingBias& bias = layout.bias;
  text += fmt::format(
      "  unmasked padding multiplies outputs by Z / (Z + pad * exp(-m)): {:.6f} with equal scores, "
      "{:.6f} with scores of deviation 1, {:.3g} with all scores at -10\n",
      bias.uniform, bias.normal, bias.low);
  return text;
}

}  // namespace

std::string layout_picture(const ParallelLayout& layout) {
  const ParallelQuestion& q = layout.question;
  if (!q.knows_frames() || q.grid.frames > 100 || q.world.size() > 16) return "";
  const std::int64_t patches = q.grid.patches_per_frame;
  std::string text = fmt::format("{:<9}", "frame");
  for (std::int64_t f = 0; f < q.grid.frames; ++f) text += static_cast<char>('0' + f % 10);
  text += "   # owns, + owns in part, - computes too\n";
  for (const RankShare& share : layout.ranks) {
    if (share.tp != 0 || share.cfg != 0) continue;
    text += fmt::format("u{:<2} g{:<2}  ", share.ulysses, share.ring);
    for (std::int64_t f = 0; f < q.grid.frames; ++f) {
      const auto overlap = [&](const TokenRange& range) {
        return std::min(range.end, (f + 1) * patches) - std::max(range.begin, f * patches);
      };
      const std::int64_t owned = overlap(share.owns);
      text += owned >= patches ? '#' : owned > 0 ? '+' : overlap(share.rows) > 0 ? '-' : '.';
    }
    text += fmt::format("   heads {}\n", range_text(share.heads));
  }
  return text;
}

std::string layout_as_text(const ParallelLayout& layout, const std::vector<PathAnswer>& answers) {
  const ParallelQuestion& q = layout.question;
  std::string text = fmt::format("{} ranks: tp {} x ulysses {} x ring {} x cfg {}\n", q.ranks(),
                                 q.tp, q.world.ulysses, q.world.ring, q.cfg);
  for (const PathAnswer& answer : answers) {
    const char* not_there = answer.path == "backend" ? "falls back to dense" : "steps aside";
    text += fmt::format("{}: LVSA {}: {}\n", answer.path, answer.engages ? "engages" : not_there,
                        answer.why);
    if (!answer.message.empty()) text += fmt::format("  prints: {}\n", answer.message);
    if (!answer.note.empty()) text += fmt::format("  note: {}\n", answer.note);
    if (answer.delegate_engages) {
      text += fmt::format("  the layer's own backend, if it is LVSA's: {}\n",
                          *answer.delegate_engages ? "engages" : "runs dense");
    }
  }
  for (const std::string& problem : layout.problems) text += fmt::format("problem: {}\n", problem);
  text += divisibility_text(layout);
  text += fmt::format("heads: {} on {}, ulysses degrees that divide: {}\n", q.heads.query,
                      q.heads.key_value, fmt::join(layout.heads.ulysses_that_divide, ", "));
  for (const StandaloneMode& mode : layout.standalone) {
    text += fmt::format("standalone, mode {}: {}{}\n", mode.name,
                        mode.available ? "" : "not available: ", mode.note);
  }
  text += "\n" + table(layout);
  if (q.grid.text_tokens > 0) {
    text += fmt::format(
        "text: {} tokens whole on every rank, after the all-to-all the heads of the "
        "rank; its keys count in one ring step\n",
        q.grid.text_tokens);
  }
  const std::string picture = layout_picture(layout);
  return picture.empty() ? text : text + "\n" + picture;
}

std::string computation_as_text(const ParallelComputation& c) {
  const FrameGrid& grid = c.shape.grid;
  std::string text = fmt::format(
      "computed at T = {}, P = {}, {} text tokens, {} heads on {}: largest difference from one "
      "rank\n"
      "  video {:.3g}, text {:.3g}, lse {:.3g}; at most {:.3g} is due\n",
      grid.frames, grid.patches_per_frame, grid.text_tokens, c.shape.heads.query,
      c.shape.heads.key_value, c.exact.video, c.exact.text, c.exact.lse, c.exact.tolerance);
  for (const NamedCheck& check : c.exact.checks) {
    text += fmt::format("  {:<12} {}\n", check.name,
                        check.state == CheckState::kHolds ? "holds" : "FAILS: " + check.message);
  }
  if (c.unmasked) {
    text += fmt::format(
        "  padded keys, {} of them, masked above; not masked: video {:.3g}, text {:.3g} from one "
        "rank\n",
        c.unmasked->padding_tokens, c.unmasked->video, c.unmasked->text);
  }
  if (!c.custom) return text;
  const CustomVerdict& custom = *c.custom;
  const auto share = [&](std::int64_t pairs) {
    return 100.0 * static_cast<double>(pairs) /
           static_cast<double>(std::max<std::int64_t>(custom.pairs, 1));
  };
  text += fmt::format(
      "standalone mode custom, {} guard frames: {:.1f} % of the attended pairs lost at the seams, "
      "{:.1f} % more; output {:.3g} apart at most, {:.3g} in the root mean square (relative)\n",
      custom.guards.size(), share(custom.removed), share(custom.added), custom.largest_difference,
      custom.relative_rms);
  for (const NamedCheck& check : custom.own.checks) {
    if (check.state != CheckState::kFails) continue;
    text += fmt::format("  custom: {} FAILS: {}\n", check.name, check.message);
  }
  return text;
}

std::string suite_as_text(const std::vector<ParallelCaseResult>& results) {
  std::map<std::pair<std::int64_t, std::int64_t>, double> worst;
  double fp32 = 0.0;
  double custom = 0.0;
  std::int64_t failed = 0;
  std::string failures;
  std::int64_t most_u = 1;
  std::int64_t most_r = 1;
  for (const auto& [subject, verdict] : results) {
    if (!verdict.good()) {
      ++failed;
      for (const NamedCheck& check : verdict.checks) {
        if (check.state != CheckState::kFails) continue;
        failures += fmt::format("FAILS {}: {}: {}\n", subject.line(), check.name, check.message);
      }
    }
    const auto& world = subject.run.world;
    if (subject.custom) {
      custom = std::max(custom, verdict.worst());
    } else if (subject.run.merges_in_fp32) {
      fp32 = std::max(fp32, verdict.worst());
    } else {
      double& here = worst[{world.ulysses, world.ring}];
      here = std::max(here, verdict.worst());
      most_u = std::max(most_u, world.ulysses);
      most_r = std::max(most_r, world.ring);
    }
  }
  std::string text = "largest difference from one rank, fp64; ulysses down, ring across\n    ";
  for (std::int64_t r = 1; r <= most_r; ++r) text += fmt::format(" {:>8}", r);
  for (std::int64_t u = 1; u <= most_u; ++u) {
    text += fmt::format("\n{:>4}", u);
    for (std::int64_t r = 1; r <= most_r; ++r) text += fmt::format(" {:>8.1e}", worst[{u, r}]);
  }
  text += fmt::format("\nmerged in fp32: {:.1e}; mode custom against its own set: {:.1e}\n", fp32,
                      custom);
  return text + failures +
         fmt::format("{} passed, {} failed\n", static_cast<std::int64_t>(results.size()) - failed,
                     failed);
}

std::string defects_as_text(const ParallelDefectReport& report) {
  const auto checks = parallel_checks();
  std::string text;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    text += fmt::format("{:>2} {:<12} {}\n", i + 1, checks[i].name, checks[i].description);
  }
  const auto line = [&](std::string_view name, const std::vector<std::string>& by,
                        std::string_view note) {
    text += fmt::format("{:<24}", name);
    for (const ParallelCheckInfo& check : checks) {
      text += std::ranges::find(by, check.name) == by.end() ? "  ." : "  x";
    }
    text += fmt::format("  {}\n", note);
  };
  text += fmt::format("\n{:<24}", "defect");
  for (std::size_t i = 0; i < checks.size(); ++i) text += fmt::format(" {:>2}", i + 1);
  text += "\n";
  line("healthy", report.healthy_accused_by, report.healthy_accused_by.empty() ? "" : "ACCUSED");
  for (const ParallelDefectLine& defect : report.defects) {
    line(defect.name, defect.by, defect.by.empty() ? "SURVIVED" : defect.description);
  }
  return text + fmt::format("{} of {} defects killed\n", report.killed(), report.defects.size());
}

std::string plan_as_text(const std::vector<PlanFinding>& violations,
                         const std::vector<PlanFinding>& hazards,
                         const std::vector<PlanSplit>& splits) {
  std::string text;
  for (const PlanFinding& finding : violations)
    text += fmt::format("violation: {}\n", finding.line());
  if (violations.empty()) text += "the plan is valid\n";
  for (const PlanFinding& finding : hazards) {
    text += fmt::format("{}: {}\n", finding.harmful ? "hazard" : "remark", finding.line());
  }
  for (const PlanSplit& split : splits) {
    text += fmt::format("{} [{}]: {}{}{}\n", split.place, fmt::join(split.shape, ", "),
                        split.outcome, split.message.empty() ? "" : ": ", split.message);
    for (std::size_t r = 0; r < split.ranks.size() && r < 64; ++r) {
      text += fmt::format("  rank {}: {}\n", r, split.ranks[r]);
    }
  }
  return text;
}

}  // namespace lvsa::analysis
