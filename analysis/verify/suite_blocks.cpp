// Maps for block-sparse kernels: block sizes, lengths around them, and everything that a map may
// hold.

#include <fmt/format.h>

#include <array>
#include <string>

#include "analysis/verify/suite.hpp"
#include "core/blocks/pattern_rule.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

Case block_case(const std::string& rule, const std::string& sizes, const std::string& input) {
  return parse_case(
      fmt::format("model=blocks pattern={} {} ref=21 step=0 {} rows=0", rule, sizes, input));
}

struct Sizes {
  int rows;
  int columns;
};
constexpr std::array<Sizes, 4> kSizes = {{{128, 64}, {64, 128}, {128, 128}, {64, 64}}};

// What else a map holds, and inputs, in turn, so that each meets many others.
constexpr std::array kExtras = {
    "",
    ":masks=0.5",
    ":order=1",
    ":empty=0.3",
    ":masks=0.3:order=1",
    ":per_head=0",
    ":segments=frames",
    ":segments=text:masks=0.2",
    ":empty=0.2:order=1:segments=text",
};
constexpr std::array kInputs = {
    "input=gauss",         "input=indicator-block", "input=indicator-place", "input=phantom",
    "input=beacon-block",  "input=indicator-key",   "input=integers",        "input=ties",
    "input=gauss sigma=3", "input=indicator",       "input=uniform",
};
constexpr std::array kTypes = {"bf16", "f32", "f16"};

// Number `i` of a list, over and over.
template <typename List>
auto turn(const List& list, std::size_t i) {
  return list[i % list.size()];
}

std::string typed(std::size_t i) { return fmt::format("D=64 dtype={}", turn(kTypes, i)); }

std::string random_rule(const Sizes& size, const std::string& more) {
  return fmt::format("random:block_q={}:block_k={}{}", size.rows, size.columns, more);
}

// Every length around the sizes of blocks, every size.
void add_lengths(std::vector<Case>& cases) {
  std::size_t i = 0;
  for (const int tokens : {1, 2, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257}) {
    for (const Sizes& size : kSizes) {
      ++i;
      cases.push_back(
          block_case(random_rule(size, fmt::format(":density=0.7{}:seed={}", turn(kExtras, i), i)),
                     fmt::format("T=1 P={} H=1 Hkv=1 {}", tokens, typed(i)),
                     fmt::format("{} seed={}", turn(kInputs, i), i)));
    }
  }
}

// Frames, text, groups and batches.
void add_shapes(std::vector<Case>& cases) {
  constexpr std::array kHeads = {"H=1 Hkv=1", "H=2 Hkv=2",     "H=4 Hkv=2",
                                 "H=8 Hkv=1", "B=2 H=2 Hkv=1", "B=3 H=2 Hkv=2"};
  std::size_t i = 0;
  for (const int text : {0, 1, 77, 256, 512}) {
    for (const char* grid : {"T=5 P=33", "T=3 P=64", "T=2 P=130", "T=13 P=7"}) {
      ++i;
      cases.push_back(
          block_case(random_rule(turn(kSizes, i),
                                 fmt::format(":density=0.5{}:seed={}", turn(kExtras, i), 100 + i)),
                     fmt::format("{} text={} {} {}", grid, text, turn(kHeads, i), typed(i / 2)),
                     fmt::format("{} seed={}", turn(kInputs, i + 3), 100 + i)));
    }
  }
}

// The online skip, from one that leaves out all it can to one that leaves out next to nothing.
void add_skips(std::vector<Case>& cases) {
  std::size_t i = 0;
  for (const char* skip : {"0", "1", "4", "12", "30"}) {
    for (const char* more : {"", ":masks=0.4", ":order=1"}) {
      ++i;
      cases.push_back(block_case(
          random_rule(turn(kSizes, i),
                      fmt::format(":density=0.8:skip={}{}:seed={}", skip, more, 200 + i)),
          fmt::format("T=4 P=90 text=21 H=2 Hkv=1 {}", typed(i)),
          fmt::format("input={} seed={}", i % 2 == 0 ? "gauss sigma=3" : "beacon-block", i)));
    }
  }
}

// Whole frames as blocks, and blocks of odd sizes.
void add_odd_blocks(std::vector<Case>& cases) {
  std::size_t i = 0;
  for (const Sizes size : {Sizes{50, 50}, Sizes{1, 1}, Sizes{7, 200}, Sizes{33, 65}}) {
    ++i;
    cases.push_back(
        block_case(random_rule(size, fmt::format(":density=0.4:segments=frames:seed={}", 300 + i)),
                   fmt::format("T=4 P=50 text=9 H=2 Hkv=2 {}", typed(i)),
                   fmt::format("{} seed={}", turn(kInputs, i), 300 + i)));
  }
}

// Every rule with its defaults that needs nothing but a grid and tensors.
void add_rules(std::vector<Case>& cases) {
  std::size_t i = 0;
  for (const RuleInfo& rule : all_rules()) {
    try {
      make_rule(std::string(rule.name));
    } catch (const Error&) {
      continue;  // it wants a file, or another parameter that has no default
    }
    for (const char* text : {"", " text=77"}) {
      ++i;
      cases.push_back(block_case(
          std::string(rule.name), fmt::format("T=6 P=64 hw=8x8{} H=2 Hkv=2 {}", text, typed(i)),
          fmt::format("input={} seed={}", i % 2 == 0 ? "gauss" : "indicator-block", 400 + i)));
    }
  }
}

}  // namespace

std::vector<Case> block_smoke_cases() {
  std::vector<Case> cases;
  std::size_t i = 0;
  const auto add = [&](const std::string& rule, const std::string& sizes, const char* input) {
    ++i;
    cases.push_back(block_case(rule, sizes, fmt::format("{} seed={}", input, i)));
  };
  add("dense", "T=2 P=64 H=1 Hkv=1 D=64 dtype=bf16", "input=gauss");
  add("random", "T=1 P=1 H=1 Hkv=1 D=64 dtype=f32", "input=gauss");
  add("random:density=1", "T=1 P=40 H=1 Hkv=1 D=64 dtype=bf16", "input=indicator-place");
  add("random:density=0.6", "T=3 P=67 text=13 H=2 Hkv=1 D=64 dtype=bf16", "input=indicator-block");
  add("random:density=0.6:block_q=64:block_k=128:empty=0.3", "T=6 P=50 H=2 Hkv=2 D=64 dtype=f16",
      "input=gauss");
  add("random:density=0.6:block_q=128:block_k=128:masks=0.5", "T=3 P=120 H=2 Hkv=2 D=64 dtype=f32",
      "input=indicator-place");
  add("random:density=0.5:block_q=64:block_k=64:order=1:masks=0.3",
      "T=4 P=65 text=5 H=2 Hkv=1 D=64 dtype=bf16", "input=indicator-key");
  add("random:density=0.5:segments=frames:block_q=70:block_k=70",
      "T=4 P=70 text=20 H=1 Hkv=1 D=64 dtype=bf16", "input=indicator");
  add("random:density=0.5:segments=text", "T=3 P=70 text=77 H=1 Hkv=1 D=128 dtype=bf16",
      "input=phantom");
  add("random:density=0.6:order=1", "T=3 P=43 B=2 H=2 Hkv=2 D=64 dtype=f32", "input=beacon-block");
  add("random:density=0.6:per_head=0", "T=3 P=64 H=4 Hkv=2 D=64 dtype=f16", "input=integers");
  add("random:density=0.6:block_q=64:block_k=64:empty=0.2", "T=1 P=320 H=2 Hkv=2 D=64 dtype=bf16",
      "input=ties");
  add("random:density=0.8:skip=4:block_q=64:block_k=64", "T=4 P=80 H=2 Hkv=1 D=64 dtype=bf16",
      "input=gauss sigma=3");
  add("random:density=0.8:skip=2:order=1:masks=0.3", "T=3 P=90 H=2 Hkv=2 D=64 dtype=f32",
      "input=beacon-block");
  add("sparge:topk=0.5", "T=4 P=64 H=2 Hkv=1 D=64 dtype=bf16", "input=gauss");
  return cases;
}

std::vector<Case> block_cases() {
  std::vector<Case> cases = block_smoke_cases();
  add_lengths(cases);
  add_shapes(cases);
  add_skips(cases);
  add_odd_blocks(cases);
  add_rules(cases);
  return cases;
}

}  // namespace lvsa::analysis
