// Kernels that do not keep what they declare.
#include "analysis/verify/probes.hpp"

#include <gtest/gtest.h>

#include <cstdio>

#include "reference/attention/mutants/mutant_kernel.hpp"

namespace lvsa::analysis {
namespace {

using reference::Defect;

const lvsa_kernel& emulated(Defect defect = Defect::kNone) {
  return reference::mutant_kernel(defect);
}

// Refuses text although it declares it.
lvsa_status refuse_text(const lvsa_problem* problem, void* workspace, std::size_t bytes,
                        void* stream, char* message, std::size_t size) {
  if (problem->text_tokens > 0) {
    std::snprintf(message, size, "no text today");
    return LVSA_UNSUPPORTED;
  }
  return emulated().run(problem, workspace, bytes, stream, message, size);
}

// Zeros where the type is not fp32.
lvsa_status only_fp32(const lvsa_problem* problem, void* workspace, std::size_t bytes, void* stream,
                      char* message, std::size_t size) {
  const lvsa_status status = emulated().run(problem, workspace, bytes, stream, message, size);
  auto* out = static_cast<unsigned char*>(problem->out.data);
  if (problem->dtype != LVSA_F32) out[0] ^= 0x80U, out[1] ^= 0x80U;
  return status;
}

lvsa_kernel with_run(decltype(lvsa_kernel::run) run) {
  lvsa_kernel kernel = emulated();
  kernel.run = run;
  return kernel;
}

CaseResult probed(const char* line, const lvsa_kernel& kernel) {
  reference::forget_previous_calls();
  CaseResult result = run_case(parse_case(line), kernel, {});
  add_probes(result, kernel, {});
  return result;
}

const NamedCheck* find(const CaseResult& result, const char* name) {
  for (const NamedCheck& check : result.checks) {
    if (check.name == name) return &check;
  }
  return nullptr;
}

constexpr const char* kText =
    "T=5 P=4 text=3 B=2 H=4 Hkv=2 D=32 dtype=bf16 W=1 ref=3 step=1 input=gauss seed=1 rows=0";

TEST(Probes, HoldForAHealthyKernel) {
  const CaseResult result = probed(kText, emulated());
  EXPECT_EQ(result.status, Status::kPass) << result.message;
  ASSERT_NE(find(result, "mask"), nullptr);
  EXPECT_EQ(find(result, "mask")->state, CheckState::kHolds);
  EXPECT_EQ(find(result, "capabilities"), nullptr);
}

TEST(Probes, FailACaseThatPassedByItsMask) {
  reference::forget_previous_calls();
  CaseResult fresh = run_case(parse_case(kText), emulated(), {});
  add_probes(fresh, emulated(Defect::kTextTwice), {});
  EXPECT_EQ(fresh.status, Status::kFail);
  EXPECT_NE(fresh.message.find("mask: query frames 0-4, every head attend the text twice"),
            std::string::npos)
      << fresh.message;
}

TEST(Probes, BlameTextThatIsDeclaredAndRefused) {
  const CaseResult result = probed(kText, with_run(refuse_text));
  EXPECT_EQ(result.status, Status::kError);
  const NamedCheck* check = find(result, "capabilities");
  ASSERT_NE(check, nullptr);
  EXPECT_EQ(check->state, CheckState::kFails);
  EXPECT_NE(check->message.find("declares that it serves this (bf16, D=32, 3 text tokens"),
            std::string::npos)
      << check->message;
  EXPECT_NE(check->message.find("no text today"), std::string::npos);
  EXPECT_NE(check->message.find("declares text tokens and is right only without"),
            std::string::npos)
      << check->message;
}

TEST(Probes, ARefusalIsKnownByItsStatusAlone) {
  const CaseResult result = run_case(parse_case(kText), with_run(refuse_text), {});
  ASSERT_NE(find(result, "capabilities"), nullptr);
  EXPECT_EQ(find(result, "capabilities")->state, CheckState::kFails);
  const auto says_so = [](const lvsa_problem*, void*, std::size_t, void*, char* message,
                          std::size_t size) {
    std::snprintf(message, size, "returned status 1");
    return LVSA_FAILED;
  };
  EXPECT_EQ(find(run_case(parse_case(kText), with_run(says_so), {}), "capabilities"), nullptr);
}

TEST(Probes, ShowTheMaskOfAFailureAndRecoverItOnce) {
  EXPECT_FALSE(probed(kText, emulated(Defect::kTextTwice)).recovered.rows.empty());
  EXPECT_TRUE(probed(kText, emulated()).recovered.rows.empty());
}

TEST(Probes, BlameTheTypeThatIsWrong) {
  const CaseResult result = probed(kText, with_run(only_fp32));
  ASSERT_EQ(result.status, Status::kFail);
  const NamedCheck* check = find(result, "capabilities");
  ASSERT_NE(check, nullptr);
  EXPECT_NE(check->message.find("declares this type and is right only without"), std::string::npos)
      << check->message;
}

TEST(Probes, BlameGroups) {
  EXPECT_NE(find(probed(kText, emulated(Defect::kGroupsTiled)), "capabilities")
                ->message.find("grouped heads"),
            std::string::npos);
}

TEST(Probes, BlameNothingWhereAllIsWrong) {
  const CaseResult result = probed(kText, emulated(Defect::kScaleForgotten));
  ASSERT_EQ(result.status, Status::kFail);
  EXPECT_EQ(find(result, "capabilities")->state, CheckState::kHolds);
}

}  // namespace
}  // namespace lvsa::analysis
