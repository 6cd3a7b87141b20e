#pragma once
// Known traps of block-sparse attention in other libraries, as cases of an exchange file: each
// group names a trap, which python/lvsa_traps.py springs on the user's installation beside filling
// the group's outputs the careful way.

#include <string>
#include <string_view>
#include <vector>

#include "analysis/verify/case.hpp"
#include "analysis/verify/exchange.hpp"

namespace lvsa::analysis {

struct TrapCase {
  std::string name;  ///< "base-2-log-sum-exp"
  Case c;
};

/// "flashinfer-traps", "flex-traps".
bool is_trap_suite(std::string_view suite);
/// Their cases, small ones. Throws Error(kValue) for a suite that is none of them.
std::vector<TrapCase> trap_cases(std::string_view suite);

/// Takes what a script saw (attributes trap_state and trap_seen of the group) into the result: a
/// check named "trap NAME", which fails the case where the library did what nobody counted on.
/// Groups that name no trap are left alone. Throws Error(kIo) for a state that is none.
void add_trap_check(CaseResult& result, const ExchangeFiles& files, const std::string& group);

}  // namespace lvsa::analysis
