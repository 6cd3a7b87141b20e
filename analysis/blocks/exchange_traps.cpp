#include "analysis/blocks/exchange_traps.hpp"

#include <fmt/format.h>

#include <span>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

struct Trap {
  const char* name;
  const char* sizes;  // and inputs
  const char* rule;   // behind random:block_q=64:block_k=64
};

constexpr const char* kPlain = "T=1 P=320 H=2 Hkv=2 D=64 dtype=bf16";
constexpr const char* kPlainRule = ":density=0.6:per_head=0";

constexpr Trap kFlashInfer[] = {
    {"index-equal-to-blocks", kPlain, kPlainRule},
    {"index-beyond-blocks", kPlain, kPlainRule},
    {"index-below-zero", kPlain, kPlainRule},
    {"index-twice", kPlain, kPlainRule},
    {"output-type-default", kPlain, kPlainRule},
    {"input-type-default", kPlain, kPlainRule},
    {"base-2-log-sum-exp", kPlain, kPlainRule},
    {"empty-rows", kPlain, ":density=0.6:per_head=0:empty=0.4"},
    {"empty-map", "T=1 P=192 H=2 Hkv=2 D=64 dtype=bf16", ":density=0:per_head=0:empty=1"},
    {"ragged-last-key-block", "T=1 P=304 H=2 Hkv=2 D=64 dtype=bf16", kPlainRule},
    {"ragged-last-query-block", "T=1 P=304 H=2 Hkv=2 D=64 dtype=bf16", ":density=1:per_head=0"},
    {"one-map-for-all-heads", "T=1 P=320 H=4 Hkv=2 D=64 dtype=bf16", ":density=0.5"},
    {"element-mask-changes-kernel", kPlain, ":density=0.6:per_head=0:masks=0.5"},
    {"mask-after-plan-without", kPlain, ":density=0.6:per_head=0:masks=0.5"},
    {"batch-of-one", "T=1 P=192 B=2 H=2 Hkv=2 D=64 dtype=bf16", kPlainRule},
};

constexpr Trap kFlex[] = {
    {"blocks-ignored-uncompiled", kPlain, kPlainRule},
    {"mask-ignored-in-full-blocks", kPlain, ":density=0.6:per_head=0:masks=0.5"},
    {"index-equal-to-blocks", kPlain, kPlainRule},
    {"index-twice", kPlain, kPlainRule},
    {"lengths-default-to-whole-blocks", "T=1 P=304 H=2 Hkv=2 D=64 dtype=bf16", kPlainRule},
    {"other-length-accepted", kPlain, kPlainRule},
    {"empty-rows", kPlain, ":density=0.6:per_head=0:empty=0.4"},
    {"natural-log-sum-exp", kPlain, kPlainRule},
    {"block-size-below-tile", "T=1 P=96 H=2 Hkv=2 D=64 dtype=bf16", kPlainRule},
    {"grouped-heads-need-a-flag", "T=1 P=320 H=4 Hkv=2 D=64 dtype=bf16", ":density=0.5"},
};

std::span<const Trap> traps_of(std::string_view suite) {
  if (suite == "flashinfer-traps") return kFlashInfer;
  if (suite == "flex-traps") return kFlex;
  return {};
}

}  // namespace

bool is_trap_suite(std::string_view suite) { return !traps_of(suite).empty(); }

std::vector<TrapCase> trap_cases(std::string_view suite) {
  std::vector<TrapCase> cases;
  for (const Trap& trap : traps_of(suite)) {
    cases.push_back({trap.name, parse_case(fmt::format(
                                    "model=traps pattern=random:block_q=64:block_k=64{}{} {} "
                                    "ref=21 step=0 input=gauss seed={} rows=0",
                                    trap.rule, ":seed=7", trap.sizes, cases.size() + 1))});
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
