#include "analysis/verify/capture_calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "analysis/verify/capture_geometry.hpp"
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

}  // namespace

std::optional<Axes> asked_layout(const std::string& layout) {
  if (layout.empty()) return std::nullopt;
  auto asked = Axes::parse(layout);
  if (!asked || !asked->has('d')) {
    throw Error(ErrorKind::kValue,
                fmt::format("--layout {}: an order of b, s, h, d such as bshd, bhsd, sbhd, shd, or "
                            "bs3hd for a packed qkv is due",
                            printable(layout)));
  }
  return asked;
}

std::vector<std::string> captured_groups(const TensorSource& file) {
  std::vector<std::string> calls;
  find_calls(file, "", 0, calls);
  if (calls.empty()) {
    throw Error(ErrorKind::kIo, fmt::format("{}: holds no call: groups with q, k and v, or with "
                                            "qkv, are due",
                                            file.path()));
  }
  return calls;
}

std::string captured_place(const TensorSource& file, const std::string& group) {
  return fmt::format("{}: {}", file.path(), group.empty() ? "/" : printable(group));
}

std::optional<std::int64_t> number_in_name(const std::string& group, std::string_view word) {
  const std::size_t at = group.rfind(word);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t digits = group.find_first_not_of("_-=", at + word.size());
  std::int64_t number = 0;
  if (digits == std::string::npos ||
      std::from_chars(group.data() + digits, group.data() + group.size(), number).ec !=
          std::errc()) {
    return std::nullopt;
  }
  return number;
}

CapturedShape captured_shape(const TensorSource& file, const std::string& group,
                             const CaptureOptions& options, const std::optional<Axes>& asked) {
  const KnownGeometry known = known_geometry(file, group, options);
  CapturedShape shape{{}, captured_inputs(file, group, asked, token_range(known))};
  shape.grid = captured_grid(known, shape.inputs[0].sizes()[1], captured_place(file, group));
  return shape;
}

}  // namespace lvsa::analysis
