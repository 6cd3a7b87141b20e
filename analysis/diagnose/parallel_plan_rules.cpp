// The published validation of a plan, rule by rule, and what it lets pass.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/diagnose/parallel_plan.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

using List = std::vector<PlanValue>;
using Map = std::vector<PlanEntry>;

std::string type_of(const PlanValue& value) {
  if (const auto* other = std::get_if<PlanOther>(&value.value)) return other->type;
  if (const auto* input = std::get_if<PlanInput>(&value.value)) {
    return input->partial() ? "SequenceParallelPartialInput" : "SequenceParallelInput";
  }
  if (std::holds_alternative<PlanOutput>(value.value)) return "SequenceParallelOutput";
  return std::holds_alternative<List>(value.value) ? "list" : "dict";
}

bool is_input(const PlanValue& value) { return std::holds_alternative<PlanInput>(value.value); }
bool is_output(const PlanValue& value) { return std::holds_alternative<PlanOutput>(value.value); }

bool is_list_of(const PlanValue& value, bool (*wanted)(const PlanValue&)) {
  const auto* list = std::get_if<List>(&value.value);
  return list != nullptr && std::ranges::all_of(*list, wanted);
}

std::string place_of(const PlanKey& module) { return printable(module.shown(), 80); }
std::string place_of(const PlanKey& module, const PlanKey& key) {
  return fmt::format("{}[{}]", place_of(module), printable(key.shown(), 80));
}

class Validator {
 public:
  std::vector<PlanFinding> run(const PlanValue& plan) {
    const auto* modules = std::get_if<Map>(&plan.value);
    if (modules == nullptr) {
      add("plan-no-map", "",
          fmt::format("the plan is a {}; a map of modules is due", type_of(plan)));
      return std::move(found_);
    }
    for (const PlanEntry& module : *modules) {
      if (module.key.kind != PlanKey::Kind::kText) {
        add("module-name", place_of(module.key),
            fmt::format(
                "the name of a module is {}; a string is due",
                module.key.kind == PlanKey::Kind::kInteger ? "an int" : "a " + module.key.text));
      }
      check_module(module);
    }
    return std::move(found_);
  }

 private:
  void add(const char* rule, std::string place, std::string message) {
    found_.push_back({rule, std::move(place), std::move(message)});
  }

  void check_module(const PlanEntry& module) {
    if (const auto* map = std::get_if<Map>(&module.value.value)) {
      for (const PlanEntry& entry : *map) check_entry(module.key, entry);
      return;
    }
    if (is_output(module.value) || is_list_of(module.value, is_output) ||
        is_list_of(module.value, is_input)) {
      return;
    }
    const bool list = std::holds_alternative<List>(module.value.value);
    add("module-value", place_of(module.key),
        fmt::format("{}; a SequenceParallelOutput, a list of only those, a list of only inputs or "
                    "a map is due",
                    list ? "a list of different kinds" : "a " + type_of(module.value)));
  }

  void check_entry(const PlanKey& module, const PlanEntry& entry) {
    const std::string place = place_of(module, entry.key);
    switch (entry.key.kind) {
      case PlanKey::Kind::kOther:
        add("map-key", place,
            fmt::format("a key is a {}; a string or an integer is due", entry.key.text));
        return;
      case PlanKey::Kind::kInteger:
        if (!is_input(entry.value)) {
          add("index-value", place,
              fmt::format("an integer key (output index) on a {}; a single input is due",
                          type_of(entry.value)));
        } else if (!std::get<PlanInput>(entry.value.value).split_output) {
          add("index-split-output", place,
              "an integer key (output index) on an input with split_output false; true is due");
        }
        return;
      case PlanKey::Kind::kText:
        if (!is_input(entry.value) && !is_list_of(entry.value, is_input)) {
          add("name-value", place,
              fmt::format("a parameter name on a {}; an input or a list of inputs is due",
                          type_of(entry.value)));
        }
        return;
    }
  }

  std::vector<PlanFinding> found_;
};

class HazardSearch {
 public:
  explicit HazardSearch(const PlanDegrees& degrees) : degrees_(degrees) {}

  std::vector<PlanFinding> run(const PlanValue& plan) {
    const auto* modules = std::get_if<Map>(&plan.value);
    if (modules == nullptr) return {};
    for (const PlanEntry& module : *modules) look_at_module(module);
    if (splits_ && !gathers_) {
      add("no-gather", "", "inputs are split and nothing is gathered: the result stays in shards");
    }
    return std::move(found_);
  }

 private:
  void add(const char* rule, std::string place, std::string message, bool harmful = false) {
    found_.push_back({rule, std::move(place), std::move(message), harmful});
  }

  void look_at_module(const PlanEntry& module) {
    if (is_output(module.value)) gathers_ = true;
    if (const auto* list = std::get_if<List>(&module.value.value)) {
      look_at_list(*list, place_of(module.key), false);
    }
    const auto* map = std::get_if<Map>(&module.value.value);
    if (map == nullptr) return;
    for (const PlanEntry& entry : *map) {
      const std::string place = place_of(module.key, entry.key);
      const bool named = entry.key.kind == PlanKey::Kind::kText;
      if (const auto* list = std::get_if<List>(&entry.value.value)) {
        look_at_list(*list, place, named);
      } else if (const auto* input = std::get_if<PlanInput>(&entry.value.value)) {
        look_at_input(*input, place, named);
      }
    }
  }

  void look_at_list(const List& list, const std::string& place, bool named) {
    if (list.empty()) add("empty-list", place, "an empty list passes validation and does nothing");
    for (const PlanValue& value : list) {
      if (is_output(value)) gathers_ = true;
      if (const auto* input = std::get_if<PlanInput>(&value.value)) {
        look_at_input(*input, place, named);
      }
    }
  }

  void look_at_input(const PlanInput& input, const std::string& place, bool named) {
    if (named && input.split_output) {
      add("never-used", place,
          "split_output true under a parameter name passes validation and is never used: an "
          "integer key (output index) is due");
    } else {
      splits_ = true;
    }
    if (input.expected_dims &&
        (input.split_dim >= *input.expected_dims || input.split_dim < -*input.expected_dims)) {
      add("no-such-dim", place,
          fmt::format("split_dim {} of a tensor of {} dimensions: no tensor can be split so",
                      input.split_dim, *input.expected_dims),
          true);
    }
    if (input.auto_pad && degrees_.ring > 1) {
      add("pad-with-ring", place,
          fmt::format("auto_pad with ring_degree {}: padding does not work with a ring",
                      degrees_.ring),
          true);
    } else if (input.auto_pad) {
      add("pad-unmasked", place,
          "auto_pad leaves the mask off by default: each zero key behind the end takes part, and "
          "outputs shrink by Z / (Z + pad * exp(-m))");
    }
  }

  const PlanDegrees& degrees_;
  std::vector<PlanFinding> found_;
  bool splits_ = false;
  bool gathers_ = false;
};

}  // namespace

std::string PlanFinding::line() const {
  return place.empty() ? fmt::format("{} [{}]", message, rule)
                       : fmt::format("{}: {} [{}]", place, message, rule);
}

std::vector<PlanFinding> plan_violations(const PlanValue& plan) { return Validator().run(plan); }

std::vector<PlanFinding> plan_hazards(const PlanValue& plan, const PlanDegrees& degrees) {
  return HazardSearch(degrees).run(plan);
}

}  // namespace lvsa::analysis
