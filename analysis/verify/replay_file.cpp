// Replay files: JSON; tensors and bounds as their bits, deflated, in base 64.

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "analysis/report/text_format.hpp"
#include "analysis/verify/replay_case.hpp"
#include "analysis/verify/replay_maps.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kFormat = "lvsa-replay";
constexpr std::int64_t kVersion = 1;
// What any replay of ours can hold, inflated: a file that asks for more is no replay.
constexpr std::int64_t kMostInflated = std::int64_t{1} << 26;
constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(const std::string& bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (i + j < bytes.size() ? static_cast<std::uint8_t>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += i + j > bytes.size() ? '=' : kDigits[bits >> (18 - 6 * j) & 63U];
    }
  }
  return text;
}

std::string deflated(const void* data, std::size_t size) {
  uLongf length = compressBound(static_cast<uLong>(size));
  std::string bytes(length, '\0');
  if (compress2(reinterpret_cast<Bytef*>(bytes.data()), &length, static_cast<const Bytef*>(data),
                static_cast<uLong>(size), Z_BEST_COMPRESSION) != Z_OK) {
    throw Error(ErrorKind::kOverflow, "replay: the tensors cannot be compressed");
  }
  bytes.resize(length);
  return base64(bytes);
}

std::string deflated(const Tensor& tensor) { return deflated(tensor.bytes(), tensor.size_bytes()); }

// Doubles of a row: exact, low, high, then the same three of the log-sum-exp.
std::string packed(const ReplayRow& row) {
  std::vector<double> values;
  for (const auto* part : {&row.exact, &row.low, &row.high}) {
    values.insert(values.end(), part->begin(), part->end());
  }
  values.insert(values.end(), {row.lse, row.lse_low, row.lse_high});
  return deflated(values.data(), values.size() * sizeof(double));
}

// Reads a file's parts and says what is wrong with them.
class Reader {
 public:
  Reader(const ordered_json& json, std::string name) : json_(json), name_(std::move(name)) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}", name_, what));
  }
  const ordered_json& part(const ordered_json& of, const char* key) const {
    if (!of.is_object() || !of.contains(key)) fail(fmt::format("no '{}'", key));
    return of[key];
  }
  std::string text(const char* key) const {
    const ordered_json& value = part(json_, key);
    if (!value.is_string()) fail(fmt::format("'{}' is no text", key));
    return value.get<std::string>();
  }
  std::int64_t integer(const ordered_json& of, const char* key) const {
    const ordered_json& value = part(of, key);
    if (!value.is_number_integer()) fail(fmt::format("'{}' is no integer", key));
    return value.get<std::int64_t>();
  }
  std::int64_t index(const ordered_json& of, const char* key, std::int64_t bound) const {
    const std::int64_t value = integer(of, key);
    if (value < 0 || value >= bound) {
      fail(fmt::format("'{}' is {}; 0 .. {} is due", key, value, bound - 1));
    }
    return value;
  }
  void inflate(const ordered_json& of, const char* key, void* to, std::size_t size) const;
  void pattern(ReplayCase& replay) const;
  AttendedFrames lists(std::int64_t frames) const;
  ReplayRow row(const ordered_json& from, const Case& c) const;

 private:
  std::string unpacked(const ordered_json& of, const char* key) const;
  const ordered_json& json_;
  std::string name_;
};

std::string Reader::unpacked(const ordered_json& of, const char* key) const {
  const ordered_json& value = part(of, key);
  if (!value.is_string()) fail(fmt::format("'{}' is no text", key));
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() % 4 != 0) fail(fmt::format("'{}' is cut: {} characters", key, text.size()));
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t bits = 0;
    std::size_t digits = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const bool padding = text[i + j] == '=' && i + 4 == text.size() && j >= 2;
      const std::size_t digit = padding ? 0 : kDigits.find(text[i + j]);
      if (digit == std::string_view::npos) {
        fail(fmt::format("'{}' holds a character that is no base 64 at {}", key, i + j));
      }
      bits = bits << 6 | static_cast<std::uint32_t>(digit);
      digits += padding ? 0 : 1;
    }
    for (std::size_t j = 0; j + 1 < digits; ++j) {
      bytes += static_cast<char>(bits >> (16 - 8 * j) & 0xffU);
    }
  }
  return bytes;
}

void Reader::inflate(const ordered_json& of, const char* key, void* to, std::size_t size) const {
  const std::string bytes = unpacked(of, key);
  auto length = static_cast<uLongf>(size);
  const int status =
      uncompress(static_cast<Bytef*>(to), &length, reinterpret_cast<const Bytef*>(bytes.data()),
                 static_cast<uLong>(bytes.size()));
  if (status != Z_OK || length != size) {
    fail(fmt::format("'{}' does not unpack to the {} bytes of its sizes", key, size));
  }
}

// Lists, or maps where the case has a pattern.
void Reader::pattern(ReplayCase& replay) const {
  if (replay.c.pattern.empty()) {
    replay.lists = lists(replay.c.grid.frames);
    return;
  }
  const ordered_json& maps = part(json_, "maps");
  try {
    maps_from_json(maps, replay);
  } catch (const Error& error) {
    fail(error.what());
  }
}

AttendedFrames Reader::lists(std::int64_t frames) const {
  const ordered_json& from = part(json_, "lists");
  if (!from.is_array() || static_cast<std::int64_t>(from.size()) != frames) {
    fail(fmt::format("'lists' is no array of T={} lists", frames));
  }
  AttendedFrames lists;
  for (const ordered_json& row : from) {
    if (!row.is_array()) fail("'lists' holds something that is no list");
    lists.emplace_back();
    for (const ordered_json& frame : row) {
      const bool fits = frame.is_number_integer() && frame.get<std::int64_t>() >= 0 &&
                        frame.get<std::int64_t>() < frames;
      if (!fits || (!lists.back().empty() && frame.get<std::int64_t>() <= lists.back().back())) {
        fail(
            fmt::format("list {}: ascending frames 0 .. {} are due", lists.size() - 1, frames - 1));
      }
      lists.back().push_back(frame.get<std::int32_t>());
    }
  }
  return lists;
}

ReplayRow Reader::row(const ordered_json& from, const Case& c) const {
  ReplayRow row;
  row.id = {index(from, "batch", c.batch), index(from, "token", c.grid.seq_len()),
            index(from, "head", c.heads)};
  const auto dim = static_cast<std::ptrdiff_t>(c.head_dim);
  std::vector<double> values(static_cast<std::size_t>(3 * dim + 3));
  inflate(from, "due", values.data(), values.size() * sizeof(double));
  const auto first = values.begin();
  row.exact.assign(first, first + dim);
  row.low.assign(first + dim, first + 2 * dim);
  row.high.assign(first + 2 * dim, first + 3 * dim);
  row.lse = values[static_cast<std::size_t>(3 * dim)];
  row.lse_low = values[static_cast<std::size_t>(3 * dim + 1)];
  row.lse_high = values[static_cast<std::size_t>(3 * dim + 2)];
  return row;
}

void require_small(const Reader& reader, const Case& c) {
  const double elements = static_cast<double>(c.batch) * static_cast<double>(c.grid.seq_len()) *
                          static_cast<double>(c.heads) * static_cast<double>(c.head_dim);
  if (elements * 8.0 > static_cast<double>(kMostInflated)) {
    reader.fail(fmt::format("tensors of {:.3g} elements: more than a replay file holds", elements));
  }
}

Case sizes_of(const Reader& reader) {
  try {
    Case c = parse_case(reader.text("case"));
    c.file.clear();
    c.only_wanted = false;
    return c;
  } catch (const Error& error) {
    reader.fail(error.what());
  }
}

}  // namespace

std::string replay_to_json(const ReplayCase& replay) {
  ordered_json json = {{"format", kFormat},
                       {"version", kVersion},
                       {"kernel", valid_utf8(replay.kernel)},
                       {"check", valid_utf8(replay.check)},
                       {"message", valid_utf8(replay.message)},
                       {"found", valid_utf8(replay.found)},
                       {"case", to_line(replay.c)},
                       {"lists", replay.lists},
                       {"q", deflated(replay.tensors.q)},
                       {"k", deflated(replay.tensors.k)},
                       {"v", deflated(replay.tensors.v)},
                       {"rows", ordered_json::array()}};
  if (!replay.maps.empty()) json["maps"] = maps_to_json(replay);
  const auto add_factors = [&](const char* key, const std::vector<float>& factors) {
    if (!factors.empty()) json[key] = deflated(factors.data(), factors.size() * sizeof(float));
  };
  add_factors("q_scale", replay.tensors.q_scale);
  add_factors("k_scale", replay.tensors.k_scale);
  add_factors("v_scale", replay.tensors.v_scale);
  for (const ReplayRow& row : replay.rows) {
    json["rows"].push_back({{"batch", row.id.batch},
                            {"token", row.id.token},
                            {"head", row.id.head},
                            {"due", packed(row)}});
  }
  std::string text = json.dump(1) + '\n';
  if (text.size() > kMostReplayBytes) {
    throw Error(ErrorKind::kOverflow, fmt::format("replay: {} bytes; at most {} make a replay file",
                                                  text.size(), kMostReplayBytes));
  }
  return text;
}

ReplayCase replay_from_json(const std::string& text, const std::string& name) {
  const ordered_json json = ordered_json::parse(text, nullptr, false);
  const Reader reader(json, name);
  if (json.is_discarded()) reader.fail("no JSON, or cut off");
  if (!json.is_object() || json.value("format", ordered_json()) != kFormat) {
    reader.fail(fmt::format("no replay file: \"format\": \"{}\" is due", kFormat));
  }
  if (const std::int64_t version = reader.integer(json, "version"); version != kVersion) {
    reader.fail(fmt::format("version {} of replay files; {} is due", version, kVersion));
  }
  ReplayCase replay;
  replay.c = sizes_of(reader);
  require_small(reader, replay.c);
  replay.kernel = reader.text("kernel");
  replay.check = reader.text("check");
  replay.message = reader.text("message");
  replay.found = reader.text("found");
  reader.pattern(replay);
  const Case& c = replay.c;
  const auto tensor = [&](const char* key, std::int64_t heads) {
    Tensor made(c.dtype, {c.batch, c.grid.seq_len(), heads, c.head_dim}, c.layout);
    reader.inflate(json, key, made.bytes(), made.size_bytes());
    return made;
  };
  replay.tensors.q = tensor("q", c.heads);
  replay.tensors.k = tensor("k", c.kv_heads);
  replay.tensors.v = tensor("v", c.kv_heads);
  // Of fp8 tensors only.
  const auto factors = [&](const char* key, std::int64_t heads) {
    std::vector<float> made;
    if (!json.contains(key)) return made;
    made.resize(static_cast<std::size_t>(c.batch * heads));
    reader.inflate(json, key, made.data(), made.size() * sizeof(float));
    for (const float factor : made) {
      if (factor > 0.0F && std::isfinite(factor)) continue;
      reader.fail(fmt::format("'{}' holds {}: positive, finite factors are due", key, factor));
    }
    return made;
  };
  replay.tensors.q_scale = factors("q_scale", c.heads);
  replay.tensors.k_scale = factors("k_scale", c.kv_heads);
  replay.tensors.v_scale = factors("v_scale", c.kv_heads);
  const ordered_json& rows = reader.part(json, "rows");
  if (!rows.is_array()) reader.fail("'rows' is no array");
  for (const ordered_json& row : rows) replay.rows.push_back(reader.row(row, c));
  return replay;
}

ReplayCase read_replay(const std::string& path) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(text.size())) && !file.eof()) {
    throw Error(ErrorKind::kIo, fmt::format("{}: cannot be read; a replay file is due", path));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMostBytes) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}: longer than a replay file ({} bytes)", path, kMostReplayBytes));
  }
  return replay_from_json(text, path);
}

}  // namespace lvsa::analysis
