#pragma once
// What a run is going to do: what its parts, on other days or other machines, must agree in.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lvsa::analysis {

class CaseList;

/// One share of a suite: the cases number, number + of, number + 2 of, ... counted from 1.
struct Shard {
  std::int64_t number = 1;
  std::int64_t of = 1;

  bool holds(std::int64_t case_number) const { return (case_number - 1) % of == number - 1; }
  bool operator==(const Shard&) const = default;
};
/// "2/3". Throws Error(kValue) that names the text.
Shard parse_shard(std::string_view text);
/// How many of `cases` cases it holds.
std::int64_t shard_size(const Shard& shard, std::int64_t cases);

struct RunPlan {
  std::string tool;              ///< version and commit of lvsa-verify
  std::string kernel;            ///< its name
  std::uint64_t library = 0;     ///< hash of the file it comes from; 0: built in, or not a file
  std::string suite;             ///< as it was named
  std::int64_t cases = 0;        ///< of the whole suite, whatever the shard
  std::uint64_t suite_hash = 0;  ///< of its case lines
  Shard shard;
  /// What else decides how a case is judged, by its option's name.
  std::vector<std::pair<std::string, std::string>> options;
};

/// Hash of the case lines, each with a line break.
std::uint64_t suite_hash(const std::vector<std::string>& case_lines);
std::uint64_t suite_hash(const CaseList& cases);

/// In what two plans differ, one line for people ("suite: 12 cases then, 13 now"); empty when they
/// are the same. With `any_shard`, the shards may differ.
std::string difference(const RunPlan& then, const RunPlan& now, bool any_shard);

/// As an object of JSON text, and back. Throws Error(kJson) that names what is missing or wrong.
std::string plan_json(const RunPlan& plan);
RunPlan parse_plan_json(const std::string& json);

}  // namespace lvsa::analysis
