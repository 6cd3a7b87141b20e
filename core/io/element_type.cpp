#include "core/io/element_type.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.hpp"

namespace lvsa {
namespace {

struct Row {
  ElementType type;
  std::string_view name;
  std::size_t bytes;
  DType dtype;
};

constexpr std::array kRows = {
    Row{ElementType::kOther, "other", 0, LVSA_DTYPE_NONE},
    Row{ElementType::kBool, "bool", 1, LVSA_DTYPE_NONE},
    Row{ElementType::kU8, "uint8", 1, LVSA_DTYPE_NONE},
    Row{ElementType::kI8, "int8", 1, LVSA_DTYPE_NONE},
    Row{ElementType::kU16, "uint16", 2, LVSA_DTYPE_NONE},
    Row{ElementType::kI16, "int16", 2, LVSA_DTYPE_NONE},
    Row{ElementType::kU32, "uint32", 4, LVSA_DTYPE_NONE},
    Row{ElementType::kI32, "int32", 4, LVSA_DTYPE_NONE},
    Row{ElementType::kU64, "uint64", 8, LVSA_DTYPE_NONE},
    Row{ElementType::kI64, "int64", 8, LVSA_DTYPE_NONE},
    Row{ElementType::kF16, "float16", 2, LVSA_F16},
    Row{ElementType::kBF16, "bfloat16", 2, LVSA_BF16},
    Row{ElementType::kF32, "float32", 4, LVSA_F32},
    Row{ElementType::kF64, "float64", 8, LVSA_F64},
    Row{ElementType::kE4M3, "float8_e4m3", 1, LVSA_E4M3},
    Row{ElementType::kE5M2, "float8_e5m2", 1, LVSA_E5M2},
};

const Row& row(ElementType type) { return kRows[static_cast<std::size_t>(type)]; }

template <typename From, typename To>
void convert(const std::byte* from, std::int64_t count, To* to) {
  for (std::int64_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, from + static_cast<std::size_t>(i) * sizeof value, sizeof value);
    if constexpr (std::is_same_v<From, std::uint64_t> && std::is_same_v<To, std::int64_t>) {
      to[i] = static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX));
    } else {
      to[i] = static_cast<To>(value);
    }
  }
}

// Whether the type was an integer one.
template <typename To>
bool convert_integers(ElementType type, const std::byte* from, std::int64_t count, To* to) {
  switch (type) {
    case ElementType::kBool:
    case ElementType::kU8:
      convert<std::uint8_t>(from, count, to);
      return true;
    case ElementType::kI8:
      convert<std::int8_t>(from, count, to);
      return true;
    case ElementType::kU16:
      convert<std::uint16_t>(from, count, to);
      return true;
    case ElementType::kI16:
      convert<std::int16_t>(from, count, to);
      return true;
    case ElementType::kU32:
      convert<std::uint32_t>(from, count, to);
      return true;
    case ElementType::kI32:
      convert<std::int32_t>(from, count, to);
      return true;
    case ElementType::kU64:
      convert<std::uint64_t>(from, count, to);
      return true;
    case ElementType::kI64:
      convert<std::int64_t>(from, count, to);
      return true;
    default:
      return false;
  }
}

}  // namespace

std::size_t element_bytes(ElementType type) { return row(type).bytes; }

std::string_view element_name(ElementType type) { return row(type).name; }

DType element_dtype(ElementType type) { return row(type).dtype; }

ElementType element_type(DType dtype) {
  if (dtype == LVSA_DTYPE_NONE) return ElementType::kOther;
  const auto* found =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.dtype == dtype; });
  return found == kRows.end() ? ElementType::kOther : found->type;
}

ElementType type_of_bits(ElementType stored, std::string_view dtype) {
  if (stored == ElementType::kU16 && dtype == "bf16") return ElementType::kBF16;
  if (stored == ElementType::kU16 && dtype == "f16") return ElementType::kF16;
  if (stored == ElementType::kU8 && dtype == "e4m3") return ElementType::kE4M3;
  if (stored == ElementType::kU8 && dtype == "e5m2") return ElementType::kE5M2;
  return stored;
}

std::int64_t TensorForm::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

std::optional<std::int64_t> checked_bytes(const std::vector<std::int64_t>& shape,
                                          std::size_t width) {
  // Zero among the sizes must not hide an overflow of the others.
  auto bytes = static_cast<std::int64_t>(width);
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) return std::nullopt;
    empty = empty || size == 0;
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(1, size), &bytes)) return std::nullopt;
  }
  return empty ? 0 : bytes;
}

void convert_elements(ElementType type, const std::byte* from, std::int64_t count, double* to) {
  if (convert_integers(type, from, count, to)) return;
  const DType dtype = element_dtype(type);
  if (dtype == LVSA_DTYPE_NONE) {
    throw Error(ErrorKind::kValue, fmt::format("{} elements are no numbers", element_name(type)));
  }
  const std::size_t width = element_bytes(type);
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = decode(dtype, from + static_cast<std::size_t>(i) * width);
  }
}

void convert_elements(ElementType type, const std::byte* from, std::int64_t count,
                      std::int64_t* to) {
  if (convert_integers(type, from, count, to)) return;
  throw Error(ErrorKind::kValue, fmt::format("{} elements are no integers", element_name(type)));
}

}  // namespace lvsa
