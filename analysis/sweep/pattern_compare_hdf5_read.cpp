// Reading compare.h5.

#include <fmt/format.h>

#include "analysis/sweep/pattern_compare_files.hpp"
#include "core/error.hpp"
#include "core/io/hdf5.hpp"

namespace lvsa::analysis {
namespace {

class CompareReader {
 public:
  explicit CompareReader(const std::string& path) : file_(path) {}

  ReadComparison read() {
    head();
    tables();
    failures();
    untimed();
    return std::move(read_);
  }

 private:
  [[noreturn]] void fail(const std::string& object, const std::string& what) const {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}: {}", file_.path(), object, what));
  }

  void head() {
    const auto format = file_.text_attribute("/", "format");
    if (!format || *format != "lvsa-compare 1") {
      fail("/", "is no comparison: attribute format 'lvsa-compare 1' is due");
    }
    if (!file_.has("plan")) {
      fail("/plan",
           "is missing: written by another lvsa-verify; another folder is due, or "
           "--overwrite to begin anew there");
    }
    const std::vector<std::string> plan = texts("plan", 1);
    try {
      read_.plan = parse_compare_plan(plan.front());
    } catch (const Error& error) {
      fail("/plan", error.what());
    }
    read_.results = results_of_plan(read_.plan);
  }

  std::vector<std::string> texts(const std::string& name, std::size_t count) const {
    std::vector<std::string> values = file_.read_texts(name);
    if (values.size() == count) return values;
    fail(name, fmt::format("{} texts, {} are due", values.size(), count));
  }

  template <typename Place>
  void table(const std::string& name, const Place& place) {
    CompareResults& results = read_.results;
    const RealDataset data = file_.read_reals(name);
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(results.entries.size()),
                                          static_cast<std::int64_t>(results.samples.size())};
    if (data.shape != shape) {
      fail(name, fmt::format("has another shape than [{}]", fmt::join(shape, ", ")));
    }
    for (std::size_t i = 0; i < data.values.size(); ++i) place(results.values[i]) = data.values[i];
  }

  void tables() {
    for (const FigureInfo& figure : compare_figures()) {
      table(fmt::format("figures/{}", figure.name), figure.place);
    }
    for (const MetricInfo& info : metric_infos()) {
      const auto metric = static_cast<std::size_t>(info.metric);
      table(fmt::format("metrics/{}", info.name),
            [&](CompareFigures& f) -> double& { return f.metrics[metric]; });
    }
    CompareResults& results = read_.results;
    results.words = texts("made/words", results.values.size());
    results.choices = texts("made/choice", results.values.size());
  }

  // Behind the excluded samples stand the patterns that could not be made, as they were met.
  void failures() {
    CompareResults& results = read_.results;
    for (std::size_t i = 0; i < results.samples.size(); ++i) {
      for (std::size_t e = 0; e < results.entries.size(); ++e) {
        if (results.failed(e, i)) results.failures.push_back({e, i, "", false});
      }
    }
    const std::size_t before = results.excluded.size();
    if (before + results.failures.size() == 0) return;
    const auto reasons = texts("excluded/reason", before + results.failures.size());
    for (std::size_t f = 0; f < results.failures.size(); ++f) {
      results.failures[f].reason = reasons[before + f];
    }
  }

  std::vector<std::int64_t> integers(const std::string& name, std::size_t count,
                                     std::size_t below) const {
    const RealDataset data = file_.read_reals(name);
    std::vector<std::int64_t> numbers;
    for (const double value : data.values) {
      if (!(value >= 0.0 && value < static_cast<double>(below))) {
        fail(name, fmt::format("{} is outside 0 .. {}", value, below - 1));
      }
      numbers.push_back(static_cast<std::int64_t>(value));
    }
    if (numbers.size() != count) fail(name, fmt::format("{} numbers are due", count));
    return numbers;
  }

  void untimed() {
    if (!file_.has("untimed")) return;
    CompareResults& results = read_.results;
    const std::vector<std::string> reasons = file_.read_texts("untimed/reason");
    const auto entries = integers("untimed/entry", reasons.size(), results.entries.size());
    const auto samples = integers("untimed/sample", reasons.size(), results.samples.size());
    const auto lost = integers("untimed/lost", reasons.size(), 2);
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      results.untimed.push_back({static_cast<std::size_t>(entries[i]),
                                 static_cast<std::size_t>(samples[i]), reasons[i], lost[i] != 0});
    }
  }

  Hdf5File file_;
  ReadComparison read_;
};

}  // namespace

ReadComparison read_compare_hdf5(const std::string& path) { return CompareReader(path).read(); }

}  // namespace lvsa::analysis
