#pragma once
// What readings cost, in nats. Judgements, not measurements; docs/geometry.md says what each stands
// for.

namespace lvsa::analysis::reading_cost {

inline constexpr float kOtherFamily = 8.0F;      // than the path's or the hook's
inline constexpr float kCommonSize = 2.0F;       // not one of the model's own sizes
inline constexpr float kSizeAsSet = 1.0F;        // what the settings say, but no usual size
inline constexpr float kFreeSize = 8.0F;         // any other size with whole patches
inline constexpr float kToldWrong = 9.0F;        // size or text differ from what was told
inline constexpr float kOddText = 6.0F;          // a length that the model's text has, but seldom
inline constexpr float kStandardHorizon = 4.0F;  // another T than the settings', of a usual length
inline constexpr float kOtherHorizon = 6.0F;     // any other T
inline constexpr float kShard = 7.0F;  // a rank's part, without sequence parallelism being told
inline constexpr float kWholeOnHook = 4.0F;     // the whole sequence where a part is due
inline constexpr float kShardOnBackend = 1.0F;  // a part where the whole is due
inline constexpr float kPadding = 1.5F;
inline constexpr float kBatch = 5.5F;    // two passes in one sequence
inline constexpr float kHistory = 8.0F;  // whole frames in front of the grid
inline constexpr float kAnyHistory = 12.0F;
inline constexpr float kWarmUp = 3.0F;
inline constexpr float kMost = 30.0F;

}  // namespace lvsa::analysis::reading_cost
