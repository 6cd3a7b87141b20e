#include "analysis/vectors/replay.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>

#include "analysis/vectors/arguments.hpp"
#include "analysis/vectors/functions.hpp"
#include "analysis/vectors/manifest.hpp"
#include "analysis/vectors/python_json.hpp"
#include "analysis/vectors/replay_attention.hpp"
#include "core/error.hpp"
#include "core/io/line_reader.hpp"

namespace lvsa::analysis {
namespace {

using nlohmann::json;

struct RecordedCall {
  std::string function;
  json arguments;
  json expected;
  Version version = Version::k1_2;  // rows of 1.2 do not say so
};

RecordedCall read_call(const json& row) {
  if (!row.is_object() || !row.contains("fn") || !row["fn"].is_string() || !row.contains("args") ||
      !row.contains("out")) {
    throw Error(ErrorKind::kValue, "a row {\"fn\": ..., \"args\": {...}, \"out\": ...} is due");
  }
  RecordedCall call{row["fn"].get<std::string>(), row["args"], row["out"], Version::k1_2};
  if (row.contains("lvsa")) {
    if (!row["lvsa"].is_string()) throw Error(ErrorKind::kValue, "\"lvsa\": a string is due");
    call.version = parse_version(row["lvsa"].get<std::string>());
  }
  // The step counter of 1.2 was recorded with its calls beside the results.
  if (call.function == "step_counter" && call.arguments.is_object() &&
      !call.arguments.contains("calls") && call.expected.is_object()) {
    call.arguments["calls"] = call.expected.value("calls", json::array());
  }
  return call;
}

json answer(const RecordedCall& call) {
  try {
    return call_function(call.function, call.arguments, call.version);
  } catch (const BadCall&) {
    throw;  // a file of another kind, not a difference in behaviour
  } catch (const Error& error) {
    return {{"error", std::string(python_name(error.kind()))}};
  }
}

std::string shortened(const json& value) {
  constexpr std::size_t kMost = 2000;
  std::string text = value.dump();
  if (text.size() > kMost)
    text = text.substr(0, kMost) + fmt::format("... ({} bytes)", text.size());
  return text;
}

ReplaySummary replay_ndjson(const std::string& path,
                            const std::function<void(const Mismatch&)>& report) {
  LineReader reader(path);
  ReplaySummary summary;
  std::string line;
  while (reader.next(line)) {
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    try {
      const RecordedCall call = read_call(parse_python_json(line));
      const json got = answer(call);
      if (got == call.expected) {
        ++summary.passed;
        continue;
      }
      ++summary.failed;
      report({path, fmt::format("line {}", reader.line_number()), call.function,
              shortened(call.arguments), shortened(call.expected), shortened(got)});
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("{}:{}: {}", path, reader.line_number(), error.what()));
    }
  }
  if (summary.passed + summary.failed == 0) {
    throw Error(ErrorKind::kIo, fmt::format("{}: holds no recorded case", path));
  }
  return summary;
}

bool begins_like_hdf5(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 8> head{};
  file.read(head.data(), head.size());
  return std::string_view(head.data(), 4) == "\x89HDF";
}

bool ends_with(const std::string& text, std::string_view tail) {
  return text.size() >= tail.size() &&
         text.compare(text.size() - tail.size(), tail.size(), tail) == 0;
}

}  // namespace

ReplaySummary replay_file(const std::string& path,
                          const std::function<void(const Mismatch&)>& report) {
  if (is_manifest(path)) return check_manifest(path, report);
  // A file named as HDF5 that does not begin like one gets HDF5's own complaint.
  if (begins_like_hdf5(path) || ends_with(path, ".h5") || ends_with(path, ".hdf5")) {
    return replay_attention(path, report);
  }
  return replay_ndjson(path, report);
}

}  // namespace lvsa::analysis
