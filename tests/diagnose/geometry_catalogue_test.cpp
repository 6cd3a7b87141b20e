// The catalogue of fixtures/geometry: answers that arithmetic gives, none from the code under test.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "analysis/diagnose/diagnosis.hpp"
#include "core/io/line_reader.hpp"

namespace lvsa::analysis {
namespace {

using nlohmann::json;

struct Answered {
  json row;
  Question question;
  Diagnosis diagnosis;
  std::string name() const { return row["case"]; }
  const json& expect() const { return row["expect"]; }
};

std::optional<std::int64_t> number(const json& ask, const char* key) {
  return ask.contains(key) ? std::optional(ask[key].get<std::int64_t>()) : std::nullopt;
}

Question question_of(const json& ask) {
  Question question;
  question.seq_len = ask["seq_len"];
  question.video_frames = number(ask, "frames");
  question.latent_frames = number(ask, "latent_frames");
  question.text_tokens = number(ask, "text");
  if (ask.contains("height")) question.size = VideoSize{ask["height"], ask["width"]};
  if (ask.contains("path")) question.path = parse_attention_path(ask["path"].get<std::string>());
  question.behaviour = &behaviour(parse_version(ask.value("lvsa", "1.3")));
  question.degrees = {ask.value("tp", 1), ask.value("ulysses", 1), ask.value("ring", 1),
                      ask.value("cfg", 1)};
  if (ask.contains("env")) question.environment = ask["env"].get<Environment>();
  if (ask.contains("model")) question.model = find_preset(ask["model"].get<std::string>());
  question.layer_is_lvsa = ask.value("layer_backend", "") == "lvsa";
  return question;
}

const std::vector<Answered>& answers() {
  static const std::vector<Answered> all = [] {
    std::vector<Answered> made;
    LineReader reader(LVSA_SOURCE_DIR "/fixtures/geometry/cases.ndjson");
    for (std::string line; reader.next(line);) {
      const json row = json::parse(line);
      const Question question = question_of(row["ask"]);
      made.push_back({row, question, diagnose(question)});
    }
    return made;
  }();
  return all;
}

bool reads_rightly(const Answered& answered) {
  if (answered.diagnosis.readings.empty()) return false;
  const Reading& top = answered.diagnosis.readings.front();
  const json& due = answered.expect()["reading"];
  if (due.value("warm_up", false)) return top.warm_up;
  return !top.warm_up && top.grid.frames == due["T"] && top.grid.patches_per_frame == due["P"] &&
         top.grid.text_tokens == due["text_tokens"] && top.shards == due.value("shards", 1) &&
         top.padding == due.value("padding", 0) && top.batch == due.value("batch", 1) &&
         top.history_tokens == due.value("history_tokens", 0);
}

bool is_wrong(const std::string& verdict) {
  return verdict == "misread" || verdict == "misconfigured";
}

TEST(GeometryCatalogue, HoldsAtLeastTwoHundredCasesEachWithItsReason) {
  EXPECT_GE(answers().size(), 200U);
  for (const Answered& answered : answers())
    EXPECT_FALSE(answered.row["why"].get<std::string>().empty());
}

TEST(GeometryCatalogue, AgreesWithThePluginOnEveryCase) {
  for (const Answered& answered : answers()) {
    const PluginOutcome& plugin = answered.diagnosis.plugin;
    const json& expect = answered.expect();
    EXPECT_EQ(plugin.engages, expect["engages"].get<bool>()) << answered.name();
    if (expect.contains("P")) {
      ASSERT_TRUE(plugin.grid) << answered.name();
      EXPECT_EQ(plugin.grid->patches_per_frame, expect["P"]) << answered.name();
    }
    if (expect.contains("text_tokens")) {
      EXPECT_EQ(plugin.grid->text_tokens, expect["text_tokens"]) << answered.name();
    }
    if (expect.contains("reason")) {
      ASSERT_TRUE(plugin.reason) << answered.name();
      EXPECT_EQ(name(*plugin.reason), expect["reason"].get<std::string>()) << answered.name();
    }
    if (expect.contains("message")) {
      EXPECT_EQ(plugin.message, expect["message"].get<std::string>()) << answered.name();
    }
  }
}

TEST(GeometryCatalogue, RanksTheTrueReadingFirst) {
  int right[2] = {0, 0};
  int all[2] = {0, 0};
  for (const Answered& answered : answers()) {
    if (!answered.expect().contains("reading")) continue;
    const bool known = answered.question.model.has_value();
    ++all[known];
    const bool rightly = reads_rightly(answered);
    right[known] += rightly;
    if (!rightly) RecordProperty("not first: " + answered.name(), 1);
  }
  fmt::print("true reading first: {} of {} with the model known, {} of {} unknown\n", right[1],
             all[1], right[0], all[0]);
  EXPECT_GE(all[1], 200);
  EXPECT_GE(all[0], 50);
  EXPECT_GE(right[1] * 100, all[1] * 98);
  EXPECT_GE(right[0] * 100, all[0] * 90);
}

TEST(GeometryCatalogue, MissesNoSilentCorruptionAndRaisesNoFalseAlarm) {
  int alarms = 0;
  int good = 0;
  for (const Answered& answered : answers()) {
    const std::string due = answered.expect()["verdict"];
    const std::string got(name(answered.diagnosis.verdict));
    EXPECT_EQ(got, due) << answered.name();
    if (is_wrong(due)) {
      EXPECT_TRUE(is_wrong(got)) << "missed: " << answered.name();
    }
    if (due != "sparse" && due != "dense-by-design") continue;
    ++good;
    alarms += is_wrong(got);
  }
  EXPECT_LT(alarms * 100, good);
}

TEST(GeometryCatalogue, MendsWhatCanBeMended) {
  for (const Answered& answered : answers()) {
    const Fix& fix = answered.diagnosis.fix;
    if (is_good(answered.diagnosis.verdict)) {
      EXPECT_TRUE(fix.lines.empty()) << answered.name();
    }
    if (!answered.expect().contains("mend")) continue;
    const std::string due = answered.expect()["mend"];
    if (due == "none") {
      EXPECT_TRUE(fix.lines.empty()) << answered.name();
      EXPECT_FALSE(fix.about.empty()) << answered.name();
    } else {
      ASSERT_TRUE(fix.gives) << answered.name();
      EXPECT_EQ(name(*fix.gives), due) << answered.name();
      EXPECT_FALSE(fix.lines.empty()) << answered.name();
    }
  }
}

// The settings of a mend, put into the environment by hand, and the same call again.
TEST(GeometryCatalogue, MendsByTheSettingsItPrints) {
  int tried = 0;
  for (const Answered& answered : answers()) {
    const Fix& fix = answered.diagnosis.fix;
    if (!fix.gives || !fix.flags.empty() || answered.diagnosis.readings.front().shards > 1)
      continue;
    Question again = answered.question;
    for (const auto& [variable, value] : fix.settings) again.environment[variable] = value;
    if (again.path == AttentionPath::kWanHook && fix.settings.front().first == "LVSA_WAN_HOOK")
      again.path.reset();
    EXPECT_EQ(name(diagnose(again).verdict), name(*fix.gives)) << answered.name();
    ++tried;
  }
  EXPECT_GE(tried, 50);
}

}  // namespace
}  // namespace lvsa::analysis
