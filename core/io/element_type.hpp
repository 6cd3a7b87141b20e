#pragma once
// Element types of tensors in files, one list for all formats.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/tensor.hpp"

namespace lvsa {

enum class ElementType {
  kOther,  ///< no numbers: text, references, compounds
  kBool,
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kU64,
  kI64,
  kF16,
  kBF16,
  kF32,
  kF64,
  kE4M3,
  kE5M2,
};

/// Bytes an element; 0 for kOther.
std::size_t element_bytes(ElementType type);
/// "uint16", "float32", "bfloat16", "float8_e4m3", ...; "other".
std::string_view element_name(ElementType type);
/// The number type that attention takes; LVSA_DTYPE_NONE for integers and others.
DType element_dtype(ElementType type);
/// The reverse; kOther for LVSA_DTYPE_NONE.
ElementType element_type(DType dtype);
/// What unsigned integers stand for when a `dtype` stands beside them: "bf16" makes uint16
/// bfloat16. Other combinations leave the stored type as it is.
ElementType type_of_bits(ElementType stored, std::string_view dtype);

/// Shape and type of a tensor before it is read.
struct TensorForm {
  std::vector<std::int64_t> shape;
  ElementType type = ElementType::kOther;

  /// Number of elements; 1 for a shape without dimensions.
  std::int64_t elements() const;
  std::int64_t bytes() const { return elements() * static_cast<std::int64_t>(element_bytes(type)); }
};

/// Elements of a shape times `width` bytes; nothing when a size is negative or 63 bits do not hold
/// the product.
std::optional<std::int64_t> checked_bytes(const std::vector<std::int64_t>& shape,
                                          std::size_t width);

/// Elements as doubles (exact for all types but 64-bit integers beyond 2^53). Throws Error(kValue)
/// for kOther.
void convert_elements(ElementType type, const std::byte* from, std::int64_t count, double* to);
/// Integer elements; a value beyond 63 bits becomes INT64_MAX. Throws Error(kValue) for other
/// types.
void convert_elements(ElementType type, const std::byte* from, std::int64_t count,
                      std::int64_t* to);

}  // namespace lvsa
