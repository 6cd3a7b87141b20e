#include "reference/attention/shadow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "reference/attention/shadow_group.hpp"

namespace lvsa::reference {
namespace {

constexpr std::size_t kMostRows = 8;  // of a group

struct Group {
  std::vector<std::size_t> members;  // indices into rows
};

// Rows of one batch element and key/value head whose frame is the same, so that they share their
// keys; in pieces, which bounds the memory of a thread and gives every thread something to do.
std::vector<Group> make_groups(const AttentionProblem& problem, std::span<const RowId> rows) {
  const std::int64_t ratio = problem.q.shape[2] / problem.k.shape[2];
  const auto key = [&](std::size_t i) {
    const std::int64_t frame =
        std::min(rows[i].token / problem.grid.patches_per_frame, problem.grid.frames);
    return std::array{rows[i].batch, rows[i].head / ratio, frame};
  };
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  std::vector<Group> groups;
  for (const std::size_t i : order) {
    if (groups.empty() || groups.back().members.size() == kMostRows ||
        key(groups.back().members.front()) != key(i)) {
      groups.emplace_back();
    }
    groups.back().members.push_back(i);
  }
  return groups;
}

// Neighbours of one batch element and key/value head that have the same keys.
std::vector<Group> make_groups(const AttentionProblem& problem, std::span<const RowId> rows,
                               std::span<const ShadowSequence> sequences) {
  const std::int64_t ratio = problem.q.shape[2] / problem.k.shape[2];
  std::vector<Group> groups;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool joins =
        i > 0 && groups.back().members.size() < kMostRows && rows[i].batch == rows[i - 1].batch &&
        rows[i].head / ratio == rows[i - 1].head / ratio && sequences[i] == sequences[i - 1];
    if (!joins) groups.emplace_back();
    groups.back().members.push_back(i);
  }
  return groups;
}

void check_results(std::span<const RowId> rows, std::size_t given) {
  if (given == rows.size()) return;
  throw Error(ErrorKind::kValue,
              fmt::format("shadow: {} rows, but {} results or sequences", rows.size(), given));
}

// In parallel; the first exception leaves all of it.
template <typename Use>
void for_groups(const std::vector<Group>& groups, const Use& use) {
  std::exception_ptr failure;
  const auto count = static_cast<std::int64_t>(groups.size());
#pragma omp parallel for schedule(dynamic, 1)
  for (std::int64_t g = 0; g < count; ++g) {
    try {
      use(groups[static_cast<std::size_t>(g)]);
    } catch (...) {  // must not leave the parallel region
#pragma omp critical(lvsa_shadow_failure)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

ShadowTrace trace_row(const AttentionProblem& problem, const RowId& row, const Schedule& schedule,
                      const ShadowErrors& errors, const RowResult& exact) {
  check_problem(problem);
  ShadowGroup group(problem, schedule, errors);
  ShadowRow result;
  group.add(row, exact, result);
  group.replay();
  ShadowTrace trace = group.trace();
  trace.row = std::move(result);
  return trace;
}

ShadowTrace trace_row(const AttentionProblem& problem, const RowId& row,
                      const ShadowSequence& sequence, const Schedule& schedule,
                      const ShadowErrors& errors, const RowResult& exact) {
  ShadowGroup group(problem, schedule, errors);
  ShadowRow result;
  group.add(row, exact, result);
  group.replay(sequence);
  ShadowTrace trace = group.trace();
  trace.row = std::move(result);
  return trace;
}

std::vector<ShadowRow> replay_rows(const AttentionProblem& problem, std::span<const RowId> rows,
                                   const Schedule& schedule, const ShadowErrors& errors,
                                   std::span<const RowResult> exact) {
  check_problem(problem);
  check_results(rows, exact.size());
  const std::vector<Group> groups = make_groups(problem, rows);
  std::vector<ShadowRow> results(rows.size());
  for_groups(groups, [&](const Group& members) {
    ShadowGroup group(problem, schedule, errors);
    for (const std::size_t i : members.members) group.add(rows[i], exact[i], results[i]);
    group.replay();
  });
  return results;
}

std::vector<ShadowRow> replay_rows(const AttentionProblem& problem, std::span<const RowId> rows,
                                   std::span<const ShadowSequence> sequences,
                                   const Schedule& schedule, const ShadowErrors& errors,
                                   std::span<const RowResult> exact) {
  check_results(rows, exact.size());
  check_results(rows, sequences.size());
  const std::vector<Group> groups = make_groups(problem, rows, sequences);
  std::vector<ShadowRow> results(rows.size());
  for_groups(groups, [&](const Group& members) {
    ShadowGroup group(problem, schedule, errors);
    for (const std::size_t i : members.members) group.add(rows[i], exact[i], results[i]);
    group.replay(sequences[members.members.front()]);
  });
  return results;
}

}  // namespace lvsa::reference
