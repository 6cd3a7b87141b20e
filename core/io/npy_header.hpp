#pragma once
// The header of a .npy file: a Python dictionary with type, order and shape.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/io/element_type.hpp"

namespace lvsa {

struct NpyHeader {
  TensorForm form;
  std::int64_t data_begin = 0;  ///< offset of the first element in the file
};

/// The bytes that parse_npy_header() wants to see of a file, unless it is shorter: magic, version,
/// length and the longest header that is taken.
inline constexpr std::int64_t kNpyHeadBytes = 12 + (std::int64_t{1} << 20);

/// Parses the beginning of a file of `file_bytes` bytes. Versions 1 to 3 in C order and little
/// endian. What numpy has no type for comes as raw bytes ('V1', 'V2', 'f1'), here uint8 and uint16.
/// Throws Error(kIo) of one line that begins with `where`.
NpyHeader parse_npy_header(std::string_view head, std::int64_t file_bytes,
                           const std::string& where);

/// Magic, version 1.0 and header of a tensor, a multiple of 64 bytes. bfloat16 and the 8-bit floats
/// are written as unsigned integers.
std::string npy_header(ElementType type, const std::vector<std::int64_t>& shape);

}  // namespace lvsa
