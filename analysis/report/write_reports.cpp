#include "analysis/report/write_reports.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <functional>
#include <string_view>

#include "analysis/report/html_report.hpp"
#include "analysis/report/jsonl_report.hpp"
#include "analysis/report/junit_report.hpp"
#include "analysis/report/markdown_report.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::analysis {
namespace {

using std::filesystem::path;

path folder_path(const std::string& folder) { return folder.empty() ? "." : folder; }

void write_file(const path& name,
                const std::function<void(const std::function<void(std::string_view)>&)>& fill) {
  AtomicFile file(name.string());
  fill([&](std::string_view part) { file.write(part); });
  file.commit();
}

// The cases for the page: all, or in this order failed, weak, other ones until there are enough.
std::vector<CaseResult> cases_on_page(const ResultSource& results) {
  const RunTotals& totals = results.totals();
  const std::array<std::int64_t, 3> counts = {
      totals.summary.failed, totals.summary.weak,
      totals.cases() - totals.summary.failed - totals.summary.weak};
  std::array<std::int64_t, 3> room{};
  std::int64_t left = kMostCasesOnPage;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    room[i] = std::min(left, counts[i]);
    left -= room[i];
  }
  std::vector<CaseResult> chosen;
  const auto take = [&](Status status) {
    const std::size_t kind = is_failure(status) ? 0 : status == Status::kWeak ? 1 : 2;
    return room[kind]-- > 0;
  };
  results.for_each(take, [&](const CaseResult& result) { chosen.push_back(result); });
  return chosen;
}

}  // namespace

void make_report_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder_path(folder), error);
  // A trailing '/' makes create_directories() report success as false: ask for what counts.
  std::error_code ignored;
  if (std::filesystem::is_directory(folder_path(folder), ignored)) return;
  const std::string reason = std::filesystem::exists(folder, ignored) ? "is no folder"
                             : error                                  ? error.message()
                                                                      : "is not there";
  throw Error(ErrorKind::kIo,
              fmt::format("{}: folder for the reports cannot be made: {}", folder, reason));
}

void write_derived_reports(const std::string& folder, const ResultSource& results,
                           const Provenance& provenance) {
  const path in = folder_path(folder);
  write_file(in / "report.xml",
             [&](const auto& write) { junit_report(results, provenance, write); });
  write_file(in / "report.md",
             [&](const auto& write) { write(markdown_report(results, provenance)); });
  const std::vector<CaseResult> shown = cases_on_page(results);
  write_file(in / "report.html",
             [&](const auto& write) { write(html_report(shown, provenance, results.totals())); });
}

void remove_derived_reports(const std::string& folder) {
  std::error_code ignored;
  // What a killed process was writing aside. The caller holds the folder: nobody is at it now.
  for (const auto& entry : std::filesystem::directory_iterator(folder_path(folder), ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind(".report.", 0) == 0 && name.ends_with(".tmp")) {
      std::filesystem::remove(entry.path(), ignored);
    }
  }
  for (const char* name : {"report.xml", "report.md", "report.html"}) {
    std::filesystem::remove(folder_path(folder) / name, ignored);
  }
}

void write_reports(const std::string& folder, const std::vector<CaseResult>& results,
                   const Provenance& provenance, const RunSummary& summary) {
  make_report_folder(folder);
  write_file_atomically((folder_path(folder) / "report.jsonl").string(),
                        jsonl_report(results, provenance, summary));
  write_derived_reports(folder, ResultList(results), provenance);
}

}  // namespace lvsa::analysis
