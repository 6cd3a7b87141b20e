#pragma once
// An HDF5 file as a file of tensors.

#include "core/io/hdf5.hpp"
#include "core/io/tensor_file.hpp"

namespace lvsa {

/// Integers beside an attribute `dtype` are bits of that type: uint16 with "bf16" is bfloat16.
class Hdf5Source : public TensorSource {
 public:
  /// Throws as Hdf5File does; a file that would crash the library is found by its probe.
  explicit Hdf5Source(const std::string& path) : file_(path) {}

  const std::string& path() const override { return file_.path(); }
  std::vector<std::string> members(const std::string& group) const override;
  /// Throws Error(kIo) for a dataset that says it holds more than its file can, compressed or not.
  std::optional<TensorForm> form(const std::string& tensor) const override;
  void read_bits(const std::string& tensor, void* data) const override;
  std::optional<std::string> text_attribute(const std::string& object,
                                            const std::string& name) const override {
    return file_.text_attribute(object, name);
  }
  std::optional<std::vector<std::int64_t>> integer_attribute(
      const std::string& object, const std::string& name) const override {
    return file_.integer_attribute(object, name);
  }

 private:
  Hdf5File file_;
};

}  // namespace lvsa
