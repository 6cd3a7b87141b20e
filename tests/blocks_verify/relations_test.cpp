// Relations of maps against kernels that read where they may not, or mistake the number of queries
// for that of keys.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "analysis/blocks/run_block_case.hpp"
#include "reference/attention/blocks/block_mutants.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"

namespace lvsa::analysis {
namespace {

using Problem = lvsa_block_problem;

lvsa_status healthy(const Problem* p, void* workspace, std::size_t bytes, void* stream,
                    char* message, std::size_t size) {
  return reference::cpu_blocks_kernel().run(p, workspace, bytes, stream, message, size);
}

// The sound kernel that first reads the number at `place(problem)`.
template <auto place>
lvsa_block_kernel peeping() {
  lvsa_block_kernel kernel = reference::cpu_blocks_kernel();
  kernel.name = "peeping";
  kernel.run = [](const Problem* p, void* w, std::size_t n, void* stream, char* m,
                  std::size_t size) {
    [[maybe_unused]] const volatile auto seen = *static_cast<const volatile int*>(place(*p));
    return healthy(p, w, n, stream, m, size);
  };
  return kernel;
}

CaseResult judged(const lvsa_block_kernel& kernel, const std::string& words) {
  RunOptions options;
  options.threads = 1;
  options.relations = RelationChoice::kAll;
  return run_block_case(
      parse_case("ref=21 step=0 rows=0 seed=3 T=2 P=32 B=2 H=2 Hkv=2 D=16 dtype=f32 input=gauss "
                 "pattern=random:block_q=16:block_k=16:" +
                 words),
      kernel, options);
}

std::string message_of(const CaseResult& result, const std::string& check) {
  for (const NamedCheck& found : result.checks) {
    if (found.name != check) continue;
    return found.state == CheckState::kFails ? found.message : "";
  }
  return "not run";
}

TEST(BlockRelations, SeeReadsPastTheEndsOfMapsMasksAndOrders) {
  const auto past_indptr = peeping<[](const Problem& p) -> const void* {
    return p.maps[0].indptr + p.row_blocks + 1;
  }>();
  EXPECT_EQ(message_of(judged(past_indptr, "density=0.5"), "input-ends"),
            "reads past the end of indptr of a map: byte 0 behind it");
  const auto past_indices = peeping<[](const Problem& p) -> const void* {
    return p.maps[0].indices + p.maps[0].indptr[p.row_blocks];
  }>();
  EXPECT_EQ(message_of(judged(past_indices, "density=0.5"), "input-ends"),
            "reads past the end of indices of a map: byte 0 behind it");
  const auto before_masks = peeping<[](const Problem& p) -> const void* {
    return p.mask_bits == nullptr ? static_cast<const void*>(p.row_begin) : p.mask_bits - 1;
  }>();
  EXPECT_EQ(message_of(judged(before_masks, "masks=0.5"), "input-starts"),
            "reads 8 bytes in front of mask_bits");
  const auto past_orders = peeping<[](const Problem& p) -> const void* {
    if (p.orders == nullptr) return p.row_begin;
    return p.orders + p.order_count * p.query_tokens;
  }>();
  EXPECT_EQ(message_of(judged(past_orders, "order=1"), "input-ends"),
            "reads past the end of orders: byte 0 behind it");
}

TEST(BlockRelations, HoldForTheSoundKernelWithFewerAndMoreKeysThanQueries) {
  for (const char* words : {"density=0.5", "masks=0.5", "skip=1,4"}) {
    const CaseResult result = judged(reference::cpu_blocks_kernel(), words);
    for (const char* check : {"more-keys", "fewer-keys", "fewer-queries", "input-ends"}) {
      EXPECT_EQ(message_of(result, check), "") << words << " " << check;
    }
    for (const NamedCheck& check : result.checks) {
      if (check.name.find("keys") == std::string::npos) continue;
      EXPECT_EQ(check.state, CheckState::kHolds) << words << " " << check.name << check.message;
    }
  }
}

TEST(BlockRelations, TellKernelsThatTakeTheNumberOfQueriesForThatOfKeys) {
  for (const auto defect :
       {reference::BlockDefect::kKeysCutAtQueries, reference::BlockDefect::kBatchOfQueries}) {
    const CaseResult result = judged(reference::block_mutant_kernel(defect), "density=0.9:empty=0");
    EXPECT_NE(message_of(result, "fewer-queries"), "") << static_cast<int>(defect);
    EXPECT_EQ(result.output.failed, 0);
  }
}

TEST(BlockRelations, AreNotAskedOfKernelsWithoutThem) {
  lvsa_block_kernel kernel = reference::cpu_blocks_kernel();
  kernel.capabilities.unequal_tokens = 0;
  const CaseResult result = judged(kernel, "density=0.5");
  for (const NamedCheck& check : result.checks) {
    if (check.name != "more-keys" && check.name != "fewer-keys" && check.name != "fewer-queries") {
      continue;
    }
    EXPECT_EQ(check.state, CheckState::kNotApplicable) << check.name;
  }
}

}  // namespace
}  // namespace lvsa::analysis
