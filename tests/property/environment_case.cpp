#include "tests/property/environment_case.hpp"

namespace lvsa::property {

rc::Gen<std::string> any_number_text() {
  const auto character = rc::gen::weightedOneOf<char>(
      {{8, rc::gen::inRange<char>('0', '9' + 1)},
       {4, rc::gen::element(' ', '\t', '\n', '\x1c', '+', '-', '_', '.', ',', 'e', 'E')},
       {1, rc::gen::element('x', 'n', 'a', 'i', 'f', '/', ':')}});
  return rc::gen::weightedOneOf<std::string>(
      {{4, rc::gen::container<std::string>(character)},
       {3, rc::gen::map(rc::gen::pair(rc::gen::container<std::string>(character),
                                      rc::gen::inRange(-20, 4000)),
                        [](const auto& both) {
                          return both.first.substr(0, 2) + std::to_string(both.second);
                        })},
       {1, rc::gen::element<std::string>("inf", "-Infinity", "nan", "+NaN", "1_000", "1__0", "_1",
                                         "1_", "+ 1", "0x10", "1e400", "-1e-400", ".5", "5.", ".",
                                         "9223372036854775807", "9223372036854775808",
                                         "-9223372036854775808", "-9223372036854775809")}});
}

rc::Gen<std::string> short_number_text() {
  return rc::gen::map(any_number_text(), [](const std::string& text) { return text.substr(0, 9); });
}

rc::Gen<Environment> any_environment(std::vector<Variable> variables) {
  return rc::gen::exec([variables] {
    Environment environment;
    for (const Variable& variable : variables) {
      if (*rc::gen::inRange(0, 3) == 0) continue;
      environment[variable.name] = *rc::gen::weightedOneOf<std::string>(
          {{9, rc::gen::elementOf(variable.values)}, {1, short_number_text()}});
    }
    return environment;
  });
}

}  // namespace lvsa::property
