// Baselines and reports: read back as they were, and not at all when they were cut or edited.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analysis/gate/baseline_file.hpp"
#include "analysis/gate/compare.hpp"
#include "analysis/gate/evidence_load.hpp"
#include "analysis/report/jsonl_report.hpp"
#include "analysis/report/line_hash.hpp"
#include "tests/gate/gate_sample.hpp"

namespace lvsa::analysis {
namespace {

// A file without a name in any folder.
class File {
 public:
  explicit File(std::string_view bytes) : descriptor_(memfd_create("test", MFD_CLOEXEC)) {
    EXPECT_EQ(::write(descriptor_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

const Provenance kMaker = {{"version", "0.1.0"}};

Evidence read_back(const std::string& text) { return read_baseline(File(text).path()); }
std::string refused(const std::string& text) {
  return refusal_of([&] { read_back(text); });
}

RC_GTEST_PROP(Baseline, ReadsBackAsItWasWritten, ()) {
  const Evidence any = any_evidence();
  const std::string text = baseline_text(any, kMaker);
  const Evidence again = read_back(text);
  RC_ASSERT(baseline_text(again, kMaker) == text);
  RC_ASSERT(compare(any, again, default_rules()).findings ==
            compare(any, any, default_rules()).findings);
}

TEST(Baseline, IsRefusedWhereverItWasCut) {
  const std::string text = baseline_text(sample_evidence(2), kMaker);
  for (std::size_t size = 1; size < text.size(); size += 7) {
    const std::string said = refused(text.substr(0, size));
    ASSERT_NE(said, "accepted") << size;
  }
  EXPECT_NE(refused(text.substr(0, text.rfind("{\"type\":\"end\""))).find("truncated"),
            std::string::npos);
}

RC_GTEST_PROP(Baseline, IsRefusedWhateverWasEdited, ()) {
  std::string text = baseline_text(sample_evidence(2), kMaker);
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  const char was = text[at];
  text[at] = static_cast<char>(*rc::gen::inRange<int>(32, 127));
  RC_PRE(text[at] != was);
  RC_ASSERT(refused(text) != "accepted");
}

TEST(Baseline, SaysHowItWasEdited) {
  std::string text = baseline_text(sample_evidence(2), kMaker);
  std::string edited = text;
  edited.replace(edited.find("\"worst_ratio\":0.05"), 18, "\"worst_ratio\":0.99");
  EXPECT_NE(refused(edited).find("was edited: its hash is"), std::string::npos);
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_NE(refused(crlf).find("CR LF"), std::string::npos) << refused(crlf);
}

TEST(Baseline, OfAnotherSchemaSaysSoBeforeAnythingElse) {
  std::string text = baseline_text(sample_evidence(1), kMaker);
  text.replace(text.find("\"schema\":1"), 10, "\"schema\":7");
  EXPECT_NE(refused(text).find("of schema 7, this lvsa-verify reads 1"), std::string::npos);
}

// Written by another program after docs/gate.md, hash included.
TEST(Baseline, OfTheFixturesIsReadAsItStands) {
  const Evidence evidence = read_baseline(LVSA_SOURCE_DIR "/fixtures/gate/baseline.jsonl");
  ASSERT_TRUE(evidence.conformance && evidence.patterns && evidence.speed && !evidence.sweep);
  ASSERT_EQ(evidence.conformance->cases.size(), 3U);
  EXPECT_EQ(evidence.conformance->plan.suite_hash, 1234U);
  const CaseRecord& first = evidence.conformance->cases.at(0);
  EXPECT_EQ(first.inputs.v, 0xa3U);
  EXPECT_EQ(first.output.worst_ratio, 0.03125);
  EXPECT_EQ(first.checks.size(), 3U);
  EXPECT_EQ(evidence.conformance->cases.at(2).status, Status::kUnsupported);
  EXPECT_EQ(evidence.patterns->files[0].passed, 7963);
  EXPECT_EQ(evidence.speed->rows[0].verdict, SpeedVerdict::kSame);
}

// report.jsonl of a run of two cases.
std::string report_text() {
  std::vector<CaseResult> results(2);
  std::string plan = plan_json(sample_conformance(2).plan);
  LineHash hash;
  std::string text;
  const auto add = [&](const std::string& line) {
    hash.add(line);
    text += line + '\n';
  };
  add(run_json_line({{"version", "0.1.0"}}, plan));
  for (int i = 0; i < 2; ++i) {
    CaseResult& result = results[static_cast<std::size_t>(i)];
    result.number = i + 1;
    result.c = parse_case("T=3 P=2 D=16 seed=" + std::to_string(i));
    result.line = to_line(result.c);
    result.output.checked = 96;
    result.output.worst_ratio = 0.25;
    add(to_json_line(result));
  }
  return text + summary_json_line(summarise(results), {}, hash.value()) + '\n';
}

std::string report_refused(const std::string& text) {
  return refusal_of([&] { load_report(File(text).path()); });
}

TEST(Report, IsReadAsEvidence) {
  const File file(report_text());
  const Evidence evidence = load_evidence({file.path()});
  ASSERT_TRUE(evidence.conformance.has_value());
  ASSERT_EQ(evidence.conformance->cases.size(), 2U);
  EXPECT_EQ(evidence.conformance->cases.at(1).output.worst_ratio, 0.25);
  EXPECT_EQ(evidence.conformance->plan.suite, "smoke");
}

TEST(Report, ThatDidNotEndIsRefused) {
  const std::string text = report_text();
  const std::string open = text.substr(0, text.rfind("{\"type\":\"summary\""));
  EXPECT_NE(report_refused(open).find("--resume"), std::string::npos);
  EXPECT_NE(report_refused(text.substr(0, text.size() - 1)).find("truncated"), std::string::npos);
}

TEST(Report, ThatWasEditedIsRefused) {
  std::string text = report_text();
  text.replace(text.find("\"worst_ratio\":0.25"), 18, "\"worst_ratio\":0.24");
  EXPECT_NE(report_refused(text).find("was edited"), std::string::npos);
}

TEST(Report, WithoutAHashMustAddUp) {
  std::string text = report_text();
  const std::size_t hash = text.rfind(",\"hash\"");
  text = text.substr(0, hash) + "}\n";
  EXPECT_EQ(report_refused(text), "accepted");
  const std::size_t second = text.find("{\"type\":\"case\"", text.find("\"type\":\"case\"") + 10);
  std::string fewer = text.substr(0, second) + text.substr(text.rfind("{\"type\":\"summary\""));
  EXPECT_NE(report_refused(fewer).find("counts 2 cases, 1 stand there"), std::string::npos);
}

TEST(Evidence, OfAKindTwiceIsRefused) {
  const File file(report_text());
  EXPECT_NE(refusal_of([&] {
              load_evidence({file.path(), file.path()});
            }).find("same kind"),
            std::string::npos);
}

TEST(Evidence, ThatIsNoneIsRefused) {
  for (const char* text : {"", "{}", "hello", "{\"type\":\"page\"}", "\x89HDF"}) {
    const File file(text);
    const std::string said = refusal_of([&] { load_evidence({file.path()}); });
    EXPECT_NE(said, "accepted") << text;
  }
  EXPECT_NE(refusal_of([] { load_evidence({"/nonexistent/report.jsonl"}); }).find("is not there"),
            std::string::npos);
}

}  // namespace
}  // namespace lvsa::analysis
