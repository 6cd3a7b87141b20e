#pragma once
// The header of a safetensors file: JSON that says where each tensor lies.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/io/element_type.hpp"

namespace lvsa {

/// The most that the format allows for the header.
inline constexpr std::int64_t kSafetensorsHeaderBytes = 100'000'000;

struct SafetensorsEntry {
  TensorForm form;
  std::int64_t begin = 0;  ///< from the end of the header, in bytes
  std::int64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, SafetensorsEntry> tensors;
  std::map<std::string, std::string> metadata;
};

/// Parses the JSON of a header before `data_bytes` bytes of data. Throws Error(kIo or kJson) of one
/// line that begins with `where`: what is no header, an unknown type, sizes that are negative or
/// overflow, offsets that do not fit the shape, lie outside the data, overlap, or leave a hole.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::int64_t data_bytes,
                                           const std::string& where);

/// The type as a header spells it ("BF16", ...); empty for kOther.
std::string_view safetensors_name(ElementType type);

}  // namespace lvsa
