// The recorded cases of the published implementation, replayed on the device.

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "core/geometry/detection.hpp"
#include "core/io/line_reader.hpp"
#include "cuda/pattern/geometry.hpp"
#include "tests/cuda/device_memory.hpp"
#include "tests/cuda/pattern_batch.hpp"

namespace lvsa::cuda::test {
namespace {

using Json = nlohmann::json;

// Test binaries are also carried to machines where the sources lie elsewhere.
std::string fixtures() {
  const char* folder = std::getenv("LVSA_FIXTURES");
  return folder != nullptr ? folder : std::string(LVSA_SOURCE_DIR) + "/fixtures";
}

// All recorded cases of a function, of both versions.
std::vector<Json> rows(const std::string& function) {
  std::vector<Json> found;
  for (const char* name : {"pattern_vectors.ndjson.gz", "pattern_vectors_1.3.ndjson.gz"}) {
    LineReader reader(fixtures() + "/" + name);
    for (std::string line; reader.next(line);) {
      if (line.empty()) continue;
      Json row = Json::parse(line);
      if (row.at("fn") == function) found.push_back(std::move(row));
    }
  }
  return found;
}

std::int32_t integer(const Json& args, const char* name) {
  return args.at(name).get<std::int32_t>();
}

std::int32_t interval_or_none(const Json& value) {
  return value.is_null() ? kNoInterval : value.get<std::int32_t>();
}

std::vector<std::int32_t> extra_frames(const Json& args) {
  auto frames = args.at("boundary_guards").get<std::vector<std::int32_t>>();
  for (const Json& f : args.value("condition_frames", Json::array())) frames.push_back(f);
  return frames;
}

TEST(DeviceVectors, OfTheKeyframeIntervalAgree) {
  LVSA_NEEDS_DEVICE();
  const auto cases = rows("compute_auto_kfi");
  ASSERT_GE(cases.size(), 1160u);
  std::vector<Configuration> batch(cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Json& a = cases[i].at("args");
    PatternSettings& s = batch[i].settings;
    s.frames = integer(a, "total_frames");
    s.window_frames = integer(a, "window_size");
    s.n_first_frames = integer(a, "n_first_frames");
    s.reference_frames = integer(a, "reference_frames");
    s.sparsity_scale = a.at("sparsity_scale");
    s.interval = kAutoInterval;
  }
  const auto got = device_summaries(batch);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(got[i].interval, cases[i].at("out").get<std::int32_t>()) << cases[i].dump();
  }
}

TEST(DeviceVectors, OfGlobalFramesAgree) {
  LVSA_NEEDS_DEVICE();
  const auto cases = rows("compute_global_indices");
  ASSERT_GE(cases.size(), 1500u);
  std::vector<Configuration> batch(cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Json& a = cases[i].at("args");
    PatternSettings& s = batch[i].settings;
    s.frames = integer(a, "total_frames");
    s.n_first_frames = integer(a, "n_first_frames");
    s.interval = interval_or_none(a.at("key_frame_interval"));
    s.offset = a.at("offset");
  }
  const auto got = device_answers(batch, 1);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(got[i].globals, cases[i].at("out").get<std::vector<std::int32_t>>())
        << cases[i].dump();
  }
}

TEST(DeviceVectors, OfWindowsAgree) {
  LVSA_NEEDS_DEVICE();
  const auto cases = rows("get_window_bounds");
  ASSERT_GE(cases.size(), 2500u);
  // The recorded global frames come in as extra ones.
  std::vector<Configuration> batch(cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Json& a = cases[i].at("args");
    PatternSettings& s = batch[i].settings;
    s.frames = integer(a, "T");
    s.window_frames = integer(a, "W");
    s.interval = kNoInterval;
    s.expand_window = a.at("expand").get<bool>() ? 1 : 0;
    batch[i].extra = a.at("global_indices").get<std::vector<std::int32_t>>();
  }
  const auto got = device_answers(batch, 1);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto f = static_cast<std::size_t>(integer(cases[i].at("args"), "f"));
    ASSERT_GT(got[i].windows.size(), 2 * f + 1) << cases[i].dump();
    EXPECT_EQ(Json::array({got[i].windows[2 * f], got[i].windows[2 * f + 1]}), cases[i].at("out"))
        << cases[i].dump();
  }
}

TEST(DeviceVectors, OfGeometryAgree) {
  LVSA_NEEDS_DEVICE();
  const auto cases = rows("detect_geometry");
  ASSERT_GE(cases.size(), 595u);
  for (const Json& row : cases) {
    const Json& a = row.at("args");
    const auto candidates = candidate_patches_per_frame(a.at("env").get<Environment>());
    const DeviceArray<std::int64_t> seq_len(std::vector<std::int64_t>{a.at("seq_len")}),
        frames(std::vector<std::int64_t>{a.at("total_frames")}), list(candidates);
    const DeviceArray<Geometry> found(1);
    detect_geometry(
        {seq_len.get(), frames.get(), 1, list.get(), static_cast<std::int64_t>(candidates.size())},
        row.value("lvsa", "1.2") == "1.3" ? GeometryRule::kSmallestText : GeometryRule::kFirstFit,
        found.get(), nullptr);
    const Geometry got = found.read().front();
    const Json out = got.fits == 0 ? Json::array({nullptr, nullptr})
                                   : Json::array({got.patches_per_frame, got.text_tokens});
    EXPECT_EQ(out, row.at("out")) << row.dump();
  }
}

// Block rows and copies of a world of one are the recorded ones.
TEST(DeviceVectors, OfMetadataAgreeForAWorldOfOne) {
  LVSA_NEEDS_DEVICE();
  std::map<std::int64_t, std::vector<Json>> by_patches;
  for (const Json& row : rows("LVSAMetadata.build")) {
    const Json& a = row.at("args");
    if (a.at("world") == 1 && row.at("out").is_object() && !row.at("out").contains("error")) {
      by_patches[a.at("num_patches")].push_back(row);
    }
  }
  ASSERT_FALSE(by_patches.empty());
  for (const auto& [patches, cases] : by_patches) {
    std::vector<Configuration> batch(cases.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const Json& a = cases[i].at("args");
      PatternSettings& s = batch[i].settings;
      s.frames = integer(a, "total_latent_frames");
      s.window_frames = integer(a, "window_size");
      s.n_first_frames = integer(a, "n_first_frames");
      s.interval = interval_or_none(a.at("key_frame_interval"));
      s.offset = a.at("keyframe_offset");
      s.expand_window = a.at("expand_window").get<bool>() ? 1 : 0;
      batch[i].extra = extra_frames(a);
    }
    const auto got = device_answers(batch, patches);
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const Json& out = cases[i].at("out");
      EXPECT_EQ(Json(got[i].globals), out.at("global_indices")) << cases[i].dump();
      EXPECT_EQ(Json(got[i].indptr), out.at("fi_indptr")) << cases[i].dump();
      EXPECT_EQ(Json(got[i].indices), out.at("fi_indices")) << cases[i].dump();
      EXPECT_EQ(got[i].summary.columns, out.at("fi_compact_n").get<std::int32_t>());
      std::vector<std::int64_t> copies;
      for (const Json& copy : out.at("fi_global_copies")) {
        copies.insert(copies.end(), copy.begin(), copy.end());
      }
      EXPECT_EQ(got[i].global_copies, copies) << cases[i].dump();
    }
  }
}

}  // namespace
}  // namespace lvsa::cuda::test
