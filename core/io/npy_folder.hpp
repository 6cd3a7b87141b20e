#pragma once
// A folder of .npy files as one file of tensors.

#include <map>
#include <string>

#include "core/io/flat_source.hpp"

namespace lvsa {

/// The file in such a folder that holds the attributes; in captures it may be capture.json.
inline constexpr const char* kNpyIndexName = "cases.json";

/// folder/case0000/q.npy is tensor case0000/q. Attributes stand in cases.json or capture.json,
/// where there is one: {"/": {"lvsa_schema": 1}, "case0000": {"T": 7, ...}, "case0000/q": {"dtype":
/// "bf16"}}. numpy has no bfloat16: such tensors are uint16 with that `dtype`.
class NpyFolder : public FlatSource {
 public:
  /// Reads the headers of all files. Throws Error(kIo or kJson) that names the file in the folder.
  explicit NpyFolder(const std::string& path);

  const std::string& path() const override { return path_; }
  void read_bits(const std::string& tensor, void* data) const override;

 private:
  struct Place {
    std::string file;
    std::int64_t begin = 0;
  };
  void add_file(const std::string& file, const std::string& name);
  void read_index(const std::string& file);

  std::string path_;
  std::map<std::string, Place> places_;
};

}  // namespace lvsa
