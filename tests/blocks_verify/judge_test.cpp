// Verdicts on block-sparse kernels: the sound one passes, and kernels that take something of a map
// wrongly fail.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "analysis/blocks/run_block_case.hpp"
#include "analysis/verify/suite.hpp"
#include "core/error.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"

namespace lvsa::analysis {
namespace {

using Run = lvsa_status (*)(const lvsa_block_problem*, void*, std::size_t, void*, char*,
                            std::size_t);

lvsa_status healthy(const lvsa_block_problem& problem, void* workspace, std::size_t bytes,
                    char* message, std::size_t size) {
  return reference::cpu_blocks_kernel().run(&problem, workspace, bytes, nullptr, message, size);
}

// The sound kernel, which gets a problem that `Change` has changed.
template <typename Change>
lvsa_status changed(const lvsa_block_problem* problem, void* workspace, std::size_t bytes,
                    char* message, std::size_t size, Change change) {
  lvsa_block_problem other = *problem;
  change(other);
  return healthy(other, workspace, bytes, message, size);
}

lvsa_block_kernel kernel_with(Run run) {
  lvsa_block_kernel kernel = reference::cpu_blocks_kernel();
  kernel.name = "changed";
  kernel.run = run;
  return kernel;
}

CaseResult judged(const lvsa_block_kernel& kernel, const std::string& line,
                  RelationChoice relations = RelationChoice::kNone) {
  RunOptions options;
  options.threads = 1;
  options.relations = relations;
  return run_block_case(parse_case("ref=21 step=0 rows=0 seed=3 " + line), kernel, options);
}

std::string failed_check(const CaseResult& result) {
  for (const NamedCheck& check : result.checks) {
    if (check.state == CheckState::kFails) return check.name;
  }
  return "";
}

TEST(BlockVerdict, PassesTheSoundKernelOnTheSmokeSuite) {
  for (const Case& c : block_smoke_cases()) {
    RunOptions options;
    options.threads = 1;
    options.relations = RelationChoice::kNone;
    const CaseResult result = run_block_case(c, reference::cpu_blocks_kernel(), options);
    EXPECT_TRUE(result.status == Status::kPass || result.status == Status::kWeak)
        << result.line << ": " << result.message;
    EXPECT_GT(result.output.checked, 0);
  }
}

TEST(BlockVerdict, HoldsAllRelationsForTheSoundKernel) {
  for (const char* line :
       {"pattern=random:block_q=32:block_k=16:masks=0.3:order=1 T=3 P=20 text=4 B=2 H=4 Hkv=2 "
        "D=16 dtype=bf16 input=gauss",
        "pattern=random:block_q=16:block_k=16:empty=0.2 T=3 P=32 H=2 Hkv=1 D=16 dtype=f32 "
        "input=integers",
        "pattern=random:block_q=16:block_k=16:density=0.8:skip=1 T=2 P=31 H=2 Hkv=1 D=16 "
        "dtype=f16 input=gauss sigma=3"}) {
    const CaseResult result = judged(reference::cpu_blocks_kernel(), line, RelationChoice::kAll);
    for (const NamedCheck& check : result.checks) {
      EXPECT_NE(check.state, CheckState::kFails) << line << ": " << check.name << check.message;
    }
    EXPECT_GT(result.checks.size(), 30U);
  }
}

TEST(BlockVerdict, FailsAKernelThatIgnoresElementMasks) {
  const auto kernel = kernel_with(
      [](const lvsa_block_problem* p, void* w, std::size_t n, void*, char* m, std::size_t size) {
        return changed(p, w, n, m, size, [](lvsa_block_problem& other) {
          static std::vector<lvsa_block_map> maps;
          maps.assign(other.maps, other.maps + other.map_count);
          for (lvsa_block_map& map : maps) map.entry_mask = nullptr;
          other.maps = maps.data();
        });
      });
  const CaseResult result =
      judged(kernel,
             "pattern=random:block_q=32:block_k=32:masks=0.1 T=8 P=40 H=2 Hkv=2 D=64 dtype=f32 "
             "input=indicator-place");
  EXPECT_EQ(result.status, Status::kFail);
  EXPECT_NE(result.where.find("element mask"), std::string::npos) << result.where;
}

TEST(BlockVerdict, FailsAKernelThatGivesAllHeadsTheMapOfTheFirst) {
  const auto kernel = kernel_with(
      [](const lvsa_block_problem* p, void* w, std::size_t n, void*, char* m, std::size_t size) {
        return changed(p, w, n, m, size, [](lvsa_block_problem& other) {
          static std::vector<std::int32_t> first;
          first.assign(static_cast<std::size_t>(other.batch * other.heads), other.map_of_head[0]);
          other.map_of_head = first.data();
        });
      });
  const CaseResult result =
      judged(kernel,
             "pattern=random:block_q=32:block_k=32 T=4 P=40 H=2 Hkv=2 D=64 dtype=bf16 "
             "input=indicator-block");
  EXPECT_EQ(result.status, Status::kFail);
  EXPECT_NE(result.where.find("only head 1"), std::string::npos) << result.where;
  EXPECT_NE(result.where.find("key block"), std::string::npos) << result.where;
}

TEST(BlockVerdict, FailsAKernelThatForgetsTheOrder) {
  const auto kernel = kernel_with(
      [](const lvsa_block_problem* p, void* w, std::size_t n, void*, char* m, std::size_t size) {
        return changed(p, w, n, m, size,
                       [](lvsa_block_problem& other) { other.order_of_head = nullptr; });
      });
  const CaseResult result = judged(
      kernel, "pattern=random:order=1 T=4 P=80 H=1 Hkv=1 D=64 dtype=bf16 input=indicator-key");
  EXPECT_EQ(result.status, Status::kFail);
}

TEST(BlockVerdict, FailsAKernelThatDropsTheLastBlockOfEachRow) {
  const auto kernel = kernel_with(
      [](const lvsa_block_problem* p, void* w, std::size_t n, void*, char* m, std::size_t size) {
        return changed(p, w, n, m, size, [](lvsa_block_problem& other) { --other.column_blocks; });
      });
  // A problem that the kernel refuses as malformed is its own failure, not a pass.
  const CaseResult result =
      judged(kernel, "pattern=dense T=1 P=300 H=1 Hkv=1 D=64 dtype=bf16 input=gauss");
  EXPECT_TRUE(is_failure(result.status));
}

TEST(BlockVerdict, TellsASkipRuleIgnoredFromOneThatCounts) {
  const auto ignores = kernel_with(
      [](const lvsa_block_problem* p, void* w, std::size_t n, void*, char* m, std::size_t size) {
        return changed(p, w, n, m, size,
                       [](lvsa_block_problem& other) { other.skip_threshold_log2 = nullptr; });
      });
  const std::string line =
      "pattern=random:block_q=16:block_k=16:density=1:skip=0 T=4 P=60 H=2 Hkv=2 D=64 dtype=f32 "
      "input=gauss sigma=0.5";
  EXPECT_EQ(judged(reference::cpu_blocks_kernel(), line).status, Status::kPass);
  EXPECT_EQ(judged(ignores, line).status, Status::kFail);
}

TEST(BlockVerdict, SeesAMapThatIsKeptFromTheCallBefore) {
  // Remembers the indices of the first map by its address.
  const auto kernel = kernel_with(
      [](const lvsa_block_problem* p, void* w, std::size_t n, void*, char* m, std::size_t size) {
        return changed(p, w, n, m, size, [](lvsa_block_problem& other) {
          static const std::int32_t* known = nullptr;
          static std::vector<std::int32_t> indices;
          static lvsa_block_map map;
          const auto count = static_cast<std::size_t>(other.maps[0].indptr[other.row_blocks]);
          if (known != other.maps[0].indices || indices.size() != count) {
            known = other.maps[0].indices;
            indices.assign(known, known + count);
          }
          map = other.maps[0];
          map.indices = indices.data();
          other.maps = &map;
        });
      });
  const CaseResult result =
      judged(kernel,
             "pattern=random:block_q=16:block_k=16:density=0.5 T=2 P=60 H=1 Hkv=1 D=16 dtype=f32 "
             "input=gauss",
             RelationChoice::kAll);
  EXPECT_EQ(result.status, Status::kFail);
  EXPECT_EQ(failed_check(result), "stale-map");
}

TEST(BlockVerdict, SeesAKernelThatChangesItsMaps) {
  const auto kernel = kernel_with(
      [](const lvsa_block_problem* p, void* w, std::size_t n, void*, char* m, std::size_t size) {
        const lvsa_status status = healthy(*p, w, n, m, size);
        const_cast<std::int32_t*>(p->maps[0].indptr)[p->row_blocks] += 1;
        return status;
      });
  RunOptions options;
  options.threads = 1;
  const Case c = parse_case(
      "pattern=random:density=1 T=60 P=70 H=4 Hkv=4 D=128 dtype=f32 ref=21 step=0 rows=4 seed=3 "
      "input=gauss compute=rows");  // too large for the relations that would call it again
  const CaseResult result = run_block_case(c, kernel, options);
  EXPECT_EQ(failed_check(result), "inputs");
}

TEST(BlockVerdict, CallsUnsupportedWhatAKernelDoesNotOffer) {
  static constexpr std::int64_t kOnly[1][2] = {{128, 64}};
  lvsa_block_kernel kernel = reference::cpu_blocks_kernel();
  kernel.capabilities.block_sizes = 1;
  kernel.capabilities.block_size = kOnly;
  kernel.capabilities.orders = 0;
  kernel.capabilities.element_masks = 0;
  kernel.capabilities.skip = 0;
  kernel.capabilities.maps_per_head = 0;
  kernel.capabilities.segments = 0;
  const std::string sizes = " T=2 P=150 H=2 Hkv=2 D=64 dtype=bf16 input=gauss";
  const auto reason = [&](const std::string& words) {
    const CaseResult result = judged(kernel, "pattern=random" + words + sizes);
    return result.status == Status::kUnsupported ? result.message : "it ran";
  };
  EXPECT_EQ(reason(":block_q=64:block_k=64"), "no blocks of 64 x 64 tokens; it has 128 x 64");
  EXPECT_EQ(reason(":per_head=0:order=1"), "no orders of tokens");
  EXPECT_EQ(reason(":per_head=0:masks=0.5"), "no element masks");
  EXPECT_EQ(reason(":per_head=0:skip=5"), "no online skip");
  EXPECT_EQ(reason(":per_head=0:segments=frames"), "no smaller blocks but the last one");
  EXPECT_EQ(reason(""), "no maps that differ between heads");
  EXPECT_EQ(reason(":per_head=0"), "it ran");
}

TEST(BlockVerdict, FailsAKernelThatRefusesWhatItDeclares) {
  const auto kernel = kernel_with([](const lvsa_block_problem*, void*, std::size_t, void*, char*,
                                     std::size_t) { return LVSA_UNSUPPORTED; });
  const CaseResult result =
      judged(kernel, "pattern=dense T=1 P=30 H=1 Hkv=1 D=64 dtype=bf16 input=gauss");
  EXPECT_EQ(result.status, Status::kError);
  EXPECT_EQ(failed_check(result), "capabilities");
}

}  // namespace
}  // namespace lvsa::analysis
