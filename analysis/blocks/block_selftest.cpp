#include "analysis/blocks/block_selftest.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/blocks/run_block_case.hpp"
#include "analysis/verify/replay_case.hpp"
#include "core/error.hpp"
#include "reference/attention/blocks/block_mutants.hpp"

namespace lvsa::analysis {
namespace {

// Relations call a kernel some forty times more, so few cases have them; the others are judged by
// their bounds.
constexpr std::size_t kWithRelations = 2;

void add(std::vector<std::string>& accusations, const std::string& accusation) {
  if (std::find(accusations.begin(), accusations.end(), accusation) == accusations.end()) {
    accusations.push_back(accusation);
  }
}

// Cases in the order in which a kernel meets them. For the score these come first: a plain one, one
// with a skip, one with masks, one with rows without keys; between them they accuse most of the
// corpus.
std::vector<std::size_t> order_of_cases(std::size_t cases, SelftestDepth depth) {
  std::vector<std::size_t> order;
  if (depth == SelftestDepth::kFirstKill) order = {0, 11, 3, 2};
  for (std::size_t i = 0; i < cases; ++i) {
    if (std::find(order.begin(), order.end(), i) == order.end()) order.push_back(i);
  }
  return order;
}

}  // namespace

const std::vector<Case>& block_selftest_cases() {
  static const std::vector<Case> cases = [] {
    std::vector<Case> made;
    const auto add_case = [&](const std::string& rule, const std::string& sizes) {
      made.push_back(parse_case(
          fmt::format("model=selftest pattern={} {} dtype=bf16 ref=21 step=0 seed={} rows=0", rule,
                      sizes, made.size() + 1)));
    };
    // With relations; without masks, which kernels that remember maps would look for in vain.
    add_case("random:block_q=16:block_k=32:density=0.6:empty=0.1:order=1",
             "T=3 P=41 text=5 H=2 Hkv=1 D=32 input=gauss");
    add_case("random:block_q=32:block_k=16:density=0.6", "T=4 P=32 B=2 H=2 Hkv=2 D=32 input=gauss");
    // By bounds.
    add_case("random:block_q=32:block_k=16:density=0.6:empty=0.2",
             "T=3 P=45 text=2 H=4 Hkv=2 D=32 input=indicator-block");
    add_case("random:block_q=16:block_k=80:density=0.7:masks=0.5",
             "T=3 P=67 H=2 Hkv=2 D=64 input=indicator-place");
    add_case("random:block_q=32:block_k=32:density=0.7:masks=0.5",
             "T=3 P=50 H=2 Hkv=2 D=64 input=phantom");
    add_case("random:block_q=32:block_k=32:density=0.6:order=1:masks=0.2",
             "T=4 P=37 H=4 Hkv=2 D=64 input=indicator-key");
    add_case("random:block_q=24:block_k=40:density=0.6:segments=frames:empty=0.2",
             "T=4 P=30 text=9 H=2 Hkv=2 D=64 input=indicator-block");
    add_case("random:block_q=32:block_k=32:density=0.8", "T=2 P=70 H=2 Hkv=1 D=40 input=large");
    add_case("random:block_q=32:block_k=32:density=0.6", "T=2 P=70 H=2 Hkv=1 D=64 input=phantom");
    add_case("random:block_q=16:block_k=16:density=0.6:order=1",
             "T=4 P=31 B=2 H=4 Hkv=2 D=64 input=beacon-block");
    add_case("sparge:topk=0.4", "T=4 P=70 B=2 H=4 Hkv=2 D=64 input=gauss");
    // The skip: unlike thresholds, masks, and large scores.
    for (const char* input : {"gauss", "gauss sigma=2", "beacon-block", "indicator-block"}) {
      add_case("random:block_q=16:block_k=16:density=0.8:skip=0.5,4",
               fmt::format("T=4 P=61 H=2 Hkv=2 D=32 input={}", input));
      add_case("random:block_q=16:block_k=16:density=0.8:masks=0.5:order=1:skip=2,0",
               fmt::format("T=4 P=61 H=2 Hkv=1 D=32 input={}", input));
    }
    // Below 0 a block is left out that raises a maximum, and the raised one counts.
    add_case("random:block_q=16:block_k=16:density=0.9:skip=-1,-0.5",
             "T=4 P=61 H=2 Hkv=2 D=32 input=gauss sigma=1.5");
    return made;
  }();
  return cases;
}

std::vector<std::string> block_accusations(const lvsa_block_kernel& kernel, SelftestDepth depth) {
  std::vector<std::string> accusations;
  const auto& cases = block_selftest_cases();
  // Bounds first: they cost least.
  for (const bool relations : {false, true}) {
    for (const std::size_t i : order_of_cases(cases.size(), depth)) {
      if (relations && i >= kWithRelations) continue;
      if (depth == SelftestDepth::kFirstKill && !accusations.empty()) return accusations;
      RunOptions options;
      options.relations = relations ? RelationChoice::kAll : RelationChoice::kNone;
      reference::forget_previous_block_calls();
      const CaseResult result = run_block_case(cases[i], kernel, options);
      for (const NamedCheck& check : result.checks) {
        if (check.state == CheckState::kFails) add(accusations, check.name);
      }
      const std::string kind = failure_kind(result);
      if (!kind.empty() && !relations) {
        add(accusations, fmt::format("{}/{}", input_name(cases[i].input), kind));
      }
    }
  }
  return accusations;
}

std::int64_t BlockSelftestReport::killed() const {
  return std::count_if(defects.begin(), defects.end(),
                       [](const SelftestLine& line) { return line.killed(); });
}

bool BlockSelftestReport::good() const {
  return healthy.by.empty() && killed() == static_cast<std::int64_t>(defects.size());
}

BlockSelftestReport run_block_selftest(SelftestDepth depth,
                                       const std::function<void(std::size_t, std::size_t)>& done) {
  const auto all = reference::all_block_defects();
  BlockSelftestReport report;
  const lvsa_block_kernel& healthy = reference::block_mutant_kernel(reference::BlockDefect::kNone);
  report.healthy = {healthy.name, "", healthy.description,
                    block_accusations(healthy, SelftestDepth::kComplete)};
  if (done) done(1, all.size() + 1);
  for (const reference::BlockDefectInfo& info : all) {
    report.defects.push_back(
        {info.name, std::string(info.family), info.description,
         block_accusations(reference::block_mutant_kernel(info.defect), depth)});
    if (done) done(report.defects.size() + 1, all.size() + 1);
  }
  return report;
}

}  // namespace lvsa::analysis
