// The literal restatement against every recorded case: it may only serve as an oracle while it
// agrees with all of them.

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "reference/pattern/config.hpp"
#include "reference/pattern/geometry.hpp"
#include "reference/pattern/global_frames.hpp"
#include "reference/pattern/keyframe_interval.hpp"
#include "reference/pattern/mask_text.hpp"
#include "reference/pattern/metadata.hpp"
#include "reference/pattern/step_counter.hpp"
#include "reference/pattern/window.hpp"

namespace lvsa::reference {
namespace {

using Json = nlohmann::json;

std::vector<Json> read_rows(const std::string& name) {
  const std::string path = std::string(LVSA_SOURCE_DIR) + "/fixtures/" + name;
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) throw std::runtime_error("cannot open " + path);
  std::string text;
  std::vector<char> chunk(1 << 16);
  int count = 0;
  while ((count = gzread(file.get(), chunk.data(), static_cast<unsigned>(chunk.size()))) > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
  if (count < 0) throw std::runtime_error("cannot read " + path);
  std::vector<Json> rows;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) rows.push_back(Json::parse(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return rows;
}

const std::vector<Json>& all_rows() {
  static const std::vector<Json> rows = [] {
    std::vector<Json> both = read_rows("pattern_vectors.ndjson.gz");
    for (Json& row : read_rows("pattern_vectors_1.3.ndjson.gz")) both.push_back(std::move(row));
    return both;
  }();
  return rows;
}

Published published(const Json& row) {
  return row.value("lvsa", "1.2") == "1.3" ? Published::k13 : Published::k12;
}

std::int64_t integer(const Json& args, const char* name) {
  return args.at(name).get<std::int64_t>();
}

std::optional<std::int64_t> optional_integer(const Json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<std::int64_t>();
}

FrameSet frame_set(const Json& list) { return list.get<FrameSet>(); }

Environment environment(const Json& args) { return args.at("env").get<Environment>(); }

Json pair(std::int64_t a, std::int64_t b) { return Json::array({a, b}); }

Json interval(const Json& a) {
  return compute_auto_kfi(integer(a, "total_frames"), integer(a, "window_size"),
                          integer(a, "n_first_frames"), integer(a, "reference_frames"),
                          a.at("sparsity_scale").get<double>());
}

Json globals(const Json& a) {
  return sorted(compute_global_indices(integer(a, "total_frames"), integer(a, "n_first_frames"),
                                       optional_integer(a.at("key_frame_interval")),
                                       integer(a, "offset")));
}

Json window(const Json& a) {
  const WindowBounds bounds =
      get_window_bounds(integer(a, "f"), integer(a, "W"), integer(a, "T"),
                        a.at("expand").get<bool>(), frame_set(a.at("global_indices")));
  return pair(bounds.lo, bounds.hi);
}

Json guards(const Json& a) {
  return sorted(compute_boundary_guard_frames(integer(a, "total_frames"), integer(a, "local_seq"),
                                              integer(a, "num_patches"), integer(a, "world"),
                                              integer(a, "window_size")));
}

Json geometry(const Json& row) {
  const Json& a = row.at("args");
  const auto found = detect_geometry(published(row), environment(a), integer(a, "seq_len"),
                                     integer(a, "total_frames"));
  if (!found) return Json::array({nullptr, nullptr});
  return pair(found->patches_per_frame, found->text_tokens);
}

Json mask(const Json& a) {
  return print_attention_mask_compact(integer(a, "T"), integer(a, "W"),
                                      frame_set(a.at("global_indices")),
                                      a.at("expand").get<bool>());
}

Json config(const Json& a) {
  const Config c = config_from_env(environment(a));
  const auto latent = [&](std::int64_t frames) {
    return to_latent_frames(frames, c.vae_temporal_factor);
  };
  return {
      {"window_size", c.window_size},
      {"n_first_frames", c.n_first_frames},
      {"key_frame_interval", c.key_frame_interval},
      {"auto_keyframes", c.auto_keyframes},
      {"rotate_keyframes", c.rotate_keyframes},
      {"expand_window", c.expand_window},
      {"backend", c.backend},
      {"vae_temporal_factor", c.vae_temporal_factor},
      {"total_latent_frames", c.total_latent_frames ? Json(*c.total_latent_frames) : Json(nullptr)},
      {"sparsity_scale", c.sparsity_scale},
      {"reference_latent_frames", c.reference_latent_frames},
      {"latent_window_size", latent(c.window_size)},
      {"latent_n_first_frames", latent(c.n_first_frames)},
      {"latent_key_frame_interval", latent(c.key_frame_interval)}};
}

Json copies(const std::vector<FrameCopy>& list) {
  Json out = Json::array();
  for (const FrameCopy& copy : list) out.push_back(pair(copy.source, copy.target));
  return out;
}

MetadataArguments metadata_arguments(const Json& a) {
  MetadataArguments m;
  m.total_latent_frames = integer(a, "total_latent_frames");
  m.num_patches = integer(a, "num_patches");
  m.window_size = integer(a, "window_size");
  m.n_first_frames = integer(a, "n_first_frames");
  m.key_frame_interval = optional_integer(a.at("key_frame_interval"));
  m.rank = integer(a, "rank");
  m.world = integer(a, "world");
  m.expand_window = a.at("expand_window").get<bool>();
  m.keyframe_offset = integer(a, "keyframe_offset");
  m.boundary_guards = a.at("boundary_guards").get<std::vector<std::int64_t>>();
  m.condition_frames = a.value("condition_frames", std::vector<std::int64_t>{});
  return m;
}

Json metadata(const Json& a) {
  const Metadata m = build_metadata(metadata_arguments(a));
  Json local = Json::array();
  for (const LocalFrame& frame : m.local_frames) {
    local.push_back({frame.frame, frame.tokens.begin, frame.tokens.end});
  }
  Json context = Json::object();
  for (const auto& [frame, ranges] : m.window_ctx) {
    Json list = Json::array();
    for (const TokenRange& range : ranges) list.push_back(pair(range.begin, range.end));
    context[std::to_string(frame)] = list;
  }
  Json bounds = Json::array();
  for (const WindowBounds& window : m.window_bounds) bounds.push_back(pair(window.lo, window.hi));
  return {{"local_seq", m.local_seq},
          {"global_token_start", m.global_token_start},
          {"global_indices", m.global_indices},
          {"local_frames", local},
          {"window_ctx", context},
          {"global_frame_mask", m.global_frame_mask},
          {"window_bounds", bounds},
          {"attended_indices", m.attended_indices},
          {"attended_C", m.attended_C},
          {"fi_indptr", m.block_rows.indptr},
          {"fi_indices", m.block_rows.indices},
          {"fi_M", m.block_rows.M},
          {"fi_N", m.block_rows.N},
          {"fi_MB", m.block_rows.MB},
          {"fi_compact_n", m.block_rows.compact_n},
          {"fi_global_copies", copies(m.block_rows.global_copies)},
          {"fi_local_copies", copies(m.block_rows.local_copies)}};
}

// 1.2 rows carry their calls inside the output, 1.3 rows among the arguments.
Json steps(const Json& row) {
  const Json& a = row.at("args");
  const bool old = published(row) == Published::k12;
  StepCounter counter(published(row), environment(a), a.value("cfg_parallel_world", 1));
  const Json& calls = old ? row.at("out").at("calls") : a.at("calls");
  Json out = old ? Json{{"calls", Json::array()}} : Json{{"steps", Json::array()}};
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::int64_t layer = calls[i][0].get<std::int64_t>();
    const std::int64_t seq_len = calls[i][1].get<std::int64_t>();
    const bool native = !old && !a.at("native_steps").is_null();
    const std::int64_t step = counter.tick(
        layer, seq_len, native ? optional_integer(a.at("native_steps")[i]) : std::nullopt);
    if (old) {
      out["calls"].push_back({layer, seq_len, step});
    } else {
      out["steps"].push_back(step);
    }
  }
  out["n_blocks"] = counter.n_blocks() ? Json(*counter.n_blocks()) : Json(nullptr);
  return out;
}

Json answer(const Json& row) {
  const std::string fn = row.at("fn").get<std::string>();
  const Json& a = row.at("args");
  try {
    if (fn == "compute_auto_kfi") return interval(a);
    if (fn == "compute_global_indices") return globals(a);
    if (fn == "get_window_bounds") return window(a);
    if (fn == "compute_boundary_guard_frames") return guards(a);
    if (fn == "LVSAMetadata.build") return metadata(a);
    if (fn == "candidate_patches_per_frame") return candidate_patches_per_frame(environment(a));
    if (fn == "detect_geometry") return geometry(row);
    if (fn == "LVSAConfig.from_env") return config(a);
    if (fn == "condition_latent_frames") return condition_latent_frames(environment(a));
    if (fn == "step_counter") return steps(row);
    if (fn == "mask_log_should_fire") {
      return mask_log_should_fire(a.at("spec").get<std::string>(), integer(a, "step"),
                                  integer(a, "last"));
    }
    if (fn == "print_attention_mask_compact") return mask(a);
  } catch (const Error& error) {
    return {{"error", std::string(python_name(error.kind()))}};
  }
  throw std::runtime_error("no restatement of " + fn);
}

class PatternVectors : public testing::TestWithParam<const char*> {};

TEST_P(PatternVectors, AreReproducedByTheRestatement) {
  std::size_t cases = 0;
  std::size_t wrong = 0;
  for (const Json& row : all_rows()) {
    if (row.at("fn") != GetParam()) continue;
    ++cases;
    const Json got = answer(row);
    if (got == row.at("out")) continue;
    if (++wrong <= 3) ADD_FAILURE() << row.dump() << "\ngot " << got.dump();
  }
  EXPECT_GT(cases, 0U);
  EXPECT_EQ(wrong, 0U) << "of " << cases;
}

constexpr const char* kFunctions[] = {
    "compute_auto_kfi",   "compute_global_indices",        "get_window_bounds",
    "LVSAMetadata.build", "compute_boundary_guard_frames", "candidate_patches_per_frame",
    "detect_geometry",    "LVSAConfig.from_env",           "condition_latent_frames",
    "step_counter",       "mask_log_should_fire",          "print_attention_mask_compact"};

std::string test_name(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Recorded, PatternVectors, testing::ValuesIn(kFunctions), test_name);

TEST(PatternVectorFiles, NameNoFunctionWithoutARestatement) {
  for (const Json& row : all_rows()) {
    const std::string fn = row.at("fn").get<std::string>();
    EXPECT_TRUE(std::find(std::begin(kFunctions), std::end(kFunctions), fn) != std::end(kFunctions))
        << fn;
  }
  EXPECT_EQ(all_rows().size(), 7963U + 779U);
}

}  // namespace
}  // namespace lvsa::reference
