// The table of accumulators against what was measured on a device.
#include "analysis/verify/accumulators.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lvsa::analysis {
namespace {

struct Measured {
  std::string architecture;
  std::string instruction;  // as the table names it: without the shape
  DType type;
  double roundoff;
};

// "mma.sync.m16n8k16" and "wgmma.k32" without their last part, the shape.
std::string family(const std::string& instruction) {
  return instruction.substr(0, instruction.rfind('.'));
}

std::vector<Measured> measured() {
  const std::string path = LVSA_SOURCE_DIR "/bench/results/NVIDIA-H200/accumulators.json";
  std::vector<Measured> list;
  for (const auto& entry : nlohmann::json::parse(std::ifstream(path))) {
    list.push_back({entry.at("architecture"), family(entry.at("instruction")),
                    parse_dtype(entry.at("type").get<std::string>()), entry.at("roundoff")});
  }
  return list;
}

const AccumulatorError* find(const std::string& architecture, const std::string& instruction,
                             DType type) {
  for (const AccumulatorError& entry : accumulator_errors()) {
    if (entry.architecture == architecture && entry.instruction == instruction &&
        entry.type == type) {
      return &entry;
    }
  }
  return nullptr;
}

TEST(Accumulators, AreInTheTableAsTheyWereMeasured) {
  const auto all = measured();
  ASSERT_GE(all.size(), 6U);
  for (const Measured& one : all) {
    const AccumulatorError* entry = find(one.architecture, one.instruction, one.type);
    ASSERT_NE(entry, nullptr) << one.architecture << " " << one.instruction;
    EXPECT_TRUE(entry->measured) << one.instruction;
    // The file has six digits.
    EXPECT_NEAR(entry->roundoff / one.roundoff, 1.0, 1e-5)
        << one.instruction << " " << dtype_name(one.type);
    EXPECT_LE(entry->roundoff, unknown_accumulator_roundoff(one.type));
  }
}

TEST(Accumulators, AreCalledMeasuredOnADeviceOnlyWhereTheyWere) {
  const auto all = measured();
  for (const AccumulatorError& entry : accumulator_errors()) {
    if (!entry.measured || entry.architecture == "x86-64") continue;
    const bool is_there = std::any_of(all.begin(), all.end(), [&](const Measured& one) {
      return one.architecture == entry.architecture && one.instruction == entry.instruction &&
             one.type == entry.type;
    });
    EXPECT_TRUE(is_there) << entry.architecture << " " << entry.instruction;
  }
}

}  // namespace
}  // namespace lvsa::analysis
