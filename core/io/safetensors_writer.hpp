#pragma once
// Writing safetensors files that are there whole or not at all.

#include <memory>
#include <string>

#include "core/io/tensor_file.hpp"

namespace lvsa {

/// The data go to a file without a name in the folder of `path` first, since the header stands
/// before them and lists them: for a moment they take twice their room on the disk.
class SafetensorsWriter : public TensorSink {
 public:
  /// Throws Error(kIo) as AtomicFile does.
  explicit SafetensorsWriter(const std::string& path);
  ~SafetensorsWriter() override;

  void group(const std::string& name) override;
  void dataset(const std::string& name, ElementType type, const std::vector<std::int64_t>& shape,
               const void* data) override;
  /// Metadata "object/name", or "name" for the root: texts all.
  void attribute(const std::string& object, const std::string& name,
                 const std::string& text) override;
  void attribute(const std::string& object, const std::string& name, std::int64_t value) override;
  void attribute(const std::string& object, const std::string& name, double value) override;
  void commit() override;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace lvsa
