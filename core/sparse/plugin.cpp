// A user's own rule from a shared library.

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "core/blocks/lvsa_pattern.h"
#include "core/blocks/rule_words.hpp"
#include "core/error.hpp"
#include "core/sparse/rules.hpp"

namespace lvsa::sparse {
namespace {

constexpr std::array<RuleParameter, 3> kParameters = {{
    {"file", "", "shared library that exports lvsa_patterns: core/blocks/lvsa_pattern.h"},
    {"rule", "", "its name, where the library has several"},
    {"args", "", "handed to the rule as they are"},
}};

constexpr std::uint32_t kMostRules = 1024;
constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw Error(ErrorKind::kKernel, fmt::format("{}: {}", name, what));
}

// A loaded library and the rule that was asked for.
class Library {
 public:
  Library(const std::string& path, const std::string& rule) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored))
      fail(path, "no such file; a shared library is due");
    // A path without a slash would be looked up in the system's folders instead.
    const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
    handle_.reset(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (handle_ == nullptr) fail(path, fmt::format("cannot be loaded: {}", dlerror()));
    const auto entry =
        reinterpret_cast<lvsa_patterns_fn>(dlsym(handle_.get(), LVSA_PATTERN_ENTRY_POINT));
    if (entry == nullptr) fail(path, "exports no function " LVSA_PATTERN_ENTRY_POINT);
    std::uint32_t count = 0;
    const lvsa_pattern_rule* table = entry(LVSA_PATTERN_ABI_VERSION, &count);
    if (table == nullptr || count == 0 || count > kMostRules) {
      fail(path, fmt::format("offers no rule for interface version {}", LVSA_PATTERN_ABI_VERSION));
    }
    choose(path, table, count, rule);
  }

  const lvsa_pattern_rule& rule() const { return *rule_; }

 private:
  struct Close {
    void operator()(void* handle) const { dlclose(handle); }
  };

  void choose(const std::string& path, const lvsa_pattern_rule* table, std::uint32_t count,
              const std::string& name) {
    std::string names;
    for (std::uint32_t i = 0; i < count; ++i) {
      const lvsa_pattern_rule& rule = table[i];
      if (rule.abi_version != LVSA_PATTERN_ABI_VERSION) {
        fail(path, fmt::format("rule {} speaks interface version {}; {} is due", i,
                               rule.abi_version, LVSA_PATTERN_ABI_VERSION));
      }
      if (rule.struct_size < sizeof(lvsa_pattern_rule)) {
        fail(path, fmt::format("rule {} has a table of {} bytes; {} are due", i, rule.struct_size,
                               sizeof(lvsa_pattern_rule)));
      }
      if (rule.name == nullptr || rule.name[0] == '\0')
        fail(path, fmt::format("rule {} has no name", i));
      if (rule.make == nullptr) fail(path, fmt::format("rule {} has no function make", rule.name));
      if (name == rule.name || (name.empty() && count == 1)) rule_ = &rule;
      names += fmt::format(" {}", rule.name);
    }
    if (rule_ != nullptr) return;
    fail(path, name.empty()
                   ? fmt::format("holds several rules, name one as rule=NAME, of:{}", names)
                   : fmt::format("has no rule '{}'; it has:{}", name, names));
  }

  std::unique_ptr<void, Close> handle_;
  const lvsa_pattern_rule* rule_ = nullptr;
};

// Where a result is copied to. No exception may pass through the rule, which is C.
struct Sink {
  std::string name;
  std::int64_t tokens = 0;
  HeadPattern pattern;
  bool filled = false;
  std::exception_ptr error;
};

BlockAxis axis_of(const Sink& sink, const char* what, std::int64_t blocks,
                  const std::int64_t* begins) {
  if (blocks < 1 || blocks > sink.tokens || begins == nullptr) {
    fail(sink.name, fmt::format("{}: {} blocks for {} tokens{}", what, blocks, sink.tokens,
                                begins == nullptr ? ", and no begins" : ""));
  }
  try {
    BlockAxis axis = BlockAxis::of_begins({begins, begins + blocks + 1});
    if (axis.tokens() == sink.tokens) return axis;
    fail(sink.name,
         fmt::format("{}: blocks of {} tokens, {} are due", what, axis.tokens(), sink.tokens));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kKernel) throw;
    fail(sink.name, fmt::format("{}: {}", what, error.what()));
  }
}

void copy_masks(const Sink& sink, const lvsa_pattern_result& result, HeadPattern& pattern) {
  if (result.entry_mask == nullptr) return;
  ElementMask& mask = pattern.mask;
  mask.block_rows = pattern.map.rows.largest();
  mask.words = (pattern.map.columns.largest() + 63) / 64;
  if (result.mask_count < 0 || result.mask_count > kMost ||
      (result.mask_count > 0 && result.mask_bits == nullptr)) {
    fail(sink.name, fmt::format("{} masks{}", result.mask_count,
                                result.mask_bits == nullptr ? " and no bits" : ""));
  }
  mask.entry.assign(result.entry_mask, result.entry_mask + result.kept);
  mask.bits.assign(result.mask_bits,
                   result.mask_bits + result.mask_count * mask.block_rows * mask.words);
  if (mask.bits.empty() && mask.entry.empty()) mask = {};
}

HeadPattern copy_of(const Sink& sink, const lvsa_pattern_result& result) {
  if (result.struct_size < sizeof(lvsa_pattern_result)) {
    fail(sink.name, fmt::format("a result of {} bytes; {} are due", result.struct_size,
                                sizeof(lvsa_pattern_result)));
  }
  HeadPattern pattern;
  BlockMap& map = pattern.map;
  map.rows = axis_of(sink, "row_begin", result.row_blocks, result.row_begin);
  map.columns = axis_of(sink, "column_begin", result.column_blocks, result.column_begin);
  if (result.kept < 0 || result.kept > kMost || result.indptr == nullptr ||
      (result.kept > 0 && result.indices == nullptr)) {
    fail(sink.name, fmt::format("{} kept blocks, or no arrays for them", result.kept));
  }
  map.indptr.assign(result.indptr, result.indptr + result.row_blocks + 1);
  map.indices.assign(result.indices, result.indices + result.kept);
  copy_masks(sink, result, pattern);
  if (result.order != nullptr) {
    pattern.order = Permutation({result.order, result.order + sink.tokens}, sink.name + ": order");
  }
  if (result.has_skip != 0) pattern.skip = SkipRule{result.skip_threshold_log2};
  if (result.choice != nullptr) pattern.choice = result.choice;
  check_head_pattern(pattern, sink.name);
  return pattern;
}

lvsa_status take(void* target, const lvsa_pattern_result* result) {
  Sink& sink = *static_cast<Sink*>(target);
  try {
    if (result == nullptr) fail(sink.name, "an empty result");
    if (sink.filled) fail(sink.name, "a second result for one request");
    sink.filled = true;
    sink.pattern = copy_of(sink, *result);
    return LVSA_OK;
  } catch (...) {
    if (!sink.error) sink.error = std::current_exception();
    return LVSA_INVALID;
  }
}

lvsa_tensor c_tensor(const TensorView& view) {
  lvsa_tensor tensor{};
  tensor.data = const_cast<void*>(view.data);
  for (std::size_t i = 0; i < 4; ++i) tensor.strides[i] = view.strides[i];
  return tensor;
}

class Plugin : public PatternRule {
 public:
  Plugin(const std::string& path, const std::string& rule, std::string arguments)
      : library_(path, rule),
        name_(fmt::format("{}:{}", path, library_.rule().name)),
        arguments_(std::move(arguments)) {}

  bool needs_tensors() const override { return library_.rule().needs_tensors != 0; }
  bool depends_on_head() const override { return library_.rule().depends_on_head != 0; }
  bool depends_on_step() const override { return library_.rule().depends_on_step != 0; }

  HeadPattern make(const PatternInput& input) const override {
    if (needs_tensors() && (input.q.data == nullptr || input.k.data == nullptr))
      fail(name_, "it needs q and k");
    Sink sink;
    sink.name = name_;
    sink.tokens = input.video.grid.seq_len();
    const lvsa_pattern_request request = request_of(input);
    std::array<char, 512> message{};
    const lvsa_status status =
        library_.rule().make(&request, &take, &sink, message.data(), message.size());
    if (sink.error) std::rethrow_exception(sink.error);
    message.back() = '\0';
    if (status != LVSA_OK) {
      fail(name_, message[0] == '\0' ? fmt::format("status {}", static_cast<int>(status))
                                     : one_line(message.data()));
    }
    if (!sink.filled) fail(name_, "it returned without a result");
    return std::move(sink.pattern);
  }

 private:
  static std::string one_line(std::string text) {
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < ' ') c = ' ';
    }
    return text;
  }

  lvsa_pattern_request request_of(const PatternInput& input) const {
    const FrameGrid& grid = input.video.grid;
    lvsa_pattern_request r{};
    r.struct_size = sizeof r;
    r.frames = grid.frames;
    r.height = input.video.height;
    r.width = input.video.width;
    r.patches_per_frame = grid.patches_per_frame;
    r.text_tokens = grid.text_tokens;
    r.seq_len = grid.seq_len();
    r.head = input.head;
    r.heads = input.heads;
    r.layer = input.layer;
    r.step = input.step;
    r.dtype = input.q.data == nullptr ? LVSA_DTYPE_NONE : input.q.dtype;
    r.head_dim = input.q.data == nullptr ? 0 : input.q.shape[3];
    r.q = c_tensor(input.q);
    r.k = c_tensor(input.k);
    r.v = c_tensor(input.v);
    r.scale = input.scale;
    r.parameters = arguments_.c_str();
    return r;
  }

  Library library_;
  std::string name_;
  std::string arguments_;
};

std::unique_ptr<PatternRule> make(const RuleWords& words) {
  if (words.text("file").empty()) words.refuse("file", "the name of a shared library is due");
  return std::make_unique<Plugin>(words.text("file"), words.text("rule"), words.text("args"));
}

}  // namespace

const RuleInfo& plugin_rule() {
  static const RuleInfo info{"plugin",
                             "A rule from a shared library",
                             "a library of one's own: core/blocks/lvsa_pattern.h",
                             "a C function gives the block map",
                             kParameters,
                             &make,
                             {}};
  return info;
}

}  // namespace lvsa::sparse
