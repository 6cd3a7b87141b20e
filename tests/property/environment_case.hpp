#pragma once
// Random texts and environments of the kinds that users set, right and wrong.

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "core/config/environment.hpp"

namespace lvsa::property {

/// ASCII text of the characters that numbers and lists are made of; its numbers may not fit 64
/// bits.
rc::Gen<std::string> any_number_text();

/// The same, of nine characters at most: every integer in it is a size that both sides accept.
rc::Gen<std::string> short_number_text();

/// An environment with some of `names`, each set to one of its values or to a short number text.
struct Variable {
  const char* name;
  std::vector<std::string> values;
};
rc::Gen<Environment> any_environment(std::vector<Variable> variables);

}  // namespace lvsa::property
