#include "core/io/flat_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa {
namespace {

std::string attribute_key(std::string_view object, std::string_view name) {
  return tensor_path(object) + "@" + std::string(name);
}

}  // namespace

std::string tensor_path(std::string_view name) {
  std::string path;
  for (const char ch : name) {
    if (ch != '/' && ch != '.') {
      path += ch;
    } else if (!path.empty() && path.back() != '/') {
      path += '/';
    }
  }
  if (!path.empty() && path.back() == '/') path.pop_back();
  return path;
}

std::vector<std::string> FlatSource::members(const std::string& group) const {
  const std::string inside = tensor_path(group);
  const std::string prefix = inside.empty() ? "" : inside + "/";
  std::vector<std::string> names;
  for (auto it = tensors_.lower_bound(prefix);
       it != tensors_.end() && it->first.compare(0, prefix.size(), prefix) == 0; ++it) {
    const std::string rest = it->first.substr(prefix.size());
    names.push_back(rest.substr(0, rest.find('/')));
  }
  std::sort(names.begin(), names.end(), natural_less);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

const TensorForm& FlatSource::stored_form(const std::string& tensor) const {
  const auto found = tensors_.find(tensor_path(tensor));
  if (found == tensors_.end()) {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}: no such tensor", path(), printable(tensor)));
  }
  return found->second;
}

std::optional<TensorForm> FlatSource::form(const std::string& tensor) const {
  const std::string place = tensor_path(tensor);
  const auto found = tensors_.find(place);
  if (found == tensors_.end()) return std::nullopt;
  TensorForm form = found->second;
  if (const auto dtype = text_attribute(place, "dtype")) {
    form.type = type_of_bits(form.type, *dtype);
  }
  return form;
}

std::optional<std::string> FlatSource::text_attribute(const std::string& object,
                                                      const std::string& name) const {
  const auto found = attributes_.find(attribute_key(object, name));
  if (found == attributes_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::vector<std::int64_t>> FlatSource::integer_attribute(
    const std::string& object, const std::string& name) const {
  const auto text = text_attribute(object, name);
  if (!text) return std::nullopt;
  std::vector<std::int64_t> values;
  const char* at = text->data();
  const char* const end = at + text->size();
  const auto skip = [&](std::string_view these) {
    while (at != end && these.find(*at) != std::string_view::npos) ++at;
  };
  for (skip(" ["); at != end; skip(" ,]")) {
    std::int64_t value = 0;
    const auto result = std::from_chars(at, end, value);
    if (result.ec != std::errc()) {
      throw Error(ErrorKind::kIo,
                  fmt::format("{}: {}: attribute {} is '{}'; an integer is due", path(),
                              printable(object), printable(name), printable(*text)));
    }
    values.push_back(value);
    at = result.ptr;
  }
  return values;
}

void FlatSource::add_tensor(std::string_view name, TensorForm form) {
  const std::string place = tensor_path(name);
  if (place.empty() || !tensors_.emplace(place, std::move(form)).second) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}: tensor '{}': {}", path(), printable(name),
                            place.empty() ? "a name is due" : "two tensors have this name"));
  }
}

void FlatSource::add_attribute(std::string_view object, std::string_view name, std::string text) {
  attributes_[attribute_key(object, name)] = std::move(text);
}

}  // namespace lvsa
