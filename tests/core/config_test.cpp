#include "core/config/config.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace lvsa {
namespace {

ErrorKind kind_of(const Environment& environment) {
  try {
    config_from_environment(environment);
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::kIo;
}

TEST(Config, HasThePublishedDefaults) {
  const Config config = config_from_environment({});
  EXPECT_EQ(config.latent_window_size(), 3);
  EXPECT_EQ(config.latent_n_first_frames(), 1);
  EXPECT_EQ(config.latent_key_frame_interval(), 4);
  EXPECT_TRUE(config.auto_keyframes);
  EXPECT_FALSE(config.rotate_keyframes);
  EXPECT_TRUE(config.expand_window);
  EXPECT_EQ(config.reference_latent_frames, 21);
  EXPECT_FALSE(config.total_latent_frames);
}

TEST(Config, FloorsFrameSettingsByTheTemporalFactor) {
  EXPECT_EQ(config_from_environment({{"LVSA_WINDOW_SIZE", "7"}}).latent_window_size(), 1);
  EXPECT_EQ(config_from_environment({{"LVSA_WINDOW_SIZE", "-7"}}).latent_window_size(), -2);
}

TEST(Config, TakesOnlyThreeWordsForTrue) {
  for (const char* word : {"1", "true", "TRUE", "Yes"}) EXPECT_TRUE(parse_flag(word)) << word;
  for (const char* word : {"on", "y", "", " 1", "2", "no"}) EXPECT_FALSE(parse_flag(word)) << word;
}

TEST(Config, ReplacesEverythingByTheJsonObject) {
  const Config config = config_from_environment(
      {{"LVSA_WINDOW_SIZE", "x"}, {"LVSA_CONFIG", R"({"window_size": 16, "unknown": [1]})"}});
  EXPECT_EQ(config.window_size, 16);
  EXPECT_EQ(config.n_first_frames, 4);
}

TEST(Config, RaisesTheErrorsThatThePublishedCodeRaises) {
  EXPECT_EQ(kind_of({{"LVSA_WINDOW_SIZE", "1e3"}}), ErrorKind::kValue);
  EXPECT_EQ(kind_of({{"LVSA_SPARSITY_SCALE", "nanx"}}), ErrorKind::kValue);
  EXPECT_EQ(kind_of({{"LVSA_CONFIG", "{"}}), ErrorKind::kJson);
  EXPECT_EQ(kind_of({{"LVSA_CONFIG", "[]"}}), ErrorKind::kType);
  EXPECT_EQ(kind_of({{"LVSA_CONFIG", R"({"window_size": "16"})"}}), ErrorKind::kType);
}

TEST(Config, NamesTheVariableAndItsValue) {
  try {
    config_from_environment({{"LVSA_N_FIRST_FRAMES", "four"}});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "LVSA_N_FIRST_FRAMES='four' is no integer");
  }
}

TEST(Config, SkipsConditionFramesThatAreNoIntegers) {
  EXPECT_EQ(condition_latent_frames({{"LVSA_CONDITION_LATENT_FRAMES", "0, x ,-4,,1.5"}}),
            (std::vector<std::int64_t>{0, -4}));
}

TEST(FloorDivision, RoundsDownAndKeepsTheSignOfTheDivisor) {
  EXPECT_EQ(floor_divide(-7, 2), -4);
  EXPECT_EQ(floor_divide(7, -2), -4);
  EXPECT_EQ(floor_modulo(-7, 3), 2);
  EXPECT_EQ(floor_modulo(7, -3), -2);
  EXPECT_THROW(floor_divide(1, 0), Error);
}

}  // namespace
}  // namespace lvsa
