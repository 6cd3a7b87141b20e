#include "analysis/app/explain_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

#include "analysis/verify/exchange.hpp"
#include "analysis/verify/exchange_read.hpp"
#include "analysis/verify/replay_case.hpp"
#include "core/error.hpp"
#include "core/io/tensor_file.hpp"

namespace lvsa::app {
namespace {

bool is_replay(const std::string& path) {
  std::ifstream in(path);
  char first = 0;
  return std::filesystem::is_regular_file(path) && in >> first && first == '{';
}

std::string chosen_group(const TensorSource& file, const std::string& asked) {
  const auto groups = analysis::exchange_groups(file);
  const bool known = std::find(groups.begin(), groups.end(), asked) != groups.end();
  if (known || (asked.empty() && groups.size() == 1)) return asked.empty() ? groups.front() : asked;
  throw Error(ErrorKind::kValue,
              asked.empty()
                  ? fmt::format("explain: {} has {} cases: --group, one of {} .. {}, is due",
                                file.path(), groups.size(), groups.front(), groups.back())
                  : fmt::format("--group {}: {} has {} .. {}", asked, file.path(), groups.front(),
                                groups.back()));
}

std::optional<analysis::LeftBehind> outputs_of(const TensorSource& file, const std::string& group,
                                               const analysis::Case& c) {
  if (!file.form(group + "/out")) return std::nullopt;
  try {
    const auto read =
        std::make_shared<analysis::ScriptOutputs>(analysis::read_script_outputs(file, group, c));
    return analysis::LeftBehind{analysis::exchange_kernel(file), read->view(), read};
  } catch (const analysis::CaseFault& fault) {
    throw Error(ErrorKind::kValue, fmt::format("{}: {}", file.path(), fault.message));
  }
}

ExplainSource of_case(analysis::Case c) {
  ExplainSource source;
  source.c = std::move(c);
  if (!source.c.pattern.empty()) source.maps = analysis::map_subject(source.c);
  return source;
}

ExplainSource of_replay(const std::string& path) {
  analysis::ReplayCase replay = analysis::read_replay(path);
  if (replay.maps.empty()) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}: a replay of frame lists; `replay` shows it, the case that it is "
                            "from is due here: {}",
                            path, replay.found));
  }
  ExplainSource source;
  source.c = replay.c;
  source.maps = analysis::map_subject(std::move(replay));
  return source;
}

}  // namespace

ExplainSource explain_source(const std::string& what, const std::string& group,
                             const std::string& outputs) {
  std::error_code ignored;
  const bool is_file = std::filesystem::exists(what, ignored);
  if (!is_file || is_replay(what)) {
    if (!group.empty() || !outputs.empty()) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{}: a file of lvsa-verify export is due",
                              group.empty() ? "--outputs " + outputs : "--group " + group));
    }
    return is_file ? of_replay(what) : of_case(analysis::parse_case(what));
  }
  const auto cases = open_tensor_file(what);
  const auto other = outputs.empty() ? nullptr : open_tensor_file(outputs);
  const std::string name = chosen_group(*cases, group);
  ExplainSource source = of_case(analysis::exchange_case(*cases, name));
  source.left = outputs_of(other ? *other : *cases, name, source.c);
  return source;
}

}  // namespace lvsa::app
