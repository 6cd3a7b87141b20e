// A recorded table of outcomes against the reference's, as declared in backend_table.hpp.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/diagnose/backend_table.hpp"
#include "analysis/gate/json_reader.hpp"
#include "core/io/printable.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr JsonLimits kLimits{24, 5'000'000};
constexpr double kSame = 1e-9;  // shares may be computed by another formula

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() > 80 ? text.substr(0, 80) + "..." : text;
}

bool is_text_only(const std::string& key) { return key == "warnings" || key == "error"; }

bool same(const Json& recorded, const Json& due) {
  if (recorded.is_number() && due.is_number()) {
    return std::abs(recorded.get<double>() - due.get<double>()) <= kSame;
  }
  if (recorded.is_array() && due.is_array() && recorded.size() == due.size()) {
    for (std::size_t i = 0; i < recorded.size(); ++i) {
      if (!same(recorded[i], due[i])) return false;
    }
    return true;
  }
  return recorded == due;
}

class Comparison {
 public:
  // Every member that the recorded object has; of params also those that it lacks.
  void objects(const Json& recorded, const Json& due, const std::string& where, bool whole) {
    for (const auto& [key, value] : recorded.items()) {
      if (is_text_only(key) || (key == "steps" && !whole)) continue;
      const auto found = due.find(key);
      const std::string name = printable(key);
      if (found == due.end()) {
        say(where, fmt::format("{} is {}, none is due", name, shown(value)));
      } else if (value.is_object() && found->is_object()) {
        objects(value, *found, fmt::format("{} {}", where, name), key == "params");
      } else if (!same(value, *found)) {
        say(where, fmt::format("{} is {}, {} is due", name, shown(value), shown(*found)));
      }
    }
    for (const auto& [key, value] : due.items()) {
      if (whole && recorded.find(key) == recorded.end()) {
        say(where, fmt::format("{} is missing, {} is due", key, shown(value)));
      }
    }
  }

  void steps(const Json& recorded, const JsonReader& at, const Json& due,
             const std::string& where) {
    const std::vector<JsonReader> elements = at.elements();
    std::set<std::int64_t> seen;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const std::int64_t step = elements[i].required("step").integer(0);
      if (!seen.insert(step).second) elements[i].fail(fmt::format("a second step {}", step));
      if (step >= static_cast<std::int64_t>(due.size())) {
        say(where, fmt::format("step {} is called, none is due", step));
      } else {
        objects(recorded[i], due[static_cast<std::size_t>(step)],
                fmt::format("{} step {}", where, step), false);
      }
    }
    for (std::size_t step = 0; step < due.size(); ++step) {
      if (!seen.count(static_cast<std::int64_t>(step)))
        say(where, fmt::format("step {} is missing", step));
    }
  }

  std::vector<std::string> take() { return std::move(lines_); }
  void say(const std::string& where, const std::string& what) {
    lines_.push_back(fmt::format("{}: {}", where, what));
  }

 private:
  std::vector<std::string> lines_;
};

using Key = std::array<std::string, 3>;  // request, call, policy

std::string shown(const Key& key) {
  return fmt::format("{}, {}, {}", printable(key[0]), printable(key[1]), key[2]);
}

std::map<Key, const Json*> by_key(const Json& outcomes) {
  std::map<Key, const Json*> found;
  for (const Json& entry : outcomes) {
    found[{entry.at("request").get<std::string>(), entry.at("call").get<std::string>(),
           entry.at("policy").get<std::string>()}] = &entry;
  }
  return found;
}

}  // namespace

std::vector<std::string> backend_differences(std::span<const BackendEntry> entries,
                                             std::string_view recorded, const std::string& file) {
  const Json due = Json::parse(backend_table_as_json(entries)).at("outcomes");
  const std::map<Key, const Json*> wanted = by_key(due);
  std::set<std::string> made_policies;
  for (const BackendEntry& entry : entries) made_policies.emplace(policy_name(entry.policy));
  const Json json = parse_strict_ordered_json(recorded, file, kLimits);
  const JsonReader root(json, file);
  (void)root.required("schema").word({"lvsa-backend-outcomes/1"});
  root.require_object({"schema", "about", "outcomes"});
  const std::vector<JsonReader> rows = root.required("outcomes").elements();
  Comparison comparison;
  std::set<Key> seen;
  std::set<std::string> policies;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Key key{rows[i].required("request").text(), rows[i].required("call").text(),
                  rows[i].required("policy").word({"first", "second"})};
    if (made_policies.count(key[2]) == 0) continue;
    policies.insert(key[2]);
    if (!seen.insert(key).second) rows[i].fail(fmt::format("{} a second time", shown(key)));
    const auto found = wanted.find(key);
    if (found == wanted.end()) {
      comparison.say(shown(key), "no such request");
      continue;
    }
    const Json& row = json["outcomes"][i];
    comparison.objects(row, *found->second, shown(key), false);
    if (const auto steps = rows[i].member("steps")) {
      comparison.steps(row["steps"], *steps, found->second->at("steps"), shown(key));
    }
  }
  for (const auto& [key, entry] : wanted) {
    if (policies.count(key[2]) && !seen.count(key)) comparison.say(shown(key), "is missing");
  }
  if (policies.empty()) root.fail("no outcome under the policies asked for");
  return comparison.take();
}

}  // namespace lvsa::analysis
