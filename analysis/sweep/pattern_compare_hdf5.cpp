#include <fmt/format.h>

#include <limits>

#include "analysis/report/text_format.hpp"
#include "analysis/sweep/pattern_compare_files.hpp"
#include "core/io/hdf5_writer.hpp"

namespace lvsa::analysis {
namespace {

constexpr const char* kEntry = "entry";
constexpr const char* kSample = "sample";

std::string better_word(Better better) {
  if (better == Better::kNeither) return "neither";
  return better == Better::kLower ? "lower" : "higher";
}

class CompareFile {
 public:
  CompareFile(const CompareResults& results, const ComparePlan& plan, const std::string& path)
      : results_(results), plan_(plan), file_(path, true) {}

  void write() {
    head();
    index(kEntry, results_.entries.size(), "number of the pattern and density, as in /entries");
    index(kSample, results_.samples.size(), "number of the sample, as in /samples");
    entries();
    samples();
    failures();
    if (!results_.untimed.empty()) untimed();
    values();
    file_.commit();
  }

 private:
  void head() {
    file_.attribute("/", "format", std::string("lvsa-compare 1"));
    file_.attribute("/", "tool", valid_utf8(results_.tool));
    file_.attribute("/", "identity", valid_utf8(results_.identity));
    for (const auto& [name, value] :
         {std::pair("frames", results_.grid.frames),
          std::pair("patches_per_frame", results_.grid.patches_per_frame),
          std::pair("text_tokens", results_.grid.text_tokens),
          std::pair("latent_height", results_.height), std::pair("latent_width", results_.width),
          std::pair("head_dim", results_.head_dim),
          std::pair("rows_per_frame", results_.rows_per_frame),
          std::pair("row_seed", static_cast<std::int64_t>(results_.row_seed))}) {
      file_.attribute("/", name, value);
    }
    file_.attribute("/", "rates_source", results_.rates_source);
    if (!results_.time_source.empty()) {
      file_.attribute("/", "time_source", valid_utf8(results_.time_source));
    }
    file_.texts("plan", {compare_plan_json(plan_)});
    describe("plan", "what was asked for, JSON, for --resume");
  }

  void describe(const std::string& name, std::string_view title, std::string_view unit = "") {
    file_.attribute(name, "long_name", std::string(title));
    if (!unit.empty()) file_.attribute(name, "units", std::string(unit));
  }

  void integers(const std::string& name, const std::vector<std::int64_t>& values,
                std::string_view title, const char* scale) {
    file_.dataset(name, ElementType::kI64, {static_cast<std::int64_t>(values.size())},
                  values.data());
    describe(name, title);
    if (scale != nullptr) file_.attach_scales(name, {scale});
  }

  void texts(const std::string& name, const std::vector<std::string>& values,
             std::string_view title, const char* scale) {
    std::vector<std::string> valid;
    for (const std::string& text : values) valid.push_back(valid_utf8(text));
    file_.texts(name, valid);
    describe(name, title);
    if (scale != nullptr) file_.attach_scales(name, {scale});
  }

  void index(const char* name, std::size_t count, std::string_view title) {
    std::vector<std::int64_t> numbers(count);
    for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<std::int64_t>(i);
    integers(name, numbers, title, nullptr);
    file_.make_scale(name);
  }

  void entries() {
    file_.group("entries");
    std::vector<std::string> words, names, knobs;
    std::vector<double> targets;
    for (const CompareEntry& entry : results_.entries) {
      const CompareRule& rule = results_.rules[entry.rule];
      words.push_back(rule.words);
      names.push_back(rule.name);
      knobs.emplace_back(rule.knob.parameter);
      targets.push_back(entry.target == entry.target ? entry.target
                                                     : std::numeric_limits<double>::quiet_NaN());
    }
    texts("entries/pattern", words, "the pattern as it was asked for", kEntry);
    texts("entries/rule", names, "kind of the pattern", kEntry);
    texts("entries/knob", knobs, "the parameter that decides its density", kEntry);
    file_.dataset("entries/target_density", ElementType::kF64,
                  {static_cast<std::int64_t>(targets.size())}, targets.data());
    describe("entries/target_density", "token density that was asked for, NaN: as it stands", "1");
    file_.attach_scales("entries/target_density", {kEntry});
  }

  void samples() {
    file_.group("samples");
    std::vector<std::string> sources;
    std::vector<std::int64_t> numbers[4];
    for (const SampleId& id : results_.samples) {
      sources.push_back(id.source);
      const std::int64_t all[] = {id.layer, id.step, id.batch, id.head};
      for (std::size_t i = 0; i < 4; ++i) numbers[i].push_back(all[i]);
    }
    texts("samples/source", sources, "where the tensors come from", kSample);
    const char* names[] = {"layer", "step", "batch", "head"};
    for (std::size_t i = 0; i < 4; ++i) {
      integers(fmt::format("samples/{}", names[i]), numbers[i],
               fmt::format("{}, -1: not known", names[i]), kSample);
    }
    if (!results_.sample_classes.empty()) {
      texts("samples/class", results_.sample_classes, "class of the head", kSample);
    }
  }

  // Samples that could not be used, and patterns that could not be made.
  void failures() {
    file_.group("excluded");
    file_.attribute("excluded", "samples", static_cast<std::int64_t>(results_.excluded.size()));
    file_.attribute("excluded", "patterns", static_cast<std::int64_t>(results_.failures.size()));
    std::vector<std::string> which, why;
    for (const ExcludedSample& sample : results_.excluded) {
      which.push_back(describe_sample(sample.id));
      why.push_back(sample.reason);
    }
    for (const CompareFailure& failure : results_.failures) {
      which.push_back(results_.entry_text(failure.entry) + ": " +
                      describe_sample(results_.samples[failure.sample]));
      why.push_back(failure.reason);
    }
    if (which.empty()) return;
    texts("excluded/what", which, "what was left out", nullptr);
    texts("excluded/reason", why, "why", nullptr);
  }
  static std::string describe_sample(const SampleId& id) { return lvsa::analysis::describe(id); }

  // Patterns that were made and not timed.
  void untimed() {
    file_.group("untimed");
    std::vector<std::int64_t> entries, samples, lost;
    std::vector<std::string> why;
    for (const CompareFailure& failure : results_.untimed) {
      entries.push_back(static_cast<std::int64_t>(failure.entry));
      samples.push_back(static_cast<std::int64_t>(failure.sample));
      lost.push_back(failure.lost ? 1 : 0);
      why.push_back(failure.reason);
    }
    integers("untimed/entry", entries, "number of the pattern and density", nullptr);
    integers("untimed/sample", samples, "number of the sample", nullptr);
    integers("untimed/lost", lost, "1: the timed kernel crashed or hung", nullptr);
    texts("untimed/reason", why, "why there is no measured time", nullptr);
  }

  template <typename Value>
  void table(const std::string& name, std::string_view title, std::string_view unit,
             const Value& value) {
    std::vector<double> all;
    all.reserve(results_.values.size());
    for (const CompareFigures& figures : results_.values) all.push_back(value(figures));
    file_.dataset(name, ElementType::kF64,
                  {static_cast<std::int64_t>(results_.entries.size()),
                   static_cast<std::int64_t>(results_.samples.size())},
                  all.data());
    describe(name, title, unit);
    file_.attach_scales(name, {kEntry, kSample});
  }

  void values() {
    file_.group("figures");
    for (const FigureInfo& figure : compare_figures()) {
      table(fmt::format("figures/{}", figure.name), figure.title, figure.unit, figure.value);
    }
    file_.group("metrics");
    for (const MetricInfo& metric : metric_infos()) {
      const std::string name = fmt::format("metrics/{}", metric.name);
      table(name, metric.title, metric.unit, [&](const CompareFigures& f) {
        return f.metrics[static_cast<std::size_t>(metric.metric)];
      });
      file_.attribute(name, "better", better_word(metric.better));
    }
    file_.group("made");
    file_.attribute("made", "order", std::string("entry * number of samples + sample"));
    texts("made/words", results_.words, "words in force, empty: could not be made", nullptr);
    texts("made/choice", results_.choices, "what the rule decided for the head", nullptr);
  }

  const CompareResults& results_;
  const ComparePlan& plan_;
  Hdf5Writer file_;
};

}  // namespace

void write_compare_hdf5(const CompareResults& results, const ComparePlan& plan,
                        const std::string& path) {
  CompareFile(results, plan, path).write();
}

}  // namespace lvsa::analysis
