#pragma once
// 16-bit numbers to doubles, exactly, as a table of functions, one table a set of instructions.
// Plain data and plain functions only, as in oracle_loops.hpp.

#include <stdint.h>

namespace lvsa::reference {

struct OracleWiden {
  /// count numbers of 2 bytes at `from`, of any alignment.
  void (*bf16)(const void* from, int64_t count, double* to);
  void (*f16)(const void* from, int64_t count, double* to);
};

extern const OracleWiden kOracleBaselineWiden;
extern const OracleWiden kOracleAvx2Widen;    // defined in builds for x86-64 only
extern const OracleWiden kOracleAvx512Widen;  // likewise

}  // namespace lvsa::reference
