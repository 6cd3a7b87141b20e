#include "analysis/diagnose/parallel_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/config/python_number.hpp"
#include "core/error.hpp"
#include "core/io/byte_file.hpp"
#include "core/io/printable.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr JsonLimits kLimits{32, 10'000};
constexpr std::int64_t kMostBytes = std::int64_t{1} << 22;
constexpr std::int64_t kMostDegree = 4096;

[[noreturn]] void fail(ErrorKind kind, const std::string& place, const std::string& what) {
  throw Error(kind, fmt::format("{}: {}", place, what));
}

std::string python_type(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "NoneType";
    case Json::value_t::boolean:
      return "bool";
    case Json::value_t::string:
      return "str";
    case Json::value_t::array:
      return "list";
    case Json::value_t::object:
      return "dict";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "int";
    default:
      return "float";
  }
}

std::int64_t integer(const Json& value, const std::string& place) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT32_MAX) {
    fail(ErrorKind::kValue, place, fmt::format("{} is out of range", value.dump()));
  }
  if (!value.is_number_integer() || value.get<std::int64_t>() < INT32_MIN) {
    fail(ErrorKind::kType, place,
         fmt::format("{}; an integer is due", printable(value.dump(), 60)));
  }
  return value.get<std::int64_t>();
}

bool flag(const Json& value, const std::string& place) {
  if (!value.is_boolean()) {
    fail(ErrorKind::kType, place,
         fmt::format("{}; true or false is due", printable(value.dump(), 60)));
  }
  return value.get<bool>();
}

// The members of an object whose keys are known beforehand.
class Members {
 public:
  Members(const Json& object, std::string place, std::vector<std::string> known)
      : object_(object), place_(std::move(place)) {
    if (!object.is_object()) {
      fail(ErrorKind::kType, place_, fmt::format("a {}; an object is due", python_type(object)));
    }
    for (const auto& [key, value] : object.items()) {
      if (std::ranges::find(known, key) == known.end()) {
        fail(ErrorKind::kValue, place_,
             fmt::format("\"{}\" is not known; one of {} is due", printable(key, 60),
                         fmt::join(known, ", ")));
      }
    }
  }

  const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  const Json& require(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) fail(ErrorKind::kValue, place_, fmt::format("\"{}\" is missing", key));
    return *value;
  }
  std::string at(const char* key) const { return fmt::format("{}.{}", place_, key); }

  std::int64_t required_integer(const char* key) const { return integer(require(key), at(key)); }
  std::int64_t integer_or(const char* key, std::int64_t otherwise) const {
    const Json* value = find(key);
    return value == nullptr ? otherwise : integer(*value, at(key));
  }
  std::optional<std::int64_t> optional_integer(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr || value->is_null()) return std::nullopt;
    return integer(*value, at(key));
  }
  bool flag_or(const char* key, bool otherwise) const {
    const Json* value = find(key);
    return value == nullptr ? otherwise : flag(*value, at(key));
  }

 private:
  const Json& object_;
  std::string place_;
};

bool is_decimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text.size() > 9 || (text.size() > 1 && text[0] == '0')) return false;
  return std::ranges::all_of(text, [](char ch) { return ch >= '0' && ch <= '9'; });
}

// A key of a JSON object. Within a module's map digits are an integer.
PlanKey object_key(const std::string& text, bool digits_are_integers, const std::string& place) {
  if (text.starts_with("str:")) return {PlanKey::Kind::kText, text.substr(4)};
  if (text.starts_with("int:")) {
    const std::string digits = text.substr(4);
    if (!is_decimal(digits)) {
      fail(ErrorKind::kValue, place,
           fmt::format("key \"{}\": an integer behind int: is due", printable(text, 60)));
    }
    return {PlanKey::Kind::kInteger, digits};
  }
  const bool is_integer = digits_are_integers && is_decimal(text);
  return {is_integer ? PlanKey::Kind::kInteger : PlanKey::Kind::kText, text};
}

// A key of the form with pairs: its JSON type decides. True is an integer in Python.
PlanKey pair_key(const Json& key) {
  if (key.is_string()) return {PlanKey::Kind::kText, key.get<std::string>()};
  if (key.is_number_integer()) return {PlanKey::Kind::kInteger, key.dump()};
  if (key.is_boolean()) return {PlanKey::Kind::kInteger, key.get<bool>() ? "True" : "False"};
  return {PlanKey::Kind::kOther, python_type(key)};
}

PlanValue parse_value(const Json& value, const std::string& place, bool is_plan);

PlanInput parse_input(const Json& object, const std::string& place) {
  const Members members(object, place,
                        {"type", "split_dim", "expected_dims", "split_output", "auto_pad"});
  PlanInput input;
  input.split_dim = members.required_integer("split_dim");
  input.expected_dims = members.optional_integer("expected_dims");
  input.split_output = members.flag_or("split_output", false);
  input.auto_pad = members.flag_or("auto_pad", false);
  return input;
}

PlanInput parse_partial_input(const Json& object, const std::string& place) {
  const Members members(object, place,
                        {"type", "split_dim", "text_len_source", "expected_dims", "split_output"});
  PlanInput input;
  input.split_dim = members.required_integer("split_dim");
  const Json& source = members.require("text_len_source");
  if (source.is_string()) {
    input.text_len_source = source.get<std::string>();
  } else {
    input.text_len_source = integer(source, members.at("text_len_source"));
  }
  input.expected_dims = members.optional_integer("expected_dims");
  input.split_output = members.flag_or("split_output", false);
  return input;
}

PlanOutput parse_output(const Json& object, const std::string& place) {
  const Members members(object, place, {"type", "gather_dim", "expected_dims"});
  return {members.required_integer("gather_dim"), members.optional_integer("expected_dims")};
}

void add_entry(PlanKey key, const Json& value, const std::string& place,
               std::vector<PlanEntry>& entries) {
  const std::string inside = fmt::format("{}[{}]", place, printable(key.shown(), 60));
  entries.push_back({std::move(key), parse_value(value, inside, false)});
}

std::vector<PlanEntry> parse_pairs(const Json& object, const std::string& place) {
  const Members members(object, place, {"type", "items"});
  const Json& items = members.require("items");
  if (!items.is_array()) fail(ErrorKind::kType, members.at("items"), "an array of pairs is due");
  std::vector<PlanEntry> entries;
  for (const Json& item : items) {
    if (!item.is_array() || item.size() != 2) {
      fail(ErrorKind::kType, members.at("items"),
           fmt::format("{}; a pair [key, value] is due", printable(item.dump(), 60)));
    }
    PlanKey key = pair_key(item[0]);
    const bool twice = std::ranges::any_of(entries, [&](const PlanEntry& entry) {
      return entry.key.kind == key.kind && entry.key.text == key.text &&
             key.kind != PlanKey::Kind::kOther;
    });
    if (twice) fail(ErrorKind::kValue, place, fmt::format("key {} stands twice", key.shown()));
    add_entry(std::move(key), item[1], place, entries);
  }
  return entries;
}

std::vector<PlanEntry> parse_map(const Json& object, const std::string& place, bool is_plan) {
  std::vector<PlanEntry> entries;
  for (const auto& [key, value] : object.items()) {
    add_entry(object_key(key, !is_plan, place), value, place, entries);
  }
  return entries;
}

PlanValue parse_value(const Json& value, const std::string& place, bool is_plan) {
  if (value.is_array()) {
    std::vector<PlanValue> list;
    for (std::size_t i = 0; i < value.size(); ++i) {
      list.push_back(parse_value(value[i], fmt::format("{}[{}]", place, i), false));
    }
    return {std::move(list)};
  }
  if (!value.is_object()) return {PlanOther{python_type(value)}};
  const auto type = value.find("type");
  if (type == value.end() || !type->is_string()) return {parse_map(value, place, is_plan)};
  const auto name = type->get<std::string>();
  if (name == "SequenceParallelInput") return {parse_input(value, place)};
  if (name == "SequenceParallelPartialInput") return {parse_partial_input(value, place)};
  if (name == "SequenceParallelOutput") return {parse_output(value, place)};
  if (name == "map") return {parse_pairs(value, place)};
  return {PlanOther{printable(name, 60)}};
}

PlanDegrees parse_degrees(const Json& object, const std::string& place) {
  const Members members(object, place,
                        {"type", "ulysses_degree", "ring_degree", "convert_to_fp32"});
  PlanDegrees degrees;
  degrees.ulysses = members.integer_or("ulysses_degree", 1);
  degrees.ring = members.integer_or("ring_degree", 1);
  degrees.convert_to_fp32 = members.flag_or("convert_to_fp32", true);
  for (const auto& [name, degree] :
       {std::pair{"ulysses_degree", degrees.ulysses}, std::pair{"ring_degree", degrees.ring}}) {
    if (degree < 1 || degree > kMostDegree) {
      fail(ErrorKind::kValue, place,
           fmt::format("{} is {}; 1 .. {} is due", name, degree, kMostDegree));
    }
  }
  if (degrees.ulysses * degrees.ring > kMostDegree) {
    fail(ErrorKind::kValue, place,
         fmt::format("{} x {} ranks; at most {} are due", degrees.ulysses, degrees.ring,
                     kMostDegree));
  }
  return degrees;
}

PlanTensors parse_tensors(const Json& object, const std::string& place) {
  PlanTensors tensors;
  if (!object.is_object()) fail(ErrorKind::kType, place, "an object of modules is due");
  for (const auto& [module, keys] : object.items()) {
    const std::string inside = fmt::format("{}.{}", place, printable(module, 60));
    if (!keys.is_object()) fail(ErrorKind::kType, inside, "an object of shapes is due");
    for (const auto& [key, shape] : keys.items()) {
      if (!shape.is_array()) fail(ErrorKind::kType, inside, "a shape such as [1, 9, 64] is due");
      std::vector<std::int64_t> sizes;
      for (const Json& size : shape) sizes.push_back(integer(size, inside));
      tensors[{module, object_key(key, true, inside).shown()}] = std::move(sizes);
    }
  }
  return tensors;
}

bool is_document(const Json& value) {
  if (!value.is_object() || !value.contains("plan")) return false;
  for (const auto& [key, member] : value.items()) {
    if (key != "plan" && key != "config" && key != "tensors" && key != "text_lengths") return false;
  }
  return true;
}

}  // namespace

std::string PlanKey::shown() const {
  return kind == Kind::kText ? fmt::format("'{}'", text) : text;
}

PlanDocument parse_plan(std::string_view text, const std::string& where) {
  const Json root = parse_strict_ordered_json(text, where, kLimits);
  PlanDocument document;
  if (!is_document(root)) {
    document.plan = parse_value(root, where, true);
    return document;
  }
  document.plan = parse_value(root["plan"], where + ": plan", true);
  if (root.contains("config")) document.degrees = parse_degrees(root["config"], where + ": config");
  if (root.contains("tensors")) {
    document.tensors = parse_tensors(root["tensors"], where + ": tensors");
  }
  if (root.contains("text_lengths")) {
    const std::string place = where + ": text_lengths";
    if (!root["text_lengths"].is_object()) fail(ErrorKind::kType, place, "an object is due");
    for (const auto& [name, length] : root["text_lengths"].items()) {
      document.text_lengths[name] = integer(length, place);
    }
  }
  return document;
}

PlanDocument read_plan(const std::string& path) {
  return parse_plan(read_small_file(path, kMostBytes), path);
}

}  // namespace lvsa::analysis
