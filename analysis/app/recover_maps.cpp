#include "analysis/app/recover_maps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/blocks/recover_map.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::app {
namespace {

using analysis::MapDifference;
using analysis::MapRecovery;

std::string text_of(const MapRecovery& recovery, bool all) {
  constexpr std::size_t kShown = 20;
  std::string text;
  const std::size_t lines =
      all ? recovery.differences.size() : std::min(kShown, recovery.differences.size());
  for (std::size_t i = 0; i < lines; ++i) {
    text += difference_text(recovery.differences[i], recovery.c) + '\n';
  }
  if (lines < recovery.differences.size()) {
    text += fmt::format("... {} more lines (--all)\n", recovery.differences.size() - lines);
  }
  if (recovery.exact()) {
    return text + fmt::format(
                      "recovered from {} runs: all {} query rows attend exactly what the "
                      "maps have\n",
                      recovery.runs, recovery.rows);
  }
  return text + fmt::format(
                    "recovered from {} runs: {} query rows, {} of them without numbers; {} "
                    "blocks differ\n",
                    recovery.runs, recovery.rows, recovery.rows_without_numbers,
                    recovery.differences.size());
}

std::string json_of(const MapRecovery& recovery) {
  nlohmann::ordered_json json = {
      {"case", to_line(recovery.c)}, {"runs", recovery.runs},
      {"rows", recovery.rows},       {"rows_without_numbers", recovery.rows_without_numbers},
      {"exact", recovery.exact()},   {"differences", nlohmann::ordered_json::array()}};
  for (const MapDifference& d : recovery.differences) {
    json["differences"].push_back({{"batch", d.batch},
                                   {"head", d.head},
                                   {"query_block", d.row_block},
                                   {"key_block", d.column_block},
                                   {"due", d.due},
                                   {"lacking", d.lacking},
                                   {"added", d.added},
                                   {"repeated", d.repeated}});
  }
  return json.dump(2) + '\n';
}

}  // namespace

int recover_maps(const RecoverMapsWords& words, const analysis::Case& c, Apart& apart) {
  if (words.format != "text" && words.format != "json") {
    throw Error(ErrorKind::kValue,
                fmt::format("--format {}: of block maps there are text and json", words.format));
  }
  const KernelChoice choice = choose_kernel(words.kernel);
  if (choice.blocks == nullptr) {
    throw Error(ErrorKind::kKernel, fmt::format("{}: it takes no block maps", choice.kernel->name));
  }
  apart.loaded();
  std::int64_t calls = 0;
  analysis::RecoverMapOptions how;
  how.max_runs = words.max_runs;
  how.threads = static_cast<std::int32_t>(words.threads);
  how.before_each = [&] { apart.part(fmt::format("call {} of the kernel", ++calls)); };
  const MapRecovery recovery = analysis::recover_map(c, *choice.blocks, how);
  apart.done();
  const std::string text = text_of(recovery, words.all);
  const std::string shown = words.format == "json" ? json_of(recovery) : text;
  if (words.output.empty()) {
    fmt::print("{}", shown);
  } else {
    write_file_atomically(words.output, shown);
    fmt::print("{}", text);
  }
  return recovery.exact() ? kAllGood : kCheckFailed;
}

}  // namespace lvsa::app
