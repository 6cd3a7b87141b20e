// Python's numbers, the configuration, and how it becomes a pattern.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <nlohmann/json.hpp>

#include "core/config/config.hpp"
#include "core/config/python_number.hpp"
#include "core/pattern/schedule.hpp"
#include "reference/pattern/config.hpp"
#include "reference/pattern/global_frames.hpp"
#include "reference/pattern/keyframe_interval.hpp"
#include "tests/property/environment_case.hpp"
#include "tests/property/outcome.hpp"
#include "tests/property/pattern_case.hpp"

namespace lvsa::property {
namespace {

std::vector<Variable> all_variables() {
  return {{"LVSA_WINDOW_SIZE", {"12", "16", "0", "7", "x"}},
          {"LVSA_N_FIRST_FRAMES", {"4", "0", "3", "8"}},
          {"LVSA_KEY_FRAME_INTERVAL", {"16", "4", "3", "15", "0"}},
          {"LVSA_AUTO_KEYFRAMES", {"1", "0", "on", "YES", "False", ""}},
          {"LVSA_ROTATE_KEYFRAMES", {"1", "True", "yes", "y"}},
          {"LVSA_EXPAND_WINDOW", {"1", "0", "no"}},
          {"LVSA_BACKEND", {"sdpa", "flashinfer", "FlashInfer", ""}},
          {"LVSA_VAE_TEMPORAL_FACTOR", {"4", "8", "1", "-3"}},
          {"LVSA_TOTAL_LATENT_FRAMES", {"21", "49", ""}},
          {"LVSA_SPARSITY_SCALE", {"1.0", "0.5", "2", "1e0", "nanx"}},
          {"LVSA_REFERENCE_LATENT_FRAMES", {"21", "33", "48"}}};
}

// The fields in their published order. The scale by its bits: nan differs from itself.
template <typename AnyConfig>
auto fields(const AnyConfig& c) {
  return std::tuple(
      c.window_size, c.n_first_frames, c.key_frame_interval, c.auto_keyframes, c.rotate_keyframes,
      c.expand_window, c.backend, c.vae_temporal_factor, c.total_latent_frames,
      c.sparsity_scale == c.sparsity_scale ? std::bit_cast<std::uint64_t>(c.sparsity_scale)
                                           : ~std::uint64_t{0},
      c.reference_latent_frames);
}

void assert_same_config(const Environment& environment) {
  RC_LOG() << rc::toString(environment) << "\n";
  const auto got = outcome([&] { return config_from_environment(environment); });
  const auto due = outcome([&] { return reference::config_from_env(environment); });
  RC_ASSERT(got.first == due.first);
  if (due.first.empty()) RC_ASSERT(fields(got.second) == fields(due.second));
}

RC_GTEST_PROP(PythonInt, IsTheRestatedOne, ()) {
  const std::string text = *any_number_text();
  RC_ASSERT(outcome([&] { return parse_python_int(text); }) ==
            outcome([&] { return reference::parse_int_or_nothing(text); }));
}

RC_GTEST_PROP(PythonFloat, IsTheRestatedOne, ()) {
  const std::string text = *any_number_text();
  const std::optional<double> got = parse_python_float(text);
  const auto due = outcome([&] { return reference::parse_float(text); });
  RC_ASSERT(got.has_value() == due.first.empty());
  if (!got || due.second != due.second) return;
  RC_ASSERT(std::bit_cast<std::uint64_t>(*got) == std::bit_cast<std::uint64_t>(due.second));
}

RC_GTEST_PROP(Configuration, IsTheRestatedOneOfTheVariables, ()) {
  assert_same_config(*any_environment(all_variables()));
}

RC_GTEST_PROP(Configuration, IsTheRestatedOneOfTheJson, ()) {
  nlohmann::json json = nlohmann::json::object();
  const auto maybe_set = [&](const char* key, std::vector<nlohmann::json> values) {
    if (*rc::gen::inRange(0, 3) > 0) return;
    values.insert(values.end(), {nullptr, "text", 16.0, 2.5, true, nlohmann::json::array()});
    const std::size_t usual = values.size() - 6;
    const bool odd = *rc::gen::inRange(0, 8) == 0;
    json[key] = values.at(odd ? *rc::gen::inRange<std::size_t>(usual, values.size())
                              : *rc::gen::inRange<std::size_t>(0, usual));
  };
  for (const char* key :
       {"window_size", "n_first_frames", "key_frame_interval", "vae_temporal_factor",
        "total_latent_frames", "reference_latent_frames"}) {
    maybe_set(key, {0, 4, 12, 33, -5});
  }
  for (const char* key : {"auto_keyframes", "rotate_keyframes", "expand_window"}) {
    maybe_set(key, {true, false});
  }
  maybe_set("sparsity_scale", {0.5, 1, 2.0});
  maybe_set("backend", {"sdpa", "flashinfer"});
  maybe_set("bogus", {1});
  std::string text = json.dump();
  if (*rc::gen::inRange(0, 6) == 0) text.pop_back();
  assert_same_config({{"LVSA_CONFIG", text}, {"LVSA_WINDOW_SIZE", "x"}});
}

RC_GTEST_PROP(ConditionFrames, AreTheRestatedOnes, ()) {
  const Environment environment = {{"LVSA_CONDITION_LATENT_FRAMES", *any_number_text()}};
  RC_ASSERT(outcome([&] { return condition_latent_frames(environment); }) ==
            outcome([&] { return reference::condition_latent_frames(environment); }));
}

// From the variables to the arguments of a pattern, by the text of the published behaviour.
RC_GTEST_PROP(Schedule, LeadsToTheRestatedPattern, ()) {
  const Environment environment = *any_environment(all_variables());
  const std::int64_t frames = *any_frames();
  const std::int64_t step = *rc::gen::inRange<std::int64_t>(0, 60);
  const bool old = *rc::gen::arbitrary<bool>();
  const std::vector<std::int64_t> condition = {2, 7};
  const auto config = outcome([&] { return reference::config_from_env(environment); });
  RC_PRE(config.first.empty());
  const reference::Config& c = config.second;
  const bool finite = c.sparsity_scale * 0 == 0;
  const bool counts = c.window_size >= 0 && c.n_first_frames >= 0 && c.key_frame_interval >= 0;
  RC_PRE(c.vae_temporal_factor > 0);
  RC_PRE((finite && counts));
  const auto latent = [&](std::int64_t video) {
    return reference::to_latent_frames(video, c.vae_temporal_factor);
  };

  std::optional<std::int64_t> interval = latent(c.key_frame_interval);
  if (c.auto_keyframes) {
    interval = reference::compute_auto_kfi(frames, latent(c.window_size), latent(c.n_first_frames),
                                           c.reference_latent_frames, c.sparsity_scale);
  }
  PatternCase due;
  due.arguments.total_latent_frames = frames;
  due.arguments.window_size = latent(c.window_size);
  due.arguments.n_first_frames = latent(c.n_first_frames);
  due.arguments.key_frame_interval = interval;
  due.arguments.keyframe_offset = reference::keyframe_offset(step, interval, c.rotate_keyframes);
  due.arguments.expand_window = old || c.expand_window;
  if (!old) due.arguments.condition_frames = condition;

  const Config fast = config_from_environment(environment);
  const PatternSpec spec = pattern_spec(fast, make_schedule(fast, frames), frames, step,
                                        behaviour(old ? Version::k1_2 : Version::k1_3), condition);
  const FramePattern got = build_frame_pattern(spec);
  const FramePattern wanted = build_frame_pattern(due.spec());
  RC_ASSERT(got.globals == wanted.globals);
  RC_ASSERT(got.offsets == wanted.offsets);
  RC_ASSERT(got.list == wanted.list);
}

}  // namespace
}  // namespace lvsa::property
