// Results as JSON lines and back: nothing is lost, and what is no result is refused in one line.

#include "analysis/report/jsonl_reader.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "analysis/report/jsonl_report.hpp"
#include "core/error.hpp"
#include "report_sample.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::json;

// Any double, the ones that JSON cannot spell and the ones hard to print among them.
double any_double() {
  const auto bits = *rc::gen::arbitrary<std::uint64_t>();
  const int kind = *rc::gen::inRange(0, 8);
  if (kind == 0) return std::numeric_limits<double>::quiet_NaN();
  if (kind == 1) return (bits & 1) != 0 ? HUGE_VAL : -HUGE_VAL;
  if (kind == 2) return (bits & 1) != 0 ? 0.0 : -0.0;
  if (kind == 3) return static_cast<double>(bits % 1000);
  const auto value = std::bit_cast<double>(bits);
  return std::isnan(value) ? 0.1 : value;
}

std::int64_t any_integer() { return *rc::gen::arbitrary<std::int64_t>(); }

std::string any_text() {
  return *rc::gen::elementOf(std::vector<std::string>{"", "plain", "two\nlines",
                                                      "\"quoted\" \\ and \x01 control",
                                                      "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"});
}

ElementReport any_element(bool has_column) {
  ElementReport e;
  e.batch = any_integer();
  e.token = any_integer();
  e.frame = *rc::gen::inRange<std::int64_t>(-1, 1000);
  e.row_in_frame = any_integer();
  e.head = any_integer();
  e.column = has_column ? any_integer() : 0;
  e.expected = any_double();
  e.got = any_double();
  e.tolerance = {any_double(), any_double(), any_double(), any_double(), any_double()};
  e.ratio = any_double();
  return e;
}

OutputCheck any_check(bool has_column) {
  OutputCheck check;
  const int kind = *rc::gen::inRange(0, 3);
  if (kind == 0) return check;
  check.unwritten = *rc::gen::inRange<std::int64_t>(1, 1 << 30);
  if (kind == 1) return check;
  check.checked = *rc::gen::inRange<std::int64_t>(1, 1 << 30);
  check.failed = any_integer();
  check.worst_ratio = any_double();
  check.worst = any_element(has_column);
  return check;
}

CaseResult any_result() {
  CaseResult r;
  r.number = *rc::gen::inRange<std::int64_t>(0, 1000000);
  r.c = sample_result(*rc::gen::inRange<std::int64_t>(3, 40)).c;
  r.c.seed = *rc::gen::arbitrary<std::uint64_t>();
  r.c.sigma = std::fabs(std::fmod(any_double(), 100.0));
  if (!std::isfinite(r.c.sigma)) r.c.sigma = 0.3;
  r.line = to_line(r.c);
  r.kernel = any_text();
  r.command = any_text();
  r.message = any_text();
  r.suspect = any_text();
  r.where = any_text();
  r.replay = any_text();
  r.status = *rc::gen::elementOf(std::vector<Status>{Status::kPass, Status::kWeak, Status::kFail,
                                                     Status::kError, Status::kUnsupported,
                                                     Status::kCrash, Status::kTimeout});
  r.interval = *rc::gen::inRange<std::int64_t>(0, 100);
  r.offset = any_integer();
  r.frames_attended_min = any_integer();
  r.frames_attended_max = any_integer();
  r.density = any_double();
  r.rows_checked = any_integer();
  r.output = any_check(true);
  r.lse = any_check(false);
  r.schedule = any_check(true);
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    r.checks.push_back({any_text(),
                        *rc::gen::elementOf(std::vector<CheckState>{
                            CheckState::kHolds, CheckState::kFails, CheckState::kNotApplicable}),
                        any_text()});
  }
  r.inputs = {*rc::gen::arbitrary<std::uint64_t>(), 0, *rc::gen::arbitrary<std::uint64_t>()};
  r.mean_signal = any_double();
  r.mean_tolerance = any_double();
  r.weak_rows = any_integer();
  for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
    const double ratio = std::fabs(any_double());
    r.frame_worst_ratio.push_back(*rc::gen::inRange(0, 4) == 0 ? -1.0 : ratio);
  }
  r.frame_heads.frames_per_row = *rc::gen::inRange<std::int64_t>(1, 9);
  for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
    r.frame_heads.cells.push_back({any_integer(), any_integer(), any_double()});
  }
  if (*rc::gen::inRange(0, 2) == 0) r.recovered = {any_integer(), any_integer(), {"#.", "+-"}};
  r.useful_gflops = any_double();
  r.timings = {any_double(), any_double(), any_double()};
  return r;
}

// Bits, so that -0 is not 0; one NaN is as good as another.
void expect_same(double a, double b) {
  const bool same = (std::isnan(a) && std::isnan(b)) ||
                    std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
  RC_ASSERT(same);
}

void expect_same(const OutputCheck& a, const OutputCheck& b) {
  RC_ASSERT(a.checked == b.checked);
  RC_ASSERT(a.failed == b.failed);
  RC_ASSERT(a.unwritten == b.unwritten);
  expect_same(a.worst_ratio, b.worst_ratio);
  const ElementReport& x = a.worst;
  const ElementReport& y = b.worst;
  RC_ASSERT(std::tie(x.batch, x.token, x.frame, x.row_in_frame, x.head, x.column) ==
            std::tie(y.batch, y.token, y.frame, y.row_in_frame, y.head, y.column));
  expect_same(x.expected, y.expected);
  expect_same(x.got, y.got);
  expect_same(x.ratio, y.ratio);
  expect_same(x.tolerance.p_rounding, y.tolerance.p_rounding);
  expect_same(x.tolerance.scores, y.tolerance.scores);
  expect_same(x.tolerance.accumulation, y.tolerance.accumulation);
  expect_same(x.tolerance.underflow, y.tolerance.underflow);
  expect_same(x.tolerance.total, y.tolerance.total);
}

RC_GTEST_PROP(JsonReader, GivesBackEveryFieldOfAResult, ()) {
  const CaseResult a = any_result();
  const CaseResult b = parse_json_line(to_json_line(a));
  RC_ASSERT(a.c == b.c);
  RC_ASSERT(std::tie(a.number, a.line, a.kernel, a.command, a.status, a.message, a.interval,
                     a.offset, a.frames_attended_min, a.frames_attended_max, a.rows_checked) ==
            std::tie(b.number, b.line, b.kernel, b.command, b.status, b.message, b.interval,
                     b.offset, b.frames_attended_min, b.frames_attended_max, b.rows_checked));
  RC_ASSERT(
      std::tie(a.suspect, a.where, a.replay, a.weak_rows, a.inputs.q, a.inputs.k, a.inputs.v) ==
      std::tie(b.suspect, b.where, b.replay, b.weak_rows, b.inputs.q, b.inputs.k, b.inputs.v));
  expect_same(a.output, b.output);
  expect_same(a.lse, b.lse);
  expect_same(a.schedule, b.schedule);
  RC_ASSERT(a.checks.size() == b.checks.size());
  for (std::size_t i = 0; i < a.checks.size(); ++i) {
    RC_ASSERT(std::tie(a.checks[i].name, a.checks[i].state, a.checks[i].message) ==
              std::tie(b.checks[i].name, b.checks[i].state, b.checks[i].message));
  }
  RC_ASSERT(a.frame_worst_ratio.size() == b.frame_worst_ratio.size());
  for (std::size_t i = 0; i < a.frame_worst_ratio.size(); ++i) {
    expect_same(a.frame_worst_ratio[i], b.frame_worst_ratio[i]);
  }
  RC_ASSERT(a.frame_heads.frames_per_row == b.frame_heads.frames_per_row);
  RC_ASSERT(a.frame_heads.cells.size() == b.frame_heads.cells.size());
  for (std::size_t i = 0; i < a.frame_heads.cells.size(); ++i) {
    const FrameHeadCell& x = a.frame_heads.cells[i];
    const FrameHeadCell& y = b.frame_heads.cells[i];
    RC_ASSERT(std::tie(x.row, x.head) == std::tie(y.row, y.head));
    expect_same(x.ratio, y.ratio);
  }
  RC_ASSERT(std::tie(a.recovered.batch, a.recovered.head, a.recovered.rows) ==
            std::tie(b.recovered.batch, b.recovered.head, b.recovered.rows));
  expect_same(a.density, b.density);
  expect_same(a.mean_signal, b.mean_signal);
  expect_same(a.mean_tolerance, b.mean_tolerance);
  expect_same(a.useful_gflops, b.useful_gflops);
  expect_same(a.timings.inputs_s, b.timings.inputs_s);
  expect_same(a.timings.kernel_s, b.timings.kernel_s);
  expect_same(a.timings.oracle_s, b.timings.oracle_s);
  RC_ASSERT(to_json_line(a) == to_json_line(b));
}

// A result of another shape than this test knows would be lost without anybody noticing: whoever
// adds a field adds it to the writer, the reader and the property above, and then this number.
TEST(JsonReader, KnowsHowManyFieldsAResultHas) {
  EXPECT_EQ(Json::parse(to_json_line(sample_result())).size(), 28U);
}

std::string refusal(const std::string& line) {
  return test_support::refusal_of([&] { parse_json_line(line); }, ErrorKind::kJson);
}

TEST(JsonReader, RefusesEveryLineThatLacksAField) {
  const Json whole = Json::parse(to_json_line(sample_result()));
  for (const auto& [name, value] : whole.items()) {
    Json cut = whole;
    cut.erase(name);
    const bool free = name == "model" || name == "sizes" || name == "input";
    EXPECT_EQ(refusal(cut.dump()) == "accepted", free) << name;
  }
}

TEST(JsonReader, RefusesWhatIsNoResult) {
  EXPECT_NE(refusal(""), "accepted");
  EXPECT_NE(refusal("[]"), "accepted");
  EXPECT_NE(refusal("{\"type\": \"run\"}"), "accepted");
  const std::string line = to_json_line(sample_result());
  EXPECT_NE(refusal(line.substr(0, line.size() / 2)), "accepted");
  Json bent = Json::parse(line);
  bent["number"] = 1.5;
  EXPECT_NE(refusal(bent.dump()).find("number"), std::string::npos);
  bent["number"] = std::numeric_limits<std::uint64_t>::max();
  EXPECT_NE(refusal(bent.dump()).find("number"), std::string::npos);
  bent = Json::parse(line);
  bent["status"] = "fine";
  EXPECT_NE(refusal(bent.dump()).find("status"), std::string::npos);
  bent = Json::parse(line);
  bent["case"] = "T=1 P=0";
  EXPECT_NE(refusal(bent.dump()).find("P=0"), std::string::npos);
}

}  // namespace
}  // namespace lvsa::analysis
