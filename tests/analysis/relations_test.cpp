// Each relation on a kernel that breaks it, and on kernels that it must leave alone.
#include "analysis/verify/relations.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/verify/run_case.hpp"
#include "core/error.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace lvsa::analysis {
namespace {

using reference::Defect;
using reference::mutant_kernel;

constexpr const char* kLine =
    "T=7 P=35 text=3 B=2 H=4 Hkv=2 D=16 dtype=bf16 W=1 ref=4 step=1 input=gauss seed=3 rows=8 "
    "compute=rows";

Problem problem_of(const std::string& line) {
  const Case c = parse_case(line);
  const AttentionTensors tensors = make_inputs(c);
  std::vector<std::int64_t> wanted;
  if (c.only_wanted) {
    for (const reference::RowId& row : sample_rows(c)) wanted.push_back(row.token);
  }
  return make_problem(c, tensors, build_frame_pattern(case_pattern_spec(c)), wanted, 0);
}

NamedCheck check_one(const lvsa_kernel& kernel, const std::string& name,
                     const std::string& line = kLine) {
  reference::forget_previous_calls();
  RelationOptions options;
  options.names = {name};
  const auto checks = check_relations(kernel, problem_of(line), options);
  EXPECT_EQ(checks.size(), 1U);
  return checks.front();
}

struct Broken {
  Defect defect;
  const char* relation;
};

class Relations : public testing::TestWithParam<Broken> {};

TEST_P(Relations, SeesTheKernelThatBreaksIt) {
  const NamedCheck check = check_one(mutant_kernel(GetParam().defect), GetParam().relation);
  EXPECT_EQ(check.state, CheckState::kFails) << GetParam().relation << ": " << check.message;
  EXPECT_NE(check.message, "");
  EXPECT_EQ(check.message.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    All, Relations,
    testing::Values(
        Broken{Defect::kOrderVaries, "repeat"}, Broken{Defect::kColumnTailUnwritten, "prefill"},
        Broken{Defect::kWorkspaceDirty, "workspace"}, Broken{Defect::kRowEndOverrun, "strides"},
        Broken{Defect::kTensorEndOverrun, "strides"}, Broken{Defect::kRowEndRead, "padding"},
        Broken{Defect::kThreadsOrder, "threads"}, Broken{Defect::kNoLseOrder, "no-lse"},
        Broken{Defect::kWantedOrder, "wanted"}, Broken{Defect::kValuesClamped, "values-doubled"},
        Broken{Defect::kRoundsDown, "values-negated"}, Broken{Defect::kPhantomKeys, "values-one"},
        Broken{Defect::kLseOfValues, "lse-of-values"}, Broken{Defect::kBatchOrder, "batch-order"},
        Broken{Defect::kHeadOrder, "head-order"}, Broken{Defect::kBatchFolded, "batch-mates"},
        Broken{Defect::kWrongKvHead, "head-mates"},
        Broken{Defect::kNeighbourQueryRead, "query-mates"},
        Broken{Defect::kMaskByZeroWeight, "poison-nan"},
        Broken{Defect::kMaskByZeroWeight, "poison-infinity"},
        Broken{Defect::kMaskBiasFinite, "poison-huge"},
        Broken{Defect::kGroupsTiled, "groups-repeated"},
        Broken{Defect::kGroupOrder, "groups-repeated"},
        Broken{Defect::kFrameCountOrder, "frames-added"},
        Broken{Defect::kDenseTextMissing, "dense"}, Broken{Defect::kLseBase2, "halves"},
        Broken{Defect::kDataByAddress, "stale-data"},
        Broken{Defect::kPlanByAddress, "stale-pattern"},
        Broken{Defect::kEqualChecksums, "stale-pattern"},
        Broken{Defect::kStalePattern, "stale-step"}));

TEST(Relation, HoldsForHealthyKernelsWhateverTheInput) {
  for (const lvsa_kernel* kernel : {&mutant_kernel(Defect::kNone), &reference::cpu_kernel()}) {
    for (const InputKind kind : all_inputs()) {
      std::string line = kLine;
      line.replace(line.find("gauss"), 5, input_name(kind));
      for (const NamedCheck& check : check_relations(*kernel, problem_of(line))) {
        EXPECT_NE(check.state, CheckState::kFails)
            << kernel->name << ", " << line << ": " << check.name << ": " << check.message;
      }
    }
  }
}

TEST(Relation, SaysWhyItDoesNotApply) {
  constexpr const char* kPlain =
      "T=1 P=1 H=1 Hkv=1 D=16 dtype=f32 ref=4 step=0 input=gauss seed=3 rows=0";
  const lvsa_kernel& kernel = mutant_kernel(Defect::kNone);
  for (const char* name :
       {"workspace", "wanted", "batch-order", "head-order", "head-mates", "query-mates",
        "poison-nan", "groups-repeated", "stale-pattern", "stale-step", "stale-data", "integers"}) {
    const NamedCheck check = check_one(kernel, name, kPlain);
    EXPECT_EQ(check.state, CheckState::kNotApplicable) << name;
    EXPECT_NE(check.message, "") << name;
  }
}

// Another order of additions for another shape is no mistake, unless the kernel has said that its
// schedule is the same.
TEST(Relation, LeavesAKernelItsOwnOrderWhereItDeclaresNoSchedule) {
  for (const auto& [defect, name] : {std::pair{Defect::kGroupOrder, "groups-repeated"},
                                     std::pair{Defect::kFrameCountOrder, "frames-added"},
                                     std::pair{Defect::kThreadsOrder, "threads"}}) {
    lvsa_kernel silent = mutant_kernel(defect);
    silent.numerics = nullptr;
    EXPECT_EQ(check_one(silent, name).state, CheckState::kHolds) << name;
  }
}

TEST(Relation, DoesNotAskForTheLogSumExpThatAKernelHasNot) {
  lvsa_kernel kernel = mutant_kernel(Defect::kNone);
  kernel.capabilities.lse = 0;
  for (const NamedCheck& check : check_relations(kernel, problem_of(kLine))) {
    EXPECT_NE(check.state, CheckState::kFails) << check.name << ": " << check.message;
    if (check.name == "halves" || check.name == "no-lse") {
      EXPECT_EQ(check.state, CheckState::kNotApplicable) << check.name;
    }
  }
}

lvsa_status refuse_gaps(const lvsa_problem* p, void* workspace, std::size_t bytes, void* stream,
                        char* message, std::size_t size) {
  if (p->out.strides[2] != p->head_dim || p->k.strides[2] != p->head_dim) {
    std::fill_n(message, size, '\0');
    return LVSA_UNSUPPORTED;
  }
  return mutant_kernel(Defect::kNone).run(p, workspace, bytes, stream, message, size);
}

TEST(Relation, ToleratesAKernelThatDoesNotServeAVariant) {
  lvsa_kernel kernel = mutant_kernel(Defect::kNone);
  kernel.run = refuse_gaps;
  for (const char* name : {"strides", "padding"}) {
    EXPECT_EQ(check_one(kernel, name).state, CheckState::kNotApplicable) << name;
  }
  EXPECT_EQ(check_one(kernel, "repeat").state, CheckState::kHolds);
}

TEST(Relation, ThatFailsMakesItsCaseFail) {
  const lvsa_kernel& kernel = mutant_kernel(Defect::kLseOfValues);
  const Case c = parse_case(kLine);
  RunOptions options;
  options.relations = RelationChoice::kAll;
  const CaseResult result = run_case(c, kernel, options);
  EXPECT_EQ(result.status, Status::kFail);
  EXPECT_EQ(result.message.rfind("lse-of-values: ", 0), 0U) << result.message;
  options.relations = RelationChoice::kNone;
  EXPECT_EQ(run_case(c, kernel, options).status, Status::kPass);
}

TEST(Relation, IsDueBySizeAlone) {
  const Case small = parse_case(kLine);
  Case large = small;
  large.grid.patches_per_frame = 50000;
  large.only_wanted = false;
  EXPECT_TRUE(relations_are_due(small, RelationChoice::kAuto));
  EXPECT_FALSE(relations_are_due(large, RelationChoice::kAuto));
  EXPECT_TRUE(relations_are_due(large, RelationChoice::kAll));
  EXPECT_FALSE(relations_are_due(small, RelationChoice::kNone));
  EXPECT_THROW(parse_relation_choice("some"), Error);
}

// Exactly: an output off by one unit in the last place is seen, which no bound would.
lvsa_status one_off(const lvsa_problem* p, void* workspace, std::size_t bytes, void* stream,
                    char* message, std::size_t size) {
  const lvsa_status status =
      mutant_kernel(Defect::kNone).run(p, workspace, bytes, stream, message, size);
  auto* first = static_cast<std::uint16_t*>(p->out.data);
  *first = static_cast<std::uint16_t>(*first ^ 1U);
  return status;
}

TEST(Relation, IntegersSeeOneUnitInTheLastPlace) {
  std::string line = kLine;
  line.replace(line.find("gauss"), 5, "integers");
  lvsa_kernel kernel = mutant_kernel(Defect::kNone);
  EXPECT_EQ(check_one(kernel, "integers", line).state, CheckState::kHolds);
  kernel.run = one_off;
  EXPECT_EQ(check_one(kernel, "integers", line).state, CheckState::kFails);
}

TEST(GuardedTensor, SeesAWriteInFrontBehindAndBetweenRows) {
  for (const Layout layout : {Layout::kBSHD, Layout::kBHSD}) {
    GuardedTensor tensor(LVSA_BF16, {2, 3, 4, 5}, layout, true, 0x11);
    EXPECT_EQ(tensor.changed_outside(), 0);
    for (std::int64_t b = 0; b < 2; ++b) {
      for (std::int64_t s = 0; s < 3; ++s) {
        for (std::int64_t h = 0; h < 4; ++h) {
          std::fill_n(tensor.row(b, s, h), tensor.row_bytes(), std::byte{0x22});
        }
      }
    }
    EXPECT_EQ(tensor.changed_outside(), 0);
    *(tensor.row(1, 1, 1) + tensor.row_bytes()) = std::byte{0};
    EXPECT_EQ(tensor.changed_outside(), 1);
    *(tensor.bytes() - 1) = std::byte{0};
    *(tensor.bytes() + tensor.size_bytes()) = std::byte{0};
    EXPECT_EQ(tensor.changed_outside(), 3);
  }
}

}  // namespace
}  // namespace lvsa::analysis
