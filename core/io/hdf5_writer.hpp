#pragma once
// Writing HDF5 files that are there whole or not at all. All failures throw Error(kIo) that names
// the file and the object in it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace lvsa {

/// Element types that are written, as the file holds them (little endian).
enum class Hdf5Type { kU16, kI32, kI64, kF32, kF64 };
std::size_t hdf5_type_bytes(Hdf5Type type);

/// The library's own clean-up at the end of the process crashes over a file that could not be
/// written to its end (full disk). An executable that writes calls this before it uses HDF5 in any
/// other way, and has no clean-up then; files that are closed before lose nothing.
void leave_hdf5_open_at_exit();

/// A file under way. The bytes go to a hidden file beside `path`; commit() gives it the final name,
/// and without commit() nothing is left behind (a killed process leaves the hidden file only).
class Hdf5Writer {
 public:
  /// `compress`: datasets are deflated. Throws for a folder that does not exist, a directory or
  /// something else that is no regular file in place of `path`, and no permission.
  explicit Hdf5Writer(const std::string& path, bool compress = false);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  /// Makes a group; its parent must be there.
  void group(const std::string& name);
  /// Writes a dataset, row-major, in chunks of about 1 MiB. `data` holds the product of the shape.
  void dataset(const std::string& name, Hdf5Type type, const std::vector<std::int64_t>& shape,
               const void* data);
  /// Attributes of an object ("/" is the root).
  void attribute(const std::string& object, const std::string& name, const std::string& text);
  void attribute(const std::string& object, const std::string& name, std::int64_t value);
  void attribute(const std::string& object, const std::string& name, double value);
  /// Flushes to the disk, closes, and renames. Nothing may be written after it.
  void commit();

 private:
  class File;
  std::unique_ptr<File> file_;
};

}  // namespace lvsa
