#include "analysis/blocks/block_case.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <sstream>

#include "analysis/blocks/block_invoke.hpp"
#include "analysis/blocks/block_maps.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "core/blocks/rule_words.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

CaseRuleMaker& case_rules() {
  static CaseRuleMaker maker = make_rule;
  return maker;
}

// [1, S, 1, D] of one head.
TensorView head_view(const TensorView& tensor, std::int64_t batch, std::int64_t head) {
  TensorView view = tensor;
  view.data = static_cast<const std::byte*>(tensor.data) +
              static_cast<std::size_t>(batch * tensor.strides[0] + head * tensor.strides[2]) *
                  dtype_bytes(tensor.dtype);
  view.shape[0] = view.shape[2] = 1;
  return view;
}

// The class of a key at a place, 0 .. D - 1.
std::int64_t class_of_place(const Case& c, const HeadPattern& pattern, std::int64_t place) {
  const bool by_place = c.input == InputKind::kIndicatorPlace;
  return (by_place ? place : pattern.map.columns.block_of(place)) % c.head_dim;
}

bool speaks_of_blocks(const Case& c) {
  const auto kinds = block_inputs();
  return std::find(kinds.begin(), kinds.end(), c.input) != kinds.end();
}

bool same_maps(const HeadPattern& a, const HeadPattern& b) {
  return a.map == b.map && a.mask == b.mask;
}

// Whether a block other than the last is smaller than a whole one.
bool has_segments(const BlockAxis& axis, std::int64_t whole) {
  for (std::int64_t b = 0; b + 1 < axis.blocks(); ++b) {
    if (axis.size(b) != whole) return true;
  }
  return false;
}

std::optional<std::string> unsupported_blocks(const lvsa_block_capabilities& can,
                                              const BlockSize& asked) {
  if (can.block_sizes == 0) {
    const std::int64_t largest = std::max(asked.rows, asked.columns);
    if (largest <= can.block_max) return std::nullopt;
    return fmt::format("no blocks of {} x {} tokens; up to {} it has all", asked.rows,
                       asked.columns, can.block_max);
  }
  std::vector<std::string> known;
  for (std::int32_t i = 0; i < can.block_sizes; ++i) {
    const auto& [rows, columns] = can.block_size[i];
    if (rows == asked.rows && columns == asked.columns) return std::nullopt;
    known.push_back(fmt::format("{} x {}", rows, columns));
  }
  return fmt::format("no blocks of {} x {} tokens; it has {}", asked.rows, asked.columns,
                     fmt::join(known, ", "));
}

}  // namespace

void set_case_rules(CaseRuleMaker maker) { case_rules() = std::move(maker); }

std::vector<HeadPattern> case_patterns(const Case& c, const AttentionTensors& tensors) {
  const auto rule = case_rules()(c.pattern);
  PatternInput input;
  input.video = {c.grid, c.height, c.width};
  input.scale = 1.0 / std::sqrt(static_cast<double>(c.head_dim));
  input.heads = c.heads;
  input.step = c.step;
  std::vector<HeadPattern> heads;
  for (std::int64_t b = 0; b < c.batch; ++b) {
    for (std::int64_t h = 0; h < c.heads; ++h) {
      input.head = h;
      input.q = head_view(tensors.q.view(), b, h);
      input.k = head_view(tensors.k.view(), b, h / (c.heads / c.kv_heads));
      input.v = head_view(tensors.v.view(), b, h / (c.heads / c.kv_heads));
      heads.push_back(rule->make(input));
      check_head_pattern(heads.back(), fmt::format("pattern {}, head {}", c.pattern, h));
    }
  }
  return heads;
}

BlockSize nominal_blocks(const std::string& rule, const std::vector<HeadPattern>& heads) {
  std::istringstream in(rule);
  std::string name;
  in >> name;
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  const RuleInfo& info = rule_info(name);
  const RuleWords read(info, words);
  BlockSize nominal{0, 0};
  for (const HeadPattern& head : heads) {
    nominal.rows = std::max(nominal.rows, head.map.rows.largest());
    nominal.columns = std::max(nominal.columns, head.map.columns.largest());
  }
  for (const RuleParameter& parameter : info.parameters) {
    constexpr std::int64_t kMost = std::int64_t{1} << 31;
    const bool rows = parameter.name == "block_q" || parameter.name == "block";
    const bool columns = parameter.name == "block_k" || parameter.name == "block";
    if (!rows && !columns) continue;
    const std::int64_t size = read.integer(parameter.name, 0, kMost);
    if (rows) nominal.rows = std::max(nominal.rows, size);
    if (columns) nominal.columns = std::max(nominal.columns, size);
  }
  return nominal;
}

void mark_values(AttentionTensors& tensors, const Case& c, const std::vector<HeadPattern>& heads) {
  const TensorView v = tensors.v.view();
  const std::size_t width = dtype_bytes(c.dtype);
  std::memset(tensors.v.bytes(), 0, tensors.v.size_bytes());
  for (std::int64_t r = 0; r < c.batch * c.kv_heads; ++r) {
    const std::int64_t b = r / c.kv_heads;
    const std::int64_t h = r % c.kv_heads;
    const HeadPattern& pattern =
        heads[static_cast<std::size_t>(b * c.heads + h * (c.heads / c.kv_heads))];
    for (std::int64_t token = 0; token < c.grid.seq_len(); ++token) {
      const std::int64_t marked = class_of_place(c, pattern, place_of_token(pattern, token));
      const std::int64_t at =
          b * v.strides[0] + token * v.strides[1] + h * v.strides[2] + marked * v.strides[3];
      encode(c.dtype, 1.0, tensors.v.bytes() + static_cast<std::size_t>(at) * width);
    }
  }
}

BlockCase make_block_case(const Case& c) {
  if (c.dtype == LVSA_E4M3) {
    throw Error(ErrorKind::kValue,
                "case: dtype=e4m3: block-sparse kernels take no scales; f32, f16 or bf16 is due");
  }
  BlockCase made;
  made.tensors = case_tensors(c);
  made.heads = case_patterns(c, made.tensors);
  made.nominal = nominal_blocks(c.pattern, made.heads);
  if (speaks_of_blocks(c)) mark_values(made.tensors, c, made.heads);
  return made;
}

std::optional<std::string> unsupported_reason(const lvsa_block_kernel& kernel, const Case& c) {
  lvsa_kernel table = table_of(kernel);
  if (c.pattern.empty()) return "the kernel takes block maps; a case with pattern= is due";
  Case plain = c;
  plain.pattern.clear();
  table.run = [](const lvsa_problem*, void*, size_t, void*, char*, size_t) { return LVSA_FAILED; };
  return unsupported_reason(table, plain);
}

std::optional<std::string> unsupported_maps(const lvsa_block_kernel& kernel,
                                            const std::vector<HeadPattern>& heads,
                                            const BlockSize& nominal) {
  const lvsa_block_capabilities& can = kernel.capabilities;
  if (auto reason = unsupported_blocks(can, nominal)) return reason;
  const HeadPattern& first = heads.front();
  const auto any = [&](auto holds) { return std::any_of(heads.begin(), heads.end(), holds); };
  if (can.maps_per_head == 0 && any([&](const auto& head) { return !same_maps(head, first); })) {
    return "no maps that differ between heads";
  }
  if (can.element_masks == 0 && any([](const auto& head) { return head.mask.masks() > 0; })) {
    return "no element masks";
  }
  if (can.orders == 0 && any([](const auto& head) { return head.order.has_value(); })) {
    return "no orders of tokens";
  }
  if (can.skip == 0 && any([](const auto& head) { return head.skip.has_value(); })) {
    return "no online skip";
  }
  const bool segments = has_segments(first.map.rows, nominal.rows) ||
                        has_segments(first.map.columns, nominal.columns);
  if (can.segments == 0 && segments) return "no smaller blocks but the last one";
  return std::nullopt;
}

}  // namespace lvsa::analysis
