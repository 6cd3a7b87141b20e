// What libFuzzer calls: the target that the variable LVSA_FUZZ_TARGET names. Built by the preset
// `fuzz` alone (./dev fuzz).
#ifdef LVSA_LIBFUZZER

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/fuzz_target.hpp"

namespace {

const lvsa::fuzz::FuzzTarget* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("LVSA_FUZZ_TARGET");
  for (const auto& target : lvsa::fuzz::fuzz_targets()) {
    if (name != nullptr && std::string_view(name) == target.name) chosen = &target;
  }
  if (chosen != nullptr) return 0;
  std::fprintf(stderr, "LVSA_FUZZ_TARGET: one of these is due:");
  for (const auto& target : lvsa::fuzz::fuzz_targets()) std::fprintf(stderr, " %s", target.name);
  std::fprintf(stderr, "\n");
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lvsa::fuzz::run_target(*chosen, {reinterpret_cast<const char*>(data), size});
  return 0;
}

#endif
