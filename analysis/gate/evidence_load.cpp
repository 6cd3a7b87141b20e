#include "analysis/gate/evidence_load.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include "analysis/gate/baseline_file.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

namespace fs = std::filesystem;

enum class Kind { kBaseline, kReport, kPatterns, kSweep, kSpeed };

constexpr const char* kDue =
    "a report.jsonl of `kernel`, a sweep, the JSON of `bench` or of `vectors --json`, a baseline, "
    "or a folder with some of them is due";

// The first bytes without white space say what a file is.
std::string beginning(const std::string& path) {
  constexpr std::size_t kEnough = 4096;
  std::ifstream file(path, std::ios::binary);
  std::string bytes(kEnough, '\0');
  file.read(bytes.data(), kEnough);
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  std::erase_if(bytes, [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; });
  return bytes;
}

Kind kind_of(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    throw Error(ErrorKind::kIo, fmt::format("{}: is not there; {}", path, kDue));
  }
  const std::string begin = beginning(path);
  const auto begins = [&](std::string_view text) { return begin.rfind(text, 0) == 0; };
  if (begins("{\"type\":\"baseline\"")) return Kind::kBaseline;
  if (begins("{\"type\":\"run\"")) return Kind::kReport;
  if (begins("{\"type\":\"lvsa-speed\"")) return Kind::kSpeed;
  if (begins("\x89HDF")) return Kind::kSweep;
  if (begins("{\"passed\":") && begin.find("\"files\":") != std::string::npos) {
    return Kind::kPatterns;
  }
  throw Error(ErrorKind::kIo, fmt::format("{}: is nothing that can be compared; {}", path, kDue));
}

template <typename Part>
void put(std::optional<Part>& place, Part part) {
  if (place) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}: {} is of the same kind; one of each can be compared", part.source,
                            place->source));
  }
  place = std::move(part);
}

void add(Evidence& all, Evidence part) {
  if (part.conformance) put(all.conformance, std::move(*part.conformance));
  if (part.patterns) put(all.patterns, std::move(*part.patterns));
  if (part.sweep) put(all.sweep, std::move(*part.sweep));
  if (part.speed) put(all.speed, std::move(*part.speed));
}

void add_file(Evidence& all, const std::string& path) {
  switch (kind_of(path)) {
    case Kind::kBaseline:
      add(all, read_baseline(path));
      return;
    case Kind::kReport:
      put(all.conformance, load_report(path));
      return;
    case Kind::kPatterns:
      put(all.patterns, load_patterns(path));
      return;
    case Kind::kSweep:
      put(all.sweep, load_sweep(path));
      return;
    case Kind::kSpeed:
      put(all.speed, load_speed(path));
      return;
  }
}

void add_folder(Evidence& all, const std::string& folder) {
  constexpr std::array<const char*, 4> kNames = {"report.jsonl", "sweep.h5", "bench.json",
                                                 "vectors.json"};
  bool found = false;
  for (const char* name : kNames) {
    const std::string path = (fs::path(folder) / name).string();
    std::error_code error;
    if (!fs::exists(path, error)) continue;
    found = true;
    add_file(all, path);
  }
  if (found) return;
  throw Error(
      ErrorKind::kIo,
      fmt::format("{}: holds no report.jsonl, sweep.h5, bench.json or vectors.json", folder));
}

}  // namespace

Evidence load_evidence(const std::vector<std::string>& paths) {
  Evidence all;
  for (const std::string& path : paths) {
    all.name += (all.name.empty() ? "" : " + ") + path;
    std::error_code error;
    if (fs::is_directory(path, error)) {
      add_folder(all, path);
    } else {
      add_file(all, path);
    }
  }
  return all;
}

}  // namespace lvsa::analysis
