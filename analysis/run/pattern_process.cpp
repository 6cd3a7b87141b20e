#include "analysis/run/pattern_process.hpp"

#include <fmt/format.h>

#include <mutex>
#include <sstream>
#include <utility>

#include "analysis/run/pattern_wire.hpp"
#include "analysis/run/request_link.hpp"

namespace lvsa::analysis {
namespace {

std::string call_text(const PatternInput& input) {
  const FrameGrid& grid = input.video.grid;
  return fmt::format("layer {} step {} head {} of T={} P={} text={}", input.layer, input.step,
                     input.head, grid.frames, grid.patches_per_frame, grid.text_tokens);
}

class RuleApart : public PatternRule {
 public:
  RuleApart(std::string words, PatternProcessSettings settings)
      : words_(std::move(words)), settings_(std::move(settings)) {
    start();
  }

  bool needs_tensors() const override { return needs_tensors_; }
  bool depends_on_head() const override { return depends_on_head_; }
  bool depends_on_step() const override { return depends_on_step_; }

  HeadPattern make(const PatternInput& input) const override {
    const std::lock_guard<std::mutex> one_at_a_time(mutex_);
    if (!link_) start();
    std::string payload;
    try {
      const std::string request = request_bytes(input);
      link_->send("request", request);
      const double timeout_s =
          settings_.timeout_s > 0 ? settings_.timeout_s : pattern_timeout_s(input);
      link_->hear(call_text(input), timeout_s, payload);
    } catch (...) {
      link_.reset();  // its state is not known any more
      throw;
    }
    HeadPattern pattern = parse_pattern(payload);
    check_head_pattern(pattern, words_);  // the rule might have spoilt what its process sent
    return pattern;
  }

 private:
  void start() const {
    constexpr double kTimeToLoad_s = 120.0;
    link_ = std::make_unique<RequestLink>(RequestLinkSettings{
        words_, settings_.argv(words_), {"ready"}, {"pattern"}, settings_.printed});
    try {
      std::string none;
      const double timeout_s = settings_.timeout_s > 0 ? settings_.timeout_s : kTimeToLoad_s;
      const Message ready = link_->hear("loading the library", timeout_s, none);
      needs_tensors_ = ready.first == "1";
      depends_on_head_ = ready.rest.substr(0, 1) == "1";
      depends_on_step_ = ready.rest.size() == 3 && ready.rest[2] == '1';
    } catch (...) {
      link_.reset();
      throw;
    }
  }

  std::string words_;
  PatternProcessSettings settings_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<RequestLink> link_;
  // Facts of the library, the same after every start.
  mutable bool needs_tensors_ = false;
  mutable bool depends_on_head_ = false;
  mutable bool depends_on_step_ = false;
};

}  // namespace

double pattern_timeout_s(const PatternInput& input) {
  constexpr double kLeast_s = 60.0;
  constexpr double kFlops = 0.5e9;
  const auto tokens = static_cast<double>(input.video.grid.seq_len());
  const double width = input.q.data == nullptr ? 0.0 : static_cast<double>(input.q.shape[3]);
  return kLeast_s + 2.0 * tokens * tokens * width / kFlops;
}

bool is_foreign_rule(const std::string& words) {
  std::istringstream in(words);
  std::string name;
  in >> name;
  return rule_info(name).name == "plugin";
}

std::unique_ptr<PatternRule> make_rule_apart(const std::string& words,
                                             const PatternProcessSettings& settings) {
  return std::make_unique<RuleApart>(words, settings);
}

}  // namespace lvsa::analysis
