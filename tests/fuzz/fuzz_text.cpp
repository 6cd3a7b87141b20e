// Targets that read text: case lines, suites, settings, JSON.
#include <nlohmann/json.hpp>

#include "analysis/report/jsonl_reader.hpp"
#include "analysis/report/jsonl_report.hpp"
#include "analysis/synth/video_words.hpp"
#include "analysis/vectors/replay.hpp"
#include "analysis/verify/case.hpp"
#include "analysis/verify/recorded_attention.hpp"
#include "analysis/verify/replay_case.hpp"
#include "analysis/verify/suite.hpp"
#include "core/config/behaviour.hpp"
#include "core/config/config.hpp"
#include "core/config/environment.hpp"
#include "core/config/presets.hpp"
#include "core/config/python_number.hpp"
#include "core/error.hpp"
#include "core/geometry/detection.hpp"
#include "core/io/strict_json.hpp"
#include "core/schedule/mask_log.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace lvsa::fuzz {
namespace {

// The work on a pattern grows with its frames; a parser's fault does not need many.
constexpr std::int64_t kMostFrames = 200;

}  // namespace

void fuzz_case_line(std::string_view bytes) {
  const analysis::Case c = analysis::parse_case(bytes);
  const std::string line = analysis::to_line(c);
  require(analysis::to_line(analysis::parse_case(line)) == line,
          "a case line reads back as itself");
  if (c.grid.frames <= kMostFrames) build_frame_pattern(analysis::case_pattern_spec(c));
}

void fuzz_synthetic_words(std::string_view bytes) {
  const std::string words = synth::video_words(synth::parse_video(std::string(bytes)));
  require(synth::video_words(synth::parse_video(words)) == words,
          "the words of a synthetic video read back as themselves");
}

void fuzz_suite(std::string_view bytes) {
  // Other files are none of this target's business, and some never end.
  if (bytes.find("include") != std::string_view::npos) return;
  const ScratchFile file(bytes);
  analysis::suite_cases(file.path(), [] { return std::string("/nonexistent"); });
}

void fuzz_environment(std::string_view bytes) {
  const ScratchFile file(bytes);
  const Environment environment = environment_from_file(file.path());
  const auto tried = [](auto&& call) {
    try {
      call();
    } catch (const Error& error) {
      require(std::string_view(error.what()).find('\n') == std::string_view::npos, "one line");
    }
  };
  tried([&] {
    analysis::Case c;
    analysis::apply_environment(c, environment);
  });
  tried([&] { condition_latent_frames(environment); });
  tried([&] { candidate_patches_per_frame(environment); });
  for (const Version version : {Version::k1_2, Version::k1_3}) {
    tried([&] { detect_geometry(32760, 21, environment, behaviour(version)); });
  }
  for (const auto& [name, value] : environment) {
    mask_log_due(value, 3, 2);
    tried([&, &text = value] { parse_python_int(text); });
    parse_python_int_saturated(value);
    parse_python_float(value);
  }
}

void fuzz_settings_json(std::string_view bytes) { config_from_json(bytes, "fuzz"); }

void fuzz_presets(std::string_view bytes) {
  const ScratchFile file(bytes);
  PresetTable table;
  table.add_file(file.path());
  for (const ModelPreset& preset : table.all())
    require(!preset.sizes.empty(), "a preset has a size");
}

void fuzz_vectors(std::string_view bytes) {
  // The work of a call grows with its numbers, as the published functions have it.
  constexpr int kMostDigits = 4;
  int digits = 0;
  for (const char ch : bytes) {
    digits = ch >= '0' && ch <= '9' ? digits + 1 : 0;
    if (digits > kMostDigits) return;
  }
  const ScratchFile file(bytes);
  analysis::replay_file(file.path(), [](const analysis::Mismatch&) {});
}

void fuzz_json(std::string_view bytes) {
  const nlohmann::json value = parse_strict_json(bytes, "fuzz", {16, 10000});
  require(parse_strict_json(value.dump(), "fuzz") == value, "JSON reads back as itself");
  analysis::environment_from_json(std::string(bytes), "fuzz");
}

void fuzz_report_line(std::string_view bytes) {
  const std::string line = analysis::to_json_line(analysis::parse_json_line(bytes));
  require(analysis::to_json_line(analysis::parse_json_line(line)) == line,
          "a report line reads back as itself");
}

void fuzz_replay(std::string_view bytes) {
  const std::string text =
      analysis::replay_to_json(analysis::replay_from_json(std::string(bytes), "fuzz"));
  require(analysis::replay_to_json(analysis::replay_from_json(text, "fuzz")) == text,
          "a replay file reads back as itself");
}

}  // namespace lvsa::fuzz
