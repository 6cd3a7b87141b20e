#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/error.hpp"
#include "reference/plugin/plugin_params.hpp"

namespace lvsa::reference {
namespace {

AttentionCall call_of(std::int64_t seq_len) {
  AttentionCall call;
  call.seq_len = seq_len;
  return call;
}

PluginParams params_of(const BackendConfig& config, const AttentionCall& call,
                       std::vector<std::string>* warnings = nullptr) {
  std::vector<std::string> own;
  return merged_params(config, call, 5, 10, {}, warnings == nullptr ? own : *warnings);
}

TEST(Params, MergeStaticThenPerForwardThenDynamicAndDropNull) {
  BackendConfig config;
  config.params = {{"topk", "0.3"}, {"block", "null"}, {"denoise_step_idx", "77"}};
  AttentionCall call = call_of(8);
  call.extra = {{"topk", "0.7"}};
  const PluginParams due = {{"topk", "0.7"},         {"denoise_step_idx", "5"},
                            {"block_size_q", "128"}, {"total_denoise_steps", "10"},
                            {"block_size_kv", "64"}, {"pattern_type", "\"dynamic_topk\""}};
  EXPECT_EQ(params_of(config, call), due);
}

TEST(Params, HoldTheScheduledShareUnlessTheCallSaysAnother) {
  BackendConfig config;
  config.schedule = SparsitySchedule::kConservative;
  config.params = {{"topk", "0.1"}};
  EXPECT_EQ(params_of(config, call_of(8)).at("topk"), "0.5");  // (4 + 5 x 0.1) / 9
  AttentionCall call = call_of(8);
  call.extra = {{"topk", "0.9"}};
  EXPECT_EQ(params_of(config, call).at("topk"), "0.9");
}

TEST(FrameGeometry, IsPublishedWhereItsProductIsTheSequence) {
  AttentionCall call = call_of(32760);
  call.latent_shape = {21, 60, 104};
  call.patch_size = {1, 2, 2};
  std::vector<std::string> warnings;
  PluginParams params = params_of({}, call, &warnings);
  EXPECT_EQ(params.at("total_latent_frames"), "21");
  EXPECT_EQ(params.at("patches_per_frame"), "1560");
  EXPECT_TRUE(warnings.empty());
  call.seq_len = 32768;  // padded for eight ranks
  params = params_of({}, call, &warnings);
  EXPECT_EQ(params.count("total_latent_frames") + params.count("patches_per_frame"), 0U);
  EXPECT_EQ(params.at("latent_shape"), "[21, 60, 104]");
  EXPECT_EQ(warnings.size(), 1U);
}

TEST(FrameGeometry, ThatACallNamesItselfStays) {
  AttentionCall call = call_of(8);
  call.latent_shape = {4, 4, 4};
  call.patch_size = {1, 2, 2};
  call.extra = {{"total_latent_frames", "7"}};
  const PluginParams params = params_of({}, call);
  EXPECT_EQ(params.at("total_latent_frames"), "7");
  EXPECT_EQ(params.count("patches_per_frame"), 0U);
}

TEST(CrossAttention, IsDenseBeforeAnythingIsResolved) {
  BackendConfig config;
  config.backend = "missing";
  for (const PluginPolicy policy : {PluginPolicy::kFirst, PluginPolicy::kSecond}) {
    const Construction made = construct_attention(config, {}, false, policy);
    EXPECT_EQ(made.kind, OutcomeKind::kDense);
    EXPECT_EQ(made.reason, "cross-attention");
    EXPECT_TRUE(made.warnings.empty());
  }
}

TEST(Policies, EndFailuresInAWarningAndInAnErrorThatListsWhatIsInstalled) {
  BackendConfig config;
  config.backend = "missing";
  InstalledPlugin other;
  other.name = "other";
  const std::vector<InstalledPlugin> installed = {other};
  const Construction first = construct_attention(config, installed, true, PluginPolicy::kFirst);
  EXPECT_EQ(first.kind, OutcomeKind::kDense);
  EXPECT_EQ(first.warnings.size(), 1U);
  EXPECT_TRUE(first.error.empty());
  const Construction second = construct_attention(config, installed, true, PluginPolicy::kSecond);
  EXPECT_EQ(second.kind, OutcomeKind::kError);
  EXPECT_TRUE(second.warnings.empty());
  EXPECT_NE(second.error.find("installed: other"), std::string::npos);
}

TEST(Calls, OfWhichTheSizesAreOutOfRangeAreRefused) {
  AttentionCall call = call_of(0);
  EXPECT_THROW(require_valid(call), Error);
  call.seq_len = 16;
  EXPECT_NO_THROW(require_valid(call));
  call.frames = 4;
  EXPECT_THROW(require_valid(call), Error);
  call.patches_per_frame = 4;
  EXPECT_NO_THROW(require_valid(call));
  call.latent_shape = {4, 4, 4};
  call.patch_size = {1, 2, 2};
  EXPECT_THROW(require_valid(call), Error);
}

RC_GTEST_PROP(ParamsProperty, LastOneToSayAnythingWinsAndNullSaysNothingIsThere, ()) {
  const std::vector<std::string> names = {"a", "b", "denoise_step_idx"};
  const std::vector<std::string> values = {"", "null", "1", "\"x\""};  // "": not there
  BackendConfig config;
  config.step_ranges = {{0, 9, "p"}};
  config.profiles["p"] = {};
  AttentionCall call = call_of(8);
  PluginParams due;
  for (const std::string& name : names) {
    const std::string fixed = *rc::gen::elementOf(values);
    const std::string profile = *rc::gen::elementOf(values);
    const std::string extra = *rc::gen::elementOf(values);
    if (!fixed.empty()) config.params[name] = fixed;
    if (!profile.empty()) config.profiles["p"][name] = profile;
    if (!extra.empty()) call.extra[name] = extra;
    std::string last = fixed;
    if (!profile.empty()) last = profile;
    if (name == "denoise_step_idx") last = "5";
    if (!extra.empty()) last = extra;
    if (!last.empty() && last != "null") due[name] = last;
  }
  const PluginParams params = params_of(config, call);
  for (const std::string& name : names) {
    RC_ASSERT(params.count(name) == due.count(name));
    if (due.count(name) != 0) RC_ASSERT(params.at(name) == due.at(name));
  }
}

// Each input of the decision as a column of a table, first matching row wins.
std::string due_outcome(bool dense_step, bool mask, bool spans, bool takes_mask, bool takes_spans,
                        bool first, bool loses) {
  struct Row {
    bool holds;
    const char* outcome;
  };
  const bool bad_mask = mask && (first || !takes_mask);
  const bool bad_spans = spans && (first || !takes_spans);
  for (const Row& row :
       {Row{dense_step, "dense profile"}, Row{!bad_mask && !bad_spans, "plugin resolved"},
        Row{first && loses && bad_mask, "plugin mask-lost"},
        Row{first && loses, "plugin spans-lost"}, Row{first && bad_mask, "dense mask"},
        Row{first, "dense spans"}, Row{bad_mask, "error mask"}}) {
    if (row.holds) return row.outcome;
  }
  return "error spans";
}

RC_GTEST_PROP(CallProperty, AgreesWithATableOfRows, ()) {
  const auto flag = [] { return *rc::gen::arbitrary<bool>(); };
  const bool dense_step = flag(), mask = flag(), spans = flag(), takes_mask = flag();
  const bool takes_spans = flag(), first = flag(), loses = flag();
  InstalledPlugin plugin;
  plugin.name = "p";
  plugin.capabilities = {takes_mask, takes_spans};
  const std::vector<InstalledPlugin> installed = {plugin};
  BackendConfig config;
  if (dense_step) config.step_ranges = {{2, 4, "dense"}};
  AttentionCall call = call_of(32);
  call.attn_mask = mask;
  call.full_attn_spans = spans;
  const PluginPolicy policy = first ? PluginPolicy::kFirst : PluginPolicy::kSecond;
  const DispatchQuirks quirks{loses, false, false};
  const Construction layer = construct_attention(config, installed, true, policy, quirks);
  const StepOutcome made = call_attention(layer, config, installed, call, 3, 6, policy, quirks);
  RC_ASSERT(std::string(outcome_name(made.kind)) + " " + made.reason ==
            due_outcome(dense_step, mask, spans, takes_mask, takes_spans, first, loses));
  RC_ASSERT(made.call.has_value() == (made.kind == OutcomeKind::kPlugin));
  RC_ASSERT(made.error.empty() == (made.kind != OutcomeKind::kError));
  if (made.call && !first) RC_ASSERT(made.call->params.count("attn_mask") == (mask ? 1U : 0U));
}

}  // namespace
}  // namespace lvsa::reference
