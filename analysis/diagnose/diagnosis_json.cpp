#include <nlohmann/json.hpp>

#include "analysis/diagnose/diagnosis_text.hpp"
#include "analysis/diagnose/evidence_text.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json plugin_json(const PluginOutcome& plugin) {
  Json fits = Json::array();
  for (const FrameGrid& fit : plugin.fits) {
    fits.push_back({{"P", fit.patches_per_frame}, {"text_tokens", fit.text_tokens}});
  }
  return {{"engages", plugin.engages},
          {"P", plugin.grid ? Json(plugin.grid->patches_per_frame) : Json(nullptr)},
          {"text_tokens", plugin.grid ? Json(plugin.grid->text_tokens) : Json(nullptr)},
          {"reason", plugin.reason ? Json(name(*plugin.reason)) : Json(nullptr)},
          {"message", plugin.message.empty() ? Json(nullptr) : Json(plugin.message)},
          {"silenced", plugin.silenced},
          {"path", name(plugin.path)},
          {"T", or_null(plugin.frames)},
          {"candidates", plugin.candidates},
          {"fits", std::move(fits)},
          {"delegate_engages", or_null(plugin.delegate_engages)}};
}

Json reading_json(const Reading& reading) {
  Json size = nullptr;
  if (reading.size) size = Json{{"height", reading.size->height}, {"width", reading.size->width}};
  return {{"T", reading.warm_up ? Json(nullptr) : Json(reading.grid.frames)},
          {"P", reading.warm_up ? Json(nullptr) : Json(reading.grid.patches_per_frame)},
          {"text_tokens", reading.warm_up ? Json(nullptr) : Json(reading.grid.text_tokens)},
          {"models", reading.models},
          {"size", std::move(size)},
          {"shards", reading.shards},
          {"padding", reading.padding},
          {"batch", reading.batch},
          {"history_tokens", reading.history_tokens},
          {"warm_up", reading.warm_up},
          {"cost", reading.cost},
          {"share", reading.share},
          {"text", brief(reading)},
          {"evidence", reading.evidence}};
}

Json fix_json(const Fix& fix) {
  Json settings = Json::object();
  for (const auto& [variable, value] : fix.settings) settings[variable] = value;
  return {{"settings", std::move(settings)},
          {"flags", fix.flags},
          {"lines", fix.lines},
          {"gives", fix.gives ? Json(name(*fix.gives)) : Json(nullptr)},
          {"about", fix.about}};
}

Json pattern_json(const PatternCost& cost) {
  return {{"T", cost.grid.frames},
          {"P", cost.grid.patches_per_frame},
          {"interval", cost.interval},
          {"window", cost.window},
          {"anchors", cost.anchors},
          {"attended_frames", cost.average_attended},
          {"least_attended", cost.least_attended},
          {"most_attended", cost.most_attended},
          {"budget", cost.budget},
          {"target", cost.target},
          {"density", cost.frame_density},
          {"token_density", cost.token_density},
          {"speedup_at_most", cost.speedup_bound},
          {"speedup_measured", or_null(cost.measured_speedup)}};
}

}  // namespace

Json diagnosis_as_json(const Question& question, const Diagnosis& diagnosis) {
  Json readings = Json::array();
  for (const Reading& reading : diagnosis.readings) readings.push_back(reading_json(reading));
  return {{"seq_len", question.seq_len},
          {"plugin", plugin_json(diagnosis.plugin)},
          {"verdict", name(diagnosis.verdict)},
          {"reasons", diagnosis.reasons},
          {"readings", std::move(readings)},
          {"fix", fix_json(diagnosis.fix)},
          {"pattern", diagnosis.pattern ? pattern_json(*diagnosis.pattern) : Json(nullptr)},
          {"notes", diagnosis.notes}};
}

}  // namespace lvsa::analysis
