#include "analysis/report/html_batch.hpp"

#include <fmt/format.h>

#include <optional>

#include "analysis/report/html_diagnosis.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kShownGroups = 200;  // rows of the table
constexpr int kExplained = 5;              // calls of each verdict that are diagnosed in words
constexpr std::int64_t kMostMaskFrames = 400;

Question question_of(const Question& base, const BatchGroup& group) {
  Question question = base;
  question.seq_len = group.seq_len;
  if (group.frames) {
    question.latent_frames = group.frames;
    question.video_frames.reset();
  }
  return question;
}

std::string frames_text(const BatchGroup& group) {
  return group.frames ? std::to_string(*group.frames) : "unknown";
}

// What most calls have that are not as they should be, or else what most have.
Verdict main_verdict(const BatchSummary& summary) {
  std::optional<Verdict> most;
  for (const bool good : {false, true}) {
    for (const Verdict each : kAllVerdicts) {
      const std::int64_t calls = summary.by_verdict[static_cast<std::size_t>(each)];
      if (is_good(each) != good || calls == 0) continue;
      if (!most || calls > summary.by_verdict[static_cast<std::size_t>(*most)]) most = each;
    }
    if (most) return *most;
  }
  return Verdict::kUnknown;
}

std::string headline(const BatchSummary& summary) {
  std::int64_t good = 0;
  for (const Verdict each : kAllVerdicts) {
    if (is_good(each)) good += summary.by_verdict[static_cast<std::size_t>(each)];
  }
  return fmt::format("{} of {} calls are as they should be", good, summary.rows);
}

std::string groups_html(const BatchSummary& summary) {
  std::string html =
      "<h2 id=\"calls\">Calls</h2>\n<div class=\"panel scroll\" role=\"region\" tabindex=\"0\" "
      "aria-label=\"Table of calls\"><table class=\"plain\"><thead><tr><th scope=\"col\" "
      "class=\"n\">seq_len</th><th scope=\"col\" class=\"n\">T</th><th scope=\"col\" "
      "class=\"n\">calls</th><th scope=\"col\" class=\"n\">share</th><th "
      "scope=\"col\">verdict</th></tr></thead><tbody>\n";
  std::size_t shown = 0;
  for (const BatchGroup& group : summary.groups) {
    if (shown == kShownGroups) break;
    ++shown;
    html += fmt::format(
        "<tr><th scope=\"row\" class=\"n\">{}</th><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td class=\"w\">{} {}</td></tr>\n",
        group.seq_len, frames_text(group), group.calls,
        percent_text(static_cast<double>(group.calls) / static_cast<double>(summary.rows)),
        verdict_icon(group.verdict), name(group.verdict));
  }
  html += "</tbody></table></div>\n";
  if (static_cast<std::int64_t>(shown) < summary.distinct) {
    html +=
        fmt::format("<p class=\"soft\">The {} pairs of length and T with most calls, of {}.</p>\n",
                    shown, summary.distinct);
  }
  return html;
}

std::string explained_html(const BatchSummary& summary, const Question& base, Verdict verdict) {
  std::string html;
  int shown = 0;
  for (const BatchGroup& group : summary.groups) {
    if (group.verdict != verdict || shown == kExplained) continue;
    ++shown;
    const Diagnosis d = diagnose(question_of(base, group));
    html +=
        fmt::format("<div class=\"panel\"><h3>seq_len {} at T {}: {} call{}</h3>", group.seq_len,
                    frames_text(group), group.calls, group.calls == 1 ? "" : "s");
    for (const std::string& reason : d.reasons) html += "<p>" + escape_markup(reason) + "</p>";
    if (!d.plugin.message.empty()) {
      html += "<p class=\"soft\">The plugin prints:</p><pre class=\"lines\"><code>" +
              escape_markup(d.plugin.message) + "</code></pre>";
    }
    const std::string fix = fix_html(d.fix);
    if (!fix.empty()) html += "<p class=\"soft\">Mend:</p>" + fix;
    html += "</div>\n";
  }
  if (html.empty()) return "";
  return fmt::format("<h2>{} Why {}</h2>\n{}", verdict_icon(verdict), name(verdict), html);
}

// The mask of the most frequent call on which LVSA engages as it should.
std::string mask_html(const BatchSummary& summary, const Question& base) {
  for (const BatchGroup& group : summary.groups) {
    if (!is_good(group.verdict) || !group.frames || *group.frames > kMostMaskFrames) continue;
    const Diagnosis d = diagnose(question_of(base, group));
    if (!d.pattern) continue;
    return mask_panel(
        pattern_rows(d.pattern->grid.frames, d.pattern->window, d.pattern->interval,
                     base.environment),
        fmt::format("Of seq_len {} at T {}, the most frequent call that is as it should be, at "
                    "step 0.",
                    group.seq_len, *group.frames));
  }
  return "";
}

}  // namespace

std::string html_batch(const BatchSummary& summary, const Question& question,
                       const std::string& path, const Provenance& provenance) {
  const Verdict verdict = main_verdict(summary);
  std::string html = diagnosis_head(
      fmt::format("{}: {} calls - LVSA", escape_markup(path), summary.rows), "calls");
  html += fmt::format(
      "<header>\n<p class=\"kicker\">LVSA diagnosis of captured calls</p>\n<h1>{}</h1>\n<p "
      "class=\"soft\">{} calls &middot; {} pairs of length and T &middot; {}</p>\n</header>\n"
      "<main>\n",
      escape_markup(path), summary.rows, summary.distinct,
      question.model ? escape_markup(question.model->title) : "model not told");
  html += verdict_banner(verdict, headline(summary)) + verdict_tiles(summary.by_verdict);
  for (const Verdict each : kAllVerdicts) {
    if (!is_good(each)) html += explained_html(summary, question, each);
  }
  return html + groups_html(summary) + mask_html(summary, question) + provenance_panel(provenance) +
         "</main>\n<footer><p>The same as data: lvsa-verify geometry --batch FILE "
         "--json.</p></footer>\n</body>\n</html>\n";
}

}  // namespace lvsa::analysis
