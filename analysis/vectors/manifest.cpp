#include "analysis/vectors/manifest.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using nlohmann::json;

constexpr const char* kSchema = "lvsa-fixtures/1";

json read_json(const std::string& path) {
  std::ifstream file(path);
  return json::parse(file, nullptr, false);
}

// "123 bytes, crc32 0123abcd" of a file, or why it has none.
std::string fingerprint(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return "missing or unreadable";
  uLong crc = crc32(0, nullptr, 0);
  std::int64_t bytes = 0;
  std::array<char, 65536> chunk;
  while (file.read(chunk.data(), chunk.size()), file.gcount() > 0) {
    crc =
        crc32(crc, reinterpret_cast<const Bytef*>(chunk.data()), static_cast<uInt>(file.gcount()));
    bytes += file.gcount();
  }
  return fmt::format("{} bytes, crc32 {:08x}", bytes, crc);
}

}  // namespace

bool is_manifest(const std::string& path) {
  constexpr std::uintmax_t kLargest = 1 << 20;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  if (std::filesystem::file_size(path, error) > kLargest || error) return false;
  const json manifest = read_json(path);
  return manifest.is_object() && manifest.value("schema", json()) == kSchema;
}

ReplaySummary check_manifest(const std::string& path,
                             const std::function<void(const Mismatch&)>& report) {
  const json manifest = read_json(path);
  const json files = manifest.is_object() ? manifest.value("files", json()) : json();
  if (!files.is_array())
    throw Error(ErrorKind::kJson, fmt::format("{}: a list \"files\" is due", path));
  ReplaySummary summary;
  for (const json& entry : files) {
    if (!entry.is_object() || !entry.value("file", json()).is_string() ||
        !entry.value("bytes", json()).is_number_integer() ||
        !entry.value("crc32", json()).is_string()) {
      throw Error(ErrorKind::kJson,
                  fmt::format("{}: an entry with \"file\", \"bytes\" and \"crc32\" is due, not {}",
                              path, entry.dump()));
    }
    const std::string name = entry["file"];
    const std::string expected =
        fmt::format("{} bytes, crc32 {}", entry["bytes"].get<std::int64_t>(),
                    entry["crc32"].get<std::string>());
    const std::string got = fingerprint(std::filesystem::path(path).parent_path() / name);
    if (got == expected) {
      ++summary.passed;
    } else {
      ++summary.failed;
      report({path, name, "hash", "", expected, got});
    }
  }
  return summary;
}

bool is_named_folder(const std::string& folder) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(folder, error);
  if (error || !std::filesystem::is_directory(path, error)) return false;
  const std::string manifest_path = (path.parent_path() / "manifest.json").string();
  if (!is_manifest(manifest_path)) return false;
  const json manifest = read_json(manifest_path);
  for (const json& entry : manifest.value("folders", json::array())) {
    if (entry.is_object() && entry.value("folder", json()) == path.filename().string()) return true;
  }
  return false;
}

}  // namespace lvsa::analysis
