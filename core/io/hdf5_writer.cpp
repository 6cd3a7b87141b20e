#include "core/io/hdf5_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "core/error.hpp"
#include "core/io/hdf5_handle.hpp"

namespace lvsa {
namespace {

constexpr hsize_t kChunkBytes = hsize_t{1} << 20;
constexpr unsigned kDeflateLevel = 1;  // random bits hardly shrink; higher levels only cost time

using hdf5::Handle;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kIo, fmt::format("{}: cannot be written: {}", path, what));
}

// The library writes from any of its calls, and a write beyond the file size limit sends a signal
// that would end the process. While one of these lives, the thread gets the error alone.
class FileSizeSignalBlocked {
 public:
  FileSizeSignalBlocked() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  ~FileSizeSignalBlocked() {
    const timespec no_wait{};
    while (sigtimedwait(&signals_, nullptr, &no_wait) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  FileSizeSignalBlocked(const FileSizeSignalBlocked&) = delete;
  FileSizeSignalBlocked& operator=(const FileSizeSignalBlocked&) = delete;

 private:
  sigset_t signals_;
  sigset_t before_;
};

// What has no type in HDF5, or none that all readers know, is written as its bits.
hid_t file_type(ElementType type) {
  switch (type) {
    case ElementType::kU8:
    case ElementType::kE4M3:
    case ElementType::kE5M2:
      return H5T_STD_U8LE;
    case ElementType::kU16:
    case ElementType::kF16:
    case ElementType::kBF16:
      return H5T_STD_U16LE;
    case ElementType::kI32:
      return H5T_STD_I32LE;
    case ElementType::kI64:
      return H5T_STD_I64LE;
    case ElementType::kU64:
      return H5T_STD_U64LE;
    case ElementType::kF32:
      return H5T_IEEE_F32LE;
    case ElementType::kF64:
      return H5T_IEEE_F64LE;
    default:
      return H5I_INVALID_HID;
  }
}

bool written_as_bits(ElementType type) {
  const DType dtype = element_dtype(type);
  return dtype != LVSA_DTYPE_NONE && dtype != LVSA_F32 && dtype != LVSA_F64;
}

// A chunk of at most kChunkBytes: dimensions are halved from the first on.
std::vector<hsize_t> chunk_of(std::vector<hsize_t> dims, hsize_t element_bytes) {
  hsize_t bytes = element_bytes;
  for (hsize_t& size : dims) {
    size = std::max<hsize_t>(1, size);
    bytes *= size;
  }
  for (std::size_t i = 0; i < dims.size() && bytes > kChunkBytes;) {
    if (dims[i] == 1) {
      ++i;
      continue;
    }
    bytes /= dims[i];
    dims[i] = (dims[i] + 1) / 2;
    bytes *= dims[i];
  }
  return dims;
}

}  // namespace

void leave_hdf5_open_at_exit() { H5dont_atexit(); }

class Hdf5Writer::File {
 public:
  File(const std::string& path, bool compress) : path_(path), compress_(compress) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    namespace fs = std::filesystem;
    std::error_code error;
    if (path.empty()) fail("''", "the name of a file is due");
    if (fs::is_directory(path, error) || path.back() == '/') fail(path, "it is a directory");
    if (fs::exists(path, error) && !fs::is_regular_file(path, error)) {
      fail(path, "it is no regular file, and HDF5 needs one");
    }
    fs::path target = fs::weakly_canonical(fs::absolute(path), error);
    if (error) fail(path, error.message());
    const fs::path folder = target.parent_path();
    if (!fs::is_directory(folder, error))
      fail(path, fmt::format("there is no folder '{}'", folder.string()));
    if (::access(fs::exists(target, error) ? target.c_str() : folder.c_str(), W_OK) != 0) {
      fail(path, std::generic_category().message(errno));
    }
    target_ = target.string();
    temporary_ =
        (folder / fmt::format(".{}.{}.tmp", target.filename().string().substr(0, 200), getpid()))
            .string();
    file_ = H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file_ < 0) fail(path, "the folder takes no new file (permission or full disk)");
  }

  ~File() {
    const FileSizeSignalBlocked blocked;
    if (file_ >= 0) H5Fclose(file_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  hid_t id() const { return file_; }
  bool compress() const { return compress_; }

  [[noreturn]] void fail_at(const std::string& object) const {
    fail(path_, fmt::format("{}: the HDF5 library could not write it (disk full, file size limit, "
                            "or a name that is there already)",
                            object));
  }

  void commit() {
    const FileSizeSignalBlocked blocked;
    if (H5Fflush(file_, H5F_SCOPE_LOCAL) < 0) fail_at("/");
    const hid_t file = file_;
    file_ = -1;
    if (H5Fclose(file) < 0) fail_at("/");
    // Some file systems report a full disk only at fsync.
    const int descriptor = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    const int error_number = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (!synced) fail(path_, std::generic_category().message(error_number));
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
      fail(path_, std::generic_category().message(errno));
    }
    temporary_.clear();
  }

  void attribute(const std::string& object, const std::string& name, hid_t type, hid_t memory_type,
                 const void* value) {
    const FileSizeSignalBlocked blocked;
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle attribute(H5Acreate_by_name(file_, object.c_str(), name.c_str(), type, space.get(),
                                             H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                           H5Aclose);
    if (!attribute.valid() || H5Awrite(attribute.get(), memory_type, value) < 0) {
      fail_at(fmt::format("{}: attribute {}", object, name));
    }
  }

 private:
  std::string path_;       // as the caller named it: for messages
  std::string target_;     // with symbolic links followed
  std::string temporary_;  // empty once renamed
  bool compress_;
  hid_t file_ = H5I_INVALID_HID;
};

Hdf5Writer::Hdf5Writer(const std::string& path, bool compress)
    : file_(std::make_unique<File>(path, compress)) {}
Hdf5Writer::~Hdf5Writer() = default;

void Hdf5Writer::commit() { file_->commit(); }

void Hdf5Writer::group(const std::string& name) {
  const FileSizeSignalBlocked blocked;
  const Handle group(H5Gcreate2(file_->id(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                     H5Gclose);
  if (!group.valid()) file_->fail_at(name);
}

void Hdf5Writer::dataset(const std::string& name, ElementType type,
                         const std::vector<std::int64_t>& shape, const void* data) {
  const FileSizeSignalBlocked blocked;
  const std::vector<hsize_t> dims(shape.begin(), shape.end());
  const Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
                     H5Sclose);
  const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(properties.get(), false);  // the same content, the same bytes
  if (!dims.empty()) {
    const auto chunk = chunk_of(dims, element_bytes(type));
    H5Pset_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data());
    if (file_->compress() && H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0) {
      H5Pset_shuffle(properties.get());
      H5Pset_deflate(properties.get(), kDeflateLevel);
    }
  }
  const Handle dataset(H5Dcreate2(file_->id(), name.c_str(), file_type(type), space.get(),
                                  H5P_DEFAULT, properties.get(), H5P_DEFAULT),
                       H5Dclose);
  const bool empty = std::find(dims.begin(), dims.end(), hsize_t{0}) != dims.end();
  // The types in memory are those of the file: x86-64 is little endian.
  if (!dataset.valid() || (!empty && H5Dwrite(dataset.get(), file_type(type), H5S_ALL, H5S_ALL,
                                              H5P_DEFAULT, data) < 0)) {
    file_->fail_at(name);
  }
  if (written_as_bits(type)) attribute(name, "dtype", std::string(dtype_name(element_dtype(type))));
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name,
                           const std::string& text) {
  // Of variable length: h5py returns these as str, and fixed ones as bytes.
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  const char* value = text.c_str();
  file_->attribute(object, name, type.get(), type.get(), &value);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, std::int64_t value) {
  file_->attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, double value) {
  file_->attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

void Hdf5Writer::texts(const std::string& name, const std::vector<std::string>& values) {
  const FileSizeSignalBlocked blocked;
  const hsize_t count = values.size();
  const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(properties.get(), false);
  const Handle dataset(H5Dcreate2(file_->id(), name.c_str(), type.get(), space.get(), H5P_DEFAULT,
                                  properties.get(), H5P_DEFAULT),
                       H5Dclose);
  std::vector<const char*> pointers;
  for (const std::string& value : values) pointers.push_back(value.c_str());
  if (!dataset.valid() || (count > 0 && H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL,
                                                 H5P_DEFAULT, pointers.data()) < 0)) {
    file_->fail_at(name);
  }
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name,
                           const std::vector<std::uint8_t>& values) {
  const FileSizeSignalBlocked blocked;
  const hsize_t count = values.size();
  const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  const Handle attribute(H5Acreate_by_name(file_->id(), object.c_str(), name.c_str(), H5T_STD_U8LE,
                                           space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose);
  if (!attribute.valid() || H5Awrite(attribute.get(), H5T_NATIVE_UINT8, values.data()) < 0) {
    file_->fail_at(fmt::format("{}: attribute {}", object, name));
  }
}

void Hdf5Writer::make_scale(const std::string& dataset) {
  const FileSizeSignalBlocked blocked;
  const Handle handle(H5Dopen2(file_->id(), dataset.c_str(), H5P_DEFAULT), H5Dclose);
  const std::string name = dataset.substr(dataset.rfind('/') + 1);
  if (!handle.valid() || H5DSset_scale(handle.get(), name.c_str()) < 0) {
    file_->fail_at(fmt::format("{}: as the scale of a dimension", dataset));
  }
}

void Hdf5Writer::attach_scales(const std::string& dataset, const std::vector<std::string>& scales) {
  const FileSizeSignalBlocked blocked;
  const Handle handle(H5Dopen2(file_->id(), dataset.c_str(), H5P_DEFAULT), H5Dclose);
  const Handle space(handle.valid() ? H5Dget_space(handle.get()) : H5I_INVALID_HID, H5Sclose);
  bool good =
      space.valid() && H5Sget_simple_extent_ndims(space.get()) == static_cast<int>(scales.size());
  for (unsigned i = 0; good && i < scales.size(); ++i) {
    const Handle scale(H5Dopen2(file_->id(), scales[i].c_str(), H5P_DEFAULT), H5Dclose);
    const std::string label = scales[i].substr(scales[i].rfind('/') + 1);
    good = scale.valid() && H5DSattach_scale(handle.get(), scale.get(), i) >= 0 &&
           H5DSset_label(handle.get(), i, label.c_str()) >= 0;
  }
  if (!good) file_->fail_at(fmt::format("{}: the scales of its dimensions", dataset));
}

}  // namespace lvsa
