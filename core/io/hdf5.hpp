#pragma once
// Reading HDF5 files: small RAII types over the C interface. All failures throw Error(kIo) that
// names the file and the object in it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lvsa {

/// A real-valued dataset read as doubles (exact for f64, f32 and integers up to 53 bits).
struct RealDataset {
  std::vector<std::int64_t> shape;
  std::vector<double> values;      ///< row-major
  std::int64_t element_bytes = 0;  ///< of the file's own type
};

/// A file opened for reading.
class Hdf5File {
 public:
  /// Throws for a directory, a missing or unreadable file, and one that is no HDF5 file.
  explicit Hdf5File(const std::string& path);
  ~Hdf5File();
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;

  const std::string& path() const { return path_; }
  /// The library's identifier of the file, for core/io/hdf5_source.cpp.
  std::int64_t handle() const { return file_; }
  /// Names of the members of a group, in alphabetical order with numbers counted as numbers
  /// ("case2" before "case10").
  std::vector<std::string> members(const std::string& group) const;
  /// Whether the object exists.
  bool has(const std::string& object) const;
  /// Throws when missing, when it is no floating-point or integer dataset, when it holds more than
  /// `max_bytes`, or when reading fails (truncated file).
  RealDataset read_reals(const std::string& dataset,
                         std::int64_t max_bytes = std::int64_t{1} << 34) const;
  /// A one-dimensional dataset of texts, of fixed or variable length. Throws when missing, of
  /// another type or shape, for more than `most` of them, or when reading fails.
  std::vector<std::string> read_texts(const std::string& dataset,
                                      std::int64_t most = std::int64_t{1} << 24) const;
  /// An attribute of a group or dataset; nothing when it is missing. Throws for another type, and
  /// for a text attribute that holds several.
  std::optional<std::string> text_attribute(const std::string& object,
                                            const std::string& name) const;
  std::optional<std::vector<std::int64_t>> integer_attribute(const std::string& object,
                                                             const std::string& name) const;

 private:
  std::string path_;
  std::int64_t file_ = -1;
};

}  // namespace lvsa
