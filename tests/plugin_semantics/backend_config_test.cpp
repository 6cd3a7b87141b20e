#include "reference/plugin/backend_config.hpp"

#include <gtest/gtest.h>

#include "analysis/diagnose/backend_requests.hpp"
#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

std::string refusal(const std::string& text, const std::vector<std::string>& words = {}) {
  return test_support::refusal_of([&] { (void)parse_backend_config(text, "c.json", words); });
}

TEST(BackendConfig, HasTheDefaultsOfTheRfc) {
  const reference::BackendConfig config = parse_backend_config("{}", "c.json");
  EXPECT_EQ(config.backend, "auto");
  EXPECT_EQ(config.pattern_type, "dynamic_topk");
  EXPECT_TRUE(config.params.empty());
  EXPECT_EQ(config.block_size_q, 128);
  EXPECT_EQ(config.block_size_kv, 64);
  EXPECT_FALSE(config.window_size || config.spatial_radius);
  EXPECT_EQ(config.schedule, reference::SparsitySchedule::kConstant);
}

TEST(BackendConfig, NamesTheNearestKeyOfAnUnknownOne) {
  EXPECT_EQ(refusal(R"({"blocksize_q": 64})"),
            "c.json: $.blocksize_q: unknown key \"blocksize_q\"; the nearest known one is "
            "'block_size_q'");
  EXPECT_NE(refusal(R"({"schedul": "constant"})").find("'schedule'"), std::string::npos);
}

TEST(BackendConfig, NamesFieldValueAndRange) {
  EXPECT_NE(refusal(R"({"block_size_q": 0})").find("block_size_q 0: an integer from 1"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"window_size": 0})").find("window_size 0"), std::string::npos);
  EXPECT_NE(refusal(R"({"spatial_radius": -1})").find("spatial_radius -1"), std::string::npos);
  EXPECT_NE(refusal(R"({"schedule": "fast"})").find("conservative"), std::string::npos);
  EXPECT_NE(refusal(R"({"backend": "a.b:"})").find("module.path:function"), std::string::npos);
  for (const char* topk : {"0", "1.01", "\"0.3\"", "true", "[0.5]"}) {
    EXPECT_NE(refusal(std::string(R"({"params": {"topk": )") + topk + "}}").find("params.topk"),
              std::string::npos)
        << topk;
  }
  EXPECT_EQ(refusal(R"({"params": {"topk": 1}})"), "accepted");
  EXPECT_EQ(refusal(R"({"params": {"topk": null}, "window_size": null})"), "accepted");
}

TEST(BackendConfig, TakesStepRangesInOrderAndApart) {
  const auto ranges = [](const std::string& text) {
    return refusal(R"({"profiles": {"p": {"topk": 0.2}}, "step_ranges": [)" + text + "]}");
  };
  const std::string p = R"("profile": "p")";
  EXPECT_EQ(ranges(R"({"first": 0, "end": 2, )" + p + R"(}, {"first": 2, "end": 99, )" + p + "}"),
            "accepted");
  EXPECT_NE(ranges(R"({"first": 0, "end": 3, )" + p + R"(}, {"first": 2, "end": 4, )" + p + "}")
                .find("[2, 4): begins before step 3"),
            std::string::npos);
  EXPECT_NE(ranges(R"({"first": 2, "end": 2, )" + p + "}").find("holds no step"),
            std::string::npos);
  EXPECT_NE(ranges(R"({"first": 0, "end": 2, "profile": "q"})").find("unknown profile 'q'"),
            std::string::npos);
}

TEST(BackendConfig, LetsWordsOverrideTheFile) {
  const reference::BackendConfig config = parse_backend_config(
      R"({"backend": "a", "params": {"topk": 0.5, "mode": "x"}})", "c.json",
      std::vector<std::string>{"backend=b", "params.topk=0.25", "window_size=3"});
  EXPECT_EQ(config.backend, "b");
  EXPECT_EQ(config.params.at("topk"), "0.25");
  EXPECT_EQ(config.params.at("mode"), "\"x\"");
  EXPECT_EQ(config.window_size, 3);
  EXPECT_NE(refusal("{}", {"topk"}).find("KEY=VALUE"), std::string::npos);
}

TEST(BackendRequests, AreRefusedWhereNamesRepeatOrPluginsHaveNone) {
  const auto refused = [](const std::string& text) {
    return test_support::refusal_of([&] {
      (void)parse_backend_requests(R"({"schema": "lvsa-backend/1", "requests": [)" + text + "]}",
                                   "r.json");
    });
  };
  EXPECT_EQ(refused(R"({"name": "a"})"), "accepted");
  EXPECT_NE(refused(R"({"name": "a"}, {"name": "a"})").find("a second request 'a'"),
            std::string::npos);
  EXPECT_NE(refused("").find("a request is due"), std::string::npos);
  EXPECT_NE(refused(R"({"name": "a", "installed": [{"loads": true}]})").find("a name or a path"),
            std::string::npos);
  EXPECT_NE(refused(R"({"name": "a", "installed": [{"name": "p", "signatures": [3]}]})")
                .find("1 or 2 is due"),
            std::string::npos);
  EXPECT_NE(refused(R"({"name": "a", "steps": 0})").find("steps"), std::string::npos);
}

}  // namespace
}  // namespace lvsa::analysis
