// The logs of fixtures/logs, each with what it means beside it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "analysis/diagnose/log_reader.hpp"
#include "analysis/diagnose/log_render.hpp"
#include "analysis/diagnose/log_verdict.hpp"
#include "analysis/report/html_log.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<fs::path> logs() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(fs::path(LVSA_SOURCE_DIR) / "fixtures/logs")) {
    if (entry.path().extension() == ".log") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class LogFixture : public testing::TestWithParam<fs::path> {
 protected:
  json due() const {
    fs::path path = GetParam();
    std::ifstream file(path.replace_extension(".json"));
    return json::parse(file);
  }
};

std::vector<std::string> kinds(const LogVerdict& verdict, bool bad) {
  std::vector<std::string> names;
  for (const LogFinding& finding : verdict.findings) {
    if (finding.bad == bad) names.push_back(finding.kind);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

TEST_P(LogFixture, MeansWhatStandsBesideIt) {
  const json expected = due();
  LogTimeline timeline;
  read_log(GetParam(), timeline);
  const LogFacts facts = timeline.facts();
  if (expected.contains("error")) {
    try {
      require_known_lines(facts, GetParam());
      FAIL() << "an error is due";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(expected["error"].get<std::string>()),
                std::string::npos)
          << error.what();
    }
    return;
  }
  require_known_lines(facts, GetParam());
  const LogVerdict verdict = judge_log(facts, {});
  SCOPED_TRACE(log_as_text(facts, verdict, GetParam()));
  EXPECT_EQ(name(verdict.verdict), expected["verdict"].get<std::string>());
  EXPECT_EQ(verdict.model, expected["model"].is_null() ? "" : expected["model"].get<std::string>());
  EXPECT_EQ(kinds(verdict, true), expected["findings"].get<std::vector<std::string>>());
  if (expected.contains("remarks")) {
    EXPECT_EQ(kinds(verdict, false), expected["remarks"].get<std::vector<std::string>>());
  }
  EXPECT_EQ(verdict.requests.size(), expected["requests"].get<std::size_t>());
  std::int64_t warm_ups = 0;
  for (const LogSource& source : facts.sources) {
    for (const LogRequest& request : source.requests) warm_ups += request.warm_up ? 1 : 0;
  }
  EXPECT_EQ(warm_ups, expected["warm_ups"].get<std::int64_t>());
}

TEST_P(LogFixture, IsTheSameInPiecesOfAnySize) {
  std::ifstream file(GetParam(), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto read = [&](std::size_t piece) {
    LogTimeline timeline;
    LogScanner scanner(timeline);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      scanner.feed(std::string_view(bytes).substr(at, piece));
    }
    scanner.finish();
    const LogFacts facts = timeline.facts();
    return log_as_json(facts, judge_log(facts, {}), "log");
  };
  const std::string whole = read(bytes.size());
  for (const std::size_t piece : {1U, 7U, 64U}) EXPECT_EQ(read(piece), whole) << piece;
}

TEST_P(LogFixture, HasAPageThatNeedsNothingButItself) {
  LogTimeline timeline;
  read_log(GetParam(), timeline);
  const LogFacts facts = timeline.facts();
  const LogVerdict verdict = judge_log(facts, {});
  const std::string page = html_log(facts, verdict, "a<b>.log", {}, {});
  EXPECT_EQ(page.rfind("<!DOCTYPE html>", 0), 0U);
  EXPECT_NE(page.find(name(verdict.verdict)), std::string::npos);
  EXPECT_EQ(page.find("a<b>"), std::string::npos);
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find('\x1b'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Each, LogFixture, testing::ValuesIn(logs()),
                         [](const auto& log) { return log.param.stem().string(); });

TEST(LogFixtures, AreAtLeastTwelve) { EXPECT_GE(logs().size(), 12U); }

}  // namespace
}  // namespace lvsa::analysis
