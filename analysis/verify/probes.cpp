#include "analysis/verify/probes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "analysis/verify/kernel_call.hpp"
#include "analysis/verify/recover.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kCheapProducts = 0x1p26;  // of one call: a few hundredths of a second

bool is_cheap(const Case& c) {
  const auto tokens = static_cast<double>(c.grid.seq_len());
  return tokens * tokens * static_cast<double>(c.batch * c.heads * c.head_dim) < kCheapProducts;
}

// The case without one thing that a kernel declares.
struct Simpler {
  const char* claim;
  Case c;
};

std::vector<Simpler> simpler_cases(const Case& c, const lvsa_kernel& kernel) {
  std::vector<Simpler> cases;
  const auto add = [&](const char* claim, auto change) {
    Case other = c;
    change(other);
    if (!(other == c) && !unsupported_reason(kernel, other)) cases.push_back({claim, other});
  };
  add("text tokens", [](Case& x) { x.grid.text_tokens = 0; });
  add("a batch", [](Case& x) { x.batch = 1; });
  add("grouped heads", [](Case& x) { x.kv_heads = x.heads; });
  add("strides other than [B, S, H, D]", [](Case& x) { x.layout = Layout::kBSHD; });
  for (const DType dtype : {LVSA_F32, LVSA_BF16, LVSA_F16}) {
    if (dtype == c.dtype) continue;
    add("this type", [dtype](Case& x) { x.dtype = dtype; });
  }
  for (const std::int64_t dim : {64, 128, 32}) {
    if (dim == c.head_dim) continue;
    add("this head size", [dim](Case& x) { x.head_dim = dim; });
  }
  return cases;
}

// Which claims are to blame: without them the case passes. Not told where every change helps.
NamedCheck blame(const CaseResult& result, const lvsa_kernel& kernel, const RunOptions& options) {
  NamedCheck check{"capabilities", CheckState::kHolds, ""};
  // What kernel_call says of LVSA_UNSUPPORTED.
  const std::string refusal = fmt::format("returned status {}", static_cast<int>(LVSA_UNSUPPORTED));
  if (result.status == Status::kError && result.message.find(refusal) != std::string::npos) {
    check.state = CheckState::kFails;
    check.message = fmt::format("declares that it serves this ({}) and refuses it: {}",
                                claims_of(result.c), result.message);
  }
  RunOptions quiet = options;
  quiet.progress = {};
  quiet.relations = RelationChoice::kNone;
  quiet.recover_masks = false;
  std::vector<std::string> blamed;
  std::size_t tried = 0;
  for (const Simpler& simpler : simpler_cases(result.c, kernel)) {
    const bool is_known = !blamed.empty() && blamed.back() == simpler.claim;
    if (is_known) continue;
    ++tried;
    const Status status = run_case(simpler.c, kernel, quiet).status;
    if (status == Status::kPass || status == Status::kWeak) blamed.emplace_back(simpler.claim);
  }
  if (blamed.empty() || blamed.size() == tried) return check;
  const std::string only = fmt::format("declares {} and is right only without ({})",
                                       fmt::join(blamed, ", "), claims_of(result.c));
  check.message =
      check.state == CheckState::kFails ? fmt::format("{}; {}", check.message, only) : only;
  check.state = CheckState::kFails;
  return check;
}

void add_mask(CaseResult& result, const lvsa_kernel& kernel, const RunOptions& options) {
  RecoverOptions how;
  how.threads = options.threads;
  try {
    NamedCheck check = mask_check(recover_mask(result.c, kernel, how));
    const bool passed = result.status == Status::kPass || result.status == Status::kWeak;
    if (check.state == CheckState::kFails && passed) {
      result.status = Status::kFail;
      result.message = fmt::format("mask: {}", check.message);
    }
    result.checks.push_back(std::move(check));
  } catch (const Error& error) {
    result.checks.push_back({"mask", CheckState::kNotApplicable, error.what()});
  }
}

}  // namespace

std::string claims_of(const Case& c) {
  std::string text = fmt::format("{}, D={}", dtype_name(c.dtype), c.head_dim);
  if (c.grid.text_tokens > 0) text += fmt::format(", {} text tokens", c.grid.text_tokens);
  if (c.heads != c.kv_heads) text += fmt::format(", {} heads on {}", c.heads, c.kv_heads);
  if (c.batch > 1) text += fmt::format(", batch {}", c.batch);
  if (c.layout != Layout::kBSHD) text += fmt::format(", layout {}", layout_name(c.layout));
  return text;
}

void add_probes(CaseResult& result, const lvsa_kernel& kernel, const RunOptions& options) {
  if (!result.c.file.empty() || result.status == Status::kUnsupported) return;
  if (result.status != Status::kError && recovery_is_cheap(result.c)) {
    if (options.part) options.part("recovering its mask");
    add_mask(result, kernel, options);
  }
  if (is_failure(result.status) && is_cheap(result.c)) {
    if (options.part) options.part("probing its capabilities");
    result.checks.push_back(blame(result, kernel, options));
  }
}

}  // namespace lvsa::analysis
