// Parts of the geometry diagnosis: the plugin's rule on the recorded calls, model folders, batches,
// recommendations.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "analysis/diagnose/batch.hpp"
#include "analysis/diagnose/model_folder.hpp"
#include "analysis/diagnose/recommend.hpp"
#include "core/error.hpp"
#include "core/io/hdf5_writer.hpp"
#include "core/io/line_reader.hpp"

namespace lvsa::analysis {
namespace {

using nlohmann::json;

int agreeing_calls(const std::string& file) {
  int calls = 0;
  LineReader reader(std::string(LVSA_SOURCE_DIR "/fixtures/") + file);
  for (std::string line; reader.next(line);) {
    if (line.find("\"detect_geometry\"") == std::string::npos) continue;
    const json row = json::parse(line);
    Question question;
    question.environment = row["args"]["env"].get<Environment>();
    question.behaviour = &behaviour(parse_version(row.value("lvsa", "1.2")));
    const auto found = bare_outcome(plugin_settings(question), row["args"]["seq_len"],
                                    row["args"]["total_frames"]);
    const json& due = row["out"];
    EXPECT_EQ(found.grid.has_value(), !due[0].is_null()) << line;
    if (found.grid && !due[0].is_null()) {
      EXPECT_EQ(found.grid->patches_per_frame, due[0]) << line;
      EXPECT_EQ(found.grid->text_tokens, due[1]) << line;
    }
    ++calls;
  }
  return calls;
}

TEST(PluginOutcome, AgreesWithEveryRecordedDetection) {
  EXPECT_GT(agreeing_calls("pattern_vectors.ndjson.gz"), 500);
  EXPECT_GT(agreeing_calls("pattern_vectors_1.3.ndjson.gz"), 100);
}

TEST(ModelFolder, GivesHeadsRuleAndReferenceAndNamesWhatThePresetSaysOtherwise) {
  const ModelFolder folder = model_from_configs(
      R"({"_class_name": "CogVideoXTransformer3DModel", "num_attention_heads": 30, "attention_head_dim": 64,
          "num_layers": 30, "patch_size": 2, "sample_frames": 81, "sample_height": 96, "sample_width": 170,
          "patch_size_t": 2})",
      R"({"temporal_compression_ratio": 4})", "", "folder");
  EXPECT_EQ(folder.model.heads, 30);
  EXPECT_EQ(folder.model.rule.temporal_patch_size, 2);
  EXPECT_EQ(folder.model.reference_latent_frames, 11);  // (81 - 1) / 4 + 1 = 21, halved upwards
  EXPECT_EQ(folder.model.sizes.front(), (VideoSize{768, 1360}));  // latent 96 x 170 times 8
  EXPECT_EQ(patches_per_frame(folder.model), 48 * 85);
  EXPECT_EQ(folder.differs.size(), 5U);  // heads, kv heads, blocks, temporal patch, reference
}

TEST(Batch, CountsPairsOnceAndCallsAll) {
  Question question;
  question.model = find_preset("wan-1.3b");
  Batch batch(question);
  read_batch_text("layer,seq_len,T\n0,32760,21\n1,32760,21\n2,42840,21\n3,4096,21\n", "calls",
                  question, batch);
  const BatchSummary summary = batch.summary();
  EXPECT_EQ(summary.rows, 4);
  EXPECT_EQ(summary.distinct, 3);
  EXPECT_EQ(summary.by_verdict[static_cast<std::size_t>(Verdict::kDenseByDesign)], 2);
  EXPECT_EQ(summary.by_verdict[static_cast<std::size_t>(Verdict::kMisread)], 1);
  EXPECT_EQ(summary.by_verdict[static_cast<std::size_t>(Verdict::kFallback)], 1);
  EXPECT_EQ(summary.groups.front().calls, 2);
}

TEST(Batch, ReadsHdf5) {
  const std::string path = testing::TempDir() + "geometry_batch_test.h5";
  {
    Hdf5Writer writer(path);
    const std::int64_t lengths[] = {32760, 42840};
    const std::int64_t frames[] = {21, 21};
    writer.dataset("seq_len", ElementType::kI64, {2}, lengths);
    writer.dataset("T", ElementType::kI64, {2}, frames);
    writer.commit();
  }
  Question question;
  question.model = find_preset("wan-1.3b");
  Batch batch(question);
  read_batch_file(path, question, batch);
  EXPECT_EQ(batch.summary().by_verdict[static_cast<std::size_t>(Verdict::kMisread)], 1);
  EXPECT_EQ(batch.summary().rows, 2);
}

TEST(Recommend, RefusesWhatRunsDense) {
  RecommendRequest request;
  request.model = find_preset("wan-14b");
  request.video_frames = 161;
  request.size = {480, 832};
  request.degrees = ParallelDegrees{1, 1, 2, 1};
  EXPECT_THROW(recommend(request), Error);
}

TEST(Recommend, GivesSettingsThatAreJudgedGoodForEveryModel) {
  for (const ModelPreset& model : builtin_presets()) {
    for (const std::int64_t gpus : {1, 2, 4}) {
      RecommendRequest request;
      request.model = model;
      request.video_frames = 4 * 2 * (model.reference_latent_frames - 1) + 1;  // twice the horizon
      request.size = model.sizes.front();
      request.gpus = gpus;
      EXPECT_EQ(recommend(request).diagnosis.verdict, Verdict::kSparse)
          << model.name << " on " << gpus;
    }
  }
}

}  // namespace
}  // namespace lvsa::analysis
