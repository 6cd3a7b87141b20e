// Every pair, in blocks: what the others are held against.

#include <array>
#include <memory>

#include "core/blocks/rule_words.hpp"
#include "core/sparse/rules.hpp"

namespace lvsa::sparse {
namespace {

class Dense : public PatternRule {
 public:
  explicit Dense(BlockSize block) : block_(block) {}

  HeadPattern make(const PatternInput& input) const override {
    const std::int64_t tokens = input.video.grid.seq_len();
    HeadPattern pattern;
    pattern.map = full_block_map(BlockAxis::uniform(tokens, block_.rows),
                                 BlockAxis::uniform(tokens, block_.columns));
    return pattern;
  }

 private:
  BlockSize block_;
};

constexpr std::array<RuleParameter, 2> kParameters = {{
    {"block_q", "128", "tokens of a query block, 1 .. 4096"},
    {"block_k", "64", "tokens of a key block, 1 .. 4096"},
}};

std::unique_ptr<PatternRule> make(const RuleWords& words) {
  return std::make_unique<Dense>(
      BlockSize{words.integer("block_q", 1, 4096), words.integer("block_k", 1, 4096)});
}

}  // namespace

const RuleInfo& dense_rule() {
  static const RuleInfo info{
      "dense", "Dense", "every pair of tokens", "attends everything", kParameters, &make, {}};
  return info;
}

}  // namespace lvsa::sparse
