#include "analysis/blocks/map_subject.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "analysis/blocks/block_invoke.hpp"
#include "analysis/blocks/block_maps.hpp"
#include "analysis/blocks/run_block_case.hpp"
#include "analysis/verify/relation_rows.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

void require_served(const MapSubject& subject, const lvsa_block_kernel& kernel) {
  std::optional<std::string> reason = unsupported_reason(kernel, subject.c);
  if (!reason) reason = unsupported_maps(kernel, subject.made);
  if (reason) throw Error(ErrorKind::kValue, fmt::format("kernel {}: {}", kernel.name, *reason));
}

// The maps and the outputs point to each other's problem: they live together.
struct Call {
  Problem problem;
  std::optional<Outputs> outputs;
};

}  // namespace

reference::BlockAttention MapSubject::attention() const {
  return {made.tensors.q.view(), made.tensors.k.view(), made.tensors.v.view(),
          1.0 / std::sqrt(static_cast<double>(c.head_dim)), made.heads};
}

MapSubject map_subject(const Case& c) { return {c, make_block_case(c)}; }

MapSubject map_subject(ReplayCase replay) {
  return {replay.c, {std::move(replay.tensors), std::move(replay.maps), replay.nominal}};
}

LeftBehind call_maps(const MapSubject& subject, const lvsa_block_kernel& kernel,
                     const std::vector<std::int64_t>& tokens) {
  require_served(subject, kernel);
  const Case& c = subject.c;
  const auto call = std::make_shared<Call>();
  const auto maps =
      std::make_shared<BlockMaps>(kernel, subject.made.heads, c.batch, subject.made.nominal);
  std::vector<std::int64_t> wanted;
  if (c.only_wanted) {
    for (const reference::RowId& row : sample_map_rows(c, *maps)) wanted.push_back(row.token);
    wanted.insert(wanted.end(), tokens.begin(), tokens.end());
  }
  call->problem = make_problem(c, subject.made.tensors, {}, std::move(wanted), 0);
  call->problem.maps = maps;
  const lvsa_kernel table = table_of(kernel);
  call->outputs.emplace(make_outputs(table, call->problem));
  try {
    kernel_runner(table)(call->problem, *call->outputs);
  } catch (const Refused& refused) {
    throw Error(ErrorKind::kKernel, fmt::format("kernel {}: {}", kernel.name, refused.message));
  }
  LeftBehind left;
  left.name = kernel.name;
  left.outputs.out = call->outputs->out.view();
  left.outputs.numerics = call->outputs->numerics;
  if (call->outputs->lse) {
    left.outputs.lse = [lse = call->outputs->lse->view()](std::int64_t b, std::int64_t s,
                                                          std::int64_t h) {
      double value = 0.0;
      lse.read_row(b, s, h, &value);
      return static_cast<float>(value);
    };
  }
  left.owner = call;
  return left;
}

ElementCall element_of(const LeftBehind& left, const ElementId& at) {
  ElementCall call;
  call.name = left.name;
  call.numerics = left.outputs.numerics;
  std::vector<double> out(static_cast<std::size_t>(left.outputs.out.shape[3]));
  left.outputs.out.read_row(at.row.batch, at.row.token, at.row.head, out.data());
  call.got = out[static_cast<std::size_t>(at.column)];
  if (left.outputs.lse) call.lse = left.outputs.lse(at.row.batch, at.row.token, at.row.head);
  return call;
}

}  // namespace lvsa::analysis
