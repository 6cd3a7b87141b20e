#include "analysis/verify/capture.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "analysis/verify/capture_geometry.hpp"
#include "analysis/verify/captured_call.hpp"
#include "analysis/verify/recorded_attention.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

constexpr int kDeepest = 8;  // groups within each other

// The groups that hold a call, the root as "".
void find_calls(const TensorSource& file, const std::string& group, int depth,
                std::vector<std::string>& calls) {
  const std::vector<std::string> members = file.members(group.empty() ? "/" : group);
  const auto has = [&](const char* name) {
    return std::find(members.begin(), members.end(), name) != members.end();
  };
  if (has("q") || has("k") || has("v") || has("qkv")) calls.push_back(group);
  if (depth == kDeepest) return;
  for (const std::string& name : members) {
    const std::string inside = captured_name(group, name.c_str());
    if (!file.members(inside).empty()) find_calls(file, inside, depth + 1, calls);
  }
}

// "layer3/step_10" is step 10.
std::optional<std::int64_t> step_of_name(const std::string& group) {
  const std::size_t at = group.rfind("step");
  if (at == std::string::npos) return std::nullopt;
  const std::size_t digits = group.find_first_not_of("_-=", at + 4);
  std::int64_t step = 0;
  if (digits == std::string::npos ||
      std::from_chars(group.data() + digits, group.data() + group.size(), step).ec != std::errc()) {
    return std::nullopt;
  }
  return step;
}

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

KnownGeometry known_geometry(const TensorSource& file, const std::string& group,
                             const CaptureOptions& options) {
  const auto attribute = [&](std::initializer_list<const char*> names) {
    std::optional<std::int64_t> value;
    for (const char* name : names) {
      if (!value) value = inherited_integer(file, group, name);
    }
    return value;
  };
  KnownGeometry known{options.frames, options.patches, options.text};
  if (!known.frames) known.frames = attribute({"T", "frames"});
  if (!known.patches) known.patches = attribute({"P", "patches_per_frame"});
  if (!known.text) known.text = attribute({"text_tokens", "text"});
  return known;
}

// The numbers of tokens that the geometry allows, as far as it is known.
TokenRange token_range(const KnownGeometry& known) {
  std::int64_t video = 0;
  std::int64_t all = 0;
  if (!known.frames || !known.patches || *known.frames < 1 || *known.patches < 1 ||
      __builtin_mul_overflow(*known.frames, *known.patches, &video) ||
      __builtin_add_overflow(video, known.text.value_or(video - 1), &all)) {
    return {};
  }
  return {known.text ? all : video, all};
}

void set_default_rows(Case& c) {
  constexpr std::int64_t kFew = 8192;  // all of so few are seconds
  const bool few = c.grid.seq_len() <= kFew / c.heads / c.batch;
  c.rows = few ? 0 : std::max<std::int64_t>(64, 8 * c.grid.frames);
}

Case call_as_case(const TensorSource& file, const std::string& group, const CaptureOptions& options,
                  const std::optional<Axes>& asked) {
  const std::string where =
      fmt::format("{}: {}", file.path(), group.empty() ? "/" : printable(group));
  const KnownGeometry known = known_geometry(file, group, options);
  const auto inputs = captured_inputs(file, group, asked, token_range(known));
  const auto q = inputs[0].sizes();
  Case c;
  c.model = "captured";
  c.grid = captured_grid(known, q[1], where);
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
  if (const auto step = step_of_name(group)) c.step = *step;
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
  std::optional<Axes> asked;
  if (!options.layout.empty()) {
    asked = Axes::parse(options.layout);
    if (!asked || !asked->has('d')) {
      throw Error(
          ErrorKind::kValue,
          fmt::format("--layout {}: an order of b, s, h, d such as bshd, bhsd, sbhd, shd, or "
                      "bs3hd for a packed qkv is due",
                      printable(options.layout)));
    }
  }
  const auto file = open_tensor_file(options.path);
  std::vector<std::string> calls;
  find_calls(*file, "", 0, calls);
  if (calls.empty()) {
    throw Error(ErrorKind::kIo, fmt::format("{}: holds no call: groups with q, k and v, or with "
                                            "qkv, are due",
                                            options.path));
  }
  std::vector<Case> cases;
  for (const std::string& group : calls) {
    cases.push_back(call_as_case(*file, group, options, asked));
    case_tensors(cases.back());
  }
  return cases;
}

}  // namespace lvsa::analysis
