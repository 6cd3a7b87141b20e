// Judging what a script left in an exchange file.

#include <fmt/format.h>

#include "analysis/blocks/exchange_maps.hpp"
#include "analysis/blocks/exchange_traps.hpp"
#include "analysis/verify/exchange.hpp"
#include "analysis/verify/exchange_numerics.hpp"
#include "analysis/verify/exchange_read.hpp"
#include "analysis/verify/judge.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

[[noreturn]] void bad_file(const TensorSource& file, const std::string& object,
                           const std::string& what) {
  throw Error(ErrorKind::kIo, fmt::format("{}: {}: {}", file.path(), object, what));
}

void compare_frames(const TensorSource& file, const std::string& group,
                    const FramePattern& pattern) {
  const std::vector<std::int64_t> list(pattern.list.begin(), pattern.list.end());
  const std::vector<std::int64_t> rows = {static_cast<std::int64_t>(pattern.offsets.size())};
  const std::vector<std::int64_t> pairs = {static_cast<std::int64_t>(list.size())};
  compare_list(file, group + "/frame_offsets", rows, pattern.offsets);
  compare_list(file, group + "/frame_list", pairs, list);
  compare_list(file, group + "/csr_indptr", rows, pattern.offsets);
  compare_list(file, group + "/csr_indices", pairs, list);
}

void judge_group(CaseResult& result, const ExchangeFiles& files, const std::string& group,
                 const FramePattern& pattern, const RunOptions& options) {
  const Case& c = result.c;
  const TensorSource& file = files.cases;
  const AttentionTensors tensors = case_tensors(c);
  compare_input(file, group + "/q", tensors.q, c);
  compare_input(file, group + "/k", tensors.k, c);
  compare_input(file, group + "/v", tensors.v, c);
  compare_frames(file, group, pattern);
  const ScriptOutputs outputs = read_script_outputs(files.outputs, group, c);
  judge_outputs(result, outputs.view(), tensors, pattern, sample_rows(c), options.progress);
}

void check_frames(CaseResult& result, const ExchangeFiles& files, const std::string& group,
                  const RunOptions& options) {
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(result.c));
  describe_pattern(result, pattern);
  if (is_skipped(result, files.outputs, group)) return;
  judge_group(result, files, group, pattern, options);
}

}  // namespace

Case exchange_case(const TensorSource& file, const std::string& group) {
  const auto line = file.text_attribute(group, "case");
  if (!line) bad_file(file, group, "attribute case is due: the line of the case");
  try {
    return parse_case(*line);
  } catch (const Error& error) {
    bad_file(file, group, error.what());
  }
}

bool is_skipped(CaseResult& result, const TensorSource& outputs, const std::string& group) {
  const auto reason = outputs.text_attribute(group, "skipped");
  if (!reason) return false;
  result.status = Status::kUnsupported;
  result.message = *reason;
  return true;
}

std::vector<std::string> exchange_groups(const TensorSource& file) {
  const auto schema = file.integer_attribute("/", "lvsa_schema");
  if (!schema || schema->size() != 1 || schema->front() != kExchangeSchema) {
    bad_file(file, "/",
             fmt::format("attribute lvsa_schema = {} is due: a file that lvsa-verify "
                         "export wrote",
                         kExchangeSchema));
  }
  std::vector<std::string> groups = file.members("/");
  std::erase_if(groups, [](const std::string& name) { return name.rfind("case", 0) != 0; });
  const auto written = file.integer_attribute("/", "cases");
  const auto count = static_cast<std::int64_t>(groups.size());
  if (!written || written->size() != 1 || written->front() != count || count == 0) {
    bad_file(file, "/",
             fmt::format("holds {} groups case*; as many as attribute cases says are "
                         "due, at least one",
                         count));
  }
  return groups;
}

std::string exchange_kernel(const TensorSource& outputs) {
  return outputs.text_attribute("/", "kernel").value_or("file");
}

CaseResult check_exchange_case(const ExchangeFiles& files, const std::string& group,
                               const RunOptions& options) {
  CaseResult result;
  result.c = exchange_case(files.cases, group);
  result.line = to_line(result.c);
  result.kernel = exchange_kernel(files.outputs);
  result.command =
      fmt::format("lvsa-verify check {} --group {}", shell_quoted(files.cases.path()), group);
  if (files.outputs.path() != files.cases.path()) {
    result.command += " --outputs " + shell_quoted(files.outputs.path());
  }
  try {
    if (result.c.pattern.empty()) {
      check_frames(result, files, group, options);
    } else {
      check_exchange_maps(result, files, group, options);
    }
  } catch (const CaseFault& fault) {
    result.status = Status::kFail;
    result.message = fault.message;
  }
  add_trap_check(result, files, group);
  return result;
}

}  // namespace lvsa::analysis
