#include "analysis/blocks/run_block_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <set>
#include <utility>

#include "analysis/blocks/block_case.hpp"
#include "analysis/blocks/block_invoke.hpp"
#include "analysis/blocks/block_localise.hpp"
#include "analysis/verify/judge.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "analysis/verify/probes.hpp"
#include "analysis/verify/relations.hpp"
#include "analysis/verify/tier_b.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Frames that hold a token of each block; text counts as one more frame.
std::vector<std::set<std::int64_t>> frames_of_blocks(const BlockAxis& axis,
                                                     const HeadPattern& pattern,
                                                     const FrameGrid& grid) {
  std::vector<std::set<std::int64_t>> frames(static_cast<std::size_t>(axis.blocks()));
  for (std::int64_t b = 0; b < axis.blocks(); ++b) {
    for (std::int64_t place = axis.begin(b); place < axis.end(b); ++place) {
      const std::int64_t token = pattern.order ? std::int64_t{pattern.order->token(place)} : place;
      frames[static_cast<std::size_t>(b)].insert(
          std::min(token / grid.patches_per_frame, grid.frames));
    }
  }
  return frames;
}

// Same bytes as before the call?
bool same_bytes(const Tensor& before, const GuardedTensor& now) {
  return now.size_bytes() == before.size_bytes() &&
         std::memcmp(before.bytes(), now.bytes(), before.size_bytes()) == 0;
}

// One case on its way to a verdict.
class BlockRun {
 public:
  BlockRun(CaseResult& result, const lvsa_block_kernel& kernel, const RunOptions& options)
      : result_(result), kernel_(kernel), table_(table_of(kernel)), options_(options) {}

  void run() {
    begin_part(fmt::format("making its inputs, its maps by rule {}", result_.c.pattern));
    const auto start = std::chrono::steady_clock::now();
    const BlockCase made = make_block_case(result_.c);
    result_.timings.inputs_s = seconds_since(start);
    result_.inputs = hash_inputs(made.tensors);
    describe_maps(result_, made.heads);
    if (const auto reason = unsupported_maps(kernel_, made)) {
      result_.status = Status::kUnsupported;
      result_.message = *reason;
      return;
    }
    make_problem_of(made);
    if (!call()) return;
    judge(made);
  }

 private:
  void begin_part(std::string_view part) const {
    if (options_.part) options_.part(part);
  }

  void make_problem_of(const BlockCase& made) {
    const Case& c = result_.c;
    maps_ = std::make_shared<BlockMaps>(kernel_, made.heads, c.batch, made.nominal);
    rows_ = sample_map_rows(c, *maps_);
    std::vector<std::int64_t> wanted;
    for (const RowId& row : rows_) {
      if (c.only_wanted) wanted.push_back(row.token);
    }
    problem_ = make_problem(c, made.tensors, {}, std::move(wanted), options_.threads);
    problem_.maps = maps_;
  }

  // False where it has come to a status without outputs.
  bool call() {
    begin_part(kKernelPart);
    outputs_.emplace(make_outputs(table_, problem_));
    maps_before_ = maps_->hash();
    try {
      kernel_runner(table_)(problem_, *outputs_);
      result_.timings.kernel_s = outputs_->seconds;
      return true;
    } catch (const Refused& refused) {
      result_.checks.push_back(
          {std::string(kCapabilitiesCheck), CheckState::kFails,
           fmt::format("declares that it serves this ({}, pattern {}) and refuses it: {}",
                       claims_of(result_.c), result_.c.pattern, refused.message)});
      result_.message = refused.message;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kKernel) throw;
      result_.message = error.what();
    }
    result_.status = Status::kError;
    return false;
  }

  KernelOutputs left_behind() const {
    KernelOutputs left;
    left.out = outputs_->out.view();
    left.numerics = outputs_->numerics;
    left.unwritten_outputs = unwritten_elements(outputs_->out, problem_.wanted);
    if (outputs_->lse) {
      const TensorView lse = outputs_->lse->view();
      left.lse = [lse](std::int64_t b, std::int64_t s, std::int64_t h) {
        double value = 0.0;
        lse.read_row(b, s, h, &value);
        return static_cast<float>(value);
      };
      left.unwritten_lse = unwritten_elements(*outputs_->lse, problem_.wanted);
    }
    return left;
  }

  void judge(const BlockCase& made) {
    begin_part("judging its outputs");
    const Case& c = result_.c;
    if (!c.only_wanted) {
      const double tokens = static_cast<double>(c.grid.seq_len());
      result_.useful_gflops = 4e-9 * static_cast<double>(c.head_dim * c.heads * c.batch) *
                              result_.density * tokens * tokens / result_.timings.kernel_s;
    }
    const KernelOutputs left = left_behind();
    const BoundModel model = model_of(problem_, *outputs_);
    const auto start = std::chrono::steady_clock::now();
    const auto exact = exact_rows(problem_, rows_, model.scores);
    const auto schedule =
        make_schedule_judge(left.numerics ? &*left.numerics : nullptr, c.dtype, c.head_dim);
    ScheduleRows replayed;
    if (schedule) {
      replayed = {&schedule->model(), schedule->replay_maps(attention(), rows_, exact)};
    }
    const auto steps = [&](const RowId& row, std::int64_t keys) {
      return problem_steps(model, problem_, row, keys);
    };
    judge_rows(result_, left, model, {rows_, exact, steps}, replayed);
    result_.timings.oracle_s = seconds_since(start);
    if (is_failure(result_.status)) {
      result_.where = where_maps_fail({c, *maps_, left, model, rows_, exact});
    }
    if (options_.relations != RelationChoice::kNone) add_call_checks(made);
    if (relations_are_due(c, options_.relations)) add_relations(made);
    take_in_checks(result_);
  }

  reference::BlockAttention attention() const {
    return {problem_.q->view(), problem_.k->view(), problem_.v->view(), scale_of(problem_),
            maps_->heads()};
  }

  void add_check(std::string_view name, bool good, std::string message) {
    result_.checks.push_back({std::string(name), good ? CheckState::kHolds : CheckState::kFails,
                              good ? std::string() : std::move(message)});
  }

  bool inputs_kept(const BlockCase& made) const {
    return same_bytes(made.tensors.q, *problem_.q) && same_bytes(made.tensors.k, *problem_.k) &&
           same_bytes(made.tensors.v, *problem_.v) && maps_->hash() == maps_before_;
  }

  void add_call_checks(const BlockCase& made) {
    add_check(kInputsCheck, inputs_kept(made),
              "q, k, v or the maps are not what they were before the call");
    const std::int64_t unwritten = result_.output.unwritten + result_.lse.unwritten;
    add_check(kWrittenCheck, unwritten == 0,
              fmt::format("{} elements were not written", unwritten));
    add_check(kRedZonesCheck, outputs_->outside == 0,
              fmt::format("{} bytes changed outside the output, the log-sum-exp and the workspace",
                          outputs_->outside));
  }

  void add_relations(const BlockCase& made) {
    begin_part("checking relations");
    if (!inputs_kept(made)) make_problem_of(made);
    RelationOptions relations;
    relations.progress = options_.progress;
    for (NamedCheck& check : check_relations(table_, problem_, relations)) {
      result_.checks.push_back(std::move(check));
    }
  }

  CaseResult& result_;
  const lvsa_block_kernel& kernel_;
  const lvsa_kernel table_;
  const RunOptions& options_;
  std::shared_ptr<BlockMaps> maps_;
  std::vector<RowId> rows_;
  Problem problem_;
  std::optional<Outputs> outputs_;
  std::uint64_t maps_before_ = 0;
};

}  // namespace

void describe_maps(CaseResult& result, const std::vector<HeadPattern>& heads) {
  const Case& c = result.c;
  result.density = 0.0;
  for (const HeadPattern& head : heads) result.density += token_density(head);
  result.density /= static_cast<double>(heads.size());
  const BlockMap& map = heads.front().map;
  const auto of_rows = frames_of_blocks(map.rows, heads.front(), c.grid);
  const auto of_columns = frames_of_blocks(map.columns, heads.front(), c.grid);
  std::vector<std::set<std::int64_t>> attended(static_cast<std::size_t>(c.grid.frames) + 1);
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    for (const std::int32_t column : map.row(r)) {
      const auto& frames = of_columns[static_cast<std::size_t>(column)];
      for (const std::int64_t f : of_rows[static_cast<std::size_t>(r)]) {
        attended[static_cast<std::size_t>(f)].insert(frames.begin(), frames.end());
      }
    }
  }
  result.frames_attended_min = c.grid.frames;
  result.frames_attended_max = 0;
  for (std::int64_t f = 0; f < c.grid.frames; ++f) {
    auto& frames = attended[static_cast<std::size_t>(f)];
    frames.erase(c.grid.frames);  // the text
    const auto count = static_cast<std::int64_t>(frames.size());
    result.frames_attended_min = std::min(result.frames_attended_min, count);
    result.frames_attended_max = std::max(result.frames_attended_max, count);
  }
}

std::vector<RowId> sample_map_rows(const Case& c, const BlockMaps& maps) {
  std::vector<RowId> rows = sample_rows(c);
  const std::int64_t all = c.batch * c.heads * c.grid.seq_len();
  if (static_cast<std::int64_t>(rows.size()) >= all) return rows;
  const auto quarter = std::max<std::size_t>(1, rows.size() / 4);
  for (std::size_t i = 0; i < quarter; ++i) {
    const auto turn = static_cast<std::int64_t>(i);
    const std::int64_t head = turn % c.heads;
    const std::int64_t batch = turn / c.heads % c.batch;
    const HeadPattern& pattern = maps.head(batch, head);
    const BlockAxis& axis = pattern.map.rows;
    // From the last block on, since that is the odd one.
    const std::int64_t block = axis.blocks() - 1 - turn % axis.blocks();
    const std::int64_t place = i % 2 == 0 ? axis.end(block) - 1 : axis.begin(block);
    rows.push_back(
        {batch, pattern.order ? std::int64_t{pattern.order->token(place)} : place, head});
  }
  return rows;
}

CaseResult run_block_case(const Case& c, const lvsa_block_kernel& kernel,
                          const RunOptions& options) {
  CaseResult result;
  result.c = c;
  result.line = to_line(c);
  result.kernel = kernel.name;
  result.command =
      fmt::format("lvsa-verify kernel --kernel {} --case {}{}",
                  shell_quoted(options.kernel_option.empty() ? kernel.name : options.kernel_option),
                  shell_quoted(result.line),
                  options.relations == RelationChoice::kAll ? " --relations all" : "");
  result.frame_worst_ratio.assign(
      static_cast<std::size_t>(c.grid.frames + (c.grid.text_tokens > 0 ? 1 : 0)), -1.0);
  if (const auto reason = unsupported_reason(kernel, c)) {
    result.status = Status::kUnsupported;
    result.message = *reason;
    return result;
  }
  try {
    BlockRun(result, kernel, options).run();
  } catch (const DeviceLost& lost) {
    take_in_loss(result, lost);
  }
  return result;
}

}  // namespace lvsa::analysis
