// A user's own pattern from a file.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/blocks/rule_words.hpp"
#include "core/error.hpp"
#include "core/sparse/pattern_file.hpp"
#include "core/sparse/rules.hpp"

namespace lvsa::sparse {
namespace {

using Patterns = std::shared_ptr<const std::vector<HeadPattern>>;

constexpr std::array<RuleParameter, 2> kParameters = {{
    {"file", "", "HDF5, safetensors or a folder of .npy files: docs/patterns/file.md"},
    {"group", "auto",
     "of the file; {head}, {layer} and {step} stand for their numbers; auto: /, else head{head}"},
}};

constexpr std::size_t kKnownGroups = 16;  // kept in memory
constexpr std::array<std::string_view, 3> kPlaces = {"{head}", "{layer}", "{step}"};

class FilePattern : public PatternRule {
 public:
  FilePattern(std::unique_ptr<TensorSource> file, std::string group)
      : file_(std::move(file)), group_(std::move(group)) {
    if (names_head() || depends_on_step()) return;
    depends_on_head_ = read(group_)->size() > 1;
  }

  bool depends_on_head() const override { return depends_on_head_ || names_head(); }
  bool depends_on_step() const override { return group_.find("{step}") != std::string::npos; }

  HeadPattern make(const PatternInput& input) const override {
    std::string group = group_;
    const std::array<std::int64_t, 3> numbers = {input.head, input.layer, input.step};
    for (std::size_t i = 0; i < kPlaces.size(); ++i) {
      for (std::size_t at = group.find(kPlaces[i]); at != std::string::npos;
           at = group.find(kPlaces[i])) {
        group.replace(at, kPlaces[i].size(), std::to_string(numbers[i]));
      }
    }
    const Patterns patterns = read(group);
    const auto count = static_cast<std::int64_t>(patterns->size());
    if (count > 1 && (input.head < 0 || input.head >= count)) {
      refuse(group, fmt::format("patterns of {} heads, none for head {}", count, input.head));
    }
    const HeadPattern& pattern = (*patterns)[count > 1 ? static_cast<std::size_t>(input.head) : 0];
    const std::int64_t tokens = input.video.grid.seq_len();
    if (pattern.map.rows.tokens() != tokens || pattern.map.columns.tokens() != tokens) {
      refuse(group, fmt::format("a pattern of {} queries and {} keys for a sequence of {} tokens",
                                pattern.map.rows.tokens(), pattern.map.columns.tokens(), tokens));
    }
    return pattern;
  }

 private:
  [[noreturn]] void refuse(const std::string& group, const std::string& what) const {
    throw Error(ErrorKind::kValue, group == "/"
                                       ? fmt::format("{}: {}", file_->path(), what)
                                       : fmt::format("{}: {}: {}", file_->path(), group, what));
  }

  bool names_head() const {
    return group_.find("{head}") != std::string::npos ||
           group_.find("{layer}") != std::string::npos;
  }

  // Files are read by one thread at a time.
  Patterns read(const std::string& group) const {
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, patterns] : known_) {
      if (name == group) return patterns;
    }
    auto patterns = std::make_shared<const std::vector<HeadPattern>>(read_patterns(*file_, group));
    known_.emplace_back(group, patterns);
    if (known_.size() > kKnownGroups) known_.pop_front();
    return patterns;
  }

  std::unique_ptr<TensorSource> file_;
  std::string group_;
  bool depends_on_head_ = false;
  mutable std::mutex mutex_;
  mutable std::deque<std::pair<std::string, Patterns>> known_;
};

std::string group_of(const RuleWords& words, const TensorSource& file) {
  if (words.text("group") != "auto") return words.text("group");
  if (file.form("indptr")) return "/";
  if (file.form("head0/indptr")) return "head{head}";
  const std::vector<std::string> groups = pattern_groups(file);
  words.refuse("group", groups.empty() ? fmt::format("{} holds no tensor indptr", file.path())
                                       : fmt::format("one of {}'s groups is due: {}", file.path(),
                                                     fmt::join(groups, ", ")));
}

std::unique_ptr<PatternRule> make(const RuleWords& words) {
  if (words.text("file").empty()) words.refuse("file", "the name of a file is due");
  auto file = open_tensor_file(words.text("file"));
  std::string group = group_of(words, *file);
  return std::make_unique<FilePattern>(std::move(file), std::move(group));
}

}  // namespace

const RuleInfo& csr_rule() {
  static const RuleInfo info{"csr",
                             "A pattern from a file",
                             "a file of one's own: docs/patterns/file.md",
                             "block maps in compressed rows, with masks and an order",
                             kParameters,
                             &make,
                             {}};
  return info;
}

}  // namespace lvsa::sparse
