#include "analysis/blocks/exchange_traps.hpp"

#include <fmt/format.h>

#include <span>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

struct Trap {
  const char* name;
  int tokens;
  const char* sizes;
  const char* rule;  // how the rule "random" draws the map
};

constexpr const char* kHeads = "H=2 Hkv=2";
constexpr const char* kMap = ":density=0.6:per_head=0";
constexpr const char* kMasks = ":density=0.6:per_head=0:masks=0.5";
constexpr const char* kEmpty = ":density=0.6:per_head=0:empty=0.4";

// In blocks of 64 x 64; 304 is no multiple, and shares 16 with it.
constexpr Trap kFlashInfer[] = {
    {"index-equal-to-blocks", 320, kHeads, kMap},
    {"index-beyond-blocks", 320, kHeads, kMap},
    {"index-below-zero", 320, kHeads, kMap},
    {"index-twice", 320, kHeads, kMap},
    {"output-type-default", 320, kHeads, kMap},
    {"input-type-default", 320, kHeads, kMap},
    {"base-2-log-sum-exp", 320, kHeads, kMap},
    {"empty-rows", 320, kHeads, kEmpty},
    {"empty-map", 192, kHeads, ":density=0:per_head=0:empty=1"},
    {"ragged-last-key-block", 304, kHeads, kMap},
    {"ragged-last-query-block", 304, kHeads, kMap},
    {"one-map-for-all-heads", 320, "H=4 Hkv=2", ":density=0.5"},
    {"element-mask-changes-kernel", 320, kHeads, kMasks},
    {"mask-after-plan-without", 320, kHeads, kMasks},
    {"batch-of-one", 192, "B=2 H=2 Hkv=2", kMap},
};

// In blocks of 128 x 128, which every tile of the compiled kernels divides.
constexpr Trap kFlex[] = {
    {"blocks-ignored-uncompiled", 640, kHeads, kMap},
    {"mask-ignored-in-full-blocks", 640, kHeads, kMasks},
    {"index-equal-to-blocks", 640, kHeads, kMap},
    {"index-twice", 640, kHeads, kMap},
    {"lengths-default-to-whole-blocks", 608, kHeads, kMap},
    {"other-length-accepted", 640, kHeads, kMap},
    {"empty-rows", 640, kHeads, kEmpty},
    {"natural-log-sum-exp", 640, kHeads, kMap},
    {"block-size-below-tile", 640, kHeads, kMap},
    {"grouped-heads-need-a-flag", 640, "H=4 Hkv=2", ":density=0.5"},
};

std::span<const Trap> traps_of(std::string_view suite) {
  if (suite == "flashinfer-traps") return kFlashInfer;
  if (suite == "flex-traps") return kFlex;
  return {};
}

}  // namespace

bool is_trap_suite(std::string_view suite) { return !traps_of(suite).empty(); }

std::vector<TrapCase> trap_cases(std::string_view suite) {
  const int block = suite == "flex-traps" ? 128 : 64;
  std::vector<TrapCase> cases;
  for (const Trap& trap : traps_of(suite)) {
    cases.push_back(
        {trap.name, parse_case(fmt::format(
                        "model={0} pattern=random:block_q={1}:block_k={1}{2}:seed=7 T=1 P={3} {4} "
                        "D=64 dtype=bf16 ref=21 step=0 input=gauss seed={5} rows=0",
                        trap.name, block, trap.rule, trap.tokens, trap.sizes, cases.size() + 1))});
  }
  if (cases.empty()) {
    throw Error(ErrorKind::kValue,
                fmt::format("suite '{}': flashinfer-traps or flex-traps is due", suite));
  }
  return cases;
}

void add_trap_check(CaseResult& result, const ExchangeFiles& files, const std::string& group) {
  const auto name = files.cases.text_attribute(group, "trap");
  if (!name) return;
  const auto said = files.outputs.text_attribute(group, "trap_state");
  NamedCheck check{"trap " + *name, CheckState::kNotApplicable,
                   "nobody has sprung it: python3 lvsa_traps.py FILE"};
  if (said) {
    const auto state = parse_check_state(*said);
    if (!state) {
      throw Error(ErrorKind::kIo,
                  fmt::format("{}: {}: attribute trap_state is '{}'; 'holds', 'fails' or 'not "
                              "applicable' is due",
                              files.outputs.path(), group, *said));
    }
    check.state = *state;
    check.message = files.outputs.text_attribute(group, "trap_seen").value_or("");
  }
  result.checks.push_back(std::move(check));
  take_in_checks(result);
}

}  // namespace lvsa::analysis
