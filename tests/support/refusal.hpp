#pragma once
// What a call refuses its input with.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "core/error.hpp"

namespace lvsa::test_support {

/// Message of the Error that `call` throws, which has to be one line that says something, and of
/// that kind where one is given; "accepted" where none is thrown.
template <class Call>
std::string refusal_of(Call&& call, std::optional<ErrorKind> kind = {}) {
  try {
    std::forward<Call>(call)();
  } catch (const Error& error) {
    std::string message = error.what();
    EXPECT_FALSE(message.empty());
    EXPECT_EQ(error.kind(), kind.value_or(error.kind())) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  }
  return "accepted";
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace lvsa::test_support
