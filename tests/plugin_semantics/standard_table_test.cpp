// The standard requests and what is due for each, written down by hand from the RFC's rules.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "analysis/diagnose/backend_table.hpp"
#include "core/io/byte_file.hpp"

namespace lvsa::analysis {
namespace {

using reference::PluginPolicy;

const std::string kFolder = std::string(LVSA_SOURCE_DIR) + "/fixtures/backend/";

std::vector<BackendEntry> standard_table(const reference::DispatchQuirks& quirks = {}) {
  const std::string file = kFolder + "standard.json";
  const auto requests = parse_backend_requests(read_small_file(file, 1 << 20), file);
  const std::vector<PluginPolicy> both = {PluginPolicy::kFirst, PluginPolicy::kSecond};
  return make_backend_table(requests, both, quirks);
}

std::string share_of(const reference::PluginCall& call) {
  if (call.signature == 1) return fmt::format("{:.6g}", call.topk);
  const auto found = call.params.find("topk");
  return found == call.params.end() ? "-" : found->second;
}

// "dense:profile p:0.75 p:0.5": a word for each step; one word where all are the same.
std::string summary(const BackendEntry& entry) {
  if (entry.steps.empty()) return "error:" + entry.construction.reason;
  std::string text;
  std::string word;
  bool all_same = true;
  for (const reference::StepOutcome& outcome : entry.steps) {
    std::string next = fmt::format("{}:{}", outcome_name(outcome.kind), outcome.reason);
    if (outcome.call) next = fmt::format("{}:{}", entry.plugin, share_of(*outcome.call));
    all_same = all_same && (word.empty() || next == word);
    word = next;
    text += (text.empty() ? "" : " ") + word;
  }
  return all_same ? word : text;
}

struct Due {
  std::string first;
  std::string second;
};

const std::map<std::string, Due>& due_by_hand() {
  static const std::string lost = "dense:unresolved";
  static const std::string error = "error:unresolved";
  static const std::string none = "dense:backend-none";
  static const std::map<std::string, Due> kDue = {
      {"auto/self", {"SpargeAttn:0.5", "SpargeAttn:-"}},
      {"auto, nothing installed/self", {lost, error}},
      {"auto, nothing loads/self", {lost, error}},
      {"auto, only a path/self", {lost, error}},
      {"auto, older in front/self", {"older:0.5", "newer:-"}},
      {"none/self", {none, none}},
      {"dense/self", {none, none}},
      {"name/self", {"SpargeAttn:0.5", "SpargeAttn:-"}},
      {"name in other case/self", {"SpargeAttn:0.5", "SpargeAttn:-"}},
      {"name unknown/self", {lost, error}},
      {"name does not load/self", {lost, error}},
      {"name twice/self", {lost, error}},
      {"name of the second version/self", {lost, "newer:-"}},
      {"name of the first version/self", {"older:0.5", error}},
      {"path of an entry point/self", {"SpargeAttn:0.5", "SpargeAttn:-"}},
      {"path with a dot/self", {"my.kernels:sparse:0.5", "my.kernels:sparse:-"}},
      {"path with a colon/self", {"my.kernels:sparse:0.5", "my.kernels:sparse:-"}},
      {"path unknown/self", {lost, error}},
      {"path does not load/self", {lost, error}},
      {"constant/self", {"SpargeAttn:0.3", "SpargeAttn:0.3"}},
      {"conservative/self",
       {"SpargeAttn:1 SpargeAttn:0.75 SpargeAttn:0.5 SpargeAttn:0.25",
        "SpargeAttn:1 SpargeAttn:0.75 SpargeAttn:0.5 SpargeAttn:0.25"}},
      {"aggressive/self",
       {"SpargeAttn:0.25 SpargeAttn:0.5 SpargeAttn:0.75 SpargeAttn:1",
        "SpargeAttn:0.25 SpargeAttn:0.5 SpargeAttn:0.75 SpargeAttn:1"}},
      {"conservative, one step/self", {"SpargeAttn:1", "SpargeAttn:1"}},
      {"aggressive, one step/self", {"SpargeAttn:0.25", "SpargeAttn:0.25"}},
      {"conservative without topk/self",
       {"SpargeAttn:1 SpargeAttn:0.75 SpargeAttn:0.5",
        "SpargeAttn:1 SpargeAttn:0.75 SpargeAttn:0.5"}},
      {"step ranges/self",
       {"dense:profile SpargeAttn:0.75 SpargeAttn:0.5 SpargeAttn:0.125 SpargeAttn:0.125",
        "dense:profile SpargeAttn:0.75 SpargeAttn:0.5 SpargeAttn:0.125 SpargeAttn:0.125"}},
      {"step ranges and a schedule/self",
       {"SpargeAttn:1 SpargeAttn:0.9 SpargeAttn:0.75 SpargeAttn:0.625 SpargeAttn:0.5",
        "SpargeAttn:1 SpargeAttn:0.9 SpargeAttn:0.75 SpargeAttn:0.625 SpargeAttn:0.5"}},
      {"mask, advertised/masked", {"dense:mask", "SpargeAttn:-"}},
      {"mask, not advertised/masked", {"dense:mask", "error:mask"}},
      {"mask, not advertised/plain", {"my.kernels:sparse:0.5", "my.kernels:sparse:-"}},
      {"mask, malformed capabilities/masked", {"dense:mask", "error:mask"}},
      {"mask at a dense step/masked",
       {"dense:profile dense:profile dense:mask", "dense:profile dense:profile error:mask"}},
      {"spans, not advertised/spans", {"dense:spans", "error:spans"}},
      {"spans and mask, advertised/both", {lost, "newer:-"}},
      {"geometry/fits", {lost, "newer:-"}},
      {"geometry/padded", {lost, "newer:-"}},
      {"geometry/text", {lost, "newer:-"}},
      {"geometry/none", {lost, "newer:-"}},
      {"geometry/odd", {lost, "newer:-"}},
      {"geometry/told", {lost, "newer:-"}},
      {"params/plain", {lost, "newer:0.3"}},
      {"params/dynamic", {lost, "newer:0.7"}},
      {"scale and causal/causal", {"SpargeAttn:0.5", "SpargeAttn:-"}},
      {"scale and causal/default", {"SpargeAttn:0.5", "SpargeAttn:-"}},
  };
  return kDue;
}

TEST(StandardTable, IsWhatWasWrittenDownByHand) {
  std::size_t known = 0;
  for (const BackendEntry& entry : standard_table()) {
    const std::string key = entry.request + "/" + entry.call;
    SCOPED_TRACE(key + ", " + std::string(policy_name(entry.policy)));
    if (entry.construction.reason == "cross-attention") {
      EXPECT_TRUE(entry.call == "cross" || entry.request == "mask, cross-attention");
      EXPECT_EQ(summary(entry), "dense:cross-attention");
      continue;
    }
    ASSERT_EQ(due_by_hand().count(key), 1U);
    const Due& due = due_by_hand().at(key);
    EXPECT_EQ(summary(entry), entry.policy == PluginPolicy::kFirst ? due.first : due.second);
    ++known;
  }
  EXPECT_EQ(known, 2 * due_by_hand().size());
}

TEST(StandardTable, IsTheRecordedOne) {
  const std::string file = kFolder + "standard.outcomes.json";
  const auto lines = backend_differences(standard_table(), read_small_file(file, 1 << 22), file);
  EXPECT_TRUE(lines.empty()) << lines.front();
}

TEST(StandardTable, TellsThePublishedDispatchersFromTheRfc) {
  const std::string file = kFolder + "standard.outcomes.json";
  const std::string recorded = read_small_file(file, 1 << 22);
  EXPECT_FALSE(backend_differences(standard_table({true, false, false}), recorded, file).empty());
  EXPECT_FALSE(backend_differences(standard_table({false, true, false}), recorded, file).empty());
  EXPECT_FALSE(backend_differences(standard_table({false, false, true}), recorded, file).empty());
}

// A table of one request, and what a recorded one with a change in it differs by.
class RecordedTable : public testing::Test {
 protected:
  RecordedTable() {
    BackendRequest request;
    request.name = "r";
    request.calls = default_attention_calls();
    request.steps = 2;
    reference::InstalledPlugin plugin;
    plugin.name = "p";
    request.installed = {plugin};
    const std::vector<PluginPolicy> second = {PluginPolicy::kSecond};
    entries_ = make_backend_table(std::vector<BackendRequest>{request}, second, {});
  }

  std::string differences(const std::string& from, const std::string& to) const {
    std::string text = backend_table_as_json(entries_);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::string all;
    for (const std::string& line : backend_differences(entries_, text, "t")) all += line + "\n";
    return all;
  }

  std::vector<BackendEntry> entries_;
};

TEST_F(RecordedTable, AgreesWithItself) {
  EXPECT_EQ(differences("\"r\"", "\"r\""), "");
  EXPECT_EQ(differences("0.08838834764831843", "0.0883883476483"), "");
}

TEST_F(RecordedTable, DiffersWhereAnythingDoes) {
  EXPECT_EQ(differences(R"("outcome":"plugin","reason":"resolved","signature")",
                        R"("outcome":"dense","reason":"resolved","signature")"),
            "r, self, second step 0: outcome is \"dense\", \"plugin\" is due\n");
  EXPECT_EQ(differences("[1,32760,12,128]", "[1,12,32760,128]"),
            "r, self, second step 0: query_shape is [1,12,32760,128], [1,32760,12,128] is due\n");
  EXPECT_EQ(differences(R"("total_latent_frames":21)", R"("frames":21)"),
            "r, self, second step 0 params: frames is 21, none is due\n"
            "r, self, second step 0 params: total_latent_frames is missing, 21 is due\n");
  EXPECT_EQ(differences(R"("request":"r","policy":"second","call":"cross")",
                        R"("request":"r","policy":"second","call":"crow")"),
            "r, crow, second: no such request\nr, cross, second: is missing\n");
  EXPECT_EQ(differences(R"("warns":false)", R"("warns":true)"),
            "r, self, second construction: warns is true, false is due\n");
}

}  // namespace
}  // namespace lvsa::analysis
