#pragma once
// Files of named tensors with attributes, whatever their format: HDF5, safetensors, or a folder of
// .npy files. Names are paths: "case0000/q" is tensor q of group case0000; "/" is the root.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/io/element_type.hpp"

namespace lvsa {

enum class TensorFormat {
  kHdf5,         ///< attributes are HDF5 attributes; 16- and 8-bit types as unsigned integers with
                 ///< an attribute `dtype`
  kSafetensors,  ///< attributes are entries of the metadata: "name", "case0000/name"
  kNpyFolder,    ///< case0000/q.npy; attributes in cases.json or capture.json: {"case0000": {...}}
};

/// A file opened for reading. All functions throw Error(kIo, kJson or kValue) of one line that
/// names the file and the object.
class TensorSource {
 public:
  virtual ~TensorSource() = default;

  virtual const std::string& path() const = 0;
  /// Names of the members of a group, runs of digits compared as numbers ("case2" before "case10").
  virtual std::vector<std::string> members(const std::string& group) const = 0;
  /// Nothing when there is no tensor of this name.
  virtual std::optional<TensorForm> form(const std::string& tensor) const = 0;
  /// Reads all elements in the tensor's own type, row-major; `data` has room for form().bytes().
  virtual void read_bits(const std::string& tensor, void* data) const = 0;
  /// An attribute of a group or a tensor; nothing when it is missing.
  virtual std::optional<std::string> text_attribute(const std::string& object,
                                                    const std::string& name) const = 0;
  virtual std::optional<std::vector<std::int64_t>> integer_attribute(
      const std::string& object, const std::string& name) const = 0;

  /// All elements as doubles, or as integers; `data` has room for form().elements().
  void read(const std::string& tensor, double* data) const;
  void read(const std::string& tensor, std::int64_t* data) const;
};

/// Opens a file of any of the formats, told apart by its content. Throws Error(kIo).
std::unique_ptr<TensorSource> open_tensor_file(const std::string& path);

/// A file being written; it stands under its name after commit(), whole or not at all.
class TensorSink {
 public:
  virtual ~TensorSink() = default;

  /// Makes a group; its parent must be there.
  virtual void group(const std::string& name) = 0;
  /// Writes a tensor, row-major. `data` holds the product of the shape.
  virtual void dataset(const std::string& name, ElementType type,
                       const std::vector<std::int64_t>& shape, const void* data) = 0;
  virtual void attribute(const std::string& object, const std::string& name,
                         const std::string& text) = 0;
  virtual void attribute(const std::string& object, const std::string& name,
                         std::int64_t value) = 0;
  virtual void attribute(const std::string& object, const std::string& name, double value) = 0;
  virtual void commit() = 0;
};

/// The format that a name asks for: .safetensors; a folder that is there or a name that ends in
/// '/' or ".npy"; else HDF5.
TensorFormat tensor_format_of_name(const std::string& path);

/// `compress` is for HDF5 alone; Error(kValue) with the others.
std::unique_ptr<TensorSink> create_tensor_file(const std::string& path, TensorFormat format,
                                               bool compress = false);

/// "case2" before "case10": runs of digits compare as numbers.
bool natural_less(const std::string& a, const std::string& b);

}  // namespace lvsa
