#pragma once
// Sequence-parallel plans of vLLM-Omni, written as JSON: read, validated by the published rules,
// and looked through for what passes validation and goes wrong in silence.
//
// The Python objects become objects with a "type": {"type": "SequenceParallelInput", "split_dim":
// 1, "expected_dims": 3, "split_output": false, "auto_pad": false}, "SequenceParallelOutput",
// "SequenceParallelPartialInput"; a map is an object without it. JSON has text keys only: within a
// module's map a key of decimal digits ("0") is an integer, as json.dumps writes one; "int:0" says
// so in any place, "str:0" is the text "0". Keys of any kind at all stand in
// {"type": "map", "items": [[key, value], ...]}. docs/parallel.md has the whole form.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lvsa::analysis {

/// A key of a Python map.
struct PlanKey {
  enum class Kind { kText, kInteger, kOther };
  Kind kind = Kind::kText;
  std::string text;  ///< the text, the digits, or the Python type of any other key
  /// 'name' or 0, as Python shows it.
  std::string shown() const;
};

struct PlanInput {
  std::int64_t split_dim = 0;
  std::optional<std::int64_t> expected_dims;
  bool split_output = false;
  bool auto_pad = false;
  /// A partial input: the length of the text, or the parameter that holds it.
  std::optional<std::variant<std::int64_t, std::string>> text_len_source;
  bool partial() const { return text_len_source.has_value(); }
};

struct PlanOutput {
  std::int64_t gather_dim = 0;
  std::optional<std::int64_t> expected_dims;
};

struct PlanValue;
struct PlanEntry;

/// Neither input, output, list nor map; by its Python type ("NoneType", "str", ...).
struct PlanOther {
  std::string type;
};

struct PlanValue {
  std::variant<PlanOther, PlanInput, PlanOutput, std::vector<PlanValue>, std::vector<PlanEntry>>
      value;
};

/// In the order of the document.
struct PlanEntry {
  PlanKey key;
  PlanValue value;
};

struct PlanDegrees {
  std::int64_t ulysses = 1;
  std::int64_t ring = 1;
  bool convert_to_fp32 = true;
};

/// Sizes of a real tensor, by module and key (PlanKey::shown), to split it as the plan says.
using PlanTensors = std::map<std::pair<std::string, std::string>, std::vector<std::int64_t>>;

struct PlanDocument {
  PlanValue plan;
  std::optional<PlanDegrees> degrees;
  PlanTensors tensors;
  std::map<std::string, std::int64_t> text_lengths;  ///< of named sources
};

/// One finding; `rule` is its short name.
struct PlanFinding {
  std::string rule;
  std::string place;  ///< "module['key']"; empty: the whole plan
  std::string message;
  bool harmful = true;  ///< of a hazard: results go wrong or the run stops; else a remark
  std::string line() const;
};

/// Throws Error(kJson, kType, kValue, kIo) of one line for text that is no JSON, and for objects
/// that Python could not make either: a key that an object lacks or does not know, a value of
/// another type, degrees below 1.
PlanDocument parse_plan(std::string_view text, const std::string& where);
PlanDocument read_plan(const std::string& path);

/// All violations of the rules, in the order in which the published validation meets them; it stops
/// at the first.
std::vector<PlanFinding> plan_violations(const PlanValue& plan);

/// What is accepted and does nothing, or may harm: see docs/parallel.md. The degrees decide on
/// padding with a ring.
std::vector<PlanFinding> plan_hazards(const PlanValue& plan, const PlanDegrees& degrees);

/// What the ranks make of one tensor of the document.
struct PlanSplit {
  std::string place;
  std::vector<std::int64_t> shape;
  std::string outcome;  ///< "split", "unsplit", "partial", "padded", "refused", "no rule"
  std::string message;
  std::vector<std::string> ranks;  ///< entries along the split dimension: "0-2", "0-1, 4-5", "none"
};

/// Throws Error(kValue) for a tensor with a dimension below 0.
std::vector<PlanSplit> split_plan_tensors(const PlanDocument& document, const PlanDegrees& degrees);

}  // namespace lvsa::analysis
