#include "analysis/verify/recover.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "analysis/verify/inputs.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "analysis/verify/oracle_problem.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::uint64_t kCodeSeed = 20260711;
constexpr double kCheapProducts = 0x1p27;
constexpr std::int64_t kDeepSearches = 512;  // beyond, a kernel is broken in too many ways to say

// A call with another pattern first: a kernel that keeps its plan goes on with that one.
void run_decoy(const Case& c, const lvsa_kernel& kernel, const FramePattern& pattern,
               const RecoverOptions& options) {
  Case probe = c;
  probe.file.clear();
  probe.input = InputKind::kUniform;
  probe.only_wanted = false;
  AttentionTensors tensors = make_inputs(probe);
  const FramePattern decoy = decoy_pattern(pattern);
  KernelCall call(kernel, probe, tensors, decoy, options.threads, {});
  if (options.before_each) options.before_each();
  call.run();
}

// Rows of one query frame mostly come out alike: each different row is searched once.
class Recoverer {
 public:
  Recoverer(MaskRecovery& recovery, const ProbeCodes& codes, const ProbeOutputs& outputs)
      : to_(recovery),
        codes_(codes),
        outputs_(outputs),
        precision_(probe_precision(outputs.numerics, recovery.c.dtype, outputs.dtype)) {}

  void run() {
    const Case& c = to_.c;
    to_.row_mask.reserve(static_cast<std::size_t>(c.batch * c.heads * c.grid.seq_len()));
    for (std::int64_t b = 0; b < c.batch; ++b) {
      for (std::int64_t h = 0; h < c.heads; ++h) recover_head(b, h);
    }
  }

 private:
  void recover_head(std::int64_t b, std::int64_t h);
  std::int32_t mask_of(std::int64_t b, std::int64_t h, std::int64_t token);
  std::vector<KeyPiece> due_of(std::int64_t token) const;

  MaskRecovery& to_;
  const ProbeCodes& codes_;
  const ProbeOutputs& outputs_;
  ProbePrecision precision_;
  // Of the query frame at hand: bytes of the columns and the log-sum-exp.
  std::map<std::string, std::int32_t> known_;
  std::int64_t searches_ = 0;
};

void Recoverer::recover_head(std::int64_t b, std::int64_t h) {
  const FrameGrid& grid = to_.c.grid;
  for (std::int64_t token = 0; token < grid.seq_len(); ++token) {
    const bool video = token < grid.video_tokens();
    const bool starts = video ? token % grid.patches_per_frame == 0 : token == grid.video_tokens();
    if (starts) known_.clear();
    to_.row_mask.push_back(mask_of(b, h, token));
  }
}

std::vector<KeyPiece> Recoverer::due_of(std::int64_t token) const {
  const FrameGrid& grid = to_.c.grid;
  if (token >= grid.video_tokens()) {
    std::vector<std::int32_t> every;
    for (std::int64_t f = 0; f < grid.frames; ++f) every.push_back(static_cast<std::int32_t>(f));
    return whole_pieces(grid, every, true);
  }
  return whole_pieces(grid, to_.due[static_cast<std::size_t>(token / grid.patches_per_frame)],
                      true);
}

std::int32_t Recoverer::mask_of(std::int64_t b, std::int64_t h, std::int64_t token) {
  const Case& c = to_.c;
  const auto row = static_cast<std::size_t>((b * c.heads + h) * c.grid.seq_len() + token);
  const auto columns = static_cast<std::size_t>(outputs_.columns);
  ProbeRow seen;
  seen.columns = std::span(outputs_.values).subspan(row * columns, columns);
  if (!outputs_.lse.empty()) seen.lse = outputs_.lse[row];
  seen.batch = b;
  seen.kv_head = h / (c.heads / c.kv_heads);
  std::string key(reinterpret_cast<const char*>(seen.columns.data()), seen.columns.size_bytes());
  if (seen.lse) key.append(reinterpret_cast<const char*>(&*seen.lse), sizeof(float));
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  RowMask mask = recover_row(codes_, precision_, seen, due_of(token), searches_ < kDeepSearches);
  if (!mask.proven) ++searches_;
  to_.masks.push_back(std::move(mask));
  const auto index = static_cast<std::int32_t>(to_.masks.size() - 1);
  known_.emplace(std::move(key), index);
  return index;
}

}  // namespace

MaskRecovery recover_mask(const Case& c, const lvsa_kernel& kernel, const RecoverOptions& options) {
  if (const auto reason = unsupported_reason(kernel, c)) {
    throw Error(ErrorKind::kKernel,
                fmt::format("kernel {} does not serve this case: {}", kernel.name, *reason));
  }
  MaskRecovery recovery;
  recovery.c = c;
  recovery.kernel = kernel.name;
  recovery.due = reference_lists(c);
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(c));
  const ProbeCodes codes(plan_columns(c, options.max_runs - 1), kCodeSeed);
  recovery.runs = codes.columns().runs() + 1;
  run_decoy(c, kernel, pattern, options);
  const ProbeOutputs outputs =
      run_probes(c, kernel, pattern, codes, options.threads, options.before_each);
  Recoverer(recovery, codes, outputs).run();
  compare_with_pattern(recovery);
  return recovery;
}

bool recovery_is_cheap(const Case& c) {
  const auto rows = static_cast<double>(c.batch * c.heads * c.grid.seq_len());
  const double columns =
      static_cast<double>(c.grid.frames + c.grid.text_tokens + c.grid.patches_per_frame) + 64.0 +
      static_cast<double>(2 * c.head_dim);
  return rows * static_cast<double>(c.grid.seq_len()) * columns < kCheapProducts && c.head_dim >= 8;
}

char cell_letter(CellState state) {
  switch (state) {
    case CellState::kAttended:
      return '#';
    case CellState::kMissing:
      return '-';
    case CellState::kExtra:
      return '+';
    case CellState::kPartial:
      return '%';
    case CellState::kRepeated:
      return '2';
    case CellState::kUndecided:
      return '?';
    case CellState::kSkipped:
      break;
  }
  return '.';
}

RecoveredMask recovered_mask(const MaskRecovery& recovery) {
  RecoveredMask mask;
  std::tie(mask.batch, mask.head) = first_difference(recovery);
  const std::int64_t frames = recovery.c.grid.frames;
  if (frames > kMaxReportedFrames) return mask;
  for (std::int64_t f = 0; f < frames; ++f) {
    std::string& row = mask.rows.emplace_back();
    for (std::int64_t k = 0; k < frames; ++k) {
      row += cell_letter(cell_state(recovery, mask.batch, mask.head, f, k));
    }
  }
  return mask;
}

NamedCheck mask_check(const MaskRecovery& recovery) {
  NamedCheck check{"mask", CheckState::kHolds, ""};
  if (recovery.exact()) return check;
  check.state = CheckState::kFails;
  check.message = recovery.differences.front().line;
  if (!recovery.mistake.empty())
    check.message += fmt::format("; explained by {}", recovery.mistake);
  if (recovery.differences.size() > 1) {
    check.message += fmt::format(" ({} more)", recovery.differences.size() - 1);
  }
  return check;
}

}  // namespace lvsa::analysis
