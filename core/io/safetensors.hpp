#pragma once
// Reading safetensors files: 8 bytes with the length of the header, the header, the data.

#include "core/io/byte_file.hpp"
#include "core/io/flat_source.hpp"
#include "core/io/safetensors_header.hpp"

namespace lvsa {

/// Metadata entries are the attributes: "T" of the root, "case0000/T" or "case0000.T" of a group.
class SafetensorsFile : public FlatSource {
 public:
  /// Throws Error(kIo or kJson) as parse_safetensors_header() does, and for a file that is shorter
  /// than its header says.
  explicit SafetensorsFile(const std::string& path);

  const std::string& path() const override { return file_.path(); }
  void read_bits(const std::string& tensor, void* data) const override;

 private:
  ByteFile file_;
  std::int64_t data_begin_ = 0;
  std::map<std::string, std::int64_t> begins_;  // by path, from data_begin_
};

}  // namespace lvsa
