#include "analysis/verify/probes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
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
void blame(CaseResult& result, const lvsa_kernel& kernel, const RunOptions& options) {
  const auto is_known = [](const NamedCheck& known) { return known.name == kCapabilitiesCheck; };
  auto found = std::find_if(result.checks.begin(), result.checks.end(), is_known);
  if (found == result.checks.end()) {
    found = result.checks.insert(
        found, NamedCheck{std::string(kCapabilitiesCheck), CheckState::kHolds, ""});
  }
  NamedCheck& check = *found;
  RunOptions quiet = options;
  quiet.progress = {};
  quiet.relations = RelationChoice::kNone;
  std::vector<std::string> blamed;
  std::size_t tried = 0;
  for (const Simpler& simpler : simpler_cases(result.c, kernel)) {
    if (!blamed.empty() && blamed.back() == simpler.claim) continue;
    ++tried;
    const Status status = run_case(simpler.c, kernel, quiet).status;
    if (status == Status::kPass || status == Status::kWeak) blamed.emplace_back(simpler.claim);
  }
  if (blamed.empty() || blamed.size() == tried) return;
  const std::string only = fmt::format("declares {} and is right only without ({})",
                                       fmt::join(blamed, ", "), claims_of(result.c));
  check.message =
      check.state == CheckState::kFails ? fmt::format("{}; {}", check.message, only) : only;
  check.state = CheckState::kFails;
}

void add_mask(CaseResult& result, const lvsa_kernel& kernel, const RunOptions& options) {
  RecoverOptions how;
  how.threads = options.threads;
  how.before_each = [&] {
    if (options.part) options.part("recovering its mask");
  };
  try {
    const MaskRecovery recovery = recover_mask(result.c, kernel, how);
    NamedCheck check = mask_check(recovery);
    const bool passed = result.status == Status::kPass || result.status == Status::kWeak;
    if (check.state == CheckState::kFails && passed) {
      result.status = Status::kFail;
      result.message = fmt::format("mask: {}", check.message);
    }
    result.checks.push_back(std::move(check));
    if (is_failure(result.status)) result.recovered = recovered_mask(recovery);
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

namespace {

void add_probes_on(CaseResult& result, const lvsa_kernel& kernel, const RunOptions& options) {
  // Of captured tensors only to show what the kernel attends that has failed on them.
  const bool generated = result.c.file.empty();
  const bool asks = generated ? result.status != Status::kError : result.status == Status::kFail;
  if (asks && recovery_is_cheap(result.c)) add_mask(result, kernel, options);
  if (generated && is_failure(result.status) && is_cheap(result.c)) {
    if (options.part) options.part("probing its capabilities");
    blame(result, kernel, options);
  }
}

}  // namespace

void add_probes(CaseResult& result, const lvsa_kernel& kernel, const RunOptions& options) {
  // A kernel that has spoilt the device cannot be asked anything more in this process.
  if (result.status == Status::kUnsupported || result.status == Status::kCrash) return;
  try {
    add_probes_on(result, kernel, options);
  } catch (const DeviceLost& lost) {
    take_in_loss(result, lost);
  }
}

}  // namespace lvsa::analysis
