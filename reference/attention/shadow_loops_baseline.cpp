// The shadow's inner loops for any machine: GCC's vectors of two doubles.

#include "reference/attention/shadow_loops.hpp"

namespace lvsa::reference {
namespace {

constexpr int kLanes = 2;

#include "reference/attention/shadow_loops_inl.hpp"

}  // namespace

const ShadowLoops kShadowBaselineLoops = {score, add_values};

}  // namespace lvsa::reference
