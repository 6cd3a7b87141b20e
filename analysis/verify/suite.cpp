#include "analysis/verify/suite.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "analysis/verify/recorded_attention.hpp"
#include "core/error.hpp"
#include "core/io/line_reader.hpp"

namespace lvsa::analysis {
namespace {

void append(std::vector<Case>& cases, std::vector<Case> more) {
  cases.insert(cases.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

// `depth` stops files that include each other.
void read_suite_file(const std::string& path, int depth, std::vector<Case>& cases) {
  constexpr int kDeepest = 16;
  if (depth > kDeepest) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}: suites include each other more than {} deep", path, kDeepest));
  }
  LineReader reader(path);
  std::string line;
  while (reader.next(line)) {
    line.erase(std::min(line.find('#'), line.size()));
    const std::size_t first = line.find_first_not_of(" \t");
    if (first == std::string::npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t") + 1 - first);
    constexpr std::string_view kInclude = "include ";
    if (line.rfind(kInclude, 0) == 0) {
      const std::filesystem::path other = line.substr(line.find_first_not_of(' ', kInclude.size()));
      read_suite_file((std::filesystem::path(path).parent_path() / other).string(), depth + 1,
                      cases);
      continue;
    }
    try {
      cases.push_back(parse_case(line));
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("{}:{}: {}", path, reader.line_number(), error.what()));
    }
  }
}

bool is_built_in(const std::string& suite) {
  return suite == "smoke" || suite == "default" || suite == "full";
}

}  // namespace

std::vector<Case> recorded_cases(const std::string& path) {
  const Hdf5File file(path);
  std::vector<Case> cases;
  for (const std::string& group : file.members("/")) {
    const RecordedAttention recorded = read_recorded(file, group);
    for (const RecordedOutput& output : recorded_outputs(file, group)) {
      if (output.dtype == LVSA_F64) continue;  // what the fp64 outputs say, the oracle says too
      Case c = recorded.as_case(output.step, output.dtype);
      c.file = path + "#" + group;
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

std::vector<Case> suite_cases(const std::string& suite,
                              const std::function<std::string()>& fixtures) {
  if (is_random_suite(suite)) return random_cases(suite);
  if (suite == "blocks-smoke") return block_smoke_cases();
  if (suite == "blocks") return block_cases();
  std::vector<Case> cases;
  if (!is_built_in(suite)) {
    if (!std::filesystem::exists(suite)) {
      throw Error(
          ErrorKind::kValue,
          fmt::format("suite '{}': smoke, default, full, blocks-smoke, blocks, random:COUNT or an "
                      "existing file is due",
                      suite));
    }
    read_suite_file(suite, 0, cases);
    if (cases.empty()) throw Error(ErrorKind::kValue, fmt::format("{}: holds no case", suite));
    return cases;
  }
  append(cases,
         recorded_cases((std::filesystem::path(fixtures()) / "attention_vectors.h5").string()));
  append(cases, small_cases());
  if (suite == "default") append(cases, model_cases());
  if (suite == "full") append(cases, all_model_cases());
  return cases;
}

}  // namespace lvsa::analysis
