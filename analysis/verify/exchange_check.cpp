// Judging what a script left in an exchange file.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <numbers>

#include "analysis/verify/exchange.hpp"
#include "analysis/verify/exchange_numerics.hpp"
#include "analysis/verify/judge.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using Shape = std::vector<std::int64_t>;

// A fault of the script's or of an edited file: it becomes the verdict of the case.
struct CaseFault {
  std::string message;
};

[[noreturn]] void bad_file(const TensorSource& file, const std::string& object,
                           const std::string& what) {
  throw Error(ErrorKind::kIo, fmt::format("{}: {}: {}", file.path(), object, what));
}

Shape stored_shape(const Case& c, std::int64_t heads) {
  if (c.layout == Layout::kBHSD) return {c.batch, heads, c.grid.seq_len(), c.head_dim};
  return {c.batch, c.grid.seq_len(), heads, c.head_dim};
}

// The form of a dataset that has to be there with this shape.
TensorForm require_form(const TensorSource& file, const std::string& name, const Shape& shape) {
  const auto form = file.form(name);
  if (!form) throw CaseFault{fmt::format("no dataset {}", name)};
  if (form->shape != shape) {
    throw CaseFault{fmt::format("{} has shape [{}]; [{}] is due", name,
                                fmt::join(form->shape, ", "), fmt::join(shape, ", "))};
  }
  return *form;
}

[[noreturn]] void bad_type(const std::string& name, const TensorForm& form,
                           const std::string& due) {
  throw CaseFault{fmt::format("{} is {}; {} is due", name, element_name(form.type), due)};
}

// A type as HDF5, and numpy where it has none, hold it.
std::string spelled(DType dtype) {
  const std::string_view name = element_name(element_type(dtype));
  if (dtype == LVSA_F32 || dtype == LVSA_F64) return std::string(name);
  return fmt::format("{0} (or uint{1} bits with dtype '{2}')", name, 8 * dtype_bytes(dtype),
                     dtype_name(dtype));
}

void compare_input(const TensorSource& file, const std::string& name, const Tensor& due,
                   const Case& c) {
  const Shape shape = stored_shape(c, due.shape()[2]);
  const TensorForm form = require_form(file, name, shape);
  if (form.type != element_type(c.dtype)) bad_type(name, form, spelled(c.dtype));
  Tensor found(c.dtype, due.shape(), c.layout);
  file.read_bits(name, found.bytes());
  if (std::memcmp(found.bytes(), due.bytes(), due.size_bytes()) == 0) return;
  std::size_t at = 0;
  while (found.bytes()[at] == due.bytes()[at]) ++at;
  at /= dtype_bytes(c.dtype);
  const std::size_t offset = at * dtype_bytes(c.dtype);
  throw CaseFault{fmt::format(
      "{} is not what the case line gives: element {} is {:.9g}, {:.9g} is due (was the file "
      "edited?)",
      name, at, decode(c.dtype, found.bytes() + offset), decode(c.dtype, due.bytes() + offset))};
}

template <typename T>
void compare_list(const TensorSource& file, const std::string& name, const std::vector<T>& due) {
  const auto size = static_cast<std::int64_t>(due.size());
  const TensorForm form = require_form(file, name, {size});
  if (form.type != ElementType::kI32 && form.type != ElementType::kI64) {
    bad_type(name, form, "int32 or int64");
  }
  std::vector<std::int64_t> found(due.size());
  file.read(name, found.data());
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (found[i] == static_cast<std::int64_t>(due[i])) continue;
    throw CaseFault{fmt::format(
        "{} is not what the case line gives: entry {} is {}, {} is due (was the file edited?)",
        name, i, found[i], due[i])};
  }
}

// The output in the case's type. float32 and float64 are rounded to it: rounding is monotone, so a
// right kernel's value stays within the accepted interval.
Tensor read_output(const TensorSource& file, const std::string& name, const Case& c) {
  const TensorForm form = require_form(file, name, stored_shape(c, c.heads));
  Tensor out(c.dtype, {c.batch, c.grid.seq_len(), c.heads, c.head_dim}, c.layout);
  if (form.type == element_type(c.dtype)) {
    file.read_bits(name, out.bytes());
    return out;
  }
  if (form.type != ElementType::kF32 && form.type != ElementType::kF64) {
    bad_type(name, form,
             c.dtype == LVSA_F32 ? "float32 or float64"
                                 : fmt::format("{}, float32 or float64", spelled(c.dtype)));
  }
  std::vector<double> values(static_cast<std::size_t>(out.elements()));
  file.read(name, values.data());
  const std::size_t width = dtype_bytes(c.dtype);
  for (std::size_t i = 0; i < values.size(); ++i) {
    encode(c.dtype, values[i], out.bytes() + i * width);
  }
  return out;
}

// [B, S, H], natural logarithm; empty when there is none.
std::vector<float> read_lse(const TensorSource& file, const std::string& name, const Case& c) {
  if (!file.form(name)) return {};
  const TensorForm form = require_form(file, name, {c.batch, c.grid.seq_len(), c.heads});
  if (form.type != ElementType::kF32 && form.type != ElementType::kF64) {
    bad_type(name, form, "float32");
  }
  const std::string base = file.text_attribute(name, "base").value_or("e");
  if (base != "e" && base != "2") {
    throw CaseFault{fmt::format("{}: attribute base is '{}'; 'e' or '2' is due", name, base)};
  }
  std::vector<double> values(static_cast<std::size_t>(c.batch * c.grid.seq_len() * c.heads));
  file.read(name, values.data());
  const double factor = base == "2" ? std::numbers::ln2 : 1.0;
  std::vector<float> lse(values.size());
  for (std::size_t i = 0; i < lse.size(); ++i) lse[i] = static_cast<float>(factor * values[i]);
  return lse;
}

Case case_of(const TensorSource& file, const std::string& group) {
  const auto line = file.text_attribute(group, "case");
  if (!line) bad_file(file, group, "attribute case is due: the line of the case");
  try {
    return parse_case(*line);
  } catch (const Error& error) {
    bad_file(file, group, error.what());
  }
}

void judge_group(CaseResult& result, const ExchangeFiles& files, const std::string& group,
                 const FramePattern& pattern, const RunOptions& options) {
  const Case& c = result.c;
  const TensorSource& file = files.cases;
  const AttentionTensors tensors = case_tensors(c);
  compare_input(file, group + "/q", tensors.q, c);
  compare_input(file, group + "/k", tensors.k, c);
  compare_input(file, group + "/v", tensors.v, c);
  compare_list(file, group + "/frame_offsets", pattern.offsets);
  compare_list(file, group + "/frame_list", pattern.list);
  compare_list(file, group + "/csr_indptr", pattern.offsets);
  compare_list(file, group + "/csr_indices", pattern.list);
  const Tensor out = read_output(files.outputs, group + "/out", c);
  const std::vector<float> lse = read_lse(files.outputs, group + "/lse", c);
  KernelOutputs outputs;
  outputs.out = out.view();
  if (!lse.empty()) {
    outputs.lse = [&lse, &c](std::int64_t b, std::int64_t s, std::int64_t h) {
      return lse[static_cast<std::size_t>((b * c.grid.seq_len() + s) * c.heads + h)];
    };
  }
  try {
    outputs.numerics = declared_numerics(files.outputs, group, c.p_dtype);
  } catch (const Error& error) {
    throw CaseFault{error.what()};
  }
  judge_outputs(result, outputs, tensors, pattern, sample_rows(c), options.progress);
}

}  // namespace

std::vector<std::string> exchange_groups(const TensorSource& file) {
  const auto schema = file.integer_attribute("/", "lvsa_schema");
  if (!schema || schema->size() != 1 || schema->front() != kExchangeSchema) {
    bad_file(file, "/",
             fmt::format("attribute lvsa_schema = {} is due: a file that lvsa-verify "
                         "export wrote",
                         kExchangeSchema));
  }
  std::vector<std::string> groups = file.members("/");
  std::erase_if(groups, [](const std::string& name) { return name.rfind("case", 0) != 0; });
  const auto written = file.integer_attribute("/", "cases");
  const auto count = static_cast<std::int64_t>(groups.size());
  if (!written || written->size() != 1 || written->front() != count || count == 0) {
    bad_file(file, "/",
             fmt::format("holds {} groups case*; as many as attribute cases says are "
                         "due, at least one",
                         count));
  }
  return groups;
}

std::string exchange_kernel(const TensorSource& outputs) {
  return outputs.text_attribute("/", "kernel").value_or("file");
}

CaseResult check_exchange_case(const ExchangeFiles& files, const std::string& group,
                               const RunOptions& options) {
  CaseResult result;
  result.c = case_of(files.cases, group);
  result.line = to_line(result.c);
  result.kernel = exchange_kernel(files.outputs);
  result.command =
      fmt::format("lvsa-verify check {} --group {}", shell_quoted(files.cases.path()), group);
  if (files.outputs.path() != files.cases.path()) {
    result.command += " --outputs " + shell_quoted(files.outputs.path());
  }
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(result.c));
  describe_pattern(result, pattern);
  if (const auto reason = files.outputs.text_attribute(group, "skipped")) {
    result.status = Status::kUnsupported;
    result.message = *reason;
    return result;
  }
  try {
    judge_group(result, files, group, pattern, options);
  } catch (const CaseFault& fault) {
    result.status = Status::kFail;
    result.message = fault.message;
  }
  return result;
}

}  // namespace lvsa::analysis
