// Reading and comparing what stands in a group of an exchange file.

#include "analysis/verify/exchange_read.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <numbers>

#include "analysis/verify/exchange_numerics.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using Shape = std::vector<std::int64_t>;

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

}  // namespace

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

void compare_list(const TensorSource& file, const std::string& name, const Shape& shape,
                  std::span<const std::int64_t> due) {
  const TensorForm form = require_form(file, name, shape);
  if (form.type != ElementType::kI32 && form.type != ElementType::kI64) {
    bad_type(name, form, "int32 or int64");
  }
  std::vector<std::int64_t> found(due.size());
  file.read(name, found.data());
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (found[i] == due[i]) continue;
    throw CaseFault{fmt::format(
        "{} is not what the case line gives: entry {} is {}, {} is due (was the file edited?)",
        name, i, found[i], due[i])};
  }
}

void compare_bits(const TensorSource& file, const std::string& name, ElementType type,
                  const std::vector<std::int64_t>& shape, const void* due) {
  const TensorForm form = require_form(file, name, shape);
  if (form.type != type) bad_type(name, form, std::string(element_name(type)));
  std::vector<std::byte> found(static_cast<std::size_t>(form.bytes()));
  if (found.empty()) return;
  file.read_bits(name, found.data());
  const auto* bytes = static_cast<const std::byte*>(due);
  const auto at = std::mismatch(found.begin(), found.end(), bytes).first - found.begin();
  if (at == form.bytes()) return;
  throw CaseFault{
      fmt::format("{} is not what the case line gives: entry {} differs (was the file edited?)",
                  name, at / static_cast<std::ptrdiff_t>(element_bytes(type)))};
}

namespace {

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

}  // namespace

KernelOutputs ScriptOutputs::view() const {
  KernelOutputs outputs;
  outputs.out = out.view();
  outputs.numerics = numerics;
  if (!lse.empty()) {
    outputs.lse = [this](std::int64_t b, std::int64_t s, std::int64_t h) {
      return lse[static_cast<std::size_t>((b * out.shape()[1] + s) * out.shape()[2] + h)];
    };
  }
  return outputs;
}

ScriptOutputs read_script_outputs(const TensorSource& file, const std::string& group,
                                  const Case& c) {
  ScriptOutputs outputs{
      read_output(file, group + "/out", c), read_lse(file, group + "/lse", c), {}};
  try {
    outputs.numerics = declared_numerics(file, group, c.p_dtype);
  } catch (const Error& error) {
    throw CaseFault{error.what()};
  }
  return outputs;
}

}  // namespace lvsa::analysis
