#include "core/io/npy_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/io/byte_file.hpp"
#include "core/io/npy_header.hpp"
#include "core/io/printable.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kDeepest = 8;  // folders within each other
constexpr std::int64_t kIndexBytes = 100'000'000;

// The .npy files below a folder; hidden ones are left out.
void find_files(const fs::path& folder, const std::string& name, int depth,
                std::map<std::string, std::string>& files) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    const std::string own = path.filename().string();
    if (own.empty() || own.front() == '.') continue;
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      if (depth < kDeepest) find_files(path, name + own + "/", depth + 1, files);
    } else if (path.extension() == ".npy") {
      files[name + path.stem().string()] = path.string();
    }
  }
  if (error) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}: cannot be listed: {}", folder.string(), error.message()));
  }
}

}  // namespace

NpyFolder::NpyFolder(const std::string& path) : path_(path) {
  std::map<std::string, std::string> files;
  find_files(path, "", 0, files);
  if (files.empty()) {
    throw Error(ErrorKind::kIo, fmt::format("{}: is a directory without .npy files; an HDF5 or "
                                            "safetensors file, or a folder of .npy files is due",
                                            path));
  }
  for (const auto& [name, file] : files) add_file(file, name);
  for (const char* name : {kNpyIndexName, "capture.json"}) {
    const std::string index = (fs::path(path) / name).string();
    if (fs::exists(index)) {
      read_index(index);
      break;
    }
  }
}

void NpyFolder::add_file(const std::string& file, const std::string& name) {
  const ByteFile bytes(file);
  std::string head(static_cast<std::size_t>(std::min(bytes.size(), kNpyHeadBytes)), '\0');
  // Most headers have 128 bytes; a long one is read in a second step.
  constexpr std::size_t kUsual = 256;
  const std::size_t first = std::min(head.size(), kUsual);
  bytes.read(0, head.data(), static_cast<std::int64_t>(first));
  const bool long_header =
      head.size() > kUsual && (head[6] > 1 || head[9] != 0 || head[8] == '\xff');
  if (long_header) {
    bytes.read(0, head.data(), static_cast<std::int64_t>(head.size()));
  } else {
    head.resize(first);
  }
  NpyHeader header = parse_npy_header(head, bytes.size(), file);
  places_[tensor_path(name)] = {file, header.data_begin};
  add_tensor(name, std::move(header.form));
}

void NpyFolder::read_index(const std::string& file) {
  const json index = parse_strict_json(read_small_file(file, kIndexBytes), file);
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorKind::kJson, fmt::format("{}: {}", file, what));
  };
  if (!index.is_object()) fail("an object {\"case0000\": {...}, ...} is due");
  for (const auto& [object, attributes] : index.items()) {
    if (!attributes.is_object()) {
      fail(fmt::format("\"{}\": an object of attributes is due", printable(object)));
    }
    for (const auto& [name, value] : attributes.items()) {
      add_attribute(object, name, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
}

void NpyFolder::read_bits(const std::string& tensor, void* data) const {
  const TensorForm& form = stored_form(tensor);
  const Place& place = places_.at(tensor_path(tensor));
  // Opened anew: a folder may hold more files than a process may have open.
  ByteFile(place.file).read(place.begin, data, form.bytes());
}

}  // namespace lvsa
