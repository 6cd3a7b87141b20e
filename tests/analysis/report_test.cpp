// The report files: what is in them, and that no text of a user breaks them.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "analysis/report/jsonl_report.hpp"
#include "analysis/report/junit_report.hpp"
#include "analysis/report/markdown_report.hpp"
#include "analysis/report/table.hpp"
#include "analysis/report/text_format.hpp"
#include "analysis/report/write_reports.hpp"
#include "core/error.hpp"
#include "report_markup_check.hpp"
#include "report_sample.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Quotes, markup, a line break, control characters, a lone UTF-8 lead byte, a surrogate, "é".
const std::string kNasty =
    "a<b & \"c\" 'd' ]]> </script><!--\n\x01\x1b[31m \xC3( \xED\xA0\x80 \xC3\xA9 \xF0\x9F\x98\x80";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

CaseResult nasty_result() {
  CaseResult result = sample_result();
  result.status = Status::kFail;
  result.kernel = result.line = result.command = result.message = result.c.model = kNasty;
  result.output.failed = 1;
  return result;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A folder of the test's own that goes away with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "lvsa-report-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(TextFormat, ReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(valid_utf8("a\xC3\xA9z"), "a\xC3\xA9z");
  EXPECT_EQ(valid_utf8("a\xC3"), "a\xEF\xBF\xBD");
  EXPECT_EQ(valid_utf8("\x80\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(valid_utf8("\xF0\x9F\x98\x80"), "\xF0\x9F\x98\x80");
}

TEST(TextFormat, EscapesMarkupAndDropsWhatXmlForbids) {
  EXPECT_EQ(escape_markup("<a b=\"c\" d='e'>&"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  EXPECT_EQ(escape_markup(std::string_view("a\0b\x1b\nc", 6)), "ab&#10;c");
  EXPECT_EQ(escape_markup("\xEF\xBF\xBF|\xFF"), "|\xEF\xBF\xBD");
}

TEST(TextFormat, WritesTimesInTheUnitThatFits) {
  EXPECT_EQ(seconds_text(0.0), "0 us");
  EXPECT_EQ(seconds_text(812e-6), "812 us");
  EXPECT_EQ(seconds_text(999.7e-6), "1 ms");
  EXPECT_EQ(seconds_text(0.99999), "1 s");
  EXPECT_EQ(seconds_text(4.564), "4.56 s");
  EXPECT_EQ(seconds_text(119.7), "2 min 00 s");
  EXPECT_EQ(seconds_text(std::nan("")), "-");
}

TEST(JsonLines, HoldARunItsCasesAndASummary) {
  const auto results = sample_run();
  const auto lines = lines_of(jsonl_report(results, sample_provenance(), summarise(results)));
  ASSERT_EQ(lines.size(), results.size() + 2);
  const Json run = Json::parse(lines.front());
  EXPECT_EQ(run.at("type"), "run");
  EXPECT_EQ(run.at("schema"), kReportSchema);
  EXPECT_EQ(run.at("provenance").at("commit"), "0123456789ab");
  const Json summary = Json::parse(lines.back());
  EXPECT_EQ(summary.at("type"), "summary");
  EXPECT_EQ(summary.at("passed"), 27);
  EXPECT_EQ(summary.at("failed"), 2);
  EXPECT_EQ(summary.at("cases"), 30);
}

TEST(JsonLines, KeepTheCaseLineAndTheNumbers) {
  const CaseResult result = sample_result();
  const Json json = Json::parse(to_json_line(result));
  EXPECT_EQ(json.at("type"), "case");
  EXPECT_EQ(parse_case(json.at("case").get<std::string>()), result.c);
  EXPECT_EQ(json.at("output").at("worst").at("got").get<double>(), result.output.worst.got);
  EXPECT_EQ(json.at("output").at("worst").at("tolerance").at("scores").get<double>(), 6.3e-6);
  EXPECT_EQ(json.at("pattern").at("interval"), result.interval);
  EXPECT_EQ(json.at("frame_worst_ratio").size(), 41U);
}

TEST(JsonLines, SpellNumbersThatJsonLacks) {
  CaseResult result = sample_result(3);
  result.output.worst.got = std::nan("");
  result.output.worst_ratio = kInfinity;
  result.lse.worst.got = -kInfinity;
  result.frame_worst_ratio = {-1.0, kInfinity, 0.5};
  const Json json = Json::parse(to_json_line(result));
  EXPECT_EQ(json.at("output").at("worst").at("got"), "NaN");
  EXPECT_EQ(json.at("output").at("worst_ratio"), "Infinity");
  EXPECT_EQ(json.at("lse").at("worst").at("got"), "-Infinity");
  EXPECT_EQ(json.at("frame_worst_ratio"), Json::parse(R"([null, "Infinity", 0.5])"));
}

TEST(JsonLines, SurviveAnyText) {
  const std::string line = to_json_line(nasty_result());
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(Json::parse(line).at("message"), valid_utf8(kNasty));
}

TEST(JsonLines, SayNullForWhatWasNotChecked) {
  CaseResult result = sample_result();
  result.output = result.lse = {};
  const Json json = Json::parse(to_json_line(result));
  EXPECT_TRUE(json.at("output").is_null());
  EXPECT_TRUE(json.at("lse").is_null());
}

TEST(JunitReport, IsWellFormedAndCounts) {
  auto results = sample_run();
  results.push_back(nasty_result());
  const std::string xml = junit_report(results, sample_provenance());
  EXPECT_EQ(markup_problem(xml, false), "");
  EXPECT_NE(xml.find("tests=\"31\" failures=\"2\" errors=\"1\" skipped=\"1\""), std::string::npos);
  EXPECT_NE(xml.find("reproduce: lvsa-verify kernel --kernel cpu"), std::string::npos);
}

TEST(JunitReport, IsWellFormedWithoutCases) {
  EXPECT_EQ(markup_problem(junit_report({}, {}), false), "");
}

TEST(ResultTable, AlignsItsColumnsWithinTheWidth) {
  const std::string header = result_table_header();
  const std::size_t width = header.find('\n');
  EXPECT_LE(width, 140U);
  for (const CaseResult& result : sample_run()) EXPECT_EQ(result_row(result).size(), width);
}

TEST(ResultTable, SendsNoControlCharactersToTheTerminal) {
  const std::string row = result_row(nasty_result());
  for (const char c : row) EXPECT_TRUE(c >= ' ' && c <= '~') << row;
}

TEST(Provenance, NamesBuildAndMachineInAFixedOrder) {
  const Provenance provenance = collect_provenance("lvsa-verify kernel");
  ASSERT_EQ(provenance.size(), sample_provenance().size());
  for (std::size_t i = 0; i < provenance.size(); ++i) {
    EXPECT_EQ(provenance[i].first, sample_provenance()[i].first);
    const bool may_be_empty = provenance[i].first == "flags";
    EXPECT_TRUE(may_be_empty || !provenance[i].second.empty()) << provenance[i].first;
  }
}

TEST(WriteReports, MakesTheFolderAndFourFiles) {
  const TemporaryFolder temporary;
  const auto folder = temporary.path() / "a" / "b";
  const auto results = sample_run();
  write_reports(folder.string() + "/", results, sample_provenance(), summarise(results));
  EXPECT_EQ(read(folder / "report.jsonl"),
            jsonl_report(results, sample_provenance(), summarise(results)));
  EXPECT_EQ(read(folder / "report.xml"), junit_report(results, sample_provenance()));
  EXPECT_EQ(read(folder / "report.md"), markdown_report(ResultList(results), sample_provenance()));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 4);
}

TEST(WriteReports, NamesTheFileThatIsInTheWay) {
  const TemporaryFolder temporary;
  const std::string path = (temporary.path() / "file").string();
  std::ofstream(path) << "x";
  try {
    write_reports(path, {}, {}, {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace lvsa::analysis
