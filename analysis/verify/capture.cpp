#include "analysis/verify/capture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analysis/verify/capture_calls.hpp"
#include "analysis/verify/captured_call.hpp"
#include "analysis/verify/recorded_attention.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

// Words of a case line that are no sizes: those come from the tensors.
void read_settings(Case& c, const std::string& words, const std::string& where) {
  const Case before = c;
  try {
    read_case_words(c, words);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: settings: {}", where, error.what()));
  }
  const auto sizes = [](const Case& x) {
    return std::array{
        x.grid.frames, x.grid.patches_per_frame, x.grid.text_tokens, x.batch, x.heads, x.kv_heads,
        x.head_dim};
  };
  if (sizes(c) != sizes(before) || c.file != before.file || c.layout != before.layout) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}: settings '{}': T, P, text, B, H, Hkv, D, layout "
                            "and file come from the tensors and from options of "
                            "their own",
                            where, printable(words)));
  }
}

void set_default_rows(Case& c) {
  constexpr std::int64_t kFew = 8192;  // all of so few are seconds
  const bool few = c.grid.seq_len() <= kFew / c.heads / c.batch;
  c.rows = few ? 0 : std::max<std::int64_t>(64, 8 * c.grid.frames);
}

Case call_as_case(const TensorSource& file, const std::string& group, const CaptureOptions& options,
                  const std::optional<Axes>& asked) {
  const std::string where = captured_place(file, group);
  const auto [grid, inputs] = captured_shape(file, group, options, asked);
  const auto q = inputs[0].sizes();
  Case c;
  c.model = "captured";
  c.grid = grid;
  c.batch = q[0];
  c.heads = q[2];
  c.kv_heads = inputs[1].sizes()[2];
  c.head_dim = q[3];
  c.dtype = element_dtype(inputs[0].form.type);
  const std::string& letters = inputs[0].axes.letters();
  c.layout = letters.find('h') < letters.find('s') ? Layout::kBHSD : Layout::kBSHD;
  c.file = fmt::format("{}#{}{}", file.path(), group, asked ? "@" + asked->letters() : "");
  set_default_rows(c);
  const DType stored = c.dtype;
  if (const auto step = number_in_name(group, "step")) c.step = *step;
  if (const auto text = inherited_text(file, group, "env")) {
    apply_environment(c, environment_from_json(*text, where + ": attribute env"));
  }
  if (const auto version = inherited_text(file, group, "lvsa")) c.version = parse_version(*version);
  if (const auto step = inherited_integer(file, group, "step")) c.step = *step;
  if (const auto words = inherited_text(file, group, "settings")) read_settings(c, *words, where);
  read_settings(c, options.settings, where);
  if (stored == LVSA_F64 && c.dtype == LVSA_F64) {
    throw Error(ErrorKind::kValue, fmt::format("{}: q, k and v are float64, which no kernel takes; "
                                               "settings dtype=f32 rounds them",
                                               where));
  }
  try {
    return parse_case(to_line(c));  // which also holds the ranges of what attributes gave
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", where, error.what()));
  }
}

}  // namespace

std::vector<Case> capture_cases(const CaptureOptions& options) {
  const std::optional<Axes> asked = asked_layout(options.layout);
  const auto file = open_tensor_file(options.path);
  std::vector<Case> cases;
  for (const std::string& group : captured_groups(*file)) {
    cases.push_back(call_as_case(*file, group, options, asked));
    case_tensors(cases.back());
  }
  return cases;
}

}  // namespace lvsa::analysis
