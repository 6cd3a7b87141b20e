#include "tests/block_attention/block_case.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <sstream>
#include <utility>

#include "reference/attention/blocks/cpu_blocks.hpp"

namespace block_test {

using lvsa::HeadPattern;

Case::Case(const Shape& s, std::vector<HeadPattern> given, unsigned seed)
    : shape(s),
      patterns(std::move(given)),
      arrays(patterns, s.batch, s.heads),
      q(s.dtype, {s.batch, s.queries, s.heads, s.dim}, s.layout),
      k(s.dtype, {s.batch, s.keys, s.kv_heads, s.dim}, s.layout),
      v(s.dtype, {s.batch, s.keys, s.kv_heads, s.dim}, s.layout),
      out(s.out_dtype, {s.batch, s.queries, s.heads, s.dim}, s.layout),
      lses(static_cast<std::size_t>(s.batch * s.queries * s.heads), 123.0F) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0.0, s.spread);
  for (lvsa::Tensor* t : {&q, &k, &v}) {
    const auto bytes = static_cast<std::int64_t>(lvsa::dtype_bytes(t->dtype()));
    for (std::int64_t i = 0; i < t->elements(); ++i) {
      lvsa::encode(t->dtype(), normal(random), t->bytes() + i * bytes);
    }
  }
  std::memset(out.bytes(), 0xff, out.size_bytes());
}

lvsa_block_problem Case::problem() {
  lvsa_block_problem p{};
  p.struct_size = sizeof(p);
  arrays.fill(p);
  p.kv_heads = shape.kv_heads;
  p.head_dim = shape.dim;
  p.scale = shape.scale;
  p.dtype = shape.dtype;
  p.out_dtype = shape.out_dtype;
  p.p_dtype = shape.p_dtype;
  p.memory = LVSA_HOST;
  p.threads = shape.threads;
  p.q = q.c_tensor();
  p.k = k.c_tensor();
  p.v = v.c_tensor();
  p.out = out.c_tensor();
  p.lse = lses.data();
  p.lse_strides[0] = shape.queries * shape.heads;
  p.lse_strides[1] = shape.heads;
  p.lse_strides[2] = 1;
  if (!wanted.empty()) {
    p.wanted_tokens = wanted.data();
    p.wanted_count = static_cast<std::int64_t>(wanted.size());
  }
  return p;
}

void Case::run(const lvsa_block_kernel& kernel) {
  const lvsa_block_problem p = problem();
  std::size_t bytes = 0;
  if (kernel.workspace != nullptr) {
    ASSERT_EQ(kernel.workspace(&p, &bytes), LVSA_OK);
  }
  // Garbage in the workspace and a zone behind it: neither may matter.
  std::vector<std::uint8_t> workspace(bytes + 64, 0xff);
  char message[256] = "";
  ASSERT_EQ(kernel.run(&p, workspace.data(), bytes, nullptr, message, sizeof(message)), LVSA_OK)
      << message;
  for (std::size_t i = bytes; i < workspace.size(); ++i) ASSERT_EQ(workspace[i], 0xff);
}

const HeadPattern& Case::pattern(std::int64_t batch, std::int64_t head) const {
  return patterns[static_cast<std::size_t>(batch * shape.heads + head) % patterns.size()];
}

double Case::lse(std::int64_t b, std::int64_t s, std::int64_t h) const {
  return static_cast<double>(
      lses[static_cast<std::size_t>((b * shape.queries + s) * shape.heads + h)]);
}

namespace {

struct Row {
  std::vector<double> out;
  double lse = -HUGE_VAL;
};

Row brute_force(const Case& c, std::int64_t b, std::int64_t s, std::int64_t h) {
  const auto dim = static_cast<std::size_t>(c.shape.dim);
  const std::int64_t kv = h / (c.shape.heads / c.shape.kv_heads);
  Row row{std::vector<double>(dim, 0.0), -HUGE_VAL};
  std::vector<double> q(dim), x(dim), scores;
  const auto ranges = visible_tokens(c.pattern(b, h), s);
  c.q.view().read_row(b, s, h, q.data());
  for (const auto& [begin, end] : ranges) {
    for (std::int64_t t = begin; t < end; ++t) {
      c.k.view().read_row(b, t, kv, x.data());
      scores.push_back(c.shape.scale * std::inner_product(q.begin(), q.end(), x.begin(), 0.0));
    }
  }
  if (scores.empty()) return row;
  const double top = *std::max_element(scores.begin(), scores.end());
  double sum = 0.0;
  std::size_t i = 0;
  for (const auto& [begin, end] : ranges) {
    for (std::int64_t t = begin; t < end; ++t, ++i) {
      const double p = std::exp(scores[i] - top);
      sum += p;
      c.v.view().read_row(b, t, kv, x.data());
      for (std::size_t d = 0; d < dim; ++d) row.out[d] += p * x[d];
    }
  }
  for (double& value : row.out) value /= sum;
  row.lse = top + std::log(sum);
  return row;
}

}  // namespace

std::string compare(const Case& c) {
  const double unit =
      lvsa::unit_roundoff(c.shape.out_dtype) +
      (c.shape.p_dtype == LVSA_DTYPE_NONE ? 0.0 : lvsa::unit_roundoff(c.shape.p_dtype));
  std::vector<double> out(static_cast<std::size_t>(c.shape.dim));
  std::ostringstream wrong;
  for (std::int64_t b = 0; b < c.shape.batch; ++b)
    for (std::int64_t h = 0; h < c.shape.heads; ++h)
      for (std::int64_t s = 0; s < c.shape.queries; ++s) {
        if (!c.wanted.empty() && !std::binary_search(c.wanted.begin(), c.wanted.end(), s)) continue;
        const Row due = brute_force(c, b, s, h);
        c.out.view().read_row(b, s, h, out.data());
        for (std::size_t d = 0; d < out.size(); ++d) {
          const double tolerance = 4.0 * c.shape.spread * (unit + 0x1p-19);
          if (!(std::fabs(out[d] - due.out[d]) <= tolerance)) {
            wrong << "batch " << b << " head " << h << " token " << s << " dim " << d << ": "
                  << out[d] << ", due " << due.out[d];
            return wrong.str();
          }
        }
        const double lse = c.lse(b, s, h);
        if (lse != due.lse && !(std::fabs(lse - due.lse) <= 0x1p-18 * (1.0 + std::fabs(due.lse)))) {
          wrong << "batch " << b << " head " << h << " token " << s << ": lse " << lse << ", due "
                << due.lse;
          return wrong.str();
        }
      }
  return "";
}

HeadPattern random_pattern(std::uint64_t seed, const lvsa::BlockAxis& rows,
                           const lvsa::BlockAxis& columns, bool masks, bool order) {
  std::mt19937_64 random(seed);
  const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  HeadPattern p;
  p.map.rows = rows;
  p.map.columns = columns;
  p.map.indptr = {0};
  lvsa::ElementMaskBuilder builder(rows, columns);
  for (std::int64_t r = 0; r < rows.blocks(); ++r) {
    const unsigned kept = chance(15) ? 0 : chance(20) ? 100 : 50;
    for (std::int64_t c = 0; c < columns.blocks(); ++c) {
      if (!chance(kept)) continue;
      p.map.indices.push_back(static_cast<std::int32_t>(c));
      if (!masks || chance(40)) {
        builder.add_full();
        continue;
      }
      std::vector<std::uint64_t> bits(static_cast<std::size_t>(rows.largest() * builder.words()));
      const unsigned share = chance(50) ? 50 : 5;
      for (std::int64_t i = 0; i < rows.size(r); ++i)
        for (std::int64_t j = 0; j < columns.size(c); ++j)
          if (chance(share) || (i == 0 && j == 0))
            bits[static_cast<std::size_t>(i * builder.words() + j / 64)] |= std::uint64_t{1}
                                                                            << (j % 64);
      builder.add(bits);
    }
    p.map.indptr.push_back(static_cast<std::int32_t>(p.map.indices.size()));
  }
  p.mask = builder.take();
  if (order) {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(rows.tokens()));
    std::iota(tokens.begin(), tokens.end(), 0);
    std::shuffle(tokens.begin(), tokens.end(), random);
    p.order = lvsa::Permutation(tokens, "order");
  }
  check_head_pattern(p, "random pattern");
  return p;
}

std::vector<const lvsa_block_kernel*> all_levels() {
  using lvsa::reference::SimdLevel;
  std::vector<const lvsa_block_kernel*> kernels;
  for (const auto level : {SimdLevel::kBaseline, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    const auto* kernel = lvsa::reference::cpu_blocks_kernel_at(level);
    if (kernel != nullptr) kernels.push_back(kernel);
  }
  return kernels;
}

std::vector<std::uint8_t> result_bits(const Case& c) {
  std::vector<std::uint8_t> bits(c.out.size_bytes() + c.lses.size() * sizeof(float));
  std::memcpy(bits.data(), c.out.bytes(), c.out.size_bytes());
  std::memcpy(bits.data() + c.out.size_bytes(), c.lses.data(), c.lses.size() * sizeof(float));
  return bits;
}

}  // namespace block_test
