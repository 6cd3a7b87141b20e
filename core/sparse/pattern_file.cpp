#include "core/sparse/pattern_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "core/error.hpp"

namespace lvsa {
namespace {

constexpr std::int64_t kMostElements = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMostBlocks = std::int64_t{1} << 22;  // of an axis that two numbers describe

std::string inside(const std::string& group, const std::string& name) {
  return group == "/" ? name : group + "/" + name;
}

// One group of a file, and what its faults are called by.
class Group {
 public:
  Group(const TensorSource& file, std::string group) : file_(&file), group_(std::move(group)) {
    name_ = group_ == "/" ? file.path() : fmt::format("{}: {}", file.path(), group_);
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorKind::kValue, fmt::format("{}: {}", name_, what));
  }
  const std::string& name() const { return name_; }
  std::string name(std::int64_t head, std::int64_t heads) const {
    return heads == 1 ? name_ : fmt::format("{}: head {}", name_, head);
  }

  // Of the group, else of the root.
  std::string place_of(const std::string& tensor) const {
    return file_->form(inside(group_, tensor)) ? inside(group_, tensor) : tensor;
  }
  std::optional<TensorForm> form(const std::string& tensor) const {
    auto form = file_->form(place_of(tensor));
    if (form && form->elements() > kMostElements) {
      refuse(fmt::format("{} has {} elements, at most {} are read", tensor, form->elements(),
                         kMostElements));
    }
    return form;
  }

  std::vector<std::int64_t> integers(const std::string& tensor) const {
    std::vector<std::int64_t> values(static_cast<std::size_t>(form(tensor)->elements()));
    file_->read(place_of(tensor), values.data());
    return values;
  }
  // Values that 32 bits do not hold become the nearest that they do: out of every range.
  std::vector<std::int32_t> small_integers(const std::string& tensor) const {
    const std::vector<std::int64_t> wide = integers(tensor);
    std::vector<std::int32_t> values;
    values.reserve(wide.size());
    for (const std::int64_t value : wide) {
      values.push_back(static_cast<std::int32_t>(
          std::clamp<std::int64_t>(value, std::numeric_limits<std::int32_t>::min(),
                                   std::numeric_limits<std::int32_t>::max())));
    }
    return values;
  }
  std::vector<double> numbers(const std::string& tensor) const {
    std::vector<double> values(static_cast<std::size_t>(form(tensor)->elements()));
    file_->read(place_of(tensor), values.data());
    return values;
  }
  std::vector<std::byte> bits(const std::string& tensor) const {
    std::vector<std::byte> data(static_cast<std::size_t>(form(tensor)->bytes()));
    file_->read_bits(place_of(tensor), data.data());
    return data;
  }

  // An attribute, or a tensor of one element.
  std::optional<std::int64_t> number(const std::string& name) const {
    for (const std::string& object : {group_, std::string("/")}) {
      if (const auto value = file_->integer_attribute(object, name)) {
        if (value->size() != 1) refuse(fmt::format("{}: one number is due", name));
        return value->front();
      }
    }
    const auto tensor = form(name);
    if (!tensor) return std::nullopt;
    if (tensor->elements() != 1) refuse(fmt::format("{}: one number is due", name));
    return integers(name).front();
  }
  std::string text(const std::string& name) const {
    return file_->text_attribute(group_, name).value_or("");
  }

 private:
  const TensorSource* file_;
  std::string group_;
  std::string name_;
};

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) {
    text += fmt::format("{}{}", text.empty() ? "[" : ", ", size);
  }
  return text.empty() ? "[]" : text + "]";
}

// From `begins` where it is there, else of `block` and the attribute tokens. `blocks` -1: not
// known.
BlockAxis axis_of(const Group& group, const char* begins, const char* block, std::int64_t blocks) {
  if (group.form(begins)) {
    BlockAxis axis = [&] {
      try {
        return BlockAxis::of_begins(group.integers(begins));
      } catch (const Error& error) {
        group.refuse(fmt::format("{}: {}", begins, error.what()));
      }
    }();
    if (axis.tokens() > kMostElements) {
      group.refuse(
          fmt::format("{}: {} tokens, at most {} are due", begins, axis.tokens(), kMostElements));
    }
    return axis;
  }
  const auto size = group.number(block);
  const auto tokens = group.number("tokens");
  if (!size || !tokens) {
    group.refuse(fmt::format("no {}: a tensor {}, or {} and tokens are due",
                             size ? "tokens" : block, begins, block));
  }
  if (*size < 1 || *tokens < 1 || *tokens > kMostElements) {
    group.refuse(fmt::format("{}={} tokens={}: 1 and more are due, and tokens up to {}", block,
                             *size, *tokens, kMostElements));
  }
  const std::int64_t due = (*tokens - 1) / *size + 1;
  if (blocks >= 0 && due != blocks) {
    group.refuse(fmt::format("indptr has {} entries, {} are due for {} tokens in blocks of {}",
                             blocks + 1, due + 1, *tokens, *size));
  }
  if (due > kMostBlocks) {
    group.refuse(
        fmt::format("{}={}: {} blocks, at most {} are due", block, *size, due, kMostBlocks));
  }
  return BlockAxis::uniform(*tokens, *size);
}

void pack_masks(const std::vector<std::byte>& bytes, std::int64_t rows, std::int64_t columns,
                ElementMask& mask) {
  const std::int64_t masks = static_cast<std::int64_t>(bytes.size()) / (rows * columns);
  mask.bits.assign(static_cast<std::size_t>(masks * rows * mask.words), 0);
  for (std::int64_t i = 0; i < masks * rows; ++i) {
    for (std::int64_t c = 0; c < columns; ++c) {
      if (bytes[static_cast<std::size_t>(i * columns + c)] == std::byte{0}) continue;
      mask.bits[static_cast<std::size_t>(i * mask.words + c / 64)] |= std::uint64_t{1} << (c % 64);
    }
  }
}

// The masks of all heads: `mask_bits`, 64 keys a word, or `masks`, a byte a pair.
ElementMask masks_of(const Group& group, const BlockAxis& rows, const BlockAxis& columns) {
  ElementMask mask;
  mask.block_rows = rows.largest();
  mask.words = (columns.largest() + 63) / 64;
  const auto check = [&](const char* name, const TensorForm& form, std::int64_t last, bool right) {
    const bool fits = form.shape.size() == 3 && form.shape[1] == mask.block_rows &&
                      form.shape[2] == last && right;
    if (!fits) {
      group.refuse(fmt::format("{} is {} {}, [masks, {}, {}] of {} are due", name,
                               element_name(form.type), shape_text(form.shape), mask.block_rows,
                               last, name[4] == '_' ? "uint64" : "bool or uint8"));
    }
  };
  if (const auto form = group.form("mask_bits")) {
    check("mask_bits", *form, mask.words,
          form->type == ElementType::kU64 || form->type == ElementType::kI64);
    const std::vector<std::byte> bytes = group.bits("mask_bits");
    mask.bits.resize(bytes.size() / 8);
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(mask.bits.data()));
  } else if (const auto pairs = group.form("masks")) {
    check("masks", *pairs, columns.largest(),
          pairs->type == ElementType::kBool || pairs->type == ElementType::kU8);
    pack_masks(group.bits("masks"), mask.block_rows, columns.largest(), mask);
  } else {
    group.refuse("entry_mask without masks: a tensor mask_bits or masks is due");
  }
  return mask;
}

// The part of a tensor that belongs to a head: all of it, or its own where there is one a head.
template <typename T>
std::vector<T> of_head(const Group& group, const char* name, const std::vector<T>& values,
                       std::int64_t each, std::int64_t head, std::int64_t heads) {
  const auto size = static_cast<std::int64_t>(values.size());
  if (size == each) return values;
  if (size != each * heads) {
    group.refuse(fmt::format("{} has {} elements, {}{} are due", name, size, each,
                             heads > 1 ? fmt::format(" or {}", each * heads) : std::string()));
  }
  return {values.begin() + head * each, values.begin() + (head + 1) * each};
}

// What the heads of a group share, read once.
struct Tensors {
  BlockAxis rows;
  BlockAxis columns;
  std::vector<std::int32_t> indptr;  // [heads, blocks + 1]
  std::vector<std::int32_t> indices;
  std::vector<std::int32_t> entry_mask;  // empty: none
  ElementMask masks;
  std::vector<std::int32_t> order;
  std::vector<double> skip;
  std::string choice;
  std::int64_t heads = 1;
};

Tensors read_tensors(const Group& group) {
  const auto indptr = group.form("indptr");
  const auto indices = group.form("indices");
  if (!indptr || !indices) {
    group.refuse(fmt::format("no tensor {}", indptr ? "indices" : "indptr"));
  }
  if (indptr->shape.empty() || indptr->shape.size() > 2 || indptr->shape.back() < 2) {
    group.refuse(fmt::format("indptr is {}, [rows + 1] or [heads, rows + 1] is due",
                             shape_text(indptr->shape)));
  }
  Tensors t;
  t.heads = indptr->shape.size() == 2 ? indptr->shape.front() : 1;
  if (t.heads < 1) group.refuse("indptr has no heads");
  const std::int64_t blocks = indptr->shape.back() - 1;
  t.rows = axis_of(group, "row_begin", "block_q", blocks);
  t.columns = axis_of(group, "column_begin", "block_k", -1);
  if (t.rows.blocks() != blocks) {
    group.refuse(fmt::format("indptr has {} entries, {} are due for {} rows of blocks", blocks + 1,
                             t.rows.blocks() + 1, t.rows.blocks()));
  }
  t.indptr = group.small_integers("indptr");
  t.indices = group.small_integers("indices");
  if (group.form("entry_mask")) {
    t.entry_mask = group.small_integers("entry_mask");
    if (t.entry_mask.size() != t.indices.size()) {
      group.refuse(fmt::format("entry_mask has {} elements for {} indices", t.entry_mask.size(),
                               t.indices.size()));
    }
    t.masks = masks_of(group, t.rows, t.columns);
  }
  if (group.form("order")) t.order = group.small_integers("order");
  if (group.form("skip_threshold_log2")) t.skip = group.numbers("skip_threshold_log2");
  t.choice = group.text("choice");
  return t;
}

// The head's pattern; its indices begin at `at`, which is moved behind them.
HeadPattern head_pattern(const Group& group, const Tensors& t, std::int64_t head,
                         std::int64_t& at) {
  const std::string name = group.name(head, t.heads);
  HeadPattern pattern;
  pattern.map.rows = t.rows;
  pattern.map.columns = t.columns;
  const std::int64_t each = t.rows.blocks() + 1;
  pattern.map.indptr.assign(t.indptr.begin() + head * each, t.indptr.begin() + (head + 1) * each);
  const auto left = static_cast<std::int64_t>(t.indices.size()) - at;
  const std::int64_t kept = pattern.map.indptr.back();
  if (kept < 0 || kept > left || (head + 1 == t.heads && kept != left)) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}: indptr ends with {}, but there are {} indices", name, kept, left));
  }
  pattern.map.indices.assign(t.indices.begin() + at, t.indices.begin() + at + kept);
  if (!t.entry_mask.empty()) {
    pattern.mask = t.masks;
    pattern.mask.entry.assign(t.entry_mask.begin() + at, t.entry_mask.begin() + at + kept);
    if (pattern.mask.bits.empty() && kept == 0) pattern.mask = {};
  }
  at += kept;
  if (!t.order.empty()) {
    pattern.order = Permutation(of_head(group, "order", t.order, t.rows.tokens(), head, t.heads),
                                name + ": order");
  }
  if (!t.skip.empty()) {
    pattern.skip =
        SkipRule{of_head(group, "skip_threshold_log2", t.skip, 1, head, t.heads).front()};
  }
  pattern.choice = t.choice;
  check_head_pattern(pattern, name);
  return pattern;
}

void find_groups(const TensorSource& file, const std::string& group, int depth,
                 std::vector<std::string>& found) {
  for (const std::string& member : file.members(group)) {
    const std::string name = inside(group, member);
    if (member == "indptr" && file.form(name)) found.push_back(group);
    if (!file.form(name) && depth < 8) find_groups(file, name, depth + 1, found);
  }
}

void write_axis(TensorSink& sink, const std::string& group, const BlockAxis& axis,
                const char* begins, const char* block) {
  if (axis == BlockAxis::uniform(axis.tokens(), axis.largest())) {
    sink.attribute(group, block, axis.largest());
  } else {
    sink.dataset(inside(group, begins), ElementType::kI64, {axis.blocks() + 1},
                 axis.begins().data());
  }
}

void write_integers(TensorSink& sink, const std::string& name,
                    const std::vector<std::int32_t>& values) {
  sink.dataset(name, ElementType::kI32, {static_cast<std::int64_t>(values.size())}, values.data());
}

}  // namespace

std::vector<std::string> pattern_groups(const TensorSource& file) {
  std::vector<std::string> found;
  find_groups(file, "/", 0, found);
  std::sort(found.begin(), found.end(), natural_less);
  return found;
}

std::vector<HeadPattern> read_patterns(const TensorSource& file, const std::string& group_name) {
  const Group group(file, group_name);
  const Tensors tensors = read_tensors(group);
  std::vector<HeadPattern> patterns;
  std::int64_t at = 0;
  for (std::int64_t head = 0; head < tensors.heads; ++head) {
    patterns.push_back(head_pattern(group, tensors, head, at));
  }
  return patterns;
}

void write_pattern(TensorSink& sink, const std::string& group, const HeadPattern& pattern,
                   const std::string& words) {
  const BlockMap& map = pattern.map;
  write_integers(sink, inside(group, "indptr"), map.indptr);
  write_integers(sink, inside(group, "indices"), map.indices);
  if (!pattern.mask.entry.empty()) {
    write_integers(sink, inside(group, "entry_mask"), pattern.mask.entry);
    sink.dataset(inside(group, "mask_bits"), ElementType::kU64,
                 {pattern.mask.masks(), pattern.mask.block_rows, pattern.mask.words},
                 pattern.mask.bits.data());
  }
  if (pattern.order) write_integers(sink, inside(group, "order"), pattern.order->tokens());
  if (pattern.skip) {
    sink.dataset(inside(group, "skip_threshold_log2"), ElementType::kF64, {1},
                 &pattern.skip->threshold_log2);
  }
  if (map.rows.tokens() == map.columns.tokens()) {
    write_axis(sink, group, map.rows, "row_begin", "block_q");
    write_axis(sink, group, map.columns, "column_begin", "block_k");
    sink.attribute(group, "tokens", map.rows.tokens());
  } else {
    for (const auto& [name, axis] :
         {std::pair("row_begin", &map.rows), std::pair("column_begin", &map.columns)}) {
      sink.dataset(inside(group, name), ElementType::kI64, {axis->blocks() + 1},
                   axis->begins().data());
    }
  }
  if (!pattern.choice.empty()) sink.attribute(group, "choice", pattern.choice);
  sink.attribute(group, "words", words);
}

}  // namespace lvsa
