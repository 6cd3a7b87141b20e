#include "analysis/verify/case.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <set>

#include "core/blocks/pattern_rule.hpp"
#include "core/config/config.hpp"
#include "core/error.hpp"
#include "core/pattern/keyframe_interval.hpp"

namespace lvsa::analysis {
namespace {

[[noreturn]] void bad_word(std::string_view key, std::string_view value, std::string_view due) {
  throw Error(ErrorKind::kValue, fmt::format("case: {}={}: {} is due", key, value, due));
}

template <typename T>
T parse_number(std::string_view key, std::string_view text, const char* due) {
  T value{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) bad_word(key, text, due);
  return value;
}

std::int64_t parse_int(std::string_view key, std::string_view text, std::int64_t least) {
  const auto value = parse_number<std::int64_t>(key, text, "an integer of 64 bits");
  if (value < least) bad_word(key, text, fmt::format("an integer of at least {}", least));
  return value;
}

double parse_real(std::string_view key, std::string_view text) {
  const auto value = parse_number<double>(key, text, "a number");
  if (!std::isfinite(value)) bad_word(key, text, "a finite number");
  return value;
}

bool parse_switch(std::string_view key, std::string_view text) {
  if (text != "0" && text != "1") bad_word(key, text, "0 or 1");
  return text == "1";
}

std::string escape(std::string_view value) {
  std::string text;
  for (const char c : value) {
    const auto code = static_cast<unsigned char>(c);
    if (code <= ' ' || c == '%' || code == 0x7f) {
      text += fmt::format("%{:02X}", code);
    } else {
      text += c;
    }
  }
  return text;
}

std::string unescape(std::string_view key, std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      value += text[i];
      continue;
    }
    unsigned code = 0;
    const char* first = text.data() + i + 1;
    const bool room = i + 2 < text.size();
    if (!room || std::from_chars(first, first + 2, code, 16).ptr != first + 2) {
      bad_word(key, text, "'%' with two hexadecimal digits");
    }
    value += static_cast<char>(code);
    i += 2;
  }
  return value;
}

std::vector<std::int64_t> parse_list(std::string_view key, std::string_view text) {
  std::vector<std::int64_t> list;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    list.push_back(parse_number<std::int64_t>(key, text.substr(start, comma - start),
                                              "a comma-separated list of integers"));
    start = comma + 1;
  }
  return list;
}

// Rules are written with ':' for their blanks, so that a line stays words.
std::string escape_rule(const std::string& words) {
  std::string text;
  for (const char c : escape(words)) text += c == ':' ? std::string("%3A") : std::string(1, c);
  for (std::size_t at = 0; (at = text.find("%20", at)) != std::string::npos;) {
    text.replace(at, 3, ":");
  }
  return text;
}

std::string unescape_rule(std::string_view text) {
  std::string words(text);
  for (std::size_t at = 0; (at = words.find(':', at)) != std::string::npos;) {
    words.replace(at, 1, "%20");
  }
  return canonical_rule_words(unescape("pattern", words));
}

bool parse_compute(std::string_view text) {
  if (text != "rows" && text != "all") bad_word("compute", text, "rows or all");
  return text == "rows";
}

// One word of the line: how it is written, whether it is always there, and how it is read.
struct Field {
  const char* key;
  bool always;
  std::function<std::string(const Case&)> write;
  std::function<void(Case&, std::string_view)> read;
};

// Field of an integer member reached by `member`, at least `least`.
template <typename Member>
Field integer_field(const char* key, bool always, std::int64_t least, Member member) {
  return {key, always, [member](const Case& c) { return std::to_string(member(c)); },
          [key, least, member](Case& c, std::string_view text) {
            member(c) = parse_int(key, text, least);
          }};
}

template <typename Member>
Field real_field(const char* key, Member member) {
  return {key, false, [member](const Case& c) { return fmt::format("{}", member(c)); },
          [key, member](Case& c, std::string_view text) { member(c) = parse_real(key, text); }};
}

template <typename Member>
Field switch_field(const char* key, Member member) {
  return {key, false, [member](const Case& c) { return std::string(member(c) ? "1" : "0"); },
          [key, member](Case& c, std::string_view text) { member(c) = parse_switch(key, text); }};
}

template <typename Member>
Field text_field(const char* key, bool always, Member member) {
  return {key, always, [member](const Case& c) { return escape(member(c)); },
          [key, member](Case& c, std::string_view text) { member(c) = unescape(key, text); }};
}

// Field of a member with its own name and parse functions.
template <typename Member, typename Name, typename Parse>
Field named_field(const char* key, bool always, Member member, Name name, Parse parse) {
  return {key, always, [=](const Case& c) { return std::string(name(member(c))); },
          [=](Case& c, std::string_view text) { member(c) = parse(text); }};
}

Field interval_field() {
  return {"interval", false,
          [](const Case& c) { return c.interval ? std::to_string(*c.interval) : "auto"; },
          [](Case& c, std::string_view text) {
            c.interval =
                text == "auto" ? std::nullopt : std::optional(parse_int("interval", text, 0));
          }};
}

Field seed_field() {
  return {"seed", true, [](const Case& c) { return std::to_string(c.seed); },
          [](Case& c, std::string_view text) {
            c.seed = parse_number<std::uint64_t>("seed", text, "an integer 0 .. 2^64 - 1");
          }};
}

Field pattern_field() {
  return {"pattern", false, [](const Case& c) { return escape_rule(c.pattern); },
          [](Case& c, std::string_view text) { c.pattern = unescape_rule(text); }};
}

Field frame_size_field() {
  constexpr const char* kDue = "HEIGHTxWIDTH in tokens";
  return {"hw", false, [](const Case& c) { return fmt::format("{}x{}", c.height, c.width); },
          [](Case& c, std::string_view text) {
            const std::size_t cross = text.find('x');
            if (cross == std::string_view::npos) bad_word("hw", text, kDue);
            c.height = parse_number<std::int64_t>("hw", text.substr(0, cross), kDue);
            c.width = parse_number<std::int64_t>("hw", text.substr(cross + 1), kDue);
            if (c.height < 1 || c.width < 1) bad_word("hw", text, kDue);
          }};
}

Field condition_field() {
  return {
      "condition", false,
      [](const Case& c) { return fmt::format("{}", fmt::join(c.condition_frames, ",")); },
      [](Case& c, std::string_view text) { c.condition_frames = parse_list("condition", text); }};
}

const std::vector<Field>& fields() {
#define LVSA_MEMBER(expression) \
  [](auto& c) -> auto& { return c.expression; }
  static const std::vector<Field> table = {
      text_field("model", true, LVSA_MEMBER(model)),
      text_field("file", false, LVSA_MEMBER(file)),
      pattern_field(),
      integer_field("T", true, 1, LVSA_MEMBER(grid.frames)),
      integer_field("P", true, 1, LVSA_MEMBER(grid.patches_per_frame)),
      frame_size_field(),
      integer_field("text", false, 0, LVSA_MEMBER(grid.text_tokens)),
      integer_field("B", false, 1, LVSA_MEMBER(batch)),
      integer_field("H", true, 1, LVSA_MEMBER(heads)),
      integer_field("Hkv", true, 1, LVSA_MEMBER(kv_heads)),
      integer_field("D", true, 1, LVSA_MEMBER(head_dim)),
      named_field("dtype", true, LVSA_MEMBER(dtype), dtype_name, parse_dtype),
      named_field("p", false, LVSA_MEMBER(p_dtype), dtype_name, parse_dtype),
      named_field("layout", false, LVSA_MEMBER(layout), layout_name, parse_layout),
      named_field(
          "lvsa", false, LVSA_MEMBER(version),
          [](Version version) { return behaviour(version).name; }, parse_version),
      integer_field("W", false, 0, LVSA_MEMBER(window_frames)),
      integer_field("n_first", false, 0, LVSA_MEMBER(n_first_frames)),
      integer_field("ref", true, 1, LVSA_MEMBER(reference_frames)),
      real_field("scale", LVSA_MEMBER(sparsity_scale)),
      interval_field(),
      switch_field("rotate", LVSA_MEMBER(rotate)),
      switch_field("expand", LVSA_MEMBER(expand)),
      integer_field("step", true, 0, LVSA_MEMBER(step)),
      condition_field(),
      named_field("input", true, LVSA_MEMBER(input), input_name, parse_input),
      real_field("sigma", LVSA_MEMBER(sigma)),
      seed_field(),
      integer_field("rows", true, 0, LVSA_MEMBER(rows)),
      named_field(
          "compute", false, LVSA_MEMBER(only_wanted),
          [](bool only) { return only ? "rows" : "all"; }, parse_compute),
  };
#undef LVSA_MEMBER
  return table;
}

void check_sizes(const Case& c) {
  if (c.grid.frames < 1 || c.grid.patches_per_frame < 1 || c.head_dim < 1) {
    throw Error(ErrorKind::kValue, "case: T, P and D are due, each at least 1");
  }
  if (c.heads % c.kv_heads != 0) {
    throw Error(ErrorKind::kValue,
                fmt::format("case: H={} is no multiple of Hkv={}", c.heads, c.kv_heads));
  }
  if (c.dtype != LVSA_F32 && c.dtype != LVSA_F16 && c.dtype != LVSA_BF16 && c.dtype != LVSA_E4M3) {
    bad_word("dtype", dtype_name(c.dtype), "f32, f16, bf16 or e4m3");
  }
  const bool fits = c.height <= c.grid.patches_per_frame && c.width <= c.grid.patches_per_frame &&
                    c.height * c.width == c.grid.patches_per_frame;
  if (c.height > 0 && !fits) {
    bad_word("hw", fmt::format("{}x{}", c.height, c.width),
             fmt::format("a product of P={}", c.grid.patches_per_frame));
  }
  make_frame_grid(c.grid.frames, c.grid.patches_per_frame, c.grid.text_tokens);
  std::int64_t bytes = static_cast<std::int64_t>(dtype_bytes(c.dtype));
  for (const std::int64_t size : {c.grid.seq_len(), c.batch, c.heads, c.head_dim}) {
    bytes = checked_product(bytes, size, "case: bytes of B * (T * P + text) * H * D elements");
  }
}

}  // namespace

std::span<const InputKind> all_inputs() {
  using enum InputKind;
  static constexpr std::array kAll = {kGauss,        kUniform, kIndicator, kIndicatorTile,
                                      kIndicatorKey, kPhantom, kLarge,     kTies,
                                      kSink,         kBeacon,  kIntegers};
  return kAll;
}

std::span<const InputKind> block_inputs() {
  using enum InputKind;
  static constexpr std::array kAll = {kIndicatorBlock, kIndicatorPlace, kBeaconBlock};
  return kAll;
}

std::string_view input_name(InputKind kind) {
  static constexpr std::array<std::string_view, 14> kNames = {
      "gauss",           "uniform",       "indicator",
      "indicator-tile",  "indicator-key", "phantom",
      "large",           "ties",          "sink",
      "beacon",          "integers",      "indicator-block",
      "indicator-place", "beacon-block"};
  return kNames.at(static_cast<std::size_t>(kind));
}

InputKind parse_input(std::string_view text) {
  std::vector<std::string_view> known;
  for (const auto kinds : {all_inputs(), block_inputs()}) {
    for (const InputKind kind : kinds) {
      if (text == input_name(kind)) return kind;
      known.push_back(input_name(kind));
    }
  }
  bad_word("input", text, fmt::format("one of {}", fmt::join(known, ", ")));
}

bool Case::operator==(const Case& other) const { return to_line(*this) == to_line(other); }

std::string to_line(const Case& c) {
  static const Case defaults;
  std::string line;
  for (const Field& field : fields()) {
    const std::string value = field.write(c);
    if (!field.always && value == field.write(defaults)) continue;
    line += fmt::format("{}{}={}", line.empty() ? "" : " ", field.key, value);
  }
  return line;
}

void read_case_words(Case& c, std::string_view line) {
  std::set<std::string_view> seen;
  for (std::size_t at = 0;
       (at = line.find_first_not_of(" \t\r\n", at)) != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t\r\n", at), line.size());
    const std::string_view word = line.substr(at, end - at);
    at = end;
    const std::size_t equals = word.find('=');
    const std::string_view key = word.substr(0, equals);
    const auto field = std::find_if(fields().begin(), fields().end(),
                                    [&](const Field& f) { return f.key == key; });
    if (equals == std::string_view::npos || field == fields().end()) {
      std::vector<const char*> known;
      for (const Field& f : fields()) known.push_back(f.key);
      throw Error(ErrorKind::kValue,
                  fmt::format("case: '{}' is no word of a case; key=value with one of: {}", word,
                              fmt::join(known, " ")));
    }
    if (!seen.insert(key).second) bad_word(key, word.substr(equals + 1), "each key once");
    field->read(c, word.substr(equals + 1));
  }
}

Case parse_case(std::string_view line) {
  Case c;
  read_case_words(c, line);
  check_sizes(c);
  return c;
}

CaseSchedule case_schedule(const Case& c) {
  CaseSchedule schedule;
  schedule.interval = c.interval;
  if (!c.interval) {
    schedule.interval = keyframe_interval({.frames = c.grid.frames,
                                           .window_frames = c.window_frames,
                                           .n_first_frames = c.n_first_frames,
                                           .reference_frames = c.reference_frames,
                                           .sparsity_scale = c.sparsity_scale});
  }
  if (c.rotate && *schedule.interval > 0)
    schedule.offset = floor_modulo(c.step, *schedule.interval);
  return schedule;
}

PatternSpec case_pattern_spec(const Case& c) {
  const CaseSchedule schedule = case_schedule(c);
  PatternSpec spec;
  spec.frames = c.grid.frames;
  spec.window_frames = c.window_frames;
  spec.n_first_frames = c.n_first_frames;
  spec.interval = schedule.interval;
  spec.offset = schedule.offset;
  spec.expand_window = behaviour(c.version).plugin_honours_expand_window ? c.expand : true;
  if (behaviour(c.version).condition_frames) spec.extra_globals = c.condition_frames;
  return spec;
}

}  // namespace lvsa::analysis
