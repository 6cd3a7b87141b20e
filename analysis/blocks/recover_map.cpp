#include "analysis/blocks/recover_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "analysis/blocks/block_case.hpp"
#include "analysis/blocks/block_invoke.hpp"
#include "analysis/blocks/block_maps.hpp"
#include "analysis/verify/relation_rows.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// Weight of every pair of every row; a row is [key tokens].
class Weights {
 public:
  Weights(const Case& c, std::int64_t tokens)
      : heads_(c.heads),
        tokens_(tokens),
        values_(static_cast<std::size_t>(c.batch * c.heads * tokens * tokens)) {}

  float* row(std::int64_t batch, std::int64_t head, std::int64_t query) {
    return values_.data() + ((batch * heads_ + head) * tokens_ + query) * tokens_;
  }

 private:
  std::int64_t heads_;
  std::int64_t tokens_;
  std::vector<float> values_;
};

void check_size(const Case& c, const RecoverMapOptions& options, const BlockCase& made) {
  constexpr double kMostPairs = 1e8;
  const std::int64_t tokens = c.grid.seq_len();
  const double pairs = static_cast<double>(c.batch * c.heads) * static_cast<double>(tokens) *
                       static_cast<double>(tokens);
  if (pairs > kMostPairs) {
    throw Error(ErrorKind::kValue,
                fmt::format("recover: {:.3g} pairs of tokens in all heads; at most {:.0e} are due",
                            pairs, kMostPairs));
  }
  const std::int64_t runs = (tokens + c.head_dim - 1) / c.head_dim;
  if (runs > options.max_runs) {
    throw Error(ErrorKind::kValue,
                fmt::format("recover: {} keys, D={} of them a run: --max-runs {} is due", tokens,
                            c.head_dim, runs));
  }
  for (const HeadPattern& head : made.heads) {
    if (!head.skip || head.skip->threshold_log2 > 0.0) continue;
    throw Error(ErrorKind::kValue,
                fmt::format("recover: a skip threshold of {:g} leaves out blocks of equal scores; "
                            "one above 0 is due",
                            head.skip->threshold_log2));
  }
}

class Recoverer {
 public:
  Recoverer(const Case& c, const lvsa_block_kernel& kernel, const RecoverMapOptions& options,
            BlockCase made)
      : table_(table_of(kernel)),
        options_(options),
        tokens_(c.grid.seq_len()),
        weights_(c, tokens_) {
    recovery_.c = c;
    recovery_.c.only_wanted = false;
    std::memset(made.tensors.q.bytes(), 0, made.tensors.q.size_bytes());
    std::memset(made.tensors.k.bytes(), 0, made.tensors.k.size_bytes());
    std::memset(made.tensors.v.bytes(), 0, made.tensors.v.size_bytes());
    problem_ = make_problem(recovery_.c, made.tensors, {}, {}, options.threads);
    maps_ = std::make_shared<BlockMaps>(kernel, std::move(made.heads), c.batch, made.nominal);
    problem_.maps = maps_;
  }

  MapRecovery run() {
    for (std::int64_t first = 0; first < tokens_; first += recovery_.c.head_dim) {
      call(first, std::min(tokens_, first + recovery_.c.head_dim));
    }
    for (std::int64_t b = 0; b < recovery_.c.batch; ++b) {
      for (std::int64_t h = 0; h < recovery_.c.heads; ++h) compare_head(b, h);
    }
    return std::move(recovery_);
  }

 private:
  // V is 1 at (first + i, i), elsewhere 0.
  void call(std::int64_t first, std::int64_t last) {
    if (options_.before_each) options_.before_each();
    const Case& c = recovery_.c;
    GuardedTensor& v = *problem_.v;
    const std::size_t width = dtype_bytes(c.dtype);
    const auto set = [&](std::int64_t token, double value) {
      for (std::int64_t b = 0; b < c.batch; ++b) {
        for (std::int64_t h = 0; h < c.kv_heads; ++h) {
          encode(c.dtype, value,
                 v.row(b, token, h) + static_cast<std::size_t>(token - first) * width);
        }
      }
    };
    for (std::int64_t token = first; token < last; ++token) set(token, 1.0);
    Outputs outputs = make_outputs(table_, problem_);
    try {
      kernel_runner(table_)(problem_, outputs);
    } catch (const Refused& refused) {
      throw Error(ErrorKind::kKernel, fmt::format("{}: {}", table_.name, refused.message));
    }
    ++recovery_.runs;
    for (std::int64_t token = first; token < last; ++token) set(token, 0.0);
    take(outputs.out.view(), first, last);
  }

  void take(const TensorView& out, std::int64_t first, std::int64_t last) {
    std::vector<double> row(static_cast<std::size_t>(recovery_.c.head_dim));
    for (std::int64_t b = 0; b < recovery_.c.batch; ++b) {
      for (std::int64_t h = 0; h < recovery_.c.heads; ++h) {
        for (std::int64_t q = 0; q < tokens_; ++q) {
          out.read_row(b, q, h, row.data());
          std::transform(row.begin(), row.begin() + (last - first), weights_.row(b, h, q) + first,
                         [](double x) { return static_cast<float>(x); });
        }
      }
    }
  }

  void compare_head(std::int64_t batch, std::int64_t head) {
    const HeadPattern& pattern = maps_->head(batch, head);
    const std::int64_t columns = pattern.map.columns.blocks();
    std::vector<MapDifference> found(static_cast<std::size_t>(pattern.map.rows.blocks() * columns));
    for (std::int64_t q = 0; q < tokens_; ++q) {
      ++recovery_.rows;
      const std::int64_t row_block = row_block_of(pattern, q);
      compare_row(pattern, q, weights_.row(batch, head, q), found.data() + row_block * columns);
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      MapDifference& d = found[i];
      if (d.lacking + d.added + d.repeated == 0) continue;
      d.batch = batch;
      d.head = head;
      d.row_block = static_cast<std::int64_t>(i) / columns;
      d.column_block = static_cast<std::int64_t>(i) % columns;
      recovery_.differences.push_back(d);
    }
  }

  void compare_row(const HeadPattern& pattern, std::int64_t query, const float* weights,
                   MapDifference* blocks) {
    float least = std::numeric_limits<float>::infinity();
    for (std::int64_t key = 0; key < tokens_; ++key) {
      if (!std::isfinite(weights[key]) || weights[key] < 0.0F) {
        ++recovery_.rows_without_numbers;
        return;
      }
      if (weights[key] > 0.0F) least = std::min(least, weights[key]);
    }
    std::vector<bool> due(static_cast<std::size_t>(tokens_), false);
    for (const auto& [first, last] : visible_tokens(pattern, query)) {
      std::fill(due.begin() + first, due.begin() + last, true);
    }
    for (std::int64_t key = 0; key < tokens_; ++key) {
      const bool attended = weights[key] > 0.0F;
      const bool is_due = due[static_cast<std::size_t>(key)];
      if (!attended && !is_due) continue;
      MapDifference& block = blocks[pattern.map.columns.block_of(place_of_token(pattern, key))];
      block.due += is_due ? 1 : 0;
      block.lacking += is_due && !attended ? 1 : 0;
      block.added += attended && !is_due ? 1 : 0;
      // Equal weights come out equal; twice the weight is no rounding.
      block.repeated += attended && weights[key] > 1.5F * least ? 1 : 0;
    }
  }

  lvsa_kernel table_;
  const RecoverMapOptions& options_;
  std::int64_t tokens_;
  Weights weights_;
  Problem problem_;
  std::shared_ptr<BlockMaps> maps_;
  MapRecovery recovery_;
};

}  // namespace

MapRecovery recover_map(const Case& c, const lvsa_block_kernel& kernel,
                        const RecoverMapOptions& options) {
  BlockCase made = make_block_case(c);
  std::optional<std::string> reason = unsupported_reason(kernel, c);
  if (!reason) reason = unsupported_maps(kernel, made.heads, made.nominal);
  if (reason) throw Error(ErrorKind::kKernel, fmt::format("{}: {}", kernel.name, *reason));
  check_size(c, options, made);
  return Recoverer(c, kernel, options, std::move(made)).run();
}

std::string difference_text(const MapDifference& d, const Case& c) {
  std::string text = c.batch > 1 ? fmt::format("batch {}, ", d.batch) : "";
  text +=
      fmt::format("head {}, query block {}, key block {}:", d.head, d.row_block, d.column_block);
  std::string separator = " ";
  const auto add = [&](const std::string& what) { text += std::exchange(separator, "; ") + what; };
  if (d.lacking > 0) add(fmt::format("lacks {} of {} pairs", d.lacking, d.due));
  if (d.added > 0) add(fmt::format("attends {} pairs that the map does not have", d.added));
  if (d.repeated > 0) add(fmt::format("{} pairs weigh more than others of their row", d.repeated));
  return text;
}

}  // namespace lvsa::analysis
