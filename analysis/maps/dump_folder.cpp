#include "analysis/maps/dump_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "analysis/report/text_format.hpp"
#include "analysis/run/folder_lock.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kManifest = "dump.json";

ordered_json as_json(const Provenance& pairs) {
  ordered_json object = ordered_json::object();
  for (const auto& [name, value] : pairs) object[name] = valid_utf8(value);
  return object;
}

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kValue,
              fmt::format("--out {}: {}; a folder that is empty or not there is due", path, what));
}

// What a manifest says of the content; anything else is not ours.
nlohmann::json read_manifest(const std::string& path) {
  const fs::path file = fs::path(path) / kManifest;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) refuse(path, "holds files that no dump has made");
  std::ostringstream text;
  text << stream.rdbuf();
  try {
    const nlohmann::json manifest = parse_strict_json(text.str(), file.string(), {16, 1'000'000});
    if (manifest.is_object() && manifest.contains("content") && manifest["content"].is_object()) {
      return manifest["content"];
    }
  } catch (const Error&) {
  }
  refuse(path, fmt::format("its {} is damaged or of another program", kManifest));
}

void check_content(const std::string& path, const Provenance& content) {
  const nlohmann::json there = read_manifest(path);
  for (const auto& [name, value] : content) {
    const auto found = there.find(name);
    const std::string text = found == there.end() ? "nothing"
                             : found->is_string() ? found->get<std::string>()
                                                  : found->dump();
    if (text != valid_utf8(value)) {
      refuse(path, fmt::format("holds another dump ({} there: {}; here: {})", name, text, value));
    }
  }
}

}  // namespace

DumpFolder::DumpFolder(const std::string& path, const Provenance& content)
    : path_(path), content_(content) {
  std::error_code error;
  if (path.empty()) throw Error(ErrorKind::kValue, "--out '': the name of a folder is due");
  if (!fs::exists(path, error)) return;
  if (!fs::is_directory(path, error)) {
    throw Error(ErrorKind::kIo, fmt::format("--out {}: is no folder", path));
  }
  const bool empty = fs::is_empty(path, error);
  if (error) {
    throw Error(ErrorKind::kIo, fmt::format("--out {}: {}", path, error.message()));
  }
  if (!empty) check_content(path, content);
  if (::access(path.c_str(), W_OK) != 0) {
    throw Error(ErrorKind::kIo, fmt::format("--out {}: no permission to write there", path));
  }
}

DumpFolder::~DumpFolder() = default;

std::string DumpFolder::file(const std::string& name) const {
  return (fs::path(path_) / name).string();
}

void DumpFolder::begin() {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) {
    throw Error(ErrorKind::kIo,
                fmt::format("--out {}: cannot be made: {}", path_, error.message()));
  }
  lock_ = std::make_unique<FolderLock>(path_);
  write_manifest(false, {});
}

void DumpFolder::write(const std::string& name, const std::string& bytes) {
  AtomicFile out(file(name));
  out.write(bytes);
  out.commit(AtomicFile::Sync::kLater);
  names_.push_back(name);
}

void DumpFolder::finish(const Provenance& provenance) {
  std::sort(names_.begin(), names_.end());
  write_manifest(true, provenance);
}

void DumpFolder::write_manifest(bool whole, const Provenance& provenance) const {
  ordered_json manifest = {
      {"what", "lvsa-verify dump"}, {"whole", whole}, {"content", as_json(content_)}};
  if (whole) {
    manifest["files"] = names_;
    manifest["provenance"] = as_json(provenance);
  }
  write_file_atomically(file(kManifest), manifest.dump(2) + "\n");
}

}  // namespace lvsa::analysis
