#pragma once
// What a call gave: its value, or the Python name of the error that it threw. Two implementations
// agree when their outcomes are equal.

#include <string>
#include <utility>

#include "core/error.hpp"

namespace lvsa::property {

template <typename Call>
auto outcome(Call&& call) -> std::pair<std::string, decltype(call())> {
  try {
    return {"", std::forward<Call>(call)()};
  } catch (const Error& error) {
    return {std::string(python_name(error.kind())), {}};
  }
}

}  // namespace lvsa::property
