// Relations about where tensors lie, about the scale and about what stays in the workspace, on a
// kernel made unsound by a change of the problem that it hands on to a sound one.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "analysis/verify/relations.hpp"
#include "analysis/verify/run_case.hpp"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace lvsa::analysis {
namespace {

using Change = void (*)(lvsa_problem&);
Change change = nullptr;

lvsa_status run_changed(const lvsa_problem* problem, void* workspace, std::size_t bytes,
                        void* stream, char* message, std::size_t message_size) {
  lvsa_problem changed = *problem;
  change(changed);
  return reference::cpu_kernel().run(&changed, workspace, bytes, stream, message, message_size);
}

NamedCheck check_one(const std::string& name, Change how, const std::string& line) {
  change = how;
  lvsa_kernel kernel = reference::cpu_kernel();
  kernel.run = run_changed;
  const Case c = parse_case(line);
  const Problem problem =
      make_problem(c, make_inputs(c), build_frame_pattern(case_pattern_spec(c)), {}, 1);
  RelationOptions options;
  options.names = {name};
  return check_relations(kernel, problem, options).front();
}

constexpr const char* kLine =
    "T=5 P=9 text=3 B=2 H=2 Hkv=2 D=16 dtype=f16 W=1 ref=3 step=1 input=gauss seed=3 rows=0";

void nothing(lvsa_problem&) {}
void values_by_key_strides(lvsa_problem& p) {
  std::memcpy(p.v.strides, p.k.strides, sizeof p.v.strides);
}
void elements_side_by_side(lvsa_problem& p) { p.k.strides[3] = 1; }
void address_rounded_down(lvsa_problem& p) {
  p.k.data = static_cast<char*>(p.k.data) - reinterpret_cast<std::uintptr_t>(p.k.data) % 64;
}
void token_stride_in_16_bits(lvsa_problem& p) { p.k.strides[1] &= 0xffff; }
void own_scale(lvsa_problem& p) { p.scale = 1.0 / std::sqrt(static_cast<double>(p.head_dim)); }

struct Unsound {
  const char* relation;
  Change change;
};
class RelationOfPlace : public testing::TestWithParam<Unsound> {};

TEST_P(RelationOfPlace, SeesTheKernelThatBreaksItAndLeavesTheSoundOneAlone) {
  const NamedCheck broken = check_one(GetParam().relation, GetParam().change, kLine);
  EXPECT_EQ(broken.state, CheckState::kFails) << GetParam().relation;
  EXPECT_EQ(broken.message.find('\n'), std::string::npos);
  const NamedCheck sound = check_one(GetParam().relation, nothing, kLine);
  EXPECT_EQ(sound.state, CheckState::kHolds) << GetParam().relation << ": " << sound.message;
}

INSTANTIATE_TEST_SUITE_P(All, RelationOfPlace,
                         testing::Values(Unsound{"own-strides", values_by_key_strides},
                                         Unsound{"element-stride", elements_side_by_side},
                                         Unsound{"alignment", address_rounded_down},
                                         Unsound{"far", token_stride_in_16_bits},
                                         Unsound{"scale", own_scale}));

// Keeps its keys in the workspace, or beside the first row of k, and does not look again.
std::vector<unsigned char> first_row;
std::vector<unsigned char> kept;
void keys_by_first_row(lvsa_problem& p) {
  const std::size_t row = static_cast<std::size_t>(p.head_dim) * 2;
  const std::size_t all =
      row * static_cast<std::size_t>(p.kv_heads * p.batch *
                                     (p.frames * p.patches_per_frame + p.text_tokens));
  const auto* data = static_cast<const unsigned char*>(p.k.data);
  const bool same = kept.size() == all && std::memcmp(first_row.data(), data, row) == 0;
  if (!same) {
    first_row.assign(data, data + row);
    kept.assign(data, data + all);
  }
  p.k.data = kept.data();
}

TEST(RelationStaleRow, SeesAKernelThatTellsKeysByTheirFirstRow) {
  kept.clear();
  EXPECT_EQ(check_one("stale-row", keys_by_first_row, kLine).state, CheckState::kFails);
  const NamedCheck sound = check_one("stale-row", nothing, kLine);
  EXPECT_EQ(sound.state, CheckState::kHolds) << sound.message;
}

lvsa_status run_from_workspace(const lvsa_problem* problem, void* workspace, std::size_t bytes,
                               void* stream, char* message, std::size_t message_size) {
  constexpr std::uint64_t kMark = 0x6b65792d68657265;
  const auto size = static_cast<std::size_t>(
      problem->batch * (problem->frames * problem->patches_per_frame + problem->text_tokens) *
      problem->kv_heads * problem->head_dim * 2);
  auto* place = static_cast<unsigned char*>(workspace) + (bytes - size - sizeof kMark);
  if (std::memcmp(place, &kMark, sizeof kMark) != 0) {
    std::memcpy(place, &kMark, sizeof kMark);
    std::memcpy(place + sizeof kMark, problem->k.data, size);
  }
  lvsa_problem changed = *problem;
  changed.k.data = place + sizeof kMark;
  return reference::cpu_kernel().run(&changed, workspace, bytes - size - sizeof kMark, stream,
                                     message, message_size);
}

lvsa_status larger_workspace(const lvsa_problem* problem, std::size_t* bytes) {
  const lvsa_status status = reference::cpu_kernel().workspace(problem, bytes);
  *bytes += 8 + static_cast<std::size_t>(
                    problem->batch *
                    (problem->frames * problem->patches_per_frame + problem->text_tokens) *
                    problem->kv_heads * problem->head_dim * 2);
  return status;
}

TEST(RelationStaleData, SeesAKernelThatTrustsWhatItLeftInItsWorkspace) {
  lvsa_kernel kernel = reference::cpu_kernel();
  kernel.run = run_from_workspace;
  kernel.workspace = larger_workspace;
  const Case c = parse_case(kLine);
  RelationOptions options;
  options.names = {"stale-data"};
  const Problem problem =
      make_problem(c, make_inputs(c), build_frame_pattern(case_pattern_spec(c)), {}, 1);
  EXPECT_EQ(check_relations(kernel, problem, options).front().state, CheckState::kFails);
}

// 2 RN(x) is not RN(2 x) where RN(x) is a subnormal number: the case accused a sound kernel once.
TEST(RelationValuesDoubled, LeavesSubnormalOutputsAlone) {
  for (const char* line :
       {"T=80 P=7 text=64 H=2 Hkv=2 D=80 dtype=f16 layout=bhsd n_first=3 ref=10 step=32 "
        "input=uniform seed=538 rows=0",
        "T=11 P=63 text=64 H=3 Hkv=3 D=84 dtype=f16 p=f16 W=2 n_first=3 ref=16 scale=2 expand=0 "
        "step=24 condition=11,27 input=ties seed=392 rows=0"}) {
    const NamedCheck check = check_one("values-doubled", nothing, line);
    EXPECT_EQ(check.state, CheckState::kHolds) << check.message;
  }
}

}  // namespace
}  // namespace lvsa::analysis
