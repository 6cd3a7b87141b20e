#include "analysis/report/write_reports.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "analysis/report/html_report.hpp"
#include "analysis/report/jsonl_report.hpp"
#include "analysis/report/junit_report.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::analysis {
namespace {

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  // A trailing '/' makes create_directories() report success as false: ask for what counts.
  std::error_code ignored;
  if (std::filesystem::is_directory(folder, ignored)) return;
  const std::string reason = std::filesystem::exists(folder, ignored) ? "is no folder"
                             : error                                  ? error.message()
                                                                      : "is not there";
  throw Error(ErrorKind::kIo, fmt::format("{}: folder for the reports cannot be made: {}",
                                          folder.string(), reason));
}

}  // namespace

void write_reports(const std::string& folder, const std::vector<CaseResult>& results,
                   const Provenance& provenance, const RunSummary& summary) {
  const std::filesystem::path path = folder.empty() ? "." : folder;
  make_folder(path);
  write_file_atomically((path / "report.jsonl").string(),
                        jsonl_report(results, provenance, summary));
  write_file_atomically((path / "report.xml").string(), junit_report(results, provenance));
  write_file_atomically((path / "report.html").string(), html_report(results, provenance, summary));
}

}  // namespace lvsa::analysis
