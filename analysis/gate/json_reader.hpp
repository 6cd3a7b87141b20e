#pragma once
// Reads JSON that people write by hand, strictly: a key that nobody knows, a value of another type
// and a number out of range are errors that name file, JSON path, value and what would be right.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lvsa::analysis {

/// The one of `known` with the fewest edits to `text`; empty when none is near (more than half of
/// its letters would have to change).
std::string_view nearest(std::string_view text, std::span<const std::string_view> known);

/// A value with its place. Holds a reference: the JSON must outlive it. An empty `file` is not
/// named in messages.
class JsonReader {
 public:
  JsonReader(const nlohmann::ordered_json& value, std::string file, std::string path = "$")
      : value_(value), file_(std::move(file)), path_(std::move(path)) {}

  /// "FILE: $.path: WHAT", as Error(kJson).
  [[noreturn]] void fail(const std::string& what) const;
  /// "FILE: $.path: VALUE: DUE is due".
  [[noreturn]] void wrong(const std::string& due) const;

  /// Throws unless it is an object whose keys are all among `keys`.
  void require_object(std::initializer_list<std::string_view> keys) const;
  /// Nothing where it is missing.
  std::optional<JsonReader> member(std::string_view key) const;
  /// Throws where it is missing.
  JsonReader required(std::string_view key) const;
  std::vector<JsonReader> elements() const;  ///< of an array
  /// The members of an object with arbitrary keys, in the order of the text.
  std::vector<std::pair<std::string, JsonReader>> members() const;

  std::string text() const;           ///< a string
  std::string nonempty_text() const;  ///< a string that says something, in one line
  bool boolean() const;
  /// A finite number from `least` to `most`.
  double number(double least, double most) const;
  /// Any number, also "NaN", "Infinity" and "-Infinity".
  double any_number() const;
  std::int64_t integer(std::int64_t least) const;
  /// A string that is one of `words`.
  std::string word(std::initializer_list<std::string_view> words) const;
  bool is_null() const { return value_.is_null(); }
  std::string dumped() const;  ///< the JSON text of the value
  const std::string& path() const { return path_; }

 private:
  JsonReader at(const nlohmann::ordered_json& value, const std::string& step) const {
    return {value, file_, path_ + step};
  }

  const nlohmann::ordered_json& value_;
  std::string file_;
  std::string path_;
};

}  // namespace lvsa::analysis
