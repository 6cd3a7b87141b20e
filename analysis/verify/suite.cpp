#include "analysis/verify/suite.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "analysis/verify/recorded_attention.hpp"
#include "core/error.hpp"
#include "core/io/line_reader.hpp"

namespace lvsa::analysis {
namespace {

using Visit = std::function<void(Case)>;

void give(std::vector<Case> cases, const Visit& visit) {
  for (Case& c : cases) visit(std::move(c));
}

Case parse_suite_line(const std::string& line, const std::string& path, std::int64_t number) {
  try {
    return parse_case(line);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}:{}: {}", path, number, error.what()));
  }
}

// `depth` stops files that include each other.
void read_suite_file(const std::string& path, int depth, const Visit& visit) {
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
                      visit);
      continue;
    }
    visit(parse_suite_line(line, path, reader.line_number()));
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

void for_each_case(const std::string& suite, const std::function<std::string()>& fixtures,
                   const Visit& visit) {
  if (is_random_suite(suite)) return for_each_random_case(suite, visit);
  if (suite == "blocks-smoke") return give(block_smoke_cases(), visit);
  if (suite == "blocks") return give(block_cases(), visit);
  if (!is_built_in(suite)) {
    if (!std::filesystem::exists(suite)) {
      throw Error(
          ErrorKind::kValue,
          fmt::format("suite '{}': smoke, default, full, blocks-smoke, blocks, random:COUNT or an "
                      "existing file is due",
                      suite));
    }
    bool any = false;
    read_suite_file(suite, 0, [&](Case c) {
      any = true;
      visit(std::move(c));
    });
    if (!any) throw Error(ErrorKind::kValue, fmt::format("{}: holds no case", suite));
    return;
  }
  give(recorded_cases((std::filesystem::path(fixtures()) / "attention_vectors.h5").string()),
       visit);
  give(small_cases(), visit);
  if (suite == "default") give(model_cases(), visit);
  if (suite == "full") give(all_model_cases(), visit);
}

std::vector<Case> suite_cases(const std::string& suite,
                              const std::function<std::string()>& fixtures) {
  std::vector<Case> cases;
  for_each_case(suite, fixtures, [&](Case c) { cases.push_back(std::move(c)); });
  return cases;
}

}  // namespace lvsa::analysis
