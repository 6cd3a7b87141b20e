#include "analysis/blocks/block_replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "analysis/blocks/block_case.hpp"
#include "analysis/blocks/block_invoke.hpp"
#include "analysis/blocks/block_maps.hpp"
#include "analysis/blocks/block_relations.hpp"
#include "analysis/blocks/run_block_case.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "analysis/verify/tier_b.hpp"
#include "core/error.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;

constexpr std::size_t kKeptRows = 4;  // of a case that is not run

// The call of a replay.
class ReplayCall {
 public:
  ReplayCall(const ReplayCase& replay, const lvsa_block_kernel& kernel, std::int32_t threads)
      : replay_(replay),
        table_(table_of(kernel)),
        maps_(std::make_shared<BlockMaps>(kernel, replay.maps, replay.c.batch, replay.nominal)),
        problem_(make_problem(replay.c, replay.tensors, {}, {}, threads)) {
    problem_.maps = maps_;
  }

  const lvsa_kernel& table() const { return table_; }
  const Problem& problem() const { return problem_; }
  const BlockMaps& maps() const { return *maps_; }

  // Leaves `outputs` with what the kernel declares, without running it.
  std::optional<lvsa_numerics> numerics() const {
    Outputs outputs = make_outputs(table_, problem_);
    return block_numerics(maps_->kernel(), with_maps(c_problem(problem_, outputs), *maps_));
  }

  ReplayVerdict judge() const {
    Outputs outputs = make_outputs(table_, problem_);
    const std::uint64_t before = maps_->hash();
    try {
      kernel_runner(table_)(problem_, outputs);
    } catch (const Refused& refused) {
      return {"error", refused.message, {}};
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kKernel) throw;
      return {"error", error.what(), {}};
    }
    ReplayTraces traces;
    traces.changed_outside = outputs.outside;
    traces.changed_input = changed_input(before);
    return judge_rows(replay_, left_behind(outputs), traces);
  }

 private:
  std::string changed_input(std::uint64_t maps_before) const {
    const auto same = [](const Tensor& before, const GuardedTensor& now) {
      return std::memcmp(before.bytes(), now.bytes(), before.size_bytes()) == 0;
    };
    if (!same(replay_.tensors.q, *problem_.q)) return "q";
    if (!same(replay_.tensors.k, *problem_.k)) return "k";
    if (!same(replay_.tensors.v, *problem_.v)) return "v";
    return maps_->hash() == maps_before ? "" : "the maps";
  }

  KernelOutputs left_behind(const Outputs& outputs) const {
    KernelOutputs left;
    left.out = outputs.out.view();
    left.unwritten_outputs = unwritten_elements(outputs.out, problem_.wanted);
    if (!outputs.lse) return left;
    left.unwritten_lse = unwritten_elements(*outputs.lse, problem_.wanted);
    left.lse = [lse = outputs.lse->view()](std::int64_t b, std::int64_t s, std::int64_t h) {
      double value = 0.0;
      lse.read_row(b, s, h, &value);
      return static_cast<float>(value);
    };
    return left;
  }

  const ReplayCase& replay_;
  lvsa_kernel table_;
  std::shared_ptr<BlockMaps> maps_;
  Problem problem_;
};

bool is_relation(const std::string& check) {
  return std::any_of(block_relations().begin(), block_relations().end(),
                     [&](const Relation& relation) { return relation.name == check; });
}

void require_served(const ReplayCase& replay, const lvsa_block_kernel& kernel) {
  std::optional<std::string> reason = unsupported_reason(kernel, replay.c);
  if (!reason) reason = unsupported_maps(kernel, replay.maps, replay.nominal);
  if (!reason) return;
  throw Error(ErrorKind::kKernel,
              fmt::format("kernel {} does not serve this replay: {}", kernel.name, *reason));
}

ReplayTrial trial_of(const lvsa_block_kernel& kernel) {
  return {[&kernel](ReplayCase& replay, const std::vector<RowId>& rows) {
            set_block_rows(replay, &kernel, rows);
          },
          [&kernel](const ReplayCase& replay) { return judge_block_replay(replay, kernel); }};
}

}  // namespace

void set_block_rows(ReplayCase& replay, const lvsa_block_kernel* kernel,
                    const std::vector<RowId>& rows) {
  const Case& c = replay.c;
  const lvsa_block_kernel& any = kernel == nullptr ? reference::cpu_blocks_kernel() : *kernel;
  const ReplayCall call(replay, any, 0);
  const auto numerics = kernel == nullptr ? std::nullopt : call.numerics();
  const lvsa_numerics* known = numerics ? &*numerics : nullptr;
  const BoundModel model = make_bound_model(known, c.dtype, c.head_dim);
  const auto results = exact_rows(call.problem(), rows, model.scores);
  const ExactRows exact{rows, results, [&](const RowId& row, std::int64_t keys) {
                          return problem_steps(model, call.problem(), row, keys);
                        }};
  if (replay.check != "schedule") return set_rows(replay, model, exact);
  const auto judge = make_schedule_judge(known, c.dtype, c.head_dim);
  ScheduleRows schedule;
  if (judge) {
    const Problem& p = call.problem();
    schedule = {&judge->model(), judge->replay_maps({p.q->view(), p.k->view(), p.v->view(),
                                                     scale_of(p), call.maps().heads()},
                                                    rows, results)};
  }
  set_schedule_rows(replay, exact, schedule);
}

ReplayVerdict judge_block_replay(const ReplayCase& replay, const lvsa_block_kernel& kernel,
                                 std::int32_t threads) {
  require_served(replay, kernel);
  const ReplayCall call(replay, kernel, threads);
  if (!is_relation(replay.check)) return call.judge();
  RelationOptions options;
  options.names = {replay.check};
  for (const NamedCheck& check : check_relations(call.table(), call.problem(), options)) {
    if (check.state == CheckState::kFails) return {check.name, check.message, {}};
  }
  return {};
}

ReplayCase smallest_block_replay(const Case& c, const lvsa_block_kernel& kernel,
                                 const std::string& check, const ShrinkBudget& budget) {
  BlockCase made = make_block_case(c);
  ReplayCase replay;
  replay.c = c;
  replay.found = to_line(c);
  replay.kernel = kernel.name;
  replay.check = check;
  replay.tensors = std::move(made.tensors);
  replay.maps = std::move(made.heads);
  replay.nominal = made.nominal;
  std::vector<RowId> rows =
      sample_map_rows(c, BlockMaps(kernel, replay.maps, c.batch, replay.nominal));
  if (check != "crash" && check != "timeout") {
    return smallest_replay(std::move(replay), std::move(rows), trial_of(kernel), budget);
  }
  rows.resize(std::min(rows.size(), kKeptRows));
  set_block_rows(replay, nullptr, rows);
  return replay;
}

}  // namespace lvsa::analysis
