// Property tests draw the same inputs on every run unless the environment says otherwise, see
// tests/property/fixed_seed.cpp. Fewer of them: each runs a restatement pair by pair.

#include <cstdlib>

namespace {

// rapidcheck reads the variable when the first property runs; this runs before main.
[[maybe_unused]] const int kSeedIsSet =
    setenv("RC_PARAMS", "seed=20260801 max_success=150", /*overwrite=*/0);

}  // namespace
