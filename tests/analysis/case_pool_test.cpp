// The pool against workers that do what no worker of ours does; the workers are shell scripts.

#include "analysis/run/case_pool.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "analysis/report/jsonl_report.hpp"
#include "core/error.hpp"
#include "report_sample.hpp"

namespace lvsa::analysis {
namespace {

// What a worker says first, and how it answers a case well.
const std::string kHello = "printf 'kernel 0 fake\\n' >&3; ";
const std::string kAnswer = "printf 'result 0 %s\\n' \"$RESULT\" >&3";

std::string for_each_case(const std::string& body) {
  return kHello + "n=0; while read -r line <&3; do n=$((n + 1)); " + body + "; done";
}

class CasePoolTest : public testing::Test {
 protected:
  CasePoolTest() {
    CaseResult good = sample_result(3);
    good.number = 99;  // what a worker says of it does not count
    result_line_ = to_json_line(good);
  }

  std::vector<CaseResult> run(const std::string& script, std::int64_t cases,
                              std::int64_t cases_per_process = 1, int stop_descriptor = -1) {
    PoolSettings settings;
    settings.argv = {"/bin/sh", "-c", script};
    settings.environment = {"RESULT=" + result_line_};
    settings.cases_per_process = cases_per_process;
    settings.timeout_s = timeout_s_;
    settings.kernel_option = "fake.so";
    settings.stop_descriptor = stop_descriptor;
    std::int64_t given = 0;
    std::vector<CaseResult> results;
    CasePool::Callbacks callbacks;
    callbacks.next = [&]() -> std::optional<NumberedCase> {
      if (given == cases) return std::nullopt;
      return NumberedCase{++given, sample_result(3).c};
    };
    callbacks.result = [&](CaseResult result) { results.push_back(std::move(result)); };
    callbacks.printed = [&](std::string_view line) { printed_ += std::string(line) + '\n'; };
    CasePool pool(settings, callbacks);
    EXPECT_EQ(pool.start().name, "fake");
    pool.run();
    return results;
  }

  double timeout_s_ = 30.0;
  std::string result_line_;
  std::string printed_;
};

TEST_F(CasePoolTest, TakesTheResultsOfGoodWorkers) {
  const auto results = run(for_each_case("echo \"case $n\"; " + kAnswer), 3);
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[2].status, Status::kPass);
  EXPECT_EQ(results[2].number, 3);
  EXPECT_EQ(printed_, "case 1\ncase 1\ncase 1\n");
  printed_.clear();
  run(for_each_case("echo \"case $n\"; " + kAnswer), 3, 2);
  EXPECT_EQ(printed_, "case 1\ncase 2\ncase 1\n");
}

TEST_F(CasePoolTest, TellsHowAProcessWasLost) {
  struct Way {
    const char* script;
    Status status;
    const char* said;
  };
  const std::array<Way, 7> ways = {{
      {"echo bye; kill -SEGV $$", Status::kCrash, "SIGSEGV"},
      {"echo bye; exit 4", Status::kCrash, "exit code 4"},
      {"printf 'part at work\\n' >&3; sleep 30", Status::kTimeout, "during: at work"},
      {"printf 'result 0 {}\\n' >&3; sleep 30", Status::kCrash, "is no result"},
      {"printf 'nonsense\\n' >&3; sleep 30", Status::kCrash, "wrote into the channel"},
      {"exec 3>&-; sleep 30", Status::kCrash, "closed the channel"},
      {"kill -KILL $$", Status::kCrash, "out of memory"},
  }};
  for (const Way& way : ways) {
    // Time enough for a shell to start on a machine with much other work.
    const bool slow = std::string_view(way.script).find("sleep") != std::string_view::npos;
    timeout_s_ = way.status == Status::kTimeout ? 1.0 : 30.0;
    const std::int64_t cases = slow ? 1 : 2;
    const auto results = run(for_each_case(way.script), cases);
    ASSERT_EQ(static_cast<std::int64_t>(results.size()), cases) << way.script;
    EXPECT_EQ(results[0].status, way.status) << results[0].message;
    EXPECT_NE(results[0].message.find(way.said), std::string::npos) << results[0].message;
    EXPECT_EQ(results.back().number, cases);
    EXPECT_NE(results.back().command.find("--kernel 'fake.so'"), std::string::npos);
  }
}

TEST_F(CasePoolTest, SignsOfLifePutOffTheTimeOut) {
  timeout_s_ = 1.5;
  const std::string slow =
      "for i in 1 2 3 4 5; do sleep 0.35; printf 'share 0.%d\\n' $i >&3; done; ";
  EXPECT_EQ(run(for_each_case(slow + kAnswer), 1)[0].status, Status::kPass);
}

TEST_F(CasePoolTest, TriesAloneWhatWasLostInACompany) {
  // The third case of any process crashes it.
  const auto results = run(for_each_case("[ $n -lt 3 ] || kill -SEGV $$; " + kAnswer), 4, 10);
  ASSERT_EQ(results.size(), 4U);
  for (const CaseResult& result : results) {
    const bool third = result.number == 3;
    EXPECT_EQ(result.status, third ? Status::kCrash : Status::kPass) << result.number;
    if (third) {
      EXPECT_NE(result.message.find("after 2 other cases"), std::string::npos) << result.message;
      EXPECT_NE(result.message.find("of its own the case gives: pass"), std::string::npos);
    }
  }
}

TEST_F(CasePoolTest, DrainsWhatIsPrintedWithoutALineBreak) {
  const auto results = run(for_each_case("head -c 300000 /dev/zero | tr '\\0' x; " + kAnswer), 1);
  EXPECT_EQ(results[0].status, Status::kPass);
  EXPECT_GT(printed_.size(), 200000U);
}

TEST_F(CasePoolTest, PassesOnWhatAWorkerRefuses) {
  for (const std::string& script :
       {std::string("printf 'refused 0 no such kernel\\n' >&3; sleep 30"),
        for_each_case("printf 'refused 0 no such kernel\\n' >&3; sleep 30")}) {
    try {
      run(script, 1);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kValue);
      EXPECT_STREQ(error.what(), "no such kernel");
    }
  }
  EXPECT_THROW(run("exit 3", 1), Error);
}

TEST_F(CasePoolTest, StopsWhenToldTo) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const auto stop_later =
      for_each_case("printf x >/dev/fd/" + std::to_string(ends[1]) + "; sleep 30");
  EXPECT_THROW(run(stop_later, 1, 1, ends[0]), Stopped);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace lvsa::analysis
