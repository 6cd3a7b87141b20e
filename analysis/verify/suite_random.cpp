// Random cases: shapes, settings and inputs drawn together, so that what nobody thought of meets.

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

#include "analysis/verify/inputs.hpp"
#include "analysis/verify/suite.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// Draws from one case's own counter, so that case i is the same in a suite of any length.
class Draw {
 public:
  Draw(std::uint64_t seed, std::uint64_t number) : seed_(seed), number_(number) {}

  std::uint64_t bits() {
    constexpr std::uint64_t kStream = 707;
    constexpr std::uint64_t kDrawsACase = 64;
    return random_bits(seed_, kStream, number_ * kDrawsACase + used_++);
  }
  std::int64_t within(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool one_in(std::int64_t count) { return within(1, count) == 1; }
  template <typename T>
  T of(std::span<const T> values) {
    return values[static_cast<std::size_t>(bits() % values.size())];
  }

 private:
  std::uint64_t seed_;
  std::uint64_t number_;
  std::uint64_t used_ = 0;
};

// Sizes around those where kernels go wrong, and any others.
std::int64_t patches(Draw& draw) {
  static constexpr std::array<std::int64_t, 12> kEdges = {1,  7,  31,  32,  33,  63,
                                                          64, 65, 127, 128, 129, 193};
  return draw.one_in(2) ? draw.of(std::span<const std::int64_t>(kEdges)) : draw.within(1, 200);
}

std::int64_t text_tokens(Draw& draw) {
  static constexpr std::array<std::int64_t, 6> kEdges = {1, 64, 77, 129, 300, 600};
  if (!draw.one_in(3)) return 0;
  return draw.one_in(2) ? draw.of(std::span<const std::int64_t>(kEdges)) : draw.within(1, 140);
}

std::int64_t head_dim(Draw& draw) {
  static constexpr std::array<std::int64_t, 10> kUsual = {32,  64,  64,  80,  96,
                                                          128, 128, 192, 256, 320};
  if (draw.one_in(8)) return draw.within(1, 96);
  return draw.of(std::span<const std::int64_t>(kUsual));
}

void draw_sizes(Draw& draw, Case& c) {
  static constexpr std::array<std::int64_t, 6> kGroups = {2, 3, 4, 5, 8, 12};
  c.grid.frames = draw.one_in(8) ? draw.within(65, 300) : draw.within(1, 40);
  c.grid.patches_per_frame = patches(draw);
  c.grid.text_tokens = text_tokens(draw);
  c.batch = draw.one_in(3) ? draw.within(2, 3) : 1;
  c.kv_heads = draw.within(1, 3);
  c.heads = c.kv_heads * (draw.one_in(2) ? draw.of(std::span<const std::int64_t>(kGroups)) : 1);
  c.head_dim = head_dim(draw);
  // Dense cost of the call; what is too dear loses patches, then batch and heads, then frames.
  constexpr double kDearest = 1.5e8;
  const auto cost = [&] {
    const auto tokens = static_cast<double>(c.grid.seq_len());
    return tokens * tokens * static_cast<double>(c.batch * c.heads * c.head_dim);
  };
  while (cost() > kDearest && c.grid.patches_per_frame > 9) c.grid.patches_per_frame /= 2;
  if (cost() > kDearest) c.batch = 1;
  if (cost() > kDearest) c.heads = c.kv_heads = 1;
  while (cost() > kDearest && c.grid.text_tokens > 9) c.grid.text_tokens /= 2;
  while (cost() > kDearest && c.grid.frames > 1) c.grid.frames /= 2;
}

void draw_pattern(Draw& draw, Case& c) {
  if (draw.one_in(4)) c.version = Version::k1_2;
  c.window_frames = draw.within(0, 4);
  c.n_first_frames = draw.within(0, 3);
  c.reference_frames = draw.one_in(5) ? draw.within(25, 150) : draw.within(1, 24);
  if (draw.one_in(4)) c.sparsity_scale = 0.25 * static_cast<double>(draw.within(1, 8));
  if (draw.one_in(4)) c.interval = draw.within(0, 12);
  c.rotate = !draw.one_in(5);
  c.expand = !draw.one_in(3);
  c.step = draw.within(0, 50);
  if (draw.one_in(6)) c.condition_frames = {draw.within(0, 20), draw.within(0, 90)};
}

void draw_values(Draw& draw, Case& c, std::uint64_t number) {
  static constexpr std::array<DType, 4> kTypes = {LVSA_BF16, LVSA_BF16, LVSA_F16, LVSA_F32};
  static constexpr std::array<double, 5> kSigmas = {0.0, 0.25, 1.0, 2.0, 4.0};
  c.dtype = draw.of(std::span<const DType>(kTypes));
  if (draw.one_in(3)) c.layout = Layout::kBHSD;
  c.input = draw.of(all_inputs());
  if (c.input == InputKind::kGauss && draw.one_in(2)) {
    c.sigma = draw.of(std::span<const double>(kSigmas));
  }
  c.seed = number + 1;
  constexpr std::int64_t kAllRows = 300;
  c.rows = c.grid.seq_len() * c.batch * c.heads <= kAllRows ? 0 : kAllRows;
  c.only_wanted = draw.one_in(4);
}

std::uint64_t whole_number(std::string_view suite, std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || value > most) {
    throw Error(ErrorKind::kValue,
                fmt::format("suite '{}': random:COUNT or random:COUNT:SEED is due, COUNT from 1 to "
                            "{}, as random:1000:7",
                            suite, kMostRandomCases));
  }
  return value;
}

}  // namespace

Case random_case(std::uint64_t seed, std::uint64_t number) {
  Draw draw(seed, number);
  Case c;
  c.model = "random";
  draw_sizes(draw, c);
  draw_pattern(draw, c);
  draw_values(draw, c, number);
  return parse_case(to_line(c));
}

bool is_random_suite(std::string_view suite) { return suite.rfind(kRandomPrefix, 0) == 0; }

void for_each_random_case(std::string_view suite, const std::function<void(Case)>& visit) {
  const std::string_view numbers = suite.substr(kRandomPrefix.size());
  const std::size_t colon = numbers.find(':');
  const std::uint64_t count = whole_number(suite, numbers.substr(0, colon), kMostRandomCases);
  if (count == 0) whole_number(suite, "", 0);
  const std::uint64_t seed = colon == std::string_view::npos
                                 ? 1
                                 : whole_number(suite, numbers.substr(colon + 1), UINT64_MAX);
  for (std::uint64_t i = 0; i < count; ++i) visit(random_case(seed, i));
}

std::vector<Case> random_cases(std::string_view suite) {
  std::vector<Case> cases;
  for_each_random_case(suite, [&](Case c) { cases.push_back(std::move(c)); });
  return cases;
}

}  // namespace lvsa::analysis
