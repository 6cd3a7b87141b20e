#include "analysis/gate/sealed_lines.hpp"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "analysis/report/line_hash.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kIo, fmt::format("{}: {}", path, what));
}

std::ifstream open_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || file.peek() == std::ifstream::traits_type::eof()) {
    fail(path, file ? "is empty or cannot be read" : "cannot be opened");
  }
  return file;
}

std::string string_of(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() && found->is_string() ? found->get<std::string>()
                                                                       : "";
}

struct Scan {
  std::string last;
  std::int64_t lines = 0;  // the last one included
  std::uint64_t hash = 0;  // over all but the last one
  bool carriage_returns = false;
};

Scan scan(const std::string& path, const SealForm& form) {
  std::ifstream file = open_file(path);
  Scan found;
  LineHash hash;
  std::string line;
  while (std::getline(file, line)) {
    if (file.eof()) {  // no line break: cut within the line
      fail(path, fmt::format("is truncated within line {}; {}", found.lines + 1, form.unsealed));
    }
    if (found.lines > 0) hash.add(found.last);
    found.carriage_returns |= !line.empty() && line.back() == '\r';
    found.last.swap(line);
    ++found.lines;
  }
  if (file.bad()) fail(path, "cannot be read");
  found.hash = hash.value();
  return found;
}

void require_seal(const std::string& path, const SealForm& form, const Scan& found) {
  const Json last = Json::parse(found.last, nullptr, false);
  if (string_of(last, "type") != form.last_type) {
    fail(path, fmt::format("is truncated after line {}; {}", found.lines, form.unsealed));
  }
  const std::string stored = string_of(last, "hash");
  if (stored.empty() && !form.hash_required) return;
  const std::string now = hash_text(found.hash);
  if (stored == now) return;
  fail(path, fmt::format("was edited: its hash is {}, and {} stands in its last line{}", now,
                         stored.empty() ? "none" : stored,
                         found.carriage_returns ? " (its line breaks were changed to CR LF)" : ""));
}

}  // namespace

std::string read_sealed_lines(const std::string& path, const SealForm& form,
                              const std::function<void(std::string_view, std::int64_t)>& visit) {
  const Scan found = scan(path, form);
  require_seal(path, form, found);
  std::ifstream file = open_file(path);
  std::string line;
  for (std::int64_t number = 1; number < found.lines && std::getline(file, line); ++number) {
    try {
      visit(line, number);
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("{}:{}: {}", path, number, error.what()));
    }
  }
  return found.last;
}

}  // namespace lvsa::analysis
