#include "core/io/npy_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <optional>

#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostDimensions = 32;

struct Spelling {
  std::string_view descr;  // without the mark of the byte order
  ElementType type;
};
constexpr std::array kSpellings = {
    Spelling{"b1", ElementType::kBool}, Spelling{"u1", ElementType::kU8},
    Spelling{"i1", ElementType::kI8},   Spelling{"u2", ElementType::kU16},
    Spelling{"i2", ElementType::kI16},  Spelling{"u4", ElementType::kU32},
    Spelling{"i4", ElementType::kI32},  Spelling{"u8", ElementType::kU64},
    Spelling{"i8", ElementType::kI64},  Spelling{"f2", ElementType::kF16},
    Spelling{"f4", ElementType::kF32},  Spelling{"f8", ElementType::kF64},
    Spelling{"V1", ElementType::kU8},   Spelling{"f1", ElementType::kU8},
    Spelling{"V2", ElementType::kU16},
};

// The few forms of Python literals that numpy writes: a dictionary of texts, truth values and
// tuples of integers.
class Parser {
 public:
  Parser(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kIo, fmt::format("{}: npy header: {}", where_, what));
  }

  bool take(char due) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != due) return false;
    ++at_;
    return true;
  }

  void require(char due) {
    if (!take(due)) fail(fmt::format("'{}' is due at byte {}", due, at_));
  }

  std::string_view quoted() {
    skip_blanks();
    const char mark = at_ < text_.size() ? text_[at_] : '\0';
    if (mark != '\'' && mark != '"') fail(fmt::format("a quoted text is due at byte {}", at_));
    const std::size_t end = text_.find(mark, at_ + 1);
    if (end == std::string_view::npos) fail(fmt::format("the text at byte {} has no end", at_));
    const std::string_view result = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return result;
  }

  bool truth() {
    skip_blanks();
    for (const auto& [word, value] : {std::pair("True", true), std::pair("False", false)}) {
      if (text_.compare(at_, std::string_view(word).size(), word) != 0) continue;
      at_ += std::string_view(word).size();
      return value;
    }
    fail(fmt::format("True or False is due at byte {}", at_));
  }

  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> values;
    require('(');
    while (!take(')')) {
      if (values.size() == kMostDimensions) fail("shape: at most 32 dimensions are due");
      values.push_back(size());
      if (take(',')) continue;
      require(')');
      break;
    }
    return values;
  }

  void require_end() {
    skip_blanks();
    if (at_ != text_.size()) fail(fmt::format("nothing more is due at byte {}", at_));
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  std::int64_t size() {
    skip_blanks();
    std::int64_t value = 0;
    const auto result = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (result.ec != std::errc() || value < 0) {
      fail(fmt::format("shape: an integer 0 .. 2^63 - 1 is due at byte {}", at_));
    }
    at_ = static_cast<std::size_t>(result.ptr - text_.data());
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote its long integers so
    return value;
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t at_ = 0;
};

ElementType parse_descr(const Parser& parser, std::string_view descr) {
  const char order = descr.empty() ? '\0' : descr.front();
  const std::string_view name = descr.substr(descr.empty() ? 0 : 1);
  for (const Spelling& spelling : kSpellings) {
    if (name != spelling.descr) continue;
    if (order == '<' || order == '|' || order == '=') return spelling.type;
    if (order == '>') {
      parser.fail(fmt::format("descr '{}' is big endian; '<{}' is due", printable(descr), name));
    }
  }
  parser.fail(
      fmt::format("descr '{}' is no type that is taken here; '<f4', '<f2', '<u2', '<i8' "
                  "and the like are due",
                  printable(descr)));
}

TensorForm parse_dictionary(Parser& parser) {
  std::optional<std::string_view> descr;
  std::optional<bool> fortran;
  std::optional<std::vector<std::int64_t>> shape;
  parser.require('{');
  while (!parser.take('}')) {
    const std::string_view key = parser.quoted();
    parser.require(':');
    if (key == "descr" && !descr) {
      descr = parser.quoted();
    } else if (key == "fortran_order" && !fortran) {
      fortran = parser.truth();
    } else if (key == "shape" && !shape) {
      shape = parser.tuple();
    } else {
      parser.fail(fmt::format("'{}' is unknown or stands twice", printable(key)));
    }
    if (parser.take(',')) continue;
    parser.require('}');
    break;
  }
  parser.require_end();
  if (!descr || !fortran || !shape) parser.fail("descr, fortran_order and shape are due");
  if (*fortran && shape->size() > 1) {
    parser.fail("fortran_order is True; C order is due (numpy.ascontiguousarray)");
  }
  return {std::move(*shape), parse_descr(parser, *descr)};
}

std::size_t little_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

}  // namespace

NpyHeader parse_npy_header(std::string_view head, std::int64_t file_bytes,
                           const std::string& where) {
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}", where, what));
  };
  if (head.size() < 10 || head.substr(0, kMagic.size()) != kMagic) {
    fail("is no npy file, or one that is cut off");
  }
  const int version = static_cast<unsigned char>(head[6]);
  if (version < 1 || version > 3) {
    fail(fmt::format("npy version {}; 1, 2 or 3 is due", version));
  }
  const std::size_t begin = version == 1 ? 10 : 12;
  if (head.size() < begin) fail("is cut off in its header");
  const std::size_t length = little_endian(head.substr(8, begin - 8));
  const std::size_t most = static_cast<std::size_t>(kNpyHeadBytes) - begin;
  if (length > most) {
    fail(fmt::format("its header says that it has {} bytes; at most {} are taken", length, most));
  }
  if (length > head.size() - begin) fail("is cut off in its header");
  Parser parser(head.substr(begin, length), where);
  NpyHeader header;
  header.form = parse_dictionary(parser);
  header.data_begin = static_cast<std::int64_t>(begin + length);
  const auto bytes = checked_bytes(header.form.shape, element_bytes(header.form.type));
  const std::int64_t there = file_bytes - header.data_begin;
  if (!bytes || *bytes != there) {
    fail(fmt::format("shape ({}) of {} takes {} bytes; {} follow the header",
                     fmt::join(header.form.shape, ", "), element_name(header.form.type),
                     bytes ? std::to_string(*bytes) : "2^63 or more", there));
  }
  return header;
}

std::string npy_header(ElementType type, const std::vector<std::int64_t>& shape) {
  ElementType stored = type;
  if (type == ElementType::kBF16) stored = ElementType::kU16;
  if (type == ElementType::kE4M3 || type == ElementType::kE5M2) stored = ElementType::kU8;
  std::string_view name;
  for (const Spelling& spelling : kSpellings) {
    if (spelling.type == stored && name.empty()) name = spelling.descr;
  }
  const char* order = element_bytes(stored) == 1 ? "|" : "<";
  std::string text = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                 order, name, fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  constexpr std::size_t kBefore = 10;
  constexpr std::size_t kAlignment = 64;
  while ((kBefore + text.size() + 1) % kAlignment != 0) text += ' ';
  text += '\n';
  std::string header(kMagic);
  header += '\x01';
  header += '\0';
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace lvsa
