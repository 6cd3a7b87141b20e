#include "analysis/vectors/arguments.hpp"

#include "core/config/python_number.hpp"

namespace lvsa::analysis {
namespace {

using nlohmann::json;

[[noreturn]] void wrong(const char* name, const json& value, const char* due) {
  std::string shown = value.dump();
  if (shown.size() > 80) shown = shown.substr(0, 77) + "...";
  throw BadCall(fmt::format("argument \"{}\" is {}; {} is due", name, shown, due));
}

std::int64_t to_integer(const char* name, const json& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) {
    wrong(name, value, "an integer of 64 bits");
  }
  if (!value.is_number_integer()) wrong(name, value, "an integer");
  return value.get<std::int64_t>();
}

}  // namespace

Arguments::Arguments(const json& object) : object_(&object) {
  if (!object.is_object()) wrong("args", object, "an object");
}

const json& Arguments::raw(const char* name) const {
  static const json null;
  const auto found = object_->find(name);
  return found == object_->end() ? null : *found;
}

const json& Arguments::required(const char* name) const {
  const auto found = object_->find(name);
  if (found == object_->end()) {
    throw BadCall(fmt::format("argument \"{}\" is missing", name));
  }
  return *found;
}

std::int64_t Arguments::integer(const char* name) const { return to_integer(name, required(name)); }

std::int64_t Arguments::integer_or(const char* name, std::int64_t default_value) const {
  return optional_integer(name).value_or(default_value);
}

std::optional<std::int64_t> Arguments::optional_integer(const char* name) const {
  const json& value = raw(name);
  return value.is_null() ? std::nullopt : std::optional(to_integer(name, value));
}

double Arguments::real(const char* name) const {
  const json& value = required(name);
  // Python writes NaN and Infinity into JSON; parse_python_json hands them over as text.
  if (value.is_string()) {
    if (const auto named = parse_python_float(value.get<std::string>())) return *named;
  }
  if (!value.is_number()) wrong(name, value, "a number");
  return value.get<double>();
}

bool Arguments::flag(const char* name) const {
  const json& value = required(name);
  if (!value.is_boolean()) wrong(name, value, "true or false");
  return value.get<bool>();
}

std::string Arguments::text(const char* name) const {
  const json& value = required(name);
  if (!value.is_string()) wrong(name, value, "a string");
  return value.get<std::string>();
}

std::vector<std::int64_t> Arguments::integers(const char* name) const {
  const json& value = required(name);
  if (!value.is_array()) wrong(name, value, "a list of integers");
  std::vector<std::int64_t> list;
  list.reserve(value.size());
  for (const json& item : value) list.push_back(to_integer(name, item));
  return list;
}

std::vector<std::int64_t> Arguments::integers_or_none(const char* name) const {
  return raw(name).is_null() ? std::vector<std::int64_t>() : integers(name);
}

Environment Arguments::environment(const char* name) const {
  const json& value = raw(name);
  Environment environment;
  if (value.is_null()) return environment;
  if (!value.is_object()) wrong(name, value, "an object of strings");
  for (const auto& [key, item] : value.items()) {
    if (!item.is_string()) wrong(key.c_str(), item, "a string");
    environment[key] = item.get<std::string>();
  }
  return environment;
}

}  // namespace lvsa::analysis
