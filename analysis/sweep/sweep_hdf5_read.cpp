// Reading sweep.h5.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/sweep/sweep_columns.hpp"
#include "analysis/sweep/sweep_hdf5.hpp"
#include "analysis/sweep/sweep_plan.hpp"
#include "core/error.hpp"
#include "core/io/hdf5.hpp"

namespace lvsa::analysis {
namespace {

class SweepReader {
 public:
  explicit SweepReader(const std::string& path) : file_(path) {}

  SweepResults read() {
    head();
    settings();
    results_.samples = ids("samples");
    if (results_.samples.empty()) fail("samples", "there are none");
    if (file_.has("samples/class")) {
      results_.sample_classes = texts("samples/class", results_.samples.size());
    }
    excluded();
    metrics();
    return std::move(results_);
  }

 private:
  [[noreturn]] void fail(const std::string& object, const std::string& what) const {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}: {}", file_.path(), object, what));
  }

  std::string text(const std::string& name) const {
    const auto value = file_.text_attribute("/", name);
    if (!value) fail("/", fmt::format("attribute {} is missing", name));
    return *value;
  }

  std::int64_t integer(const std::string& object, const std::string& name) const {
    const auto values = file_.integer_attribute(object, name);
    if (!values || values->size() != 1)
      fail(object, fmt::format("attribute {}: one integer is due", name));
    return values->front();
  }

  void head() {
    const auto format = file_.text_attribute("/", "format");
    if (!format || format->rfind("lvsa-sweep ", 0) != 0) {
      fail("/", "is no sweep: attribute format 'lvsa-sweep 1' is due");
    }
    if (*format != "lvsa-sweep 1") {
      fail("/", fmt::format("format '{}': this lvsa-verify reads 'lvsa-sweep 1'", *format));
    }
    results_.tool = text("tool");
    results_.identity = text("identity");
    results_.speedup_source = text("speedup_source");
    results_.grid = make_frame_grid(integer("/", "frames"), integer("/", "patches_per_frame"),
                                    integer("/", "text_tokens"));
    results_.head_dim = integer("/", "head_dim");
    results_.rows_per_frame = integer("/", "rows_per_frame");
    results_.row_seed = static_cast<std::uint64_t>(integer("/", "row_seed"));
  }

  std::vector<std::string> texts(const std::string& name, std::size_t count) const {
    std::vector<std::string> values = file_.read_texts(name);
    if (values.size() != count)
      fail(name, fmt::format("{} texts, {} are due", values.size(), count));
    return values;
  }

  std::vector<double> reals(const std::string& name, const std::vector<std::int64_t>& shape) const {
    RealDataset data = file_.read_reals(name);
    if (data.shape != shape)
      fail(name, fmt::format("has another shape than [{}]", fmt::join(shape, ", ")));
    return std::move(data.values);
  }

  // Of a table with `count` rows; a number without a fraction.
  std::vector<std::int64_t> integers(const std::string& name, std::size_t count) const {
    std::vector<std::int64_t> numbers;
    for (const double value : reals(name, {static_cast<std::int64_t>(count)})) {
      if (!(std::abs(value) < 1e15)) fail(name, fmt::format("{} is no integer", value));
      numbers.push_back(static_cast<std::int64_t>(value));
    }
    return numbers;
  }

  void settings() {
    for (const std::string& words : file_.read_texts("settings/words")) {
      try {
        results_.settings.push_back(parse_setting(words));
      } catch (const Error& error) {
        fail("settings/words", error.what());
      }
    }
    if (results_.settings.empty()) fail("settings/words", "there are none");
    results_.figures.resize(results_.settings.size());
    const auto count = static_cast<std::int64_t>(results_.settings.size());
    for (const FigureColumn& column : kFigureColumns) {
      const auto values = reals(fmt::format("figures/{}", column.name), {count});
      for (std::size_t s = 0; s < values.size(); ++s) {
        if (!(std::abs(values[s]) < 1e15))
          fail("figures", fmt::format("{} {}", column.name, values[s]));
        column.set(results_.figures[s], values[s]);
      }
    }
  }

  std::vector<SampleId> ids(const std::string& group) const {
    const std::vector<std::string> sources = file_.read_texts(group + "/source");
    std::vector<SampleId> ids(sources.size());
    const auto layers = integers(group + "/layer", ids.size());
    const auto steps = integers(group + "/step", ids.size());
    const auto batches = integers(group + "/batch", ids.size());
    const auto heads = integers(group + "/head", ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      ids[i] = {sources[i], layers[i], steps[i], batches[i], heads[i]};
    }
    return ids;
  }

  void excluded() {
    if (integer("excluded", "count") == 0) return;
    const std::vector<SampleId> left = ids("excluded");
    const std::vector<std::string> reasons = texts("excluded/reason", left.size());
    for (std::size_t i = 0; i < left.size(); ++i)
      results_.excluded.push_back({left[i], reasons[i]});
  }

  void metrics() {
    const auto settings = static_cast<std::int64_t>(results_.settings.size());
    const auto samples = static_cast<std::int64_t>(results_.samples.size());
    if (settings > kMostSweepRows / samples) {
      fail("metrics", fmt::format("{} settings x {} samples are too many", settings, samples));
    }
    results_.values.resize(static_cast<std::size_t>(settings * samples));
    for (const MetricInfo& metric : metric_infos()) {
      const auto values = reals(fmt::format("metrics/{}", metric.name), {settings, samples});
      for (std::size_t i = 0; i < values.size(); ++i) {
        results_.values[i][static_cast<std::size_t>(metric.metric)] = values[i];
      }
    }
  }

  Hdf5File file_;
  SweepResults results_;
};

}  // namespace

SweepResults read_sweep_hdf5(const std::string& path) { return SweepReader(path).read(); }

}  // namespace lvsa::analysis
