#include "analysis/sweep/capture_source.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>

#include "analysis/sweep/captured_bits.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "analysis/verify/capture_calls.hpp"
#include "analysis/verify/number_ranges.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

struct Call {
  std::string group;
  SampleId id;  ///< without head; batch of the first element
  std::int64_t pass = 0;
  CapturedShape shape;
  std::vector<std::string> classes;   ///< [heads], or empty
  std::vector<std::int64_t> numbers;  ///< [heads] in the model

  std::array<std::int64_t, 4> sizes() const { return shape.inputs[0].sizes(); }
  std::int64_t key_heads() const { return shape.inputs[1].sizes()[2]; }
  /// What all calls must have in common.
  std::string form() const {
    const auto [batch, tokens, heads, dim] = sizes();
    return fmt::format("T={} P={} text={} H={} Hkv={} D={}", shape.grid.frames,
                       shape.grid.patches_per_frame, shape.grid.text_tokens, heads, key_heads(),
                       dim);
  }
};

struct Place {
  std::size_t call;
  std::int64_t head;  ///< in the call's tensors
};

struct HeadTensors {
  Tensor q, k, v;
};

std::int64_t number(const TensorSource& file, const std::string& group, const char* word) {
  if (const auto value = inherited_integer(file, group, word)) return *value;
  return number_in_name(group, word).value_or(-1);
}

// An attribute with a word for each query head, "spatial,temporal,global"; empty: it is not there.
std::vector<std::string> head_words(const TensorSource& file, const Call& call, const char* name) {
  const auto text = inherited_text(file, call.group, name);
  std::vector<std::string> words;
  if (!text) return words;
  for (std::size_t at = 0; at <= text->size();) {
    const std::size_t end = std::min(text->find(',', at), text->size());
    words.push_back(printable(std::string_view(*text).substr(at, end - at)));
    at = end + 1;
  }
  if (static_cast<std::int64_t>(words.size()) == call.sizes()[2]) return words;
  throw Error(ErrorKind::kValue,
              fmt::format("{}: attribute {} has {} words; one for each of {} heads, with commas "
                          "between, is due",
                          captured_place(file, call.group), name, words.size(), call.sizes()[2]));
}

// Numbers of the heads in the model, of which a capture may have a choice; else 0, 1, ...
std::vector<std::int64_t> head_numbers(const TensorSource& file, const Call& call) {
  std::vector<std::int64_t> numbers;
  for (const std::string& word : head_words(file, call, "heads")) {
    std::int64_t number = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    const bool good = error == std::errc() && end == word.data() + word.size() &&
                      number > (numbers.empty() ? -1 : numbers.back());
    if (!good) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{}: attribute heads: '{}'; ascending numbers from 0 on are due",
                              captured_place(file, call.group), word));
    }
    numbers.push_back(number);
  }
  if (numbers.empty()) {
    numbers.resize(static_cast<std::size_t>(call.sizes()[2]));
    std::iota(numbers.begin(), numbers.end(), 0);
  }
  return numbers;
}

void require_there(const std::string& path, const char* noun,
                   const std::vector<std::int64_t>& asked, const std::set<std::int64_t>& there) {
  std::vector<std::int64_t> missing;
  for (const std::int64_t number : asked) {
    if (!there.contains(number)) missing.push_back(number);
  }
  if (missing.empty()) return;
  std::sort(missing.begin(), missing.end());
  const bool none = there.empty() || *there.rbegin() < 0;
  std::vector<std::int64_t> known(there.lower_bound(0), there.end());
  throw Error(ErrorKind::kValue,
              fmt::format("{}: {} not there; it has {}", path, counted(noun, missing),
                          none ? fmt::format("no calls with a {}", noun) : counted(noun, known)));
}

bool chosen(const std::vector<std::int64_t>& asked, std::int64_t number) {
  return asked.empty() || std::find(asked.begin(), asked.end(), number) != asked.end();
}

class CaptureSource : public SampleSource {
 public:
  explicit CaptureSource(const CaptureSourceOptions& options)
      : options_(options), file_(open_tensor_file(options.capture.path)) {
    find_calls();
    check_heads();
    keep_common_form();
    look_through();
    if (ids_.empty()) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{}: nothing is left of it: {} excluded, the first of them: {}",
                              file_->path(), excluded_.size(), excluded_.front().reason));
    }
  }

  const std::vector<SampleId>& ids() const override { return ids_; }
  const std::vector<ExcludedSample>& excluded() const override { return excluded_; }
  FrameGrid grid(std::size_t index) const override { return call_of(index).shape.grid; }
  std::string identity() const override { return identity_; }

  std::string head_class(std::size_t index) const override {
    const auto& classes = call_of(index).classes;
    return classes.empty() ? "" : classes[static_cast<std::size_t>(places_[index].head)];
  }

  Sample load(std::size_t index) const override {
    const Call& call = call_of(index);
    read(places_[index].call);
    const SampleId& id = ids_[index];
    const std::int64_t b = id.batch - call.id.batch;
    const std::int64_t head = places_[index].head;
    const std::int64_t kv = key_head(call, head);
    const auto made = std::make_shared<const HeadTensors>(
        HeadTensors{bits_->head(CallPart::kQ, b, head), bits_->head(CallPart::kK, b, kv),
                    bits_->head(CallPart::kV, b, kv)});
    const auto dim = static_cast<double>(call.sizes()[3]);
    return {
        id,  call.shape.grid, 1.0 / std::sqrt(dim), made->q.view(), made->k.view(), made->v.view(),
        made};
  }

 private:
  static std::int64_t key_head(const Call& call, std::int64_t head) {
    return head / (call.sizes()[2] / call.key_heads());
  }
  const Call& call_of(std::size_t index) const { return calls_[places_.at(index).call]; }

  // Refuses, or takes note of what is left out.
  void reject(const SampleId& id, const Error& error) {
    if (!options_.exclude_bad) throw error;
    excluded_.push_back({id, error.what()});
  }

  void find_calls() {
    const auto asked = asked_layout(options_.capture.layout);
    const std::string name = std::filesystem::path(file_->path()).filename().string();
    std::set<std::int64_t> layers;
    std::set<std::int64_t> steps;
    for (const std::string& group : captured_groups(*file_)) {
      Call call{group, {fmt::format("{}#{}", name, group), -1, -1, -1, -1}, 0, {}, {}, {}};
      try {
        call.id.layer = number(*file_, group, "layer");
        call.id.step = number(*file_, group, "step");
        layers.insert(call.id.layer);
        steps.insert(call.id.step);
        if (!chosen(options_.layers, call.id.layer) || !chosen(options_.steps, call.id.step)) {
          continue;
        }
        call.pass = std::max<std::int64_t>(0, number(*file_, group, "pass"));
        call.shape = captured_shape(*file_, group, options_.capture, asked);
        call.classes = head_words(*file_, call, "head_classes");
        call.numbers = head_numbers(*file_, call);
        calls_.push_back(std::move(call));
      } catch (const Error& error) {
        reject(call.id, error);
      }
    }
    require_there(file_->path(), "layer", options_.layers, layers);
    require_there(file_->path(), "step", options_.steps, steps);
    if (calls_.empty() && excluded_.empty()) {
      throw Error(ErrorKind::kValue, fmt::format("{}: no call has one of the layers and one of the "
                                                 "steps that were asked for",
                                                 file_->path()));
    }
  }

  void check_heads() const {
    std::set<std::int64_t> heads;
    for (const Call& call : calls_) {
      heads.insert(call.numbers.begin(), call.numbers.end());
    }
    if (!calls_.empty()) require_there(file_->path(), "head", options_.heads, heads);
  }

  // All calls must have the sizes that most have (of equally many, the first).
  void keep_common_form() {
    std::map<std::string, std::size_t> counts;
    for (const Call& call : calls_) ++counts[call.form()];
    std::string common;
    for (const Call& call : calls_) {
      if (counts[call.form()] > counts[common]) common = call.form();
    }
    std::vector<Call> kept;
    for (Call& call : calls_) {
      if (call.form() == common) {
        kept.push_back(std::move(call));
        continue;
      }
      reject(call.id, Error(ErrorKind::kValue,
                            fmt::format("{}: has {}, other calls {}: calls of one shape are due",
                                        captured_place(*file_, call.group), call.form(), common)));
    }
    calls_ = std::move(kept);
  }

  void look_through() {
    std::string words;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      Call& call = calls_[i];
      const std::int64_t batches = call.sizes()[0];
      call.id.batch = -1;
      try {
        read(i);
        call.id.batch = call.pass * batches;
        words += fmt::format("{} {} {} {} {} {}\n", call.group, call.form(), call.id.layer,
                             call.id.step, call.pass, hash_text(bits_->hash()));
        for (std::int64_t b = 0; b < batches; ++b) add_heads(i, b);
      } catch (const Error& error) {
        reject(call.id, error);
      }
    }
    for (const ExcludedSample& left : excluded_) words += left.id.source + describe(left.id) + "\n";
    identity_ =
        fmt::format("capture {} {}", std::filesystem::path(file_->path()).filename().string(),
                    hash_text(byte_hash(words)));
  }

  void add_heads(std::size_t at, std::int64_t b) {
    const Call& call = calls_[at];
    std::map<std::int64_t, std::string> key_faults;  // looked for once for all heads of a group
    for (std::int64_t h = 0; h < call.sizes()[2]; ++h) {
      SampleId id = call.id;
      id.batch += b;
      id.head = call.numbers[static_cast<std::size_t>(h)];
      if (!chosen(options_.heads, id.head)) continue;
      std::string fault = bits_->first_not_finite(CallPart::kQ, b, h);
      const std::int64_t kv = key_head(call, h);
      if (fault.empty()) {
        const auto [found, added] = key_faults.try_emplace(kv);
        if (added) found->second = bits_->first_not_finite(CallPart::kK, b, kv);
        if (added && found->second.empty()) {
          found->second = bits_->first_not_finite(CallPart::kV, b, kv);
        }
        fault = found->second;
      }
      if (fault.empty()) {
        ids_.push_back(id);
        places_.push_back({at, h});
        continue;
      }
      reject(id, Error(ErrorKind::kValue, fmt::format("{}: {}; finite numbers are due",
                                                      captured_place(*file_, call.group), fault)));
    }
  }

  // One call at a time: what was there goes before the next comes.
  void read(std::size_t call) const {
    if (bits_ && read_ == call) return;
    bits_.reset();
    bits_ = std::make_unique<CapturedBits>(*file_, calls_[call].group, calls_[call].shape);
    read_ = call;
  }

  CaptureSourceOptions options_;
  std::unique_ptr<TensorSource> file_;
  std::vector<Call> calls_;
  std::vector<SampleId> ids_;
  std::vector<Place> places_;  ///< [ids]
  std::vector<ExcludedSample> excluded_;
  std::string identity_;
  mutable std::unique_ptr<CapturedBits> bits_;
  mutable std::size_t read_ = 0;
};

}  // namespace

std::unique_ptr<SampleSource> open_capture_source(const CaptureSourceOptions& options) {
  return std::make_unique<CaptureSource>(options);
}

}  // namespace lvsa::analysis
