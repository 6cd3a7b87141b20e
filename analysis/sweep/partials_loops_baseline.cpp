// The loops of frame partials for any machine.

#include "analysis/sweep/partials_loops.hpp"

namespace lvsa::analysis {
namespace {

constexpr int kLanes = 2;
constexpr int kRows = 2;

#include "analysis/sweep/partials_loops_inl.hpp"

}  // namespace

const PartialsLoops kPartialsBaselineLoops = {multiply, soften,    combine,   compare,
                                              scale,    exp_array, log_array, gather};

}  // namespace lvsa::analysis
