#include "core/config/environment.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "core/error.hpp"

extern char** environ;  // NOLINT: POSIX

namespace lvsa {
namespace {

std::string unquoted(const std::string& value) {
  const bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                      value.back() == value.front();
  return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

Environment process_environment() {
  Environment result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string line(*entry);
    const auto equals = line.find('=');
    if (equals == std::string::npos || line.rfind("LVSA_", 0) != 0) continue;
    result[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return result;
}

Environment environment_from_file(const std::string& path) {
  if (std::filesystem::is_directory(path)) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}: is a directory; a file of NAME=value lines is due", path));
  }
  std::ifstream file(path);
  if (!file) throw Error(ErrorKind::kIo, fmt::format("{}: cannot be opened for reading", path));
  Environment result;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const auto first = line.find_first_not_of(" \t");
    if (first == std::string::npos || line[first] == '#') continue;
    line.erase(0, first);
    if (line.rfind("export ", 0) == 0) line.erase(0, 7);
    const auto equals = line.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{}:{}: '{}' is no NAME=value line", path, number, line));
    }
    result[line.substr(0, equals)] = unquoted(line.substr(equals + 1));
  }
  return result;
}

std::optional<std::string> get(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  if (found == environment.end()) return std::nullopt;
  return found->second;
}

}  // namespace lvsa
