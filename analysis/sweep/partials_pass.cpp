#include "analysis/sweep/partials_pass.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/error.hpp"
#include "reference/attention/row_reader.hpp"

#ifndef LVSA_SIMD_X86
#define LVSA_SIMD_X86 0
#endif

namespace lvsa::analysis {
namespace {

// Values that a product goes through while its columns of the sums stay in registers: with the
// weights of 8 rows they fill half of a cache of 48 KiB.
constexpr std::int64_t kKeysAtOnce = 128;

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

bool all_finite(const double* x, std::size_t count) {
  std::uint64_t bad = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<std::uint64_t>(x[i]);
    bad |= (bits & 0x7fffffffffffffffULL) + 0x0010000000000000ULL;  // bit 63: infinity or NaN
  }
  return (bad >> 63) == 0;
}

}  // namespace

const PartialsLoops& partials_loops(reference::SimdLevel level) {
  if (!reference::machine_has(level)) {
    throw Error(ErrorKind::kValue, fmt::format("no loops of level {} on this machine: 0 is due",
                                               static_cast<int>(level)));
  }
#if LVSA_SIMD_X86
  if (level == reference::SimdLevel::kAvx512) return kPartialsAvx512Loops;
  if (level == reference::SimdLevel::kAvx2) return kPartialsAvx2Loops;
#endif
  return kPartialsBaselineLoops;
}

const PartialsLoops& best_partials_loops() {
  static const PartialsLoops& loops = partials_loops(reference::best_simd_level());
  return loops;
}

void refuse_sample(const Sample& sample, const std::string& what) {
  throw Error(ErrorKind::kValue,
              fmt::format("{} ({}): {}", sample.id.source, describe(sample.id), what));
}

PartialsPass::PartialsPass(const Sample& sample, const std::vector<double>& queries, bool outputs,
                           const PartialsLoops& loops, FramePartials& to)
    : sample_(sample),
      queries_(queries),
      outputs_(outputs),
      loops_(loops),
      to_(to),
      dim_(sample.q.shape[3]),
      width_(round_up(dim_, kPartialsPanel)) {}

void PartialsPass::run(std::int64_t cell, std::int64_t first, std::int64_t last) {
  if (packed_ != cell) pack(cell);
  for (std::int64_t row = first; row < last; row += kBlockRows) {
    const std::int64_t rows = std::min(kBlockRows, last - row);
    score(row, rows);
    soften(cell, row, rows);
    if (!outputs_) continue;
    add_values(rows);
    store(cell, row, rows);
  }
}

void PartialsPass::pack(std::int64_t cell) {
  packed_ = cell;
  const FrameGrid& grid = sample_.grid;
  const std::int64_t begin = cell * grid.patches_per_frame;
  keys_ = cell < grid.frames ? grid.patches_per_frame : grid.text_tokens;
  padded_ = round_up(keys_, kPartialsPanel);
  read_.resize(static_cast<std::size_t>(keys_ * dim_));
  reference::RowReader(sample_.k, 0, 0).read_run(begin, keys_, 0, read_.data(), dim_);
  check("k", begin);
  k_.assign(static_cast<std::size_t>(padded_ * dim_), 0.0);
  for (std::int64_t j = 0; j < keys_; ++j) {
    const double* const from = read_.data() + j * dim_;
    double* const to = k_.data() + j / kPartialsPanel * kPartialsPanel * dim_ + j % kPartialsPanel;
    for (std::int64_t i = 0; i < dim_; ++i) to[i * kPartialsPanel] = from[i];
  }
  scores_.resize(static_cast<std::size_t>(kBlockRows * padded_));
  if (outputs_) pack_panels(begin);
}

void PartialsPass::pack_panels(std::int64_t first_token) {
  reference::RowReader(sample_.v, 0, 0).read_run(first_token, keys_, 0, read_.data(), dim_);
  check("v", first_token);
  v_.assign(static_cast<std::size_t>(keys_ * width_), 0.0);
  for (std::int64_t column = 0; column < dim_; column += kPartialsPanel) {
    const auto count =
        static_cast<std::size_t>(std::min<std::int64_t>(kPartialsPanel, dim_ - column));
    double* to = v_.data() + column * keys_;
    for (std::int64_t j = 0; j < keys_; ++j, to += kPartialsPanel) {
      std::copy_n(read_.data() + j * dim_ + column, count, to);
    }
  }
  sums_.resize(static_cast<std::size_t>(kBlockRows * width_));
}

void PartialsPass::check(const char* name, std::int64_t first_token) const {
  if (all_finite(read_.data(), read_.size())) return;
  const auto bad = static_cast<std::int64_t>(
      std::find_if(read_.begin(), read_.end(), [](double x) { return !std::isfinite(x); }) -
      read_.begin());
  refuse_sample(sample_, fmt::format("{} holds {} at token {}, element {}: finite values are due",
                                     name, read_[static_cast<std::size_t>(bad)],
                                     first_token + bad / dim_, bad % dim_));
}

void PartialsPass::score(std::int64_t first, std::int64_t rows) {
  PartialsProduct product{queries_.data() + first * dim_, dim_, nullptr, dim_, nullptr, padded_,
                          round_up(rows, kPartialsRows),  true};
  for (std::int64_t j = 0; j < padded_; j += kPartialsPanel) {
    product.b = k_.data() + j * dim_;
    product.c = scores_.data() + j;
    loops_.multiply(&product);
  }
}

void PartialsPass::soften(std::int64_t cell, std::int64_t first, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r) {
    PartialsSoften args{scores_.data() + r * padded_, keys_, sample_.scale, 0.0, 0.0};
    loops_.soften(&args);
    const auto at = static_cast<std::size_t>((first + r) * to_.cells + cell);
    to_.max_score[at] = args.max_score;
    to_.normaliser[at] = args.normaliser;
    if (std::isfinite(args.max_score)) continue;
    refuse_sample(sample_, fmt::format("the largest score of query token {} on cell {} is {}: "
                                       "scores within the range of fp64 are due",
                                       to_.tokens[static_cast<std::size_t>(first + r)], cell,
                                       args.max_score));
  }
  // Rows that only fill up the last eight hold scores of zeros; they are never stored.
}

void PartialsPass::add_values(std::int64_t rows) {
  std::fill(sums_.begin(), sums_.end(), 0.0);
  PartialsProduct product{
      nullptr, padded_, nullptr, 0, nullptr, width_, round_up(rows, kPartialsRows), false};
  for (std::int64_t column = 0; column < width_; column += kPartialsPanel) {
    product.c = sums_.data() + column;
    for (std::int64_t j = 0; j < keys_; j += kKeysAtOnce) {
      product.a = scores_.data() + j;
      product.b = v_.data() + column * keys_ + j * kPartialsPanel;
      product.depth = std::min(kKeysAtOnce, keys_ - j);
      loops_.multiply(&product);
    }
  }
}

void PartialsPass::store(std::int64_t cell, std::int64_t first, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t at = (first + r) * to_.cells + cell;
    const double normaliser = to_.normaliser[static_cast<std::size_t>(at)];
    const double* const from = sums_.data() + r * width_;
    double* const out = to_.out.data() + at * dim_;
    for (std::int64_t c = 0; c < dim_; ++c) out[c] = from[c] / normaliser;
  }
}

}  // namespace lvsa::analysis
