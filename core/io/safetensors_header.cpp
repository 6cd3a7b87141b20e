#include "core/io/safetensors_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "core/error.hpp"
#include "core/io/printable.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<ElementType, std::string_view>, 15> kNames = {{
    {ElementType::kBool, "BOOL"},
    {ElementType::kU8, "U8"},
    {ElementType::kI8, "I8"},
    {ElementType::kU16, "U16"},
    {ElementType::kI16, "I16"},
    {ElementType::kU32, "U32"},
    {ElementType::kI32, "I32"},
    {ElementType::kU64, "U64"},
    {ElementType::kI64, "I64"},
    {ElementType::kF16, "F16"},
    {ElementType::kBF16, "BF16"},
    {ElementType::kF32, "F32"},
    {ElementType::kF64, "F64"},
    {ElementType::kE4M3, "F8_E4M3"},
    {ElementType::kE5M2, "F8_E5M2"},
}};

// One entry of the header; knows what to call it in a complaint.
class Entry {
 public:
  Entry(const std::string& where, const std::string& name, const json& object)
      : where_(where), name_(name), object_(object) {
    if (!object.is_object() || object.size() != 3) {
      fail("an object with dtype, shape and data_offsets is due");
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kIo, fmt::format("{}: tensor '{}': {}", where_, printable(name_), what));
  }

  ElementType type() const {
    const json& value = member("dtype");
    if (!value.is_string()) fail("dtype: a text is due");
    const std::string text = value.get<std::string>();
    for (const auto& [type, name] : kNames) {
      if (text == name) return type;
    }
    std::vector<std::string_view> known;
    for (const auto& [type, name] : kNames) known.push_back(name);
    fail(fmt::format("dtype is '{}'; one of {} is due", printable(text), fmt::join(known, " ")));
  }

  std::vector<std::int64_t> integers(const char* key) const {
    constexpr std::size_t kMost = 32;
    const json& value = member(key);
    if (!value.is_array() || value.size() > kMost) {
      fail(fmt::format("{}: a list of at most {} integers is due", key, kMost));
    }
    std::vector<std::int64_t> list;
    for (const json& item : value) {
      const bool large = item.is_number_unsigned() &&
                         item.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
      if (!item.is_number_integer() || large || item.get<std::int64_t>() < 0) {
        fail(fmt::format("{} holds {}; integers 0 .. 2^63 - 1 are due", key,
                         printable(item.dump(-1, ' ', true, json::error_handler_t::replace), 40)));
      }
      list.push_back(item.get<std::int64_t>());
    }
    return list;
  }

 private:
  const json& member(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(fmt::format("{} is due", key));
    return *found;
  }

  const std::string& where_;
  const std::string& name_;
  const json& object_;
};

SafetensorsEntry read_entry(const Entry& entry, std::int64_t data_bytes) {
  SafetensorsEntry result;
  result.form.type = entry.type();
  result.form.shape = entry.integers("shape");
  const std::vector<std::int64_t> offsets = entry.integers("data_offsets");
  if (offsets.size() != 2) entry.fail("data_offsets: [begin, end] is due");
  result.begin = offsets[0];
  result.end = offsets[1];
  const std::string shape = fmt::format("[{}]", fmt::join(result.form.shape, ", "));
  const auto bytes = checked_bytes(result.form.shape, element_bytes(result.form.type));
  if (!bytes) entry.fail(fmt::format("shape {}: its bytes do not fit in 63 bits", shape));
  if (result.begin > result.end || result.end > data_bytes) {
    entry.fail(
        fmt::format("data_offsets [{}, {}] lie outside the data of {} bytes: the file is "
                    "damaged or cut off",
                    result.begin, result.end, data_bytes));
  }
  if (result.end - result.begin != *bytes) {
    entry.fail(fmt::format("data_offsets [{}, {}] hold {} bytes; shape {} of {} takes {}",
                           result.begin, result.end, result.end - result.begin, shape,
                           element_name(result.form.type), *bytes));
  }
  return result;
}

void read_metadata(SafetensorsHeader& header, const json& object, const std::string& where) {
  if (!object.is_object()) {
    throw Error(ErrorKind::kIo, fmt::format("{}: __metadata__: an object of texts is due", where));
  }
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) {
      throw Error(ErrorKind::kIo,
                  fmt::format("{}: __metadata__: '{}' is no text", where, printable(key)));
    }
    header.metadata[key] = value.get<std::string>();
  }
}

// The tensors must lie one behind the other and fill the data: the format forbids all else.
void check_layout(const SafetensorsHeader& header, std::int64_t data_bytes,
                  const std::string& where) {
  std::vector<std::tuple<std::int64_t, std::int64_t, const std::string*>> parts;
  for (const auto& [name, entry] : header.tensors)
    parts.emplace_back(entry.begin, entry.end, &name);
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
    return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
  });
  std::int64_t at = 0;
  const std::string* before = nullptr;
  for (const auto& [begin, end, name] : parts) {
    if (begin < at) {
      throw Error(ErrorKind::kIo,
                  fmt::format("{}: tensors '{}' and '{}' overlap: data_offsets [.., {}] and [{}, "
                              "{}]",
                              where, printable(*before), printable(*name), at, begin, end));
    }
    if (begin > at) {
      throw Error(ErrorKind::kIo, fmt::format("{}: tensor '{}' begins at {}; {} is due: the data "
                                              "has a hole before it",
                                              where, printable(*name), begin, at));
    }
    at = end;
    before = name;
  }
  if (at != data_bytes) {
    throw Error(ErrorKind::kIo, fmt::format("{}: {} bytes follow the last tensor; none are due",
                                            where, data_bytes - at));
  }
}

}  // namespace

std::string_view safetensors_name(ElementType type) {
  const auto* found = std::find_if(kNames.begin(), kNames.end(),
                                   [&](const auto& pair) { return pair.first == type; });
  return found == kNames.end() ? std::string_view() : found->second;
}

SafetensorsHeader parse_safetensors_header(std::string_view text, std::int64_t data_bytes,
                                           const std::string& where) {
  constexpr JsonLimits kLimits{4, 10'000'000};
  const json object = parse_strict_json(text, where, kLimits);
  if (!object.is_object()) {
    throw Error(ErrorKind::kIo, fmt::format("{}: a JSON object is due as header", where));
  }
  SafetensorsHeader header;
  for (const auto& [name, value] : object.items()) {
    if (name == "__metadata__") {
      read_metadata(header, value, where);
    } else {
      header.tensors[name] = read_entry(Entry(where, name, value), data_bytes);
    }
  }
  check_layout(header, data_bytes, where);
  return header;
}

}  // namespace lvsa
