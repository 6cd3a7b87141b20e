// Records of cases that wait in a file: every field comes back, and lines find their records.

#include "analysis/gate/case_records.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "analysis/gate/compare.hpp"
#include "analysis/gate/gate_report.hpp"
#include "tests/gate/gate_sample.hpp"

namespace lvsa::analysis {
namespace {

bool same(const CaseRecord& a, const CaseRecord& b) {
  const auto fields = [](const CaseRecord& r) {
    return std::tie(r.line, r.status, r.message, r.where, r.suspect, r.command, r.replay,
                    r.inputs.q, r.inputs.k, r.inputs.v, r.rows_checked);
  };
  if (fields(a) != fields(b) || a.checks.size() != b.checks.size()) return false;
  for (std::size_t i = 0; i < a.checks.size(); ++i) {
    if (a.checks[i].name != b.checks[i].name || a.checks[i].state != b.checks[i].state ||
        a.checks[i].message != b.checks[i].message) {
      return false;
    }
  }
  return a.output == b.output && a.lse == b.lse && a.schedule == b.schedule;
}

RC_GTEST_PROP(CaseRecords, ComeBackFromBytesAsTheyWere, ()) {
  const CaseRecord record = any_case(*rc::gen::inRange(0, 1000));
  RC_ASSERT(same(unpacked(packed(record)), record));
}

TEST(CaseRecords, KeepRatiosThatAreNoNumbers) {
  CaseRecord record = sample_case(1);
  record.output.worst_ratio = std::numeric_limits<double>::infinity();
  record.lse.worst_ratio = std::numeric_limits<double>::quiet_NaN();
  const CaseRecord back = unpacked(packed(record));
  EXPECT_TRUE(std::isinf(back.output.worst_ratio));
  EXPECT_TRUE(std::isnan(back.lse.worst_ratio));
}

// Long enough that most stand in the file.
CaseRecords many(int cases) {
  CaseRecords records;
  for (int i = 0; i < cases; ++i) records.push_back(sample_case(i));
  return records;
}

constexpr int kMany = static_cast<int>(CaseRecords::kMostHeld) + 1500;

TEST(CaseRecords, AreTheSameInMemoryAndInTheFile) {
  const CaseRecords records = many(kMany);
  ASSERT_EQ(records.size(), static_cast<std::size_t>(kMany));
  int number = 0;
  records.for_each([&](const CaseRecord& record) {
    ASSERT_TRUE(same(record, sample_case(number))) << number;
    ASSERT_TRUE(same(records.at(static_cast<std::size_t>(number)), record)) << number;
    ++number;
  });
  EXPECT_EQ(number, kMany);
}

TEST(RecordsByLine, GivesEachRecordOfARepeatedLineOnceAndInOrder) {
  CaseRecords records = many(kMany);
  for (int copy = 1; copy <= 3; ++copy) {
    CaseRecord record = sample_case(5);
    record.rows_checked = 1000 + copy;
    records.push_back(record);
  }
  RecordsByLine by_line(records);
  const std::string line = sample_case(5).line;
  std::vector<std::int64_t> rows;
  while (const auto record = by_line.take(line)) rows.push_back(record->rows_checked);
  EXPECT_EQ(rows, (std::vector<std::int64_t>{64, 1001, 1002, 1003}));
  EXPECT_TRUE(by_line.holds(line));
  EXPECT_FALSE(by_line.holds(line + " "));
  EXPECT_FALSE(by_line.take("no such line").has_value());
  std::set<std::string> left;
  by_line.for_each_left([&](const CaseRecord& record) { left.insert(record.line); });
  EXPECT_EQ(left.size(), static_cast<std::size_t>(kMany - 1));
  EXPECT_EQ(left.count(line), 0U);
}

// A run of more cases than are held in memory, one of them worse, one gone, one new.
TEST(GateOfManyCases, FindsTheOneThatIsWorseTheOneThatIsGoneAndTheNewOne) {
  Evidence before = sample_evidence(0);
  Evidence after = sample_evidence(0);
  before.conformance->cases = many(kMany);
  CaseRecords& now = after.conformance->cases;
  for (int i = kMany; i >= 1; --i) {  // in another order; 0 is gone
    CaseRecord record = sample_case(i);
    if (i == 1700) record.status = Status::kCrash;
    now.push_back(record);
  }
  const GateResult result = compare(before, after, default_rules());
  ASSERT_EQ(result.findings.size(), 3U);
  EXPECT_EQ(result.findings[0].subject, sample_case(0).line);
  EXPECT_EQ(result.findings[0].check, "missing");
  EXPECT_EQ(result.findings[1].subject, sample_case(1700).line);
  EXPECT_EQ(result.findings[1].check, "crash");
  EXPECT_EQ(result.findings[2].check, "new");
  EXPECT_EQ(result.compared, kMany - 1 + 2 + 6 + 2);  // files, settings and pairs besides
  const std::string xml = gate_junit(result, false);
  EXPECT_NE(xml.find("tests=\"2511\" failures=\"2\""), std::string::npos) << xml.substr(0, 300);
}

}  // namespace
}  // namespace lvsa::analysis
