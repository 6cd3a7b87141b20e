#include "core/io/strict_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa {
namespace {

// Builds the value from the parser's events. The parser keeps no stack of its own, so depth costs
// nothing before it is refused.
template <typename Json>
class Builder : public nlohmann::json_sax<Json> {
  using typename nlohmann::json_sax<Json>::number_integer_t;
  using typename nlohmann::json_sax<Json>::number_unsigned_t;
  using typename nlohmann::json_sax<Json>::number_float_t;
  using typename nlohmann::json_sax<Json>::string_t;
  using typename nlohmann::json_sax<Json>::binary_t;

 public:
  Builder(const std::string& where, const JsonLimits& limits) : where_(where), limits_(limits) {}

  Json take() { return std::move(root_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& value) override {
    if (open_.back()->contains(value)) {
      fail(fmt::format("\"{}\" stands twice in one object", printable(value)));
    }
    key_ = std::move(value);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception&) override {
    fail(fmt::format("no valid JSON at byte {}{}", position,
                     token.empty() ? "" : fmt::format(", near '{}'", printable(token, 40))));
    return false;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kJson, fmt::format("{}: {}", where_, what));
  }

  template <typename Value>
  bool put(Value&& value) {
    place(std::forward<Value>(value));
    return true;
  }

  template <typename Value>
  Json* place(Value&& value) {
    if (++values_ > limits_.values) fail(fmt::format("holds more than {} values", limits_.values));
    if (open_.empty()) {
      root_ = std::forward<Value>(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_object()) return &(parent[key_] = std::forward<Value>(value));
    parent.push_back(std::forward<Value>(value));
    return &parent.back();
  }

  bool open(Json&& container) {
    if (open_.size() >= limits_.depth) {
      fail(fmt::format("is nested more than {} deep", limits_.depth));
    }
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const std::string& where_;
  const JsonLimits& limits_;
  Json root_;
  std::vector<Json*> open_;  // containers that are not closed; only the innermost one grows
  std::string key_;
  std::size_t values_ = 0;
};

template <typename Json>
Json parse(std::string_view text, const std::string& where, const JsonLimits& limits) {
  Builder<Json> builder(where, limits);
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
    throw Error(ErrorKind::kJson, fmt::format("{}: no valid JSON", where));
  }
  return builder.take();
}

}  // namespace

nlohmann::json parse_strict_json(std::string_view text, const std::string& where,
                                 const JsonLimits& limits) {
  return parse<nlohmann::json>(text, where, limits);
}

nlohmann::ordered_json parse_strict_ordered_json(std::string_view text, const std::string& where,
                                                 const JsonLimits& limits) {
  return parse<nlohmann::ordered_json>(text, where, limits);
}

}  // namespace lvsa
