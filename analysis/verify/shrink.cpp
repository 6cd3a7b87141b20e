#include "analysis/verify/shrink.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kAllRowsUpTo = 2048;

// Numbers below `value`, from the least on, more and more of them as they grow.
std::vector<std::int64_t> smaller(std::int64_t value, std::int64_t least) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t step = 0; least + step < value; step = step < 4 ? step + 1 : step * 3 / 2) {
    numbers.push_back(least + step);
  }
  if (value - 1 > least && (numbers.empty() || numbers.back() != value - 1)) {
    numbers.push_back(value - 1);
  }
  return numbers;
}

class Shrinker {
 public:
  Shrinker(Case c, const std::function<bool(const Case&)>& fails, const ShrinkBudget& budget)
      : best_(std::move(c)), fails_(fails), budget_(budget) {}

  Case run() {
    best_.model = Case().model;
    while (round()) {
    }
    return best_;
  }

 private:
  // Takes the candidate when it is another case, allowed, and fails.
  bool take(Case candidate) {
    if (candidate == best_ || spent()) return false;
    candidate.model = best_.model;
    const bool few = candidate.batch * candidate.heads * candidate.grid.seq_len() <= kAllRowsUpTo;
    if (few) {
      candidate.rows = 0;
      candidate.only_wanted = false;
    }
    if (case_products(candidate) > budget_.products) return false;
    ++trials_;
    try {
      parse_case(to_line(candidate));  // what a line cannot say is no case
      if (!fails_(candidate)) return false;
    } catch (const Error&) {
      return false;
    }
    best_ = std::move(candidate);
    return true;
  }
  bool spent() const {
    const double passed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    return trials_ >= budget_.trials || passed > budget_.seconds;
  }
  template <typename Change>
  bool change(Change change) {
    Case candidate = best_;
    change(candidate);
    return take(std::move(candidate));
  }
  // The least value of a field that fails.
  template <typename Field>
  bool lower(Field field, std::int64_t least) {
    for (const std::int64_t value : smaller(field(best_), least)) {
      if (change([&](Case& c) { field(c) = value; })) return true;
    }
    return false;
  }
  // A side of frames that have rows and columns.
  bool lower_side(std::int64_t Case::*side) {
    for (const std::int64_t value : smaller(best_.*side, 1)) {
      if (change([&](Case& c) {
            c.*side = value;
            c.grid.patches_per_frame = c.height * c.width;
          })) {
        return true;
      }
    }
    return false;
  }
  bool shrink_sizes();
  bool shrink_heads();
  bool shrink_pattern();
  bool shrink_inputs();
  bool shrink_rule();
  bool round() {
    bool better = false;
    for (const auto step :
         {&Shrinker::shrink_sizes, &Shrinker::shrink_heads, &Shrinker::shrink_rule,
          &Shrinker::shrink_pattern, &Shrinker::shrink_inputs}) {
      better = (this->*step)() || better;
    }
    return better && !spent();
  }

  Case best_;
  const std::function<bool(const Case&)>& fails_;
  ShrinkBudget budget_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::int64_t trials_ = 0;
};

bool Shrinker::shrink_sizes() {
  bool better = false;
  better |= lower(
      [](Case & c) -> auto& { return c.batch; }, 1);
  better |= lower(
      [](Case & c) -> auto& { return c.grid.text_tokens; }, 0);
  if (best_.height == 0) {
    better |= lower(
        [](Case & c) -> auto& { return c.grid.patches_per_frame; }, 1);
  } else {
    better |= lower_side(&Case::height) || lower_side(&Case::width);
  }
  better |= lower(
      [](Case & c) -> auto& { return c.grid.frames; }, 1);
  for (const std::int64_t dim : {1, 2, 4, 8, 16, 32, 64, 128, 256}) {
    if (dim < best_.head_dim && change([&](Case& c) { c.head_dim = dim; })) {
      better = true;
      break;
    }
  }
  return better;
}

bool Shrinker::shrink_heads() {
  const std::int64_t heads = best_.heads;
  const std::int64_t kv = best_.kv_heads;
  const std::pair<std::int64_t, std::int64_t> choices[] = {
      {1, 1}, {2, 1}, {2, 2}, {heads / kv, 1}, {4, 2}, {4, 4}, {kv, kv}, {heads / kv * 2, 2}};
  for (const auto& [h, g] : choices) {
    if (h * g >= heads * kv || h > heads || g > kv) continue;
    if (change([&, h = h, g = g](Case& c) {
          c.heads = h;
          c.kv_heads = g;
        })) {
      return true;
    }
  }
  return false;
}

bool Shrinker::shrink_pattern() {
  bool better = false;
  if (!best_.condition_frames.empty()) {
    better |= change([](Case& c) { c.condition_frames.clear(); });
    for (std::size_t i = 0; i < best_.condition_frames.size(); ++i) {
      better |= change([i](Case& c) {
        c.condition_frames.erase(c.condition_frames.begin() + static_cast<std::ptrdiff_t>(i));
      });
    }
  }
  better |= lower(
      [](Case & c) -> auto& { return c.window_frames; }, 0);
  better |= lower(
      [](Case & c) -> auto& { return c.n_first_frames; }, 0);
  better |= lower(
      [](Case & c) -> auto& { return c.step; }, 0);
  better |= lower(
      [](Case & c) -> auto& { return c.reference_frames; }, 1);
  if (best_.interval) {
    better |= lower(
        [](Case & c) -> auto& { return *c.interval; }, 0);
  }
  if (!best_.expand) better |= change([](Case& c) { c.expand = true; });
  if (best_.layout != Layout::kBSHD) better |= change([](Case& c) { c.layout = Layout::kBSHD; });
  if (best_.version != Version::k1_3) better |= change([](Case& c) { c.version = Version::k1_3; });
  return better;
}

// Words of a rule: dense in its stead, without one of its parameters, or with smaller blocks.
bool Shrinker::shrink_rule() {
  if (best_.pattern.empty()) return false;
  bool better = change([](Case& c) { c.pattern = "dense"; });
  std::vector<std::string> words;
  std::istringstream in(best_.pattern);
  for (std::string word; in >> word;) words.push_back(word);
  const auto with = [&](std::size_t i, const std::string& word) {
    std::vector<std::string> other = words;
    other[i] = word;
    if (word.empty()) other.erase(other.begin() + static_cast<std::ptrdiff_t>(i));
    const bool took =
        change([&](Case& c) { c.pattern = fmt::format("{}", fmt::join(other, " ")); });
    if (took) words = std::move(other);
    return took;
  };
  for (std::size_t i = words.size(); i-- > 1;) better = with(i, "") || better;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    const std::string name = words[i].substr(0, equals);
    if (name != "block" && name != "block_q" && name != "block_k") continue;
    const std::int64_t now =
        std::atoll(words[i].c_str() + std::min(equals, words[i].size() - 1) + 1);
    for (std::int64_t size = 1; size < now; size *= 2) {
      if (!with(i, fmt::format("{}={}", name, size))) continue;
      better = true;
      break;
    }
  }
  return better;
}

bool Shrinker::shrink_inputs() {
  bool better = false;
  if (!best_.file.empty()) return false;
  if (best_.input != InputKind::kUniform) {
    better |= change([](Case& c) { c.input = InputKind::kUniform; });
  }
  if (best_.p_dtype != LVSA_DTYPE_NONE) {
    better |= change([](Case& c) { c.p_dtype = LVSA_DTYPE_NONE; });
  }
  if (best_.seed != 1) better |= change([](Case& c) { c.seed = 1; });
  return better;
}

}  // namespace

double case_products(const Case& c) {
  const auto tokens = static_cast<double>(c.grid.seq_len());
  const double rows = c.rows == 0 || !c.only_wanted
                          ? tokens * static_cast<double>(c.batch * c.heads)
                          : static_cast<double>(c.rows) * 2.0 * static_cast<double>(c.heads);
  return rows * tokens * static_cast<double>(c.head_dim) * 2.0;
}

Case shrink_case(const Case& c, const std::function<bool(const Case&)>& fails,
                 const ShrinkBudget& budget) {
  return Shrinker(c, fails, budget).run();
}

}  // namespace lvsa::analysis
