#include "core/io/hdf5.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <filesystem>

#include "core/error.hpp"
#include "core/io/hdf5_handle.hpp"
#include "core/io/hdf5_probe.hpp"
#include "core/io/printable.hpp"
#include "core/io/tensor_file.hpp"

namespace lvsa {
namespace {

using hdf5::Handle;

[[noreturn]] void fail(const std::string& path, const std::string& object,
                       const std::string& what) {
  throw Error(ErrorKind::kIo,
              fmt::format("{}: {}{}{}", path, printable(object), object.empty() ? "" : ": ", what));
}

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

std::vector<std::int64_t> shape_of(hid_t space) {
  const int rank = H5Sget_simple_extent_ndims(space);
  std::vector<hsize_t> dims(static_cast<std::size_t>(std::max(rank, 0)));
  if (rank > 0) H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  return {dims.begin(), dims.end()};
}

// The text of an attribute that holds exactly one; nothing when it cannot be read.
std::optional<std::string> read_text(hid_t attribute, hid_t type) {
  constexpr std::size_t kLongest = std::size_t{1} << 26;
  const Handle space(H5Aget_space(attribute), H5Sclose);
  if (!space.valid() || H5Sget_simple_extent_npoints(space.get()) != 1) return std::nullopt;
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    const Handle memory(H5Tcopy(type), H5Tclose);
    if (H5Aread(attribute, memory.get(), &text) < 0 || text == nullptr) return std::nullopt;
    std::string result(text);
    H5free_memory(text);
    return result;
  }
  const std::size_t bytes = H5Tget_size(type);
  if (bytes == 0 || bytes > kLongest) return std::nullopt;
  std::string text(bytes, '\0');
  if (H5Aread(attribute, type, text.data()) < 0) return std::nullopt;
  return text.substr(0, text.find('\0'));
}

}  // namespace

Hdf5File::Hdf5File(const std::string& path) : path_(path) {
  // The library prints its error stack by default; here every error becomes an exception instead.
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    fail(path, "", "is a directory; an HDF5 file is due");
  if (!std::filesystem::exists(path, ignored)) fail(path, "", "no such file");
  if (H5Fis_hdf5(path.c_str()) <= 0)
    fail(path, "", "is no HDF5 file, or one cut off before its header");
  probe_hdf5_file(path);
  file_ = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file_ < 0) fail(path, "", "cannot be opened: the HDF5 file is damaged or cut off");
}

Hdf5File::~Hdf5File() {
  if (file_ >= 0) H5Fclose(file_);
}

std::vector<std::string> Hdf5File::members(const std::string& group) const {
  const Handle handle(H5Gopen2(file_, group.c_str(), H5P_DEFAULT), H5Gclose);
  if (!handle.valid()) fail(path_, group, "no such group");
  std::vector<std::string> names;
  hsize_t at = 0;
  if (H5Literate(handle.get(), H5_INDEX_NAME, H5_ITER_INC, &at, collect_name, &names) < 0) {
    fail(path_, group, "its members cannot be listed");
  }
  std::sort(names.begin(), names.end(), natural_less);
  return names;
}

bool Hdf5File::has(const std::string& object) const {
  for (std::size_t slash = object.find('/', 1);; slash = object.find('/', slash + 1)) {
    if (H5Lexists(file_, object.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return false;
    if (slash == std::string::npos) return true;
  }
}

RealDataset Hdf5File::read_reals(const std::string& name, std::int64_t max_bytes) const {
  if (!has(name)) fail(path_, name, "no such dataset");
  const Handle dataset(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!dataset.valid()) fail(path_, name, "is no dataset");
  const Handle type(H5Dget_type(dataset.get()), H5Tclose);
  const Handle space(H5Dget_space(dataset.get()), H5Sclose);
  if (!type.valid() || !space.valid()) fail(path_, name, "its type or shape cannot be read");
  const H5T_class_t type_class = H5Tget_class(type.get());
  if (type_class != H5T_FLOAT && type_class != H5T_INTEGER) {
    fail(path_, name, "holds neither real numbers nor integers");
  }
  RealDataset result;
  result.shape = shape_of(space.get());
  result.element_bytes = static_cast<std::int64_t>(H5Tget_size(type.get()));
  std::int64_t count = 1;
  for (const std::int64_t size : result.shape) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count) || count > max_bytes / 8) {
      fail(path_, name, fmt::format("holds more than {} bytes", max_bytes));
    }
  }
  result.values.resize(static_cast<std::size_t>(count));
  if (count > 0 && H5Dread(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                           result.values.data()) < 0) {
    fail(path_, name, "cannot be read: the file is damaged or cut off");
  }
  return result;
}

std::vector<std::string> Hdf5File::read_texts(const std::string& name, std::int64_t most) const {
  if (!has(name)) fail(path_, name, "no such dataset");
  const Handle dataset(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!dataset.valid()) fail(path_, name, "is no dataset");
  const Handle type(H5Dget_type(dataset.get()), H5Tclose);
  const Handle space(H5Dget_space(dataset.get()), H5Sclose);
  if (!type.valid() || !space.valid() || H5Tget_class(type.get()) != H5T_STRING) {
    fail(path_, name, "holds no texts");
  }
  const std::vector<std::int64_t> shape = shape_of(space.get());
  if (shape.size() != 1 || shape[0] > most) {
    fail(path_, name, fmt::format("a list of at most {} texts is due", most));
  }
  const auto count = static_cast<std::size_t>(shape[0]);
  std::vector<std::string> texts(count);
  if (count == 0) return texts;
  const auto unreadable = [&] {
    fail(path_, name, "cannot be read: the file is damaged or cut off");
  };
  if (H5Tis_variable_str(type.get()) > 0) {
    std::vector<char*> pointers(count, nullptr);
    if (H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()) < 0) {
      unreadable();
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (pointers[i] != nullptr) texts[i] = pointers[i];
    }
    H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, pointers.data());
    return texts;
  }
  const std::size_t width = H5Tget_size(type.get());
  constexpr std::size_t kLongest = 65536;
  if (width == 0 || width > kLongest) fail(path_, name, "its texts are too long");
  std::string bytes(count * width, '\0');
  if (H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) {
    unreadable();
  }
  for (std::size_t i = 0; i < count; ++i) {
    texts[i] = bytes.substr(i * width, width);
    texts[i].resize(std::min(texts[i].size(), texts[i].find('\0')));
  }
  return texts;
}

std::optional<std::string> Hdf5File::text_attribute(const std::string& object,
                                                    const std::string& name) const {
  if (H5Aexists_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT) <= 0) return std::nullopt;
  const Handle attribute(
      H5Aopen_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  const Handle type(H5Aget_type(attribute.get()), H5Tclose);
  if (!attribute.valid() || !type.valid() || H5Tget_class(type.get()) != H5T_STRING) {
    fail(path_, object, fmt::format("attribute {} is no text", name));
  }
  auto text = read_text(attribute.get(), type.get());
  if (!text) fail(path_, object, fmt::format("attribute {}: one text is due", name));
  return text;
}

std::optional<std::vector<std::int64_t>> Hdf5File::integer_attribute(
    const std::string& object, const std::string& name) const {
  if (H5Aexists_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT) <= 0) return std::nullopt;
  const Handle attribute(
      H5Aopen_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  const Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const Handle space(H5Aget_space(attribute.get()), H5Sclose);
  if (!attribute.valid() || !type.valid() || !space.valid() ||
      H5Tget_class(type.get()) != H5T_INTEGER) {
    fail(path_, object, fmt::format("attribute {} is no integer", name));
  }
  constexpr hssize_t kMostIntegers = hssize_t{1} << 20;
  const hssize_t count = H5Sget_simple_extent_npoints(space.get());
  if (count > kMostIntegers) fail(path_, object, fmt::format("attribute {} is too long", name));
  std::vector<std::int64_t> values(static_cast<std::size_t>(std::max<hssize_t>(count, 0)));
  if (count > 0 && H5Aread(attribute.get(), H5T_NATIVE_INT64, values.data()) < 0) {
    fail(path_, object, fmt::format("attribute {} cannot be read", name));
  }
  return values;
}

}  // namespace lvsa
