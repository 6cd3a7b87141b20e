#include "core/tensor/tensor.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "core/error.hpp"
#include "core/geometry/frame_grid.hpp"
#include "core/numeric/small_floats.hpp"

namespace lvsa {
namespace {

template <typename T>
T load(const void* element) {
  T value;
  std::memcpy(&value, element, sizeof value);
  return value;
}

template <typename T>
void store(void* element, T value) {
  std::memcpy(element, &value, sizeof value);
}

[[noreturn]] void unsupported(DType dtype) {
  throw Error(
      ErrorKind::kValue,
      fmt::format("element type {} is not supported here; f64, f32, f16, bf16 or e4m3 is due",
                  dtype_name(dtype)));
}

// Reads a strided row of one type; the conversion is chosen once a row, not once an element.
template <typename T, typename Convert>
void read_elements(const void* data, std::int64_t first, std::int64_t stride, std::int64_t count,
                   double* out, Convert convert) {
  const T* source = static_cast<const T*>(data) + first;
  if (stride == 1) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = convert(source[i]);
  } else {
    for (std::int64_t i = 0; i < count; ++i) out[i] = convert(source[i * stride]);
  }
}

constexpr std::align_val_t kAlignment{64};

}  // namespace

std::string_view dtype_name(DType dtype) {
  switch (dtype) {
    case LVSA_F64:
      return "f64";
    case LVSA_F32:
      return "f32";
    case LVSA_F16:
      return "f16";
    case LVSA_BF16:
      return "bf16";
    case LVSA_E4M3:
      return "e4m3";
    case LVSA_E5M2:
      return "e5m2";
    case LVSA_DTYPE_NONE:
      break;
  }
  return "none";
}

DType parse_dtype(std::string_view text) {
  for (const DType dtype :
       {LVSA_DTYPE_NONE, LVSA_F64, LVSA_F32, LVSA_F16, LVSA_BF16, LVSA_E4M3, LVSA_E5M2}) {
    if (text == dtype_name(dtype)) return dtype;
  }
  throw Error(
      ErrorKind::kValue,
      fmt::format("'{}' is no element type; f64, f32, f16, bf16, e4m3, e5m2 or none", text));
}

double unit_roundoff(DType dtype) {
  switch (dtype) {
    case LVSA_F64:
      return 0x1p-53;
    case LVSA_F32:
      return 0x1p-24;
    case LVSA_F16:
      return 0x1p-11;
    case LVSA_BF16:
      return 0x1p-8;
    case LVSA_E4M3:
      return 0x1p-4;
    case LVSA_E5M2:
      return 0x1p-3;
    case LVSA_DTYPE_NONE:
      break;
  }
  return 0.0;
}

double underflow_error(DType dtype) {
  switch (dtype) {
    case LVSA_F64:
      return std::ldexp(1.0, -1074);
    case LVSA_F32:
      return 0x1p-150;
    case LVSA_F16:
      return 0x1p-25;
    case LVSA_BF16:
      return 0x1p-134;
    case LVSA_E4M3:
      return 0x1p-10;
    case LVSA_E5M2:
      return 0x1p-17;
    case LVSA_DTYPE_NONE:
      break;
  }
  return 0.0;
}

std::string_view layout_name(Layout layout) { return layout == Layout::kBSHD ? "bshd" : "bhsd"; }

Layout parse_layout(std::string_view text) {
  if (text == "bshd") return Layout::kBSHD;
  if (text == "bhsd") return Layout::kBHSD;
  throw Error(ErrorKind::kValue, fmt::format("'{}' is no layout; bshd or bhsd is due", text));
}

double decode(DType dtype, const void* element) {
  switch (dtype) {
    case LVSA_F64:
      return load<double>(element);
    case LVSA_F32:
      return load<float>(element);
    case LVSA_F16:
      return fp16_to_float(load<std::uint16_t>(element));
    case LVSA_BF16:
      return bf16_to_float(load<std::uint16_t>(element));
    case LVSA_E4M3:
      return e4m3_to_float(load<std::uint8_t>(element));
    default:
      unsupported(dtype);
  }
}

void encode(DType dtype, double value, void* element) {
  switch (dtype) {
    case LVSA_F64:
      return store(element, value);
    case LVSA_F32:
      return store(element, static_cast<float>(value));
    case LVSA_F16:
      return store(element, double_to_fp16(value));
    case LVSA_BF16:
      return store(element, double_to_bf16(value));
    case LVSA_E4M3:
      return store(element, double_to_e4m3(value));
    default:
      unsupported(dtype);
  }
}

double round_to_dtype(DType dtype, double value) {
  std::array<std::byte, 8> bits{};
  encode(dtype, value, bits.data());
  return decode(dtype, bits.data());
}

double next_in_dtype(DType dtype, double value, double toward) {
  if (!(value < toward) && !(value > toward)) return value;
  if (dtype == LVSA_F64) return std::nextafter(value, toward);
  if (dtype == LVSA_F32)
    return std::nextafter(static_cast<float>(value), value < toward ? INFINITY : -INFINITY);
  // 16 bits: away from zero the bits count up, towards zero down; zero steps to a subnormal.
  std::uint16_t bits = 0;
  encode(dtype, value, &bits);
  if (value == 0.0) {
    bits = toward > 0.0 ? 0x0001 : 0x8001;
  } else {
    const bool outwards = (value > 0.0) == (value < toward);
    bits = static_cast<std::uint16_t>(outwards ? bits + 1 : bits - 1);
  }
  return decode(dtype, &bits);
}

void TensorView::read_row(std::int64_t b, std::int64_t s, std::int64_t h, double* out) const {
  const std::int64_t first = b * strides[0] + s * strides[1] + h * strides[2];
  const std::int64_t stride = strides[3];
  switch (dtype) {
    case LVSA_F64:
      return read_elements<double>(data, first, stride, shape[3], out, [](double x) { return x; });
    case LVSA_F32:
      return read_elements<float>(data, first, stride, shape[3], out,
                                  [](float x) { return static_cast<double>(x); });
    case LVSA_F16:
      return read_elements<std::uint16_t>(data, first, stride, shape[3], out, [](std::uint16_t x) {
        return static_cast<double>(fp16_to_float(x));
      });
    case LVSA_BF16:
      return read_elements<std::uint16_t>(data, first, stride, shape[3], out, [](std::uint16_t x) {
        return static_cast<double>(bf16_to_float(x));
      });
    case LVSA_E4M3:
      return read_elements<std::uint8_t>(data, first, stride, shape[3], out, [](std::uint8_t x) {
        return static_cast<double>(e4m3_to_float(x));
      });
    default:
      unsupported(dtype);
  }
}

void Tensor::Free::operator()(std::byte* pointer) const {
  ::operator delete[](pointer, kAlignment);
}

Tensor::Tensor(DType dtype, std::array<std::int64_t, 4> shape, Layout layout)
    : dtype_(dtype), shape_(shape) {
  std::int64_t count = static_cast<std::int64_t>(dtype_bytes(dtype));
  for (const std::int64_t size : shape) {
    if (size < 1) {
      throw Error(ErrorKind::kValue,
                  fmt::format("tensor shape [{}, {}, {}, {}]: sizes of at least 1 are due",
                              shape[0], shape[1], shape[2], shape[3]));
    }
    count = checked_product(count, size, "tensor bytes");
  }
  const auto [batch, tokens, heads, dim] = shape;
  strides_ = layout == Layout::kBSHD
                 ? std::array<std::int64_t, 4>{tokens * heads * dim, heads * dim, dim, 1}
                 : std::array<std::int64_t, 4>{tokens * heads * dim, dim, tokens * dim, 1};
  size_bytes_ = static_cast<std::size_t>(count);
  auto* memory = static_cast<std::byte*>(::operator new[](size_bytes_, kAlignment, std::nothrow));
  if (memory == nullptr) {
    throw Error(
        ErrorKind::kOverflow,
        fmt::format("tensor [{}, {}, {}, {}] of {} needs {} bytes, which memory cannot give", batch,
                    tokens, heads, dim, dtype_name(dtype), count));
  }
  data_.reset(memory);
}

lvsa_tensor Tensor::c_tensor() const {
  return {data_.get(), {strides_[0], strides_[1], strides_[2], strides_[3]}};
}

}  // namespace lvsa
