// Kernels that read outside of their inputs, whatever they make of what they find there.
#include "analysis/verify/guard_pages.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "analysis/verify/problem_extent.hpp"
#include "analysis/verify/relations.hpp"
#include "core/pattern/frame_pattern.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace lvsa::analysis {
namespace {

// What the kernel does before it computes.
using Harm = void (*)(const lvsa_problem&);
Harm harm = nullptr;

lvsa_status harmful_run(const lvsa_problem* problem, void* workspace, std::size_t bytes,
                        void* stream, char* message, std::size_t size) {
  if (harm != nullptr) harm(*problem);
  const lvsa_kernel& healthy = reference::mutant_kernel(reference::Defect::kNone);
  return healthy.run(problem, workspace, bytes, stream, message, size);
}

// Reads a byte and makes nothing of it. The address sanitizer would see it before the pages do.
__attribute__((no_sanitize("address"))) void look(const void* from, std::ptrdiff_t offset) {
  [[maybe_unused]] const char seen = static_cast<const volatile char*>(from)[offset];
}

std::vector<NamedCheck> guarded_checks(const lvsa_kernel& kernel, const char* line) {
  const Case c = parse_case(line);
  const AttentionTensors tensors = make_inputs(c);
  const Problem problem =
      make_problem(c, tensors, build_frame_pattern(case_pattern_spec(c)), {}, 0);
  RelationOptions options;
  options.names = {"input-ends", "input-starts"};
  return check_relations(kernel, problem, options);
}

constexpr const char* kLine =
    "T=5 P=4 text=3 B=2 H=4 Hkv=2 D=32 dtype=bf16 W=1 ref=3 step=1 input=gauss seed=1 rows=0";
// Sizes that fill neither a page nor 64 bytes.
constexpr const char* kOddLine =
    "T=3 P=1 H=1 Hkv=1 D=5 dtype=f32 layout=bhsd W=1 ref=3 step=1 input=gauss seed=1 rows=0";

std::vector<NamedCheck> with_harm(Harm what) {
  lvsa_kernel kernel = reference::mutant_kernel(reference::Defect::kNone);
  kernel.run = harmful_run;
  harm = what;
  auto checks = guarded_checks(kernel, kLine);
  harm = nullptr;
  EXPECT_EQ(checks.size(), 2U);
  return checks;
}

TEST(GuardPages, AreNotTouchedByHealthyKernels) {
  for (const char* line : {kLine, kOddLine}) {
    for (const lvsa_kernel* kernel :
         {&reference::mutant_kernel(reference::Defect::kNone), &reference::cpu_kernel()}) {
      for (const NamedCheck& check : guarded_checks(*kernel, line)) {
        EXPECT_EQ(check.state, CheckState::kHolds)
            << kernel->name << ": " << check.name << ": " << check.message;
      }
    }
  }
}

TEST(GuardPages, NameTheInputThatIsReadPastItsEnd) {
  const auto checks = with_harm([](const lvsa_problem& p) {
    look(p.k.data, static_cast<std::ptrdiff_t>(tensor_extent(p, p.k, p.kv_heads, p.dtype)) + 16);
  });
  EXPECT_EQ(checks[0].state, CheckState::kFails);
  EXPECT_EQ(checks[0].message, "reads past the end of k: byte 16 behind it");
  EXPECT_EQ(checks[1].state, CheckState::kHolds) << checks[1].message;
}

TEST(GuardPages, NameTheInputThatIsReadInFrontOfItsStart) {
  const auto checks = with_harm([](const lvsa_problem& p) { look(p.v.data, -2); });
  EXPECT_EQ(checks[0].state, CheckState::kHolds) << checks[0].message;
  EXPECT_EQ(checks[1].message, "reads 2 bytes in front of v");
}

TEST(GuardPages, WatchTheListsToTheByte) {
  const auto list = with_harm(
      [](const lvsa_problem& p) { look(p.frame_lists.list + p.frame_lists.offsets[p.frames], 0); });
  EXPECT_EQ(list[0].message, "reads past the end of frame_lists.list: byte 0 behind it");
  const auto offsets =
      with_harm([](const lvsa_problem& p) { look(p.frame_lists.offsets + p.frames + 1, 0); });
  EXPECT_EQ(offsets[0].message, "reads past the end of frame_lists.offsets: byte 0 behind it");
  const auto before = with_harm([](const lvsa_problem& p) { look(p.block_csr.indptr, -4); });
  EXPECT_EQ(before[1].message, "reads 4 bytes in front of block_csr.indptr");
}

TEST(GuardPages, TellWritesFromReads) {
#ifdef __x86_64__
  const auto checks =
      with_harm([](const lvsa_problem& p) { static_cast<volatile char*>(p.q.data)[-1] = 1; });
  EXPECT_EQ(checks[1].message, "writes 1 bytes in front of q");
#else
  GTEST_SKIP() << "only told on x86-64";
#endif
}

TEST(GuardPages, GiveTheSignalBack) {
  struct sigaction before {};
  struct sigaction after {};
  sigaction(SIGSEGV, nullptr, &before);
  guarded_checks(reference::mutant_kernel(reference::Defect::kNone), kOddLine);
  sigaction(SIGSEGV, nullptr, &after);
  EXPECT_EQ(before.sa_sigaction, after.sa_sigaction);
}

// A fault that is none of the guards' ends the process as it would have without them.
TEST(GuardPagesDeathTest, LeaveOtherFaultsAlone) {
  EXPECT_DEATH(with_harm([](const lvsa_problem&) { *reinterpret_cast<volatile int*>(8) = 1; }), "");
}

}  // namespace
}  // namespace lvsa::analysis
