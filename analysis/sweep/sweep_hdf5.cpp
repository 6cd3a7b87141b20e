#include "analysis/sweep/sweep_hdf5.hpp"

#include <fmt/format.h>

#include <utility>

#include "analysis/report/text_format.hpp"
#include "analysis/sweep/sweep_columns.hpp"
#include "core/io/hdf5_writer.hpp"

namespace lvsa::analysis {
namespace {

constexpr const char* kFormat = "lvsa-sweep 1";
constexpr const char* kSetting = "setting";
constexpr const char* kSample = "sample";

std::string_view better_word(Better better) {
  if (better == Better::kNeither) return "neither";
  return better == Better::kLower ? "lower" : "higher";
}

class SweepFile {
 public:
  SweepFile(const SweepResults& results, const std::string& path)
      : results_(results),
        file_(path, true),
        settings_(static_cast<std::int64_t>(results.settings.size())),
        samples_(static_cast<std::int64_t>(results.samples.size())) {}

  void write() {
    head();
    index(kSetting, settings_, "number of the setting, in the order of /settings/words");
    index(kSample, samples_, "number of the sample, in the order of /samples");
    setting_columns();
    sample_columns();
    excluded();
    metrics();
    file_.commit();
  }

 private:
  void head() {
    file_.attribute("/", "format", std::string(kFormat));
    file_.attribute("/", "tool", valid_utf8(results_.tool));
    file_.attribute("/", "identity", valid_utf8(results_.identity));
    file_.attribute("/", "frames", results_.grid.frames);
    file_.attribute("/", "patches_per_frame", results_.grid.patches_per_frame);
    file_.attribute("/", "text_tokens", results_.grid.text_tokens);
    file_.attribute("/", "head_dim", results_.head_dim);
    file_.attribute("/", "rows_per_frame", results_.rows_per_frame);
    file_.attribute("/", "row_seed", static_cast<std::int64_t>(results_.row_seed));
    file_.attribute("/", "speedup_source", results_.speedup_source);
    file_.attribute("/", "frame_unit", std::string("latent frames, unless a unit is given"));
  }

  void index(const std::string& name, std::int64_t count, const std::string& title) {
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) numbers[static_cast<std::size_t>(i)] = i;
    integers(name, numbers, title, "");
    file_.make_scale(name);
  }

  void integers(const std::string& name, const std::vector<std::int64_t>& values,
                std::string_view title, std::string_view unit) {
    file_.dataset(name, ElementType::kI64, {static_cast<std::int64_t>(values.size())},
                  values.data());
    describe(name, title, unit);
  }

  void reals(const std::string& name, const std::vector<double>& values, std::string_view title,
             std::string_view unit, const std::string& scale) {
    file_.dataset(name, ElementType::kF64, {static_cast<std::int64_t>(values.size())},
                  values.data());
    describe(name, title, unit);
    file_.attach_scales(name, {scale});
  }

  void describe(const std::string& name, std::string_view title, std::string_view unit) {
    file_.attribute(name, "long_name", std::string(title));
    if (!unit.empty()) file_.attribute(name, "units", std::string(unit));
  }

  void texts(const std::string& name, const std::vector<std::string>& values,
             const std::string& title, const std::string& scale) {
    file_.texts(name, values);
    file_.attribute(name, "long_name", title);
    if (!scale.empty()) file_.attach_scales(name, {scale});
  }

  void setting_columns() {
    file_.group("settings");
    std::vector<std::string> words;
    for (const SweepSetting& setting : results_.settings) words.push_back(setting_words(setting));
    texts("settings/words", words, "the setting, as --settings-file takes it", kSetting);
    for (const SettingColumn& column : kSettingColumns) {
      std::vector<double> values;
      for (const SweepSetting& setting : results_.settings) values.push_back(column.value(setting));
      const std::string title = column.name == "interval" ? "keyframe interval, -1: automatic"
                                : column.name == "budget" ? "frames, -1: reference * scale"
                                                          : std::string(column.name);
      reals(fmt::format("settings/{}", column.name), values, title, column.unit, kSetting);
    }
    file_.group("figures");
    for (const FigureColumn& column : kFigureColumns) {
      std::vector<double> values;
      for (const SettingFigures& figures : results_.figures)
        values.push_back(column.value(figures));
      reals(fmt::format("figures/{}", column.name), values, column.title, column.unit, kSetting);
    }
  }

  void ids(const std::string& group, const std::vector<SampleId>& ids, const std::string& scale) {
    std::vector<std::string> sources;
    std::vector<std::int64_t> numbers[4];
    for (const SampleId& id : ids) {
      sources.push_back(valid_utf8(id.source));
      const std::int64_t parts[] = {id.layer, id.step, id.batch, id.head};
      for (std::size_t i = 0; i < 4; ++i) numbers[i].push_back(parts[i]);
    }
    texts(group + "/source", sources, "where the tensors come from", scale);
    const char* names[] = {"layer", "step", "batch", "head"};
    for (std::size_t i = 0; i < 4; ++i) {
      const std::string name = fmt::format("{}/{}", group, names[i]);
      integers(name, numbers[i], fmt::format("{}, -1: not known", names[i]), "");
      if (!scale.empty()) file_.attach_scales(name, {scale});
    }
  }

  void sample_columns() {
    file_.group("samples");
    ids("samples", results_.samples, kSample);
    if (!results_.sample_classes.empty()) {
      texts("samples/class", results_.sample_classes, "class of the head", kSample);
    }
  }

  void excluded() {
    file_.group("excluded");
    file_.attribute("excluded", "count", static_cast<std::int64_t>(results_.excluded.size()));
    if (results_.excluded.empty()) return;
    std::vector<SampleId> left;
    std::vector<std::string> reasons;
    for (const ExcludedSample& sample : results_.excluded) {
      left.push_back(sample.id);
      reasons.push_back(valid_utf8(sample.reason));
    }
    ids("excluded", left, "");
    texts("excluded/reason", reasons, "why it was left out", "");
  }

  void metrics() {
    file_.group("metrics");
    file_.group("pooled");
    file_.attribute("pooled", "rule",
                    std::string("mean over the samples; minimum of cosine_min and recall_min, "
                                "maximum of lse_shift_max"));
    for (const MetricInfo& metric : metric_infos()) {
      const auto m = static_cast<std::size_t>(metric.metric);
      std::vector<double> values;
      values.reserve(results_.values.size());
      for (const MetricValues& all : results_.values) values.push_back(all[m]);
      const std::string name = fmt::format("metrics/{}", metric.name);
      file_.dataset(name, ElementType::kF64, {settings_, samples_}, values.data());
      describe(name, metric.title, metric.unit);
      file_.attribute(name, "better", std::string(better_word(metric.better)));
      file_.attach_scales(name, {kSetting, kSample});
      std::vector<double> over_samples;
      for (std::size_t s = 0; s < results_.settings.size(); ++s) {
        over_samples.push_back(pooled(results_, s, metric.metric));
      }
      reals(fmt::format("pooled/{}", metric.name), over_samples, metric.title, metric.unit,
            kSetting);
    }
  }

  const SweepResults& results_;
  Hdf5Writer file_;
  std::int64_t settings_;
  std::int64_t samples_;
};

}  // namespace

void write_sweep_hdf5(const SweepResults& results, const std::string& path) {
  SweepFile(results, path).write();
}

}  // namespace lvsa::analysis
