// The corpus itself: complete, and each wrong mask differs from the right one where it should.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/pattern/frame_pattern.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"
#include "reference/attention/mutants/wrong_lists.hpp"

namespace lvsa::reference {
namespace {

AttendedLists lists(const PatternSpec& spec) {
  const FramePattern pattern = build_frame_pattern(spec);
  AttendedLists made;
  for (std::int64_t f = 0; f < spec.frames; ++f) {
    made.emplace_back(pattern.row(f).begin(), pattern.row(f).end());
  }
  return made;
}

TEST(Mutants, AreFortyAtTheLeastWithNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const DefectInfo& info : all_defects()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_STRNE(info.description, "");
    EXPECT_EQ(std::string(mutant_kernel(info.defect).name), std::string("emulated-") + info.name);
  }
  EXPECT_GE(names.size(), 40U);
  EXPECT_STREQ(mutant_kernel(Defect::kNone).name, "emulated");
}

TEST(Mutants, StandInTheOrderOfTheirNumbers) {
  int number = 1;
  for (const DefectInfo& info : all_defects()) EXPECT_EQ(static_cast<int>(info.defect), number++);
}

TEST(WrongLists, ChangeWhatTheDefectSays) {
  const PatternSpec right{.frames = 20,
                          .window_frames = 2,
                          .n_first_frames = 1,
                          .interval = 6,
                          .offset = 5,
                          .expand_window = true,
                          .extra_globals = {8, 16}};
  const AttendedLists given = lists(right);
  PatternSpec wrong = right;
  wrong.offset = 0;
  EXPECT_EQ(wrong_lists(given, Defect::kGridNotRotated), lists(wrong));
  wrong = right;
  wrong.extra_globals.clear();
  EXPECT_EQ(wrong_lists(given, Defect::kGuardMissing), lists(wrong));
  wrong = right;
  wrong.n_first_frames = 0;
  EXPECT_EQ(wrong_lists(given, Defect::kFirstFramesIgnored), lists(wrong));
  wrong = right;
  wrong.interval = 7;
  EXPECT_EQ(wrong_lists(given, Defect::kIntervalOffByOne), lists(wrong));
}

TEST(WrongLists, LeaveListsAloneThatFollowNoRule) {
  const AttendedLists odd = {{0, 2}, {1}, {0, 1}, {3}};
  EXPECT_EQ(wrong_lists(odd, Defect::kGridNotRotated), odd);
  EXPECT_EQ(wrong_lists(odd, Defect::kNone), odd);
}

}  // namespace
}  // namespace lvsa::reference
