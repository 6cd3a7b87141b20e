#include "core/io/tensor_file.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <string_view>

#include "core/error.hpp"
#include "core/io/byte_file.hpp"
#include "core/io/hdf5_source.hpp"
#include "core/io/hdf5_writer.hpp"
#include "core/io/npy_folder.hpp"
#include "core/io/npy_writer.hpp"
#include "core/io/safetensors.hpp"
#include "core/io/safetensors_writer.hpp"

namespace lvsa {
namespace {

bool ends_with(const std::string& text, std::string_view tail) {
  return text.size() >= tail.size() &&
         text.compare(text.size() - tail.size(), tail.size(), tail) == 0;
}

template <typename T>
void read_converted(const TensorSource& source, const std::string& tensor, T* data) {
  const auto form = source.form(tensor);
  if (!form) {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}: no such tensor", source.path(), tensor));
  }
  std::vector<std::byte> bits(static_cast<std::size_t>(form->bytes()));
  source.read_bits(tensor, bits.data());
  try {
    convert_elements(form->type, bits.data(), form->elements(), data);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}: {}", source.path(), tensor, error.what()));
  }
}

}  // namespace

void TensorSource::read(const std::string& tensor, double* data) const {
  read_converted(*this, tensor, data);
}

void TensorSource::read(const std::string& tensor, std::int64_t* data) const {
  read_converted(*this, tensor, data);
}

std::unique_ptr<TensorSource> open_tensor_file(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return std::make_unique<NpyFolder>(path);
  if (!std::filesystem::exists(path, ignored)) {
    throw Error(ErrorKind::kIo, fmt::format("{}: no such file", path));
  }
  if (ends_with(path, ".safetensors")) return std::make_unique<SafetensorsFile>(path);
  // HDF5 has the last word on what is named like it.
  if (ends_with(path, ".h5") || ends_with(path, ".hdf5")) return std::make_unique<Hdf5Source>(path);
  std::array<char, 9> head{};
  const ByteFile file(path);
  file.read(0, head.data(), std::min<std::int64_t>(file.size(), head.size()));
  if (std::string_view(head.data(), 4) == "\x89HDF") return std::make_unique<Hdf5Source>(path);
  if (head[8] == '{') return std::make_unique<SafetensorsFile>(path);
  throw Error(ErrorKind::kIo, fmt::format("{}: is neither HDF5 nor safetensors{}", path,
                                          std::string_view(head.data(), 6) == "\x93NUMPY"
                                              ? "; the folder of a .npy file is due, not the file"
                                              : " nor a folder of .npy files"));
}

TensorFormat tensor_format_of_name(const std::string& path) {
  std::error_code ignored;
  if (ends_with(path, ".safetensors")) return TensorFormat::kSafetensors;
  if (ends_with(path, "/") || ends_with(path, ".npy") ||
      std::filesystem::is_directory(path, ignored)) {
    return TensorFormat::kNpyFolder;
  }
  return TensorFormat::kHdf5;
}

std::unique_ptr<TensorSink> create_tensor_file(const std::string& path, TensorFormat format,
                                               bool compress) {
  if (format == TensorFormat::kHdf5) return std::make_unique<Hdf5Writer>(path, compress);
  if (compress) {
    throw Error(
        ErrorKind::kValue,
        fmt::format("{}: only HDF5 files are compressed; a name that ends in .h5 is due", path));
  }
  if (format == TensorFormat::kSafetensors) return std::make_unique<SafetensorsWriter>(path);
  return std::make_unique<NpyFolderWriter>(path);
}

bool natural_less(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (!digit(a[i]) || !digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
      continue;
    }
    const auto run = [&](const std::string& text, std::size_t& at) {
      while (at < text.size() && text[at] == '0') ++at;
      const std::size_t first = at;
      while (at < text.size() && digit(text[at])) ++at;
      return text.substr(first, at - first);
    };
    const std::string x = run(a, i);
    const std::string y = run(b, j);
    if (x.size() != y.size()) return x.size() < y.size();
    if (x != y) return x < y;
  }
  return a.size() - i < b.size() - j;
}

}  // namespace lvsa
