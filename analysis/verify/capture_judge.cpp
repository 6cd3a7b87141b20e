// Judging what was captured as the output of a call.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "analysis/verify/capture.hpp"
#include "analysis/verify/captured_call.hpp"
#include "analysis/verify/exchange_numerics.hpp"
#include "analysis/verify/judge.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

[[noreturn]] void fail(const TensorSource& file, const std::string& name, const std::string& what) {
  throw Error(ErrorKind::kValue, fmt::format("{}: {}: {}", file.path(), name, what));
}

// float32 and float64 are rounded to the case's type: rounding is monotone, so a right kernel's
// value stays within the accepted interval.
Tensor read_out(const TensorSource& file, const std::string& group, const Axes& axes,
                const Case& c) {
  const std::string name = captured_name(group, "out");
  const auto form = file.form(name);
  if (!form) fail(file, name, "no such tensor: the call was captured without its output");
  const DType dtype = element_dtype(form->type);
  const DType due = output_dtype(c);
  if (dtype != due && dtype != LVSA_F32 && dtype != LVSA_F64) {
    fail(file, name,
         fmt::format("is {}; {}, float32 or float64 is due", element_name(form->type),
                     element_name(element_type(due))));
  }
  const CapturedTensor out{name, *form, axes};
  if (form->shape.size() != axes.letters().size()) {
    fail(file, name,
         fmt::format("has shape [{}]; the order {} of q is due", fmt::join(form->shape, ", "),
                     axes.letters()));
  }
  return read_captured(file, out, c, c.heads, false, due);
}

// The order of a log-sum-exp: the one of b, s, h that fits; that of q where several do.
Axes lse_axes(const TensorSource& file, const std::string& name, const TensorForm& form,
              const Axes& of_q, const Case& c) {
  std::vector<Axes> orders = {of_q.without('d')};
  for (const char* order : {"bsh", "bhs", "sbh", "sh", "hs"}) orders.push_back(*Axes::parse(order));
  for (const Axes& axes : orders) {
    if (axes.letters().size() != form.shape.size()) continue;
    if (axes.size(form.shape, 'b') == c.batch && axes.size(form.shape, 'h') == c.heads &&
        axes.size(form.shape, 's') == c.grid.seq_len()) {
      return axes;
    }
  }
  fail(file, name,
       fmt::format("has shape [{}]; B = {}, S = {} and H = {} in some order are due",
                   fmt::join(form.shape, ", "), c.batch, c.grid.seq_len(), c.heads));
}

// [B, S, H] with natural logarithms; empty when there is none.
std::vector<float> read_lse(const TensorSource& file, const std::string& group, const Axes& of_q,
                            const Case& c) {
  const std::string name = captured_name(group, "lse");
  const auto form = file.form(name);
  if (!form) return {};
  const DType dtype = element_dtype(form->type);
  if (dtype != LVSA_F32 && dtype != LVSA_F64) {
    fail(file, name, fmt::format("is {}; float32 or float64 is due", element_name(form->type)));
  }
  const std::string base = file.text_attribute(name, "base").value_or("e");
  if (base != "e" && base != "2") {
    fail(file, name, fmt::format("attribute base is '{}'; 'e' or '2' is due", base));
  }
  const Axes axes = lse_axes(file, name, *form, of_q, c);
  std::vector<double> values(static_cast<std::size_t>(form->elements()));
  file.read(name, values.data());
  const double factor = base == "2" ? std::numbers::ln2 : 1.0;
  std::vector<float> lse;
  lse.reserve(values.size());
  for (std::int64_t b = 0; b < c.batch; ++b) {
    for (std::int64_t s = 0; s < c.grid.seq_len(); ++s) {
      for (std::int64_t h = 0; h < c.heads; ++h) {
        const std::int64_t at = b * axes.stride(form->shape, 'b') +
                                s * axes.stride(form->shape, 's') +
                                h * axes.stride(form->shape, 'h');
        lse.push_back(static_cast<float>(factor * values[static_cast<std::size_t>(at)]));
      }
    }
  }
  return lse;
}

}  // namespace

bool has_captured_output(const Case& c) {
  if (c.file.empty()) return false;
  const CaptureName name = parse_capture_name(c.file);
  return open_tensor_file(name.path)->form(captured_name(name.group, "out")).has_value();
}

CaseResult judge_captured(const Case& c, const RunOptions& options) {
  if (c.file.empty()) {
    throw Error(ErrorKind::kValue,
                "--kernel captured: cases with file=path#group are due, as "
                "--capture FILE makes them");
  }
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(c));
  CaseResult result = begin_result(c, pattern, "captured", "captured");
  if (options.part) options.part("reading the capture");
  const CaptureName name = parse_capture_name(c.file);
  const auto file = open_tensor_file(name.path);
  const std::int64_t tokens = c.grid.seq_len();
  Axes axes = captured_inputs(*file, name.group, name.axes, {tokens, tokens})[0].axes;
  axes = axes.without('3');
  const AttentionTensors tensors = captured_tensors(c);
  result.inputs = hash_inputs(tensors);
  const Tensor out = read_out(*file, name.group, axes, c);
  const std::vector<float> lse = read_lse(*file, name.group, axes, c);
  KernelOutputs outputs;
  outputs.out = out.view();
  if (!lse.empty()) {
    outputs.lse = [&lse, &c](std::int64_t b, std::int64_t s, std::int64_t h) {
      return lse[static_cast<std::size_t>((b * c.grid.seq_len() + s) * c.heads + h)];
    };
  }
  outputs.numerics = declared_numerics(*file, name.group.empty() ? "/" : name.group, c.p_dtype);
  if (options.part) options.part("judging the captured output");
  const auto rows = sample_rows(c);
  if (tensors.q_scale.empty()) {
    judge_outputs(result, outputs, tensors, pattern, rows, options.progress);
  } else {
    judge_outputs(result, outputs, scaled_tensors(tensors), pattern, rows, options.progress);
  }
  return result;
}

}  // namespace lvsa::analysis
