#pragma once
// Writing HDF5 files that are there whole or not at all. All failures throw Error(kIo) that names
// the file and the object in it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/io/tensor_file.hpp"

namespace lvsa {

/// The library's own clean-up at the end of the process crashes over a file that could not be
/// written to its end (full disk). An executable that writes calls this before it uses HDF5 in any
/// other way, and has no clean-up then; files that are closed before lose nothing.
void leave_hdf5_open_at_exit();

/// A file under way. The bytes go to a hidden file beside `path`; commit() gives it the final name,
/// and without commit() nothing is left behind (a killed process leaves the hidden file only).
class Hdf5Writer : public TensorSink {
 public:
  /// `compress`: datasets are deflated. Throws for a folder that does not exist, a directory or
  /// something else that is no regular file in place of `path`, and no permission.
  explicit Hdf5Writer(const std::string& path, bool compress = false);
  ~Hdf5Writer() override;
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  void group(const std::string& name) override;
  /// In chunks of about 1 MiB. 8- and 16-bit floats are written as unsigned integers with an
  /// attribute `dtype`.
  void dataset(const std::string& name, ElementType type, const std::vector<std::int64_t>& shape,
               const void* data) override;
  void attribute(const std::string& object, const std::string& name,
                 const std::string& text) override;
  void attribute(const std::string& object, const std::string& name, std::int64_t value) override;
  void attribute(const std::string& object, const std::string& name, double value) override;

  // What other formats have not: names and labels of dimensions, as netCDF and xarray read them.

  /// A list of texts, of variable length.
  void texts(const std::string& name, const std::vector<std::string>& values);
  /// Several integers in one attribute, in the type of the dataset that it stands at: CF's
  /// flag_values must have it.
  void attribute(const std::string& object, const std::string& name,
                 const std::vector<std::uint8_t>& values);
  /// Makes a one-dimensional dataset the scale of a dimension of that name (H5DS).
  void make_scale(const std::string& dataset);
  /// Names the dimensions of a dataset by scales, one for each, and labels them so. Throws where
  /// there are fewer or more.
  void attach_scales(const std::string& dataset, const std::vector<std::string>& scales);

  /// Flushes to the disk, closes, and renames. Nothing may be written after it.
  void commit() override;

 private:
  class File;
  std::unique_ptr<File> file_;
};

}  // namespace lvsa
