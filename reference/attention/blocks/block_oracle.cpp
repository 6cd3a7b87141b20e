#include "reference/attention/blocks/block_oracle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <limits>
#include <map>
#include <utility>

#include "core/error.hpp"
#include "core/exact/exact_functions.hpp"
#include "reference/attention/exact_log.hpp"

namespace lvsa::reference {
namespace {

std::int64_t place_of(const HeadPattern& pattern, std::int64_t token) {
  return pattern.order ? pattern.order->place(token) : token;
}

// Calls use(i) for i in 0 .. count - 1 in parallel; the first exception leaves all of it.
template <typename Use>
void for_all(std::size_t count, const Use& use) {
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1)
  for (std::size_t i = 0; i < count; ++i) {
    try {
      use(i);
    } catch (...) {  // must not leave the parallel region
#pragma omp critical(lvsa_block_oracle_failure)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

struct BlockOracle::State {
  using Key = std::array<std::int64_t, 3>;  // batch element, head, query block
  std::map<Key, std::vector<SkipDecision>> decisions;

  Key key_of(const BlockAttention& a, const RowId& row) const {
    const HeadPattern& pattern = a.pattern(row.batch, row.head);
    return {row.batch, row.head, pattern.map.rows.block_of(place_of(pattern, row.token))};
  }

  // Calls use(begin, end) for the runs of places that a row attends in blocks whose state `wanted`
  // takes, ascending; runs may touch.
  template <typename Wanted, typename Use>
  void each_run(const BlockAttention& a, const RowId& row, const Wanted& wanted,
                const Use& use) const {
    const HeadPattern& p = a.pattern(row.batch, row.head);
    const Key key = key_of(a, row);
    const auto found = decisions.find(key);
    const std::int64_t line = place_of(p, row.token) - p.map.rows.begin(key[2]);
    const std::int64_t first = p.map.indptr[static_cast<std::size_t>(key[2])];
    const auto entries = static_cast<std::int64_t>(p.map.row(key[2]).size());
    for (std::int64_t i = 0; i < entries; ++i) {
      const SkipState state = found == decisions.end()
                                  ? SkipState::kKept
                                  : found->second[static_cast<std::size_t>(i)].state;
      if (!wanted(state)) continue;
      const std::int32_t column = p.map.indices[static_cast<std::size_t>(first + i)];
      const std::int32_t mask = p.mask.mask_of(first + i);
      const std::int64_t begin = p.map.columns.begin(column);
      const std::int64_t end = p.map.columns.end(column);
      if (mask < 0) {
        use(begin, end);
        continue;
      }
      for (std::int64_t place = begin; place < end; ++place) {
        if (p.mask.attends(mask, line, place - begin)) use(place, place + 1);
      }
    }
  }

  // Tokens that a row attends in blocks whose state `wanted` takes, ascending.
  template <typename Wanted>
  std::vector<std::int64_t> tokens(const BlockAttention& a, const RowId& row,
                                   const Wanted& wanted) const {
    const HeadPattern& p = a.pattern(row.batch, row.head);
    std::vector<std::int64_t> result;
    each_run(a, row, wanted, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t place = begin; place < end; ++place) {
        result.push_back(p.order ? p.order->token(place) : place);
      }
    });
    if (p.order) std::sort(result.begin(), result.end());
    return result;
  }

  template <typename Wanted>
  TokenRanges ranges(const BlockAttention& a, const RowId& row, const Wanted& wanted) const {
    TokenRanges result;
    const auto add = [&](std::int64_t begin, std::int64_t end) {
      if (!result.empty() && result.back().second == begin) {
        result.back().second = end;
      } else {
        result.emplace_back(begin, end);
      }
    };
    if (a.pattern(row.batch, row.head).order) {
      for (const std::int64_t token : tokens(a, row, wanted)) add(token, token + 1);
    } else {
      each_run(a, row, wanted, add);
    }
    return result;
  }
};

BlockOracle::BlockOracle(const BlockAttention& attention, const ScoreErrorModel& errors)
    : attention_(attention), errors_(errors), state_(std::make_unique<State>()) {
  const std::int64_t heads = attention.q.shape[2];
  const auto given = static_cast<std::int64_t>(attention.patterns.size());
  if (given != heads && given != heads * attention.q.shape[0]) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} patterns for {} batch elements of {} heads: one for each head, or "
                            "for each of both, is due",
                            given, attention.q.shape[0], heads));
  }
  for (const HeadPattern& pattern : attention.patterns) {
    if (pattern.map.rows.tokens() != attention.q.shape[1] ||
        pattern.map.columns.tokens() != attention.k.shape[1]) {
      throw Error(ErrorKind::kValue,
                  fmt::format("a pattern of {} queries and {} keys for {} and {}",
                              pattern.map.rows.tokens(), pattern.map.columns.tokens(),
                              attention.q.shape[1], attention.k.shape[1]));
    }
  }
  problem_.q = attention.q;
  problem_.k = attention.k;
  problem_.v = attention.v;
  problem_.scale = attention.scale;
  problem_.key_ranges = [this](const RowId& row) {
    return state_->ranges(attention_, row, [](SkipState s) { return s != SkipState::kSkipped; });
  };
  check_problem(problem_);
}

BlockOracle::~BlockOracle() = default;

const std::vector<SkipDecision>& BlockOracle::decisions(std::int64_t batch, std::int64_t head,
                                                        std::int64_t query_block) {
  const State::Key key{batch, head, query_block};
  const auto found = state_->decisions.find(key);
  if (found != state_->decisions.end()) return found->second;
  return state_->decisions[key] = skip_decisions(attention_, batch, head, query_block, errors_);
}

void BlockOracle::decide(std::span<const RowId> rows) {
  std::vector<State::Key> open;
  for (const RowId& row : rows) {
    if (!attention_.pattern(row.batch, row.head).skip) continue;
    const State::Key key = state_->key_of(attention_, row);
    if (state_->decisions.try_emplace(key).second) open.push_back(key);
  }
  std::vector<std::vector<SkipDecision>> found(open.size());
  for_all(open.size(), [&](std::size_t i) {
    found[i] = skip_decisions(attention_, open[i][0], open[i][1], open[i][2], errors_);
  });
  for (std::size_t i = 0; i < open.size(); ++i) state_->decisions[open[i]] = std::move(found[i]);
}

void BlockOracle::add_doubt(const RowId& row, BlockRowResult& result) const {
  const auto in_doubt =
      state_->tokens(attention_, row, [](SkipState s) { return s == SkipState::kInDoubt; });
  if (in_doubt.empty()) return;
  const std::int64_t kv_head = row.head / (attention_.q.shape[2] / attention_.k.shape[2]);
  std::vector<double> value(result.doubt.size());
  double mass = 0.0;
  for (const KeyTerm& term : attend_keys(problem_, row, errors_)) {
    if (!std::binary_search(in_doubt.begin(), in_doubt.end(), term.token)) continue;
    const double weight = term.p / result.row.normaliser;
    mass += weight;
    attention_.v.read_row(row.batch, term.token, kv_head, value.data());
    for (std::size_t c = 0; c < value.size(); ++c) {
      result.doubt[c] += weight * std::fabs(value[c] - result.row.out[c]);
    }
  }
  result.doubt_mass = mass;
  const double rest = std::max(0.0, 1.0 - mass);
  for (double& doubt : result.doubt) doubt = doubt == 0.0 ? 0.0 : doubt / rest;
  result.doubt_lse = rest > 0.0 ? -exact_log(rest) : std::numeric_limits<double>::infinity();
}

// The mass of what is skipped, from the two log-sum-exps.
void BlockOracle::add_skipped_mass(const RowId& row, BlockRowResult& result) const {
  AttentionProblem skipped = problem_;
  skipped.key_ranges = [this](const RowId& id) {
    return state_->ranges(attention_, id, [](SkipState s) { return s == SkipState::kSkipped; });
  };
  const RowResult other = attend_row(skipped, row, errors_);
  if (other.keys == 0) return;
  const double apart = std::clamp(result.row.lse - other.lse, -700.0, 700.0);
  result.skipped_mass = 1.0 / (1.0 + exact::exp(apart));
}

std::vector<BlockRowResult> BlockOracle::attend_rows(std::span<const RowId> rows,
                                                     const std::function<void()>& done) {
  for (const RowId& row : rows) check_row(problem_, row);
  decide(rows);
  std::vector<RowResult> plain = reference::attend_rows(problem_, rows, errors_, done);
  std::vector<BlockRowResult> results(rows.size());
  for_all(rows.size(), [&](std::size_t i) {
    BlockRowResult& result = results[i];
    result.row = std::move(plain[i]);
    result.doubt.assign(result.row.out.size(), 0.0);
    const RowId& row = rows[i];
    const HeadPattern& pattern = attention_.pattern(row.batch, row.head);
    const State::Key key = state_->key_of(attention_, row);
    if (!pattern.skip) {
      result.blocks_kept = static_cast<std::int64_t>(pattern.map.row(key[2]).size());
      return;
    }
    for (const SkipDecision& d : state_->decisions.find(key)->second) {
      if (d.state == SkipState::kKept) ++result.blocks_kept;
      if (d.state == SkipState::kInDoubt) ++result.blocks_in_doubt;
      if (d.state == SkipState::kSkipped) ++result.blocks_skipped;
    }
    if (result.blocks_in_doubt > 0) add_doubt(row, result);
    if (result.blocks_skipped > 0) add_skipped_mass(row, result);
  });
  return results;
}

}  // namespace lvsa::reference
