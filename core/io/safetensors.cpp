#include "core/io/safetensors.hpp"

#include <fmt/format.h>

#include <array>

#include "core/error.hpp"

namespace lvsa {
namespace {

constexpr std::int64_t kLengthBytes = 8;

std::int64_t header_bytes(const ByteFile& file) {
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}", file.path(), what));
  };
  if (file.size() < kLengthBytes + 2) {
    fail(fmt::format("has {} bytes: no safetensors file, or one that is cut off", file.size()));
  }
  std::array<unsigned char, kLengthBytes> bytes{};
  file.read(0, bytes.data(), kLengthBytes);
  std::uint64_t length = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) length = (length << 8) | bytes[i];
  if (length > static_cast<std::uint64_t>(kSafetensorsHeaderBytes)) {
    fail(fmt::format("its header says that it has {} bytes; safetensors allows {}", length,
                     kSafetensorsHeaderBytes));
  }
  const auto count = static_cast<std::int64_t>(length);
  if (count > file.size() - kLengthBytes) {
    fail(fmt::format("its header has {} bytes, and the file {} in all: it is cut off", count,
                     file.size()));
  }
  return count;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : file_(path) {
  const std::int64_t length = header_bytes(file_);
  std::string text(static_cast<std::size_t>(length), '\0');
  file_.read(kLengthBytes, text.data(), length);
  data_begin_ = kLengthBytes + length;
  SafetensorsHeader header =
      parse_safetensors_header(text, file_.size() - data_begin_, file_.path());
  for (auto& [name, entry] : header.tensors) {
    add_tensor(name, std::move(entry.form));
    begins_[tensor_path(name)] = entry.begin;
  }
  for (const auto& [key, value] : header.metadata) {
    const std::size_t divider = key.find_last_of("/.");
    const bool at_root = divider == std::string::npos;
    add_attribute(at_root ? "" : key.substr(0, divider), at_root ? key : key.substr(divider + 1),
                  value);
  }
}

void SafetensorsFile::read_bits(const std::string& tensor, void* data) const {
  const TensorForm& form = stored_form(tensor);
  file_.read(data_begin_ + begins_.at(tensor_path(tensor)), data, form.bytes());
}

}  // namespace lvsa
