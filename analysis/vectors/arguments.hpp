#pragma once
// Typed reading of the arguments of one function call.

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/config/environment.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {

/// A call that cannot be made: unknown function, missing argument, argument of another type. Not to
/// be mixed up with what a published function raises itself.
class BadCall : public Error {
 public:
  explicit BadCall(const std::string& message) : Error(ErrorKind::kValue, message) {}
};

/// The object of arguments of one call. Every reader throws BadCall that names the argument
/// and its value when it is missing or of another type.
class Arguments {
 public:
  explicit Arguments(const nlohmann::json& object);

  std::int64_t integer(const char* name) const;
  std::int64_t integer_or(const char* name, std::int64_t default_value) const;
  std::optional<std::int64_t> optional_integer(const char* name) const;
  double real(const char* name) const;
  bool flag(const char* name) const;
  std::string text(const char* name) const;
  std::vector<std::int64_t> integers(const char* name) const;
  std::vector<std::int64_t> integers_or_none(const char* name) const;
  /// An object of strings; absent means empty.
  Environment environment(const char* name = "env") const;
  /// The argument itself, or null when absent.
  const nlohmann::json& raw(const char* name) const;

 private:
  const nlohmann::json& required(const char* name) const;
  const nlohmann::json* object_;
};

}  // namespace lvsa::analysis
