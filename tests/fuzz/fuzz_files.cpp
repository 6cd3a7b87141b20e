// Targets that read files of tensors.
#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/sweep/capture_source.hpp"
#include "analysis/verify/capture.hpp"
#include "analysis/verify/exchange.hpp"
#include "core/error.hpp"
#include "core/io/npy_header.hpp"
#include "core/io/safetensors_header.hpp"
#include "core/io/tensor_file.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace lvsa::fuzz {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 22;  // that are read of one tensor
constexpr double kMostWork = 1e6;  // elements of q of a case that is judged

// Looks at all there is, as a reader would who knows nothing of it.
void walk(const TensorSource& file, const std::string& group, int depth) {
  for (const std::string& name : file.members(group.empty() ? "/" : group)) {
    const std::string inside = group.empty() ? name : group + "/" + name;
    if (const auto form = file.form(inside)) {
      require(checked_bytes(form->shape, element_bytes(form->type)).has_value(),
              "the bytes of a tensor are a number");
      if (form->type == ElementType::kOther || form->bytes() > kMostBytes) continue;
      std::vector<double> values(static_cast<std::size_t>(form->elements()));
      try {
        file.read(inside, values.data());
      } catch (const Error&) {
      }
    } else if (depth < 6) {
      walk(file, inside, depth + 1);
    }
    for (const char* attribute : {"dtype", "layout", "case"}) {
      try {
        file.text_attribute(inside, attribute);
        file.integer_attribute(inside, attribute);
      } catch (const Error&) {
      }
    }
  }
}

// Whether a case names a file, which may be anything that is on the machine.
bool names_a_file(const analysis::Case& c) {
  return !c.file.empty() || c.pattern.rfind("csr", 0) == 0 || c.pattern.rfind("plugin", 0) == 0;
}

double work(const analysis::Case& c) {
  const double tokens = static_cast<double>(c.grid.seq_len());
  return tokens * tokens * static_cast<double>(c.batch) * static_cast<double>(c.heads) *
         static_cast<double>(c.head_dim);
}

}  // namespace

void fuzz_safetensors(std::string_view bytes) {
  constexpr std::string_view kPrefix = "header:";  // the header alone, for want of a right length
  if (bytes.substr(0, kPrefix.size()) == kPrefix) {
    parse_safetensors_header(bytes.substr(kPrefix.size()), 24, "fuzz");
    return;
  }
  const ScratchFile file(bytes);
  walk(*open_tensor_file(file.path()), "", 0);
}

void fuzz_npy(std::string_view bytes) {
  const NpyHeader header = parse_npy_header(bytes, static_cast<std::int64_t>(bytes.size()), "fuzz");
  require(header.data_begin + header.form.bytes() == static_cast<std::int64_t>(bytes.size()),
          "header and data are the file");
  const std::string again = npy_header(header.form.type, header.form.shape);
  const auto size = static_cast<std::int64_t>(again.size()) + header.form.bytes();
  require(parse_npy_header(again, size, "fuzz").form.shape == header.form.shape,
          "a header reads back as itself");
}

void fuzz_exchange(std::string_view bytes) {
  const ScratchFile scratch(bytes);
  const auto file = open_tensor_file(scratch.path());
  walk(*file, "", 0);
  for (const std::string& group : analysis::exchange_groups(*file)) {
    const auto line = file->text_attribute(group, "case");
    if (!line) continue;
    const analysis::Case c = analysis::parse_case(*line);
    if (names_a_file(c) || work(c) > kMostWork) continue;
    analysis::check_exchange_case({*file, *file}, group, {});
  }
}

void fuzz_capture(std::string_view bytes) {
  const ScratchFile scratch(bytes);
  analysis::CaptureOptions options;
  options.path = scratch.path();
  for (const analysis::Case& c : analysis::capture_cases(options)) {
    require(analysis::parse_case(analysis::to_line(c)) == c, "a call is a case line");
    if (work(c) <= kMostWork && analysis::has_captured_output(c)) analysis::judge_captured(c, {});
  }
}

void fuzz_capture_samples(std::string_view bytes) {
  const ScratchFile scratch(bytes);
  analysis::CaptureSourceOptions options;
  options.capture.path = scratch.path();
  options.exclude_bad = true;
  const auto source = analysis::open_capture_source(options);
  for (std::size_t i = 0; i < source->ids().size(); ++i) {
    const analysis::Sample sample = source->load(i);
    require(sample.q.shape[1] == source->grid(i).seq_len() && sample.k.shape == sample.q.shape &&
                sample.v.shape == sample.q.shape,
            "q, k and v of a head have the rows of its grid");
    std::vector<double> row(static_cast<std::size_t>(sample.v.shape[3]));
    sample.v.read_row(0, sample.v.shape[1] - 1, 0, row.data());
    require(std::all_of(row.begin(), row.end(), [](double x) { return std::isfinite(x); }),
            "what is not finite is left out");
    source->head_class(i);
  }
}

}  // namespace lvsa::fuzz
