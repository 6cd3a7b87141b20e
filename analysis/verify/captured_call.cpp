#include "analysis/verify/captured_call.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

[[noreturn]] void fail(const TensorSource& file, const std::string& object,
                       const std::string& what) {
  throw Error(ErrorKind::kValue, fmt::format("{}: {}: {}", file.path(),
                                             object.empty() ? "/" : printable(object), what));
}

std::string parent_of(const std::string& group) {
  const std::size_t slash = group.rfind('/');
  return slash == std::string::npos ? "" : group.substr(0, slash);
}

// Looks `read` up for a group, the groups around it, and the root.
template <typename Read>
auto inherited(std::string group, Read read) {
  for (;; group = parent_of(group)) {
    auto found = read(group.empty() ? std::string("/") : group);
    if (found || group.empty()) return found;
  }
}

Axes parse_layout_attribute(const TensorSource& file, const std::string& group,
                            const std::string& text) {
  const auto axes = Axes::parse(text);
  if (!axes) {
    fail(
        file, group,
        fmt::format("layout is '{}'; an order of b, s, h, d such as bshd, bhsd, sbhd or shd is due",
                    printable(text)));
  }
  return *axes;
}

// The orders that a tensor without a stated one may have.
std::vector<const char*> usual_orders(std::size_t dimensions, bool packed) {
  if (packed) {
    return dimensions == 5 ? std::vector{"bs3hd", "b3hsd", "sb3hd"} : std::vector{"s3hd", "3hsd"};
  }
  return dimensions == 4 ? std::vector{"bshd", "bhsd", "sbhd"} : std::vector{"shd", "hsd"};
}

Axes find_axes(const TensorSource& file, const std::string& name, const TensorForm& form,
               bool packed, const TokenRange& tokens) {
  std::vector<const char*> fits;
  for (const char* order : usual_orders(form.shape.size(), packed)) {
    const Axes axes = *Axes::parse(order);
    if (axes.letters().size() != form.shape.size()) continue;
    const std::int64_t s = axes.size(form.shape, 's');
    const bool thirds = !packed || axes.size(form.shape, '3') == 3;
    if (thirds && s >= tokens.least && s <= tokens.most) fits.push_back(order);
  }
  if (fits.size() == 1) return *Axes::parse(fits.front());
  const bool unknown = tokens.least <= 1 && tokens.most == INT64_MAX;
  if (fits.empty() || unknown) {  // the first is the usual one; whether it can be shows later
    return *Axes::parse(usual_orders(form.shape.size(), packed).front());
  }
  fail(file, name,
       fmt::format("the order of its dimensions [{}] is not known: {} fit the number of tokens; "
                   "attribute layout or --layout is due",
                   fmt::join(form.shape, ", "), fmt::join(fits, " and ")));
}

CapturedTensor find_tensor(const TensorSource& file, const std::string& name, bool packed,
                           const std::optional<Axes>& stated, const TokenRange& tokens) {
  const auto form = file.form(name);
  if (!form) fail(file, name, "no such tensor; q, k and v are due, or qkv");
  const std::size_t least = packed ? 4 : 3;
  if (form->shape.size() < least || form->shape.size() > least + 1) {
    fail(file, name,
         fmt::format("has shape [{}]; {} or {} dimensions are due", fmt::join(form->shape, ", "),
                     least, least + 1));
  }
  if (std::any_of(form->shape.begin(), form->shape.end(), [](auto size) { return size < 1; })) {
    fail(file, name,
         fmt::format("has shape [{}]; sizes of at least 1 are due", fmt::join(form->shape, ", ")));
  }
  CapturedTensor tensor{name, *form,
                        stated ? *stated : find_axes(file, name, *form, packed, tokens)};
  const bool fits = tensor.axes.letters().size() == form->shape.size() && tensor.axes.has('d') &&
                    tensor.axes.has('3') == packed &&
                    (!packed || tensor.axes.size(form->shape, '3') == 3);
  if (!fits) {
    fail(file, name,
         fmt::format("has shape [{}], which layout '{}' does not describe",
                     fmt::join(form->shape, ", "), tensor.axes.letters()));
  }
  return tensor;
}

void check_together(const TensorSource& file, const std::string& group,
                    const std::vector<CapturedTensor>& tensors) {
  const auto q = tensors[0].sizes();
  const auto k = tensors[1].sizes();
  const bool fits =
      k == tensors[2].sizes() && q[0] == k[0] && q[1] == k[1] && q[3] == k[3] && q[2] % k[2] == 0;
  if (!fits) {
    fail(file, group,
         fmt::format("shapes of q [{}], k [{}] and v [{}] do not fit together: same B, S and D, "
                     "heads of q a multiple of those of k and v",
                     fmt::join(tensors[0].form.shape, ", "), fmt::join(tensors[1].form.shape, ", "),
                     fmt::join(tensors[2].form.shape, ", ")));
  }
  for (const CapturedTensor& tensor : tensors) {
    const DType dtype = element_dtype(tensor.form.type);
    const bool known = dtype == LVSA_F64 || dtype == LVSA_F32 || dtype == LVSA_F16 ||
                       dtype == LVSA_BF16 || dtype == LVSA_E4M3;
    if (!known || tensor.form.type != tensors[0].form.type) {
      fail(file, tensor.name,
           fmt::format("is {}; {} is due", element_name(tensor.form.type),
                       known ? fmt::format("{}, as q is,", element_name(tensors[0].form.type))
                             : "float32, float16, bfloat16 or float8_e4m3 (bits: an attribute "
                               "dtype)"));
    }
  }
}

// First element that is NaN or infinite, in the order of the tensor's memory.
void require_finite(const TensorSource& file, const std::string& name, const Tensor& tensor,
                    const Case& c) {
  const auto [batch, tokens, heads, dim] = tensor.shape();
  std::vector<double> row(static_cast<std::size_t>(dim));
  const TensorView view = tensor.view();
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t s = 0; s < tokens; ++s) {
      for (std::int64_t h = 0; h < heads; ++h) {
        view.read_row(b, s, h, row.data());
        const auto bad =
            std::find_if(row.begin(), row.end(), [](double x) { return !std::isfinite(x); });
        if (bad == row.end()) continue;
        const bool text = s >= c.grid.video_tokens();
        fail(
            file, name,
            fmt::format("{} at batch {}, token {} ({}), head {}, column {}; finite numbers are due",
                        std::isnan(*bad) ? "NaN" : "infinity", b, s,
                        text ? fmt::format("text row {}", s - c.grid.video_tokens())
                             : fmt::format("frame {} row {}", s / c.grid.patches_per_frame,
                                           s % c.grid.patches_per_frame),
                        h, bad - row.begin()));
      }
    }
  }
}

}  // namespace

std::string captured_name(const std::string& group, const char* tensor) {
  return group.empty() ? tensor : group + "/" + tensor;
}

CaptureName parse_capture_name(const std::string& text) {
  const std::size_t mark = text.rfind('#');
  if (mark == std::string::npos) {
    throw Error(ErrorKind::kValue,
                fmt::format("case: file={}: path#group is due", printable(text)));
  }
  CaptureName name{text.substr(0, mark), text.substr(mark + 1), std::nullopt};
  const std::size_t at = name.group.rfind('@');
  if (at != std::string::npos) {
    name.axes = Axes::parse(name.group.substr(at + 1));
    if (name.axes) name.group.erase(at);
  }
  return name;
}

std::optional<std::string> inherited_text(const TensorSource& file, const std::string& group,
                                          const std::string& name) {
  return inherited(group, [&](const std::string& o) { return file.text_attribute(o, name); });
}

std::optional<std::int64_t> inherited_integer(const TensorSource& file, const std::string& group,
                                              const std::string& name) {
  const auto values =
      inherited(group, [&](const std::string& o) { return file.integer_attribute(o, name); });
  if (!values) return std::nullopt;
  if (values->size() != 1) fail(file, group, fmt::format("attribute {}: one integer is due", name));
  return values->front();
}

std::vector<CapturedTensor> captured_inputs(const TensorSource& file, const std::string& group,
                                            const std::optional<Axes>& asked,
                                            const TokenRange& tokens) {
  std::optional<Axes> stated = asked;
  if (!stated) {
    if (const auto text = inherited_text(file, group, "layout")) {
      stated = parse_layout_attribute(file, group, *text);
    }
  }
  std::vector<CapturedTensor> tensors;
  const std::string packed = captured_name(group, "qkv");
  if (!file.form(captured_name(group, "q")) && file.form(packed)) {
    for (std::int64_t part = 0; part < 3; ++part) {
      tensors.push_back(find_tensor(file, packed, true, stated, tokens));
      tensors.back().part = part;
    }
  } else {
    // One order for all three: k and v of few heads could be read in more ways than q.
    tensors.push_back(find_tensor(file, captured_name(group, "q"), false, stated, tokens));
    for (const char* name : {"k", "v"}) {
      tensors.push_back(
          find_tensor(file, captured_name(group, name), false, tensors.front().axes, tokens));
    }
  }
  check_together(file, group, tensors);
  return tensors;
}

Tensor read_captured(const TensorSource& file, const CapturedTensor& tensor, const Case& c,
                     std::int64_t heads, bool finite, DType dtype) {
  const auto sizes = tensor.sizes();
  const std::array<std::int64_t, 4> due{c.batch, c.grid.seq_len(), heads, c.head_dim};
  if (sizes != due) {
    fail(file, tensor.name,
         fmt::format("has [B, S, H, D] = [{}]; the case says [{}]: the sizes do not fit",
                     fmt::join(sizes, ", "), fmt::join(due, ", ")));
  }
  if (dtype == LVSA_DTYPE_NONE) dtype = c.dtype;
  Tensor result(dtype, due, c.layout);
  std::vector<std::byte> bits(static_cast<std::size_t>(tensor.form.bytes()));
  file.read_bits(tensor.name, bits.data());
  const auto stride = [&](char letter) { return tensor.axes.stride(tensor.form.shape, letter); };
  const std::size_t from_width = element_bytes(tensor.form.type);
  const std::size_t to_width = dtype_bytes(dtype);
  const DType from_type = element_dtype(tensor.form.type);
  const std::int64_t first = tensor.part * stride('3');
  const lvsa_tensor to = result.c_tensor();
  for (std::int64_t b = 0; b < due[0]; ++b) {
    for (std::int64_t s = 0; s < due[1]; ++s) {
      for (std::int64_t h = 0; h < due[2]; ++h) {
        const std::int64_t row = first + b * stride('b') + s * stride('s') + h * stride('h');
        const std::int64_t to_row = b * to.strides[0] + s * to.strides[1] + h * to.strides[2];
        if (from_type == dtype && stride('d') == 1) {
          std::memcpy(result.bytes() + static_cast<std::size_t>(to_row) * to_width,
                      bits.data() + static_cast<std::size_t>(row) * from_width,
                      static_cast<std::size_t>(due[3]) * to_width);
          continue;
        }
        for (std::int64_t d = 0; d < due[3]; ++d) {
          const std::byte* source =
              bits.data() + static_cast<std::size_t>(row + d * stride('d')) * from_width;
          std::byte* target = result.bytes() + static_cast<std::size_t>(to_row + d) * to_width;
          if (from_type == dtype) {
            std::memcpy(target, source, to_width);
          } else {
            encode(dtype, decode(from_type, source), target);
          }
        }
      }
    }
  }
  if (finite) require_finite(file, tensor.name, result, c);
  return result;
}

std::vector<float> captured_scales(const TensorSource& file, const std::string& name,
                                   std::int64_t batch, std::int64_t heads) {
  const auto form = file.form(name);
  if (!form) return {};
  const auto count = form->elements();
  if (element_dtype(form->type) != LVSA_F32 && element_dtype(form->type) != LVSA_F64) {
    fail(file, name, fmt::format("is {}; float32 or float64 is due", element_name(form->type)));
  }
  if (count != 1 && count != heads && count != batch * heads) {
    fail(file, name,
         fmt::format("has shape [{}]; one factor, {} (heads) or {} x {} are due",
                     fmt::join(form->shape, ", "), heads, batch, heads));
  }
  std::vector<double> values(static_cast<std::size_t>(count));
  file.read(name, values.data());
  std::vector<float> scales(static_cast<std::size_t>(batch * heads));
  for (std::size_t i = 0; i < scales.size(); ++i) {
    scales[i] = static_cast<float>(values[i % values.size()]);
    if (std::isfinite(scales[i]) && scales[i] > 0.0F) continue;
    fail(file, name, fmt::format("{} is no factor; finite ones above 0 are due", scales[i]));
  }
  return scales;
}

AttentionTensors captured_tensors(const Case& c) {
  const CaptureName name = parse_capture_name(c.file);
  const auto file = open_tensor_file(name.path);
  const std::int64_t tokens = c.grid.seq_len();
  const auto inputs = captured_inputs(*file, name.group, name.axes, {tokens, tokens});
  AttentionTensors tensors{read_captured(*file, inputs[0], c, c.heads, true),
                           read_captured(*file, inputs[1], c, c.kv_heads, true),
                           read_captured(*file, inputs[2], c, c.kv_heads, true)};
  if (c.dtype != LVSA_E4M3) {
    const std::string factor = captured_name(name.group, "q_scale");
    if (element_dtype(inputs[0].form.type) == LVSA_E4M3 && file->form(factor)) {
      fail(*file, factor, "factors are for calls judged in e4m3; settings dtype=e4m3 is due");
    }
    return tensors;
  }
  const auto scales = [&](const char* of, std::int64_t heads) {
    auto found = captured_scales(*file, captured_name(name.group, of), c.batch, heads);
    if (found.empty()) found.assign(static_cast<std::size_t>(c.batch * heads), 1.0F);
    return found;
  };
  tensors.q_scale = scales("q_scale", c.heads);
  tensors.k_scale = scales("k_scale", c.kv_heads);
  tensors.v_scale = scales("v_scale", c.kv_heads);
  return tensors;
}

}  // namespace lvsa::analysis
