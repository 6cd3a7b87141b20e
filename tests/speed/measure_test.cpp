#include "analysis/speed/measure.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "analysis/verify/kernel_invoke.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// Two kernels that note who was called on what, and compute nothing.
struct Call {
  char who;
  const void* out;
  const void* workspace;
};
std::vector<Call> calls;
int failures_due = 0;

lvsa_status note(char who, const lvsa_problem* p, void* workspace, char* message, size_t size) {
  calls.push_back({who, p->out.data, workspace});
  if (who == 'B' && failures_due > 0 && --failures_due == 0) {
    std::snprintf(message, size, "cannot go on");
    return LVSA_FAILED;
  }
  return LVSA_OK;
}
lvsa_status run_a(const lvsa_problem* p, void* workspace, size_t, void*, char* message,
                  size_t size) {
  return note('A', p, workspace, message, size);
}
lvsa_status run_b(const lvsa_problem* p, void* workspace, size_t, void*, char* message,
                  size_t size) {
  return note('B', p, workspace, message, size);
}
lvsa_status workspace_of(const lvsa_problem*, size_t* bytes) {
  *bytes = 1000;
  return LVSA_OK;
}

lvsa_kernel kernel_named(const char* name, decltype(&run_a) run) {
  lvsa_kernel kernel{};
  kernel.abi_version = LVSA_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof kernel;
  kernel.name = name;
  kernel.capabilities.struct_size = sizeof kernel.capabilities;
  kernel.capabilities.dtypes = LVSA_DTYPE_BIT(LVSA_F32);
  kernel.capabilities.head_dim_min = 1;
  kernel.capabilities.head_dim_max = 64;
  kernel.run = run;
  kernel.workspace = workspace_of;
  return kernel;
}

struct Told {
  std::vector<std::pair<std::string, std::string>> messages;

  SpeedMeter::Tell tell() {
    return [this](std::string_view word, std::string_view text) {
      if (word != "part") messages.emplace_back(word, text);
    };
  }
  std::vector<std::string> of(const std::string& word) const {
    std::vector<std::string> texts;
    for (const auto& [said, text] : messages) {
      if (said == word) texts.push_back(text);
    }
    return texts;
  }
};

class Measuring : public ::testing::Test {
 protected:
  Measuring() {
    calls.clear();
    failures_due = 0;
    settings_.slot_s = 1e-9;  // one call a time
  }

  SpeedMeter meter(const std::string& line) {
    return {a_, b_, {parse_case(line)}, settings_, told_.tell()};
  }

  lvsa_kernel a_ = kernel_named("first", run_a);
  lvsa_kernel b_ = kernel_named("second", run_b);
  MeasureSettings settings_;
  Told told_;
};

constexpr const char* kLine = "T=3 P=2 H=1 D=8 dtype=f32 W=1 ref=3 step=0";

TEST_F(Measuring, SaysWhoTheKernelsAre) {
  meter(kLine).answer("who");
  EXPECT_EQ(told_.of("side"), (std::vector<std::string>{"0 0 first", "1 0 second"}));
  EXPECT_EQ(told_.of("device").size(), 0U);
  EXPECT_EQ(told_.messages.back().first, "done");
}

TEST_F(Measuring, CallsTheKernelsInTheOrderOfTheBlocks) {
  meter(kLine).answer("measure 0 2 1");
  std::string order;
  for (const Call& call : calls) order += call.who;
  // Warmed up twice; before each block once more. Block 0: ABBA and AAAA; block 1: BAAB and AAAA.
  EXPECT_EQ(order,
            "ABAB"
            "AB"
            "ABBAAAAA"
            "AB"
            "BAABAAAA");
  ASSERT_EQ(told_.of("block").size(), 2U);
  const std::vector<double> numbers = parse_numbers(told_.of("block")[1]);
  ASSERT_EQ(numbers.size(), 8U);
  EXPECT_EQ(numbers[0], 0.0);
  EXPECT_EQ(numbers[1], 1.0);
  for (std::size_t i = 2; i < numbers.size(); ++i) EXPECT_GT(numbers[i], 0.0);
}

TEST_F(Measuring, RepeatsCallsAsOftenAsItIsAsked) {
  meter(kLine).answer("measure 0 1 5");
  EXPECT_EQ(calls.size(), 4U * 5U + 2U + 8U * 5U);
}

TEST_F(Measuring, GivesBothKernelsTheSameMemory) {
  meter(kLine).answer("measure 0 1 1");
  for (const Call& call : calls) {
    EXPECT_EQ(call.out, calls.front().out);
    EXPECT_EQ(call.workspace, calls.front().workspace);
  }
}

TEST_F(Measuring, LeavesOutWhatAKernelDoesNotServe) {
  b_.capabilities.head_dim_max = 4;
  SpeedMeter asked = meter(kLine);
  asked.answer("pilot");
  EXPECT_EQ(told_.of("left-out"), (std::vector<std::string>{"0 kernel second: no head size 8"}));
  asked.answer("measure 0 3 0");
  EXPECT_TRUE(calls.empty());
}

TEST_F(Measuring, TellsInThePilotHowLongCallsTakeAndHowTheyVary) {
  meter(kLine).answer("pilot");
  ASSERT_EQ(told_.of("pilot").size(), 1U);
  const std::vector<double> numbers = parse_numbers(told_.of("pilot").front());
  ASSERT_EQ(numbers.size(), 5U + static_cast<std::size_t>(kPilotBlocks));
  EXPECT_EQ(numbers[0], 0.0);
  EXPECT_EQ(numbers[1], 1.0);
}

TEST_F(Measuring, GoesOnNoFurtherThanAFailedCall) {
  failures_due = 3;
  SpeedMeter asked = meter(kLine);
  try {
    asked.answer("measure 0 3 1");
    FAIL() << "a failed call was taken for a good one";
  } catch (const KernelFailed& failed) {
    EXPECT_NE(std::string(failed.what()).find("second"), std::string::npos);
    EXPECT_NE(std::string(failed.what()).find("cannot go on"), std::string::npos);
  }
}

TEST_F(Measuring, RefusesWhatItDoesNotUnderstand) {
  SpeedMeter asked = meter(kLine);
  EXPECT_THROW(asked.answer("dance"), Error);
  EXPECT_THROW(asked.answer("measure 0 1"), Error);
  EXPECT_THROW(asked.answer("measure 0 one 1"), Error);
}

TEST(MachineStates, AreReadBack) {
  MachineState state;
  state.load_1min = 1.25;
  state.cpu_probe_ghz = 3.1;
  state.gpu_throttle = 0x40;
  state.governor = "powersave";
  const MachineState back = decode_state(encode_state(state));
  EXPECT_EQ(back.load_1min, state.load_1min);
  EXPECT_EQ(back.cpu_probe_ghz, state.cpu_probe_ghz);
  EXPECT_EQ(back.gpu_throttle, state.gpu_throttle);
  EXPECT_EQ(back.governor, state.governor);
  EXPECT_FALSE(back.gpu_power_w.has_value());
  EXPECT_FALSE(back.cpu_mhz.has_value());
  EXPECT_EQ(decode_state(encode_state(MachineState{})).governor, "");
  EXPECT_THROW(decode_state("1 2 3"), Error);
}

TEST(Throttling, NamesTheReasonsThatCount) {
  EXPECT_EQ(throttle_text(0), "");
  EXPECT_EQ(throttle_text(0x1 | 0x2 | 0x4), "");  // idle, a setting, the power cap
  EXPECT_EQ(throttle_text(0x20 | 0x80), "heat, power brake");
}

TEST(DefaultSpeedCases, AreDifferentForEachKindOfMachine) {
  EXPECT_GE(default_speed_cases(false).size(), 4U);
  EXPECT_GE(default_speed_cases(true).size(), 4U);
  EXPECT_LT(default_speed_cases(false).front().grid.seq_len(), 2000);
}

}  // namespace
}  // namespace lvsa::analysis
