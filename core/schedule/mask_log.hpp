#pragma once
// When the plugin prints its mask. Source: published LVSA behaviour, mask log.

#include <cstdint>
#include <string_view>

namespace lvsa {

/// `spec` is LVSA_MASK_LOG: empty or "0" never; "1" every step; "once" the first time only;
/// "N-M" that range, both ends included; "N,M,K" those steps; anything unparsable never.
/// `last_step` is the step of the last log, -1 for none: a step is logged at most once.
bool mask_log_due(std::string_view spec, std::int64_t step, std::int64_t last_step);

}  // namespace lvsa
