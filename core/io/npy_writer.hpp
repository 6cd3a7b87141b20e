#pragma once
// Writing a folder of .npy files that is there whole or not at all.

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/io/tensor_file.hpp"

namespace lvsa {

/// Writes what NpyFolder reads. The files go to a hidden folder beside `path`, which commit()
/// renames; without commit() nothing is left behind.
class NpyFolderWriter : public TensorSink {
 public:
  /// Throws Error(kIo) when `path` is there and no empty folder, or its folder takes no new one.
  explicit NpyFolderWriter(const std::string& path);
  ~NpyFolderWriter() override;
  NpyFolderWriter(const NpyFolderWriter&) = delete;
  NpyFolderWriter& operator=(const NpyFolderWriter&) = delete;

  void group(const std::string& name) override;
  void dataset(const std::string& name, ElementType type, const std::vector<std::int64_t>& shape,
               const void* data) override;
  void attribute(const std::string& object, const std::string& name,
                 const std::string& text) override;
  void attribute(const std::string& object, const std::string& name, std::int64_t value) override;
  void attribute(const std::string& object, const std::string& name, double value) override;
  void commit() override;

 private:
  std::string path_;       // as the caller named it: for messages
  std::string target_;     // absolute
  std::string temporary_;  // empty once renamed
  std::unique_ptr<nlohmann::ordered_json> index_;
};

}  // namespace lvsa
