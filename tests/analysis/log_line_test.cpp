#include "analysis/diagnose/log_line.hpp"

#include <gtest/gtest.h>

#include "analysis/diagnose/log_reader.hpp"
#include "analysis/diagnose/log_verdict.hpp"
#include "core/geometry/detection.hpp"

namespace lvsa::analysis {
namespace {

LogLine parse(std::string_view line, bool complete = true) {
  return parse_log_line(line, find_log_tag(line), complete);
}

TEST(LogLine, IsWhatTheFallbackOfThisLibraryPrints) {
  // The line that core prints to the letter of the published one.
  for (const Version version : {Version::k1_2, Version::k1_3}) {
    const std::string text =
        fallback_message("wan_hook", FallbackReason::kSequenceParallel, 16380,
                         "step=0, sp_active=True", behaviour(version), "self.attn");
    const LogLine line = parse(text);
    EXPECT_EQ(line.kind, LogKind::kFallback);
    EXPECT_EQ(line.field("origin"), "wan_hook");
    EXPECT_EQ(line.field("reason"), "sequence_parallel");
    EXPECT_EQ(line.integer("seq_len"), 16380);
    EXPECT_EQ(line.field("sp_active"), "True");
  }
}

TEST(LogLine, HasFieldsInAnyOrderAndLists) {
  const LogLine line =
      parse("x y [LVSA-FALLBACK] seq_len=5, known_ppf=[1560, 880] reason=r origin=o -- text");
  EXPECT_EQ(line.field("known_ppf"), "[1560, 880]");
  EXPECT_EQ(line.integer("seq_len"), 5);
  EXPECT_EQ(line.prefix, "x y ");
  EXPECT_EQ(parse("[LVSA-MASK] step=3  T_lat=21  W=3  |G|=14  kfi=2").integer("|G|"), 14);
}

TEST(LogLine, ReadsNumbersWithUnitsAndRefusesOthers) {
  const LogLine line =
      parse("[LVSA-MEM] step=1 alloc=512.0MB reserved=2GiB peak=nan dt=3ms x=1e999");
  EXPECT_DOUBLE_EQ(*line.number("alloc"), 0.512);
  EXPECT_DOUBLE_EQ(*line.number("reserved"), 2.147483648);
  EXPECT_DOUBLE_EQ(*line.number("dt"), 0.003);
  EXPECT_FALSE(line.number("peak"));
  EXPECT_FALSE(line.number("x"));
  EXPECT_FALSE(parse("[LVSA-TIME] step=99999999999999999999 dt=1s").integer("step"));
}

TEST(LogLine, LeavesOutTheFieldThatTouchesTheEndOfACutLine) {
  const LogLine line = parse("[LVSA] Geometry detected: T_lat=21 P=15", false);
  EXPECT_EQ(line.integer("T_lat"), 21);
  EXPECT_FALSE(line.integer("P"));
}

TEST(LogLine, EndsWhereTheNextTagBegins) {
  const std::string_view text = "[LVSA-TIME] step=1 dt=2.0s[LVSA-TIME] step=1 dt=3.0s";
  const LogLine first = parse_log_line(text, 0);
  EXPECT_DOUBLE_EQ(*first.number("dt"), 2.0);
  EXPECT_DOUBLE_EQ(*parse_log_line(text, find_log_tag(text, 1)).number("dt"), 3.0);
}

TEST(LogLine, KnowsTagsFromTextThatLooksLikeThem) {
  EXPECT_EQ(find_log_tag("array[LVSA] is one, [LVSAx] and [lvsa] are none"), 5U);
  EXPECT_EQ(find_log_tag("shape: [seq_lens]"), std::string_view::npos);
  EXPECT_EQ(parse("[LVSA-NEW] text").kind, LogKind::kUnknown);
  EXPECT_EQ(parse("[LVSA] text of tomorrow").kind, LogKind::kUnknown);
}

TEST(LogSource, IsTheRankOrTheWorkerThatWrote) {
  EXPECT_EQ(log_source("[rank3]: "), "rank 3");
  EXPECT_EQ(log_source("2026 [default1]: "), "rank 1");
  EXPECT_EQ(log_source("[rank 12] "), "rank 12");
  EXPECT_EQ(log_source("(Worker rank=2) "), "rank 2");
  EXPECT_EQ(log_source("(Worker_TP1 pid=77) INFO "), "Worker_TP1 pid=77");
  EXPECT_EQ(log_source("INFO 10:00:00 "), "");
}

TEST(LogEscapes, GoAway) {
  constexpr std::string_view kRaw("\x1b[1;32mgreen\x1b[0m \x1b(B[LVSA]\0x\a", 29);
  std::string line(kRaw);
  strip_escapes(line);
  EXPECT_EQ(line.substr(0, 6), "green ");
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  std::string open("\x1b[999");
  strip_escapes(open);
  EXPECT_EQ(open, "");
}

TEST(LogMask, IsKeptAsPrinted) {
  LogTimeline timeline;
  LogScanner scanner(timeline);
  scanner.feed(
      "[LVSA-MASK] step=4  T_lat=3  W=0  |G|=2  kfi=2\n   0    \n0 |G.G| 2\nother text\n"
      "1 |G.G| 2\n2 |G.G| 2\nG=global W=window X=both .=skip  min=2 max=2 avg=2.0/3\n");
  scanner.finish();
  const LogFacts facts = timeline.facts();
  ASSERT_TRUE(facts.mask);
  EXPECT_EQ(facts.mask->rows, (std::vector<std::string>(3, "G.G")));
  EXPECT_EQ(facts.mask->step, 4);
  EXPECT_EQ(facts.sources.at(0).requests.at(0).engagement, Engagement::kSparse);
}

TEST(LogScanner, KeepsConstantMemoryForEndlessLines) {
  LogTimeline timeline;
  LogScanner scanner(timeline);
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 32; ++i) scanner.feed(piece);
  scanner.feed("\n[LVSA-TIME] step=0 dt=1.0s\n");
  scanner.finish();
  EXPECT_EQ(timeline.facts().cut_lines, 1);
  EXPECT_EQ(timeline.facts().lines, 2);
  EXPECT_EQ(timeline.facts().known_lines(), 1);
}

LogSource with_memory(const std::vector<double>& values) {
  LogSource source;
  for (const double value : values) {
    source.memory.push_back({0, static_cast<std::int64_t>(source.memory.size()), value, 0, 0});
  }
  source.memory_samples = static_cast<std::int64_t>(values.size());
  return source;
}

TEST(MemoryTrend, GrowsOnlyWhereItLasts) {
  std::vector<double> leak;
  std::vector<double> saw;
  for (int i = 0; i < 40; ++i) {
    leak.push_back(30.0 + 0.05 * i);
    saw.push_back(30.0 + 2.0 * (i % 5));
  }
  const MemoryTrend trend = memory_trend(with_memory(leak));
  EXPECT_TRUE(trend.grows);
  EXPECT_NEAR(trend.mb_per_step, 50.0, 1e-6);
  EXPECT_FALSE(memory_trend(with_memory(saw)).grows);
  EXPECT_FALSE(memory_trend(with_memory({10, 20, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30})).grows);
}

TEST(TimeTrend, TellsAJumpFromSteadyGrowth) {
  LogSource source;
  source.requests.resize(2);
  for (int i = 0; i < 40; ++i) {
    source.requests[0].step_seconds.push_back(i < 20 ? 2.0F : 5.0F);
    source.requests[1].step_seconds.push_back(2.0F + 0.05F * static_cast<float>(i));
  }
  for (LogRequest& request : source.requests) request.timed_steps = 40;
  source.requests[0].first_step = 1;
  source.requests[1].first_step = 1;
  EXPECT_TRUE(time_trend(source, 0).grows);
  EXPECT_EQ(time_trend(source, 0).jump_step, 20);
  EXPECT_TRUE(time_trend(source, 1).grows);
  EXPECT_EQ(time_trend(source, 1).jump_step, -1);
}

}  // namespace
}  // namespace lvsa::analysis
