#include "reference/parallel/all_to_all.hpp"

#include <algorithm>
#include <string>

#include "reference/pattern/frame_set.hpp"

namespace lvsa::reference {
namespace {

std::int64_t check_same_shapes(const std::vector<HeadTensor>& in) {
  require(!in.empty(), "an exchange of no ranks: at least 1 is due");
  for (const HeadTensor& x : in) {
    require(x.tokens == in[0].tokens && x.heads == in[0].heads && x.dim == in[0].dim,
            "an exchange of unequal shapes: every rank must hold as many tokens and heads");
  }
  return static_cast<std::int64_t>(in.size());
}

}  // namespace

std::vector<HeadTensor> heads_for_tokens(const std::vector<HeadTensor>& in, ExchangeOrder order) {
  const std::int64_t ranks = check_same_shapes(in);
  require(in[0].heads % ranks == 0, std::to_string(in[0].heads) + " heads over " +
                                        std::to_string(ranks) + " Ulysses ranks: a multiple of " +
                                        std::to_string(ranks) + " is due");
  const std::int64_t tokens = in[0].tokens;
  const std::int64_t heads = in[0].heads / ranks;
  std::vector<HeadTensor> out;
  for (std::int64_t i = 0; i < ranks; ++i) {
    HeadTensor& made = out.emplace_back(ranks * tokens, heads, in[0].dim);
    for (std::int64_t q = 0; q < ranks; ++q) {
      for (std::int64_t t = 0; t < tokens; ++t) {
        const std::int64_t at =
            order == ExchangeOrder::kTokensInterleaved ? t * ranks + q : q * tokens + t;
        for (std::int64_t j = 0; j < heads; ++j) {
          std::copy_n(in[static_cast<std::size_t>(q)].row(t, i * heads + j), made.dim,
                      made.row(at, j));
        }
      }
    }
  }
  return out;
}

std::vector<HeadTensor> tokens_for_heads(const std::vector<HeadTensor>& in, ExchangeOrder order) {
  const std::int64_t ranks = check_same_shapes(in);
  require(in[0].tokens % ranks == 0, std::to_string(in[0].tokens) + " tokens over " +
                                         std::to_string(ranks) + " Ulysses ranks: a multiple of " +
                                         std::to_string(ranks) + " is due");
  const std::int64_t tokens = in[0].tokens / ranks;
  const std::int64_t heads = in[0].heads;
  std::vector<HeadTensor> out;
  for (std::int64_t i = 0; i < ranks; ++i) {
    HeadTensor& made = out.emplace_back(tokens, ranks * heads, in[0].dim);
    for (std::int64_t q = 0; q < ranks; ++q) {
      for (std::int64_t t = 0; t < tokens; ++t) {
        const std::int64_t at =
            order == ExchangeOrder::kTokensInterleaved ? t * ranks + i : i * tokens + t;
        for (std::int64_t j = 0; j < heads; ++j) {
          const std::int64_t head =
              order == ExchangeOrder::kHeadsInterleaved ? j * ranks + q : q * heads + j;
          std::copy_n(in[static_cast<std::size_t>(q)].row(at, j), made.dim, made.row(t, head));
        }
      }
    }
  }
  return out;
}

}  // namespace lvsa::reference
