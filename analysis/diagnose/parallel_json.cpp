#include <nlohmann/json.hpp>

#include "analysis/diagnose/parallel_report.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;
using reference::TokenRange;

// Half-open, as [begin, end).
Json to_json(const TokenRange& range) { return Json::array({range.begin, range.end}); }

Json to_json(const std::optional<NearLength>& near) {
  if (!near) return nullptr;
  return {{"latent_frames", near->latent_frames},
          {"video_frames", near->video_frames},
          {"video_tokens", near->video_tokens}};
}

Json to_json(const RankShare& share, const ParallelLayout& layout) {
  Json partial = Json::array();
  for (const PartialFrame& frame : share.partial) {
    partial.push_back({{"frame", frame.frame}, {"tokens", to_json(frame.tokens)}});
  }
  Json made = {{"rank", share.rank},
               {"tp", share.tp},
               {"ulysses", share.ulysses},
               {"ring", share.ring},
               {"cfg", share.cfg},
               {"owns_tokens", to_json(share.owns)},
               {"computes_rows", to_json(share.rows)},
               {"heads", to_json(share.heads)},
               {"kv_heads", to_json(share.kv_heads)},
               {"padded_heads", share.padded_heads},
               {"padding_tokens", share.padding_tokens}};
  if (layout.question.knows_frames()) {
    made["frames"] = share.first_frame < 0 ? Json::array({0, 0})
                                           : Json::array({share.first_frame, share.last_frame + 1});
    made["partial_frames"] = std::move(partial);
  }
  return made;
}

Json to_json(const std::vector<NamedCheck>& checks) {
  Json made = Json::array();
  for (const NamedCheck& check : checks) {
    Json one = {{"name", check.name}, {"state", check_state_name(check.state)}};
    if (!check.message.empty()) one["message"] = check.message;
    made.push_back(std::move(one));
  }
  return made;
}

Json to_json(const ParallelVerdict& verdict) {
  return {{"good", verdict.good()},
          {"video", verdict.video},
          {"text", verdict.text},
          {"lse", verdict.lse},
          {"tolerance", verdict.tolerance},
          {"nan_rows", verdict.nan_rows},
          {"empty_first_blocks", verdict.empty_first_blocks},
          {"padding_tokens", verdict.padding_tokens},
          {"checks", to_json(verdict.checks)}};
}

Json to_json(const std::vector<PlanFinding>& findings, bool hazards) {
  Json made = Json::array();
  for (const PlanFinding& finding : findings) {
    Json one = {{"rule", finding.rule},
                {"place", valid_utf8(finding.place)},
                {"message", valid_utf8(finding.message)}};
    if (hazards) one["harmful"] = finding.harmful;
    made.push_back(std::move(one));
  }
  return made;
}

}  // namespace

Json layout_as_json(const ParallelLayout& layout, const std::vector<PathAnswer>& answers) {
  const ParallelQuestion& q = layout.question;
  const Divisibility& d = layout.divisibility;
  Json paths = Json::array();
  for (const PathAnswer& answer : answers) {
    Json one = {{"path", answer.path},
                {"engages", answer.engages},
                {"seq_len", answer.seq_len},
                {"why", answer.why},
                {"message", answer.message}};
    if (!answer.note.empty()) one["note"] = answer.note;
    if (answer.delegate_engages) one["delegate_engages"] = *answer.delegate_engages;
    paths.push_back(std::move(one));
  }
  Json ranks = Json::array();
  for (const RankShare& share : layout.ranks) ranks.push_back(to_json(share, layout));
  Json modes = Json::array();
  for (const StandaloneMode& mode : layout.standalone) {
    modes.push_back({{"name", mode.name}, {"available", mode.available}, {"note", mode.note}});
  }
  Json made = {{"tp", q.tp},
               {"ulysses", q.world.ulysses},
               {"ring", q.world.ring},
               {"cfg", q.cfg},
               {"world", q.ranks()},
               {"heads", q.heads.query},
               {"kv_heads", q.heads.key_value},
               {"video_tokens", q.video_tokens()},
               {"text_tokens", q.grid.text_tokens}};
  if (q.knows_frames()) {
    made["latent_frames"] = q.grid.frames;
    made["patches_per_frame"] = q.grid.patches_per_frame;
  }
  made["paths"] = std::move(paths);
  made["problems"] = layout.problems;
  made["divisibility"] = {{"divides", d.tokens},       {"chunk", d.chunk},
                          {"padding", d.padding},      {"step_latent_frames", d.step_frames},
                          {"below", to_json(d.below)}, {"above", to_json(d.above)}};
  made["padding_bias"] = {
      {"uniform", layout.bias.uniform}, {"normal", layout.bias.normal}, {"low", layout.bias.low}};
  made["head_split"] = {{"strict", layout.heads.strict},
                        {"message", layout.heads.message},
                        {"padded_heads", layout.heads.padded.query},
                        {"padded_kv_heads", layout.heads.padded.key_value},
                        {"ulysses_that_divide", layout.heads.ulysses_that_divide}};
  made["standalone"] = std::move(modes);
  made["ranks"] = std::move(ranks);
  return made;
}

Json computation_as_json(const ParallelComputation& c) {
  Json made = {{"latent_frames", c.shape.grid.frames},
               {"patches_per_frame", c.shape.grid.patches_per_frame},
               {"text_tokens", c.shape.grid.text_tokens},
               {"exact", to_json(c.exact)}};
  if (c.unmasked)
    made["padding_unmasked"] = {{"video", c.unmasked->video}, {"text", c.unmasked->text}};
  if (c.custom) {
    made["custom"] = {{"guards", c.custom->guards},
                      {"pairs", c.custom->pairs},
                      {"added", c.custom->added},
                      {"removed", c.custom->removed},
                      {"largest_difference", c.custom->largest_difference},
                      {"relative_rms", c.custom->relative_rms},
                      {"own_set", to_json(c.custom->own)}};
  }
  return made;
}

Json suite_as_json(const std::vector<ParallelCaseResult>& results) {
  Json cases = Json::array();
  std::int64_t failed = 0;
  for (const auto& [subject, verdict] : results) {
    failed += verdict.good() ? 0 : 1;
    Json one = to_json(verdict);
    one["case"] = subject.line();
    cases.push_back(std::move(one));
  }
  return {{"passed", static_cast<std::int64_t>(results.size()) - failed},
          {"failed", failed},
          {"cases", std::move(cases)}};
}

Json defects_as_json(const ParallelDefectReport& report) {
  Json defects = Json::array();
  for (const ParallelDefectLine& line : report.defects) {
    defects.push_back({{"name", line.name},
                       {"killed", !line.by.empty()},
                       {"by", line.by},
                       {"description", line.description}});
  }
  return {{"killed", report.killed()},
          {"defects", std::move(defects)},
          {"healthy_accused_by", report.healthy_accused_by}};
}

Json plan_as_json(const std::vector<PlanFinding>& violations,
                  const std::vector<PlanFinding>& hazards, const std::vector<PlanSplit>& splits) {
  Json tensors = Json::array();
  for (const PlanSplit& split : splits) {
    tensors.push_back({{"place", valid_utf8(split.place)},
                       {"shape", split.shape},
                       {"outcome", split.outcome},
                       {"message", valid_utf8(split.message)},
                       {"ranks", split.ranks}});
  }
  return {{"valid", violations.empty()},
          {"violations", to_json(violations, false)},
          {"hazards", to_json(hazards, true)},
          {"tensors", std::move(tensors)}};
}

}  // namespace lvsa::analysis
