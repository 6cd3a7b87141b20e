// Any blocks, masks, orders and heads: the kernel, the oracle and sums over visible tokens agree.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "reference/attention/blocks/block_oracle.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"
#include "tests/block_attention/block_case.hpp"

namespace block_test {
namespace {

using lvsa::BlockAxis;
using lvsa::HeadPattern;
using lvsa::reference::RowId;

// A sequence cut anywhere, one block and blocks of one token included.
BlockAxis any_axis(std::int64_t tokens) {
  if (*rc::gen::inRange(0, 3) == 0) {
    return BlockAxis::uniform(tokens, *rc::gen::inRange<std::int64_t>(1, tokens + 5));
  }
  std::set<std::int64_t> begins = {0, tokens};
  for (const std::int64_t cut :
       *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(0, tokens))) {
    begins.insert(cut);
  }
  return BlockAxis::of_begins({begins.begin(), begins.end()});
}

Case any_case(bool skip) {
  Shape shape;
  shape.batch = *rc::gen::inRange(1, 3);
  shape.kv_heads = *rc::gen::inRange(1, 3);
  shape.heads = shape.kv_heads * *rc::gen::inRange(1, 3);
  shape.queries = *rc::gen::inRange(1, 60);
  const bool order = *rc::gen::arbitrary<bool>();
  shape.keys = order ? shape.queries : *rc::gen::inRange(1, 200);
  shape.dim = *rc::gen::inRange(1, 20);
  shape.threads = *rc::gen::inRange(1, 4);
  shape.layout = *rc::gen::arbitrary<bool>() ? lvsa::Layout::kBSHD : lvsa::Layout::kBHSD;
  const BlockAxis rows = any_axis(shape.queries);
  const BlockAxis columns = any_axis(shape.keys);
  std::vector<HeadPattern> patterns;
  for (std::int64_t i = 0; i < shape.batch * shape.heads; ++i) {
    patterns.push_back(random_pattern(*rc::gen::arbitrary<std::uint64_t>(), rows, columns,
                                      *rc::gen::arbitrary<bool>(), order));
  }
  for (std::size_t i = 0; skip && i < patterns.size(); ++i) {  // one threshold a head
    const auto head = i % static_cast<std::size_t>(shape.heads);
    patterns[i].skip = lvsa::SkipRule{-2.0 + 2.0 * static_cast<double>(head)};
  }
  return Case(shape, patterns, *rc::gen::arbitrary<unsigned>());
}

RC_GTEST_PROP(BlockProperty, TheKernelAgreesWithSumsOverVisibleTokens, ()) {
  Case c = any_case(false);
  for (const auto* kernel : all_levels()) {
    c.run(*kernel);
    const std::string wrong = compare(c);
    if (!wrong.empty()) RC_FAIL(std::string(kernel->name) + ": " + wrong);
  }
}

RC_GTEST_PROP(BlockProperty, TheKernelSkipsWithinTheOraclesDoubt, ()) {
  Case c = any_case(true);
  const Shape& s = c.shape;
  c.run(lvsa::reference::cpu_blocks_kernel());
  lvsa::reference::ScoreErrorModel errors;
  errors.dot = 2.0 * static_cast<double>(s.dim) * 0x1p-24;
  lvsa::reference::BlockOracle oracle({c.q.view(), c.k.view(), c.v.view(), s.scale, c.patterns},
                                      errors);
  std::vector<RowId> rows;
  for (std::int64_t t = 0; t < s.queries; t += 3) rows.push_back({t % s.batch, t, t % s.heads});
  const auto due = oracle.attend_rows(rows);
  std::vector<double> out(static_cast<std::size_t>(s.dim));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    c.out.view().read_row(rows[i].batch, rows[i].token, rows[i].head, out.data());
    for (std::size_t d = 0; d < out.size(); ++d) {
      RC_ASSERT(std::fabs(out[d] - due[i].row.out[d]) <= due[i].doubt[d] + 1e-4);
    }
    const double lse = c.lse(rows[i].batch, rows[i].token, rows[i].head);
    if (lse == due[i].row.lse) continue;
    RC_ASSERT(lse <= due[i].row.lse + 1e-4);
    RC_ASSERT(lse >= due[i].row.lse - due[i].doubt_lse - 1e-4);
  }
}

// An order is the same as tensors in that order and results put back, bit for bit.
RC_GTEST_PROP(BlockProperty, AnOrderEqualsTensorsInThatOrder, ()) {
  Shape shape;
  shape.queries = shape.keys = *rc::gen::inRange(1, 90);
  const BlockAxis rows = any_axis(shape.queries);
  const BlockAxis columns = any_axis(shape.keys);
  const HeadPattern ordered =
      random_pattern(*rc::gen::arbitrary<std::uint64_t>(), rows, columns, true, true);
  HeadPattern plain = ordered;
  plain.order.reset();
  Case a(shape, {ordered}, 7);
  Case b(shape, {plain}, 7);
  const std::size_t row = static_cast<std::size_t>(shape.dim) * sizeof(float);
  const auto at = [row](lvsa::Tensor& t, std::int64_t token) {
    return t.bytes() + static_cast<std::size_t>(token) * row;
  };
  for (std::int64_t place = 0; place < shape.queries; ++place) {
    const std::int64_t token = ordered.order->token(place);
    std::copy_n(at(a.q, token), row, at(b.q, place));
    std::copy_n(at(a.k, token), row, at(b.k, place));
    std::copy_n(at(a.v, token), row, at(b.v, place));
  }
  a.run(lvsa::reference::cpu_blocks_kernel());
  b.run(lvsa::reference::cpu_blocks_kernel());
  for (std::int64_t place = 0; place < shape.queries; ++place) {
    const std::int64_t token = ordered.order->token(place);
    RC_ASSERT(std::equal(at(a.out, token), at(a.out, token) + row, at(b.out, place)));
    RC_ASSERT(a.lse(0, token, 0) == b.lse(0, place, 0));
  }
}

}  // namespace
}  // namespace block_test
