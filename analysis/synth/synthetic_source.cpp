#include "analysis/synth/synthetic_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/synth/head_maker.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

struct HeadTensors {
  Tensor q, k, v;
};

std::vector<std::int64_t> numbers(const char* noun, std::vector<std::int64_t> asked,
                                  std::int64_t size) {
  if (asked.empty()) {
    asked.resize(static_cast<std::size_t>(size));
    std::iota(asked.begin(), asked.end(), 0);
  }
  std::sort(asked.begin(), asked.end());
  asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
  for (const std::int64_t number : asked) {
    if (number >= 0 && number < size) continue;
    throw Error(ErrorKind::kValue, fmt::format("synthetic video: {} {} not there; it has {}s 0-{}",
                                               noun, number, noun, size - 1));
  }
  return asked;
}

class SyntheticSource : public SampleSource {
 public:
  SyntheticSource(const std::string& words, const SyntheticChoice& choice)
      : words_(synth::parse_video(words)), scene_(words_) {
    const auto heads = numbers("head", choice.heads, words_.heads);
    const auto steps = numbers("step", choice.steps, words_.steps);
    for (const std::int64_t layer : numbers("layer", choice.layers, words_.layers)) {
      for (const std::int64_t step : steps) {
        for (const std::int64_t head : heads) {
          ids_.push_back({"synthetic", layer, step, 0, head});
        }
      }
    }
  }

  const std::vector<SampleId>& ids() const override { return ids_; }
  const std::vector<ExcludedSample>& excluded() const override { return excluded_; }
  FrameGrid grid(std::size_t index) const override {
    static_cast<void>(ids_.at(index));
    return words_.grid();
  }
  std::string identity() const override { return "synthetic " + synth::video_words(words_); }
  std::string head_class(std::size_t index) const override {
    const SampleId& id = ids_.at(index);
    return std::string(synth::class_name(synth::class_of(words_, id.layer, id.head)));
  }

  Sample load(std::size_t index) const override {
    const SampleId& id = ids_.at(index);
    const synth::HeadMaker maker(words_, scene_, id.layer, id.step, id.head);
    const auto made = std::make_shared<const HeadTensors>(
        HeadTensors{maker.queries(), maker.keys(), maker.values()});
    return {id,
            words_.grid(),
            1.0 / std::sqrt(static_cast<double>(words_.head_dim)),
            made->q.view(),
            made->k.view(),
            made->v.view(),
            made};
  }

 private:
  synth::VideoWords words_;
  synth::Scene scene_;
  std::vector<SampleId> ids_;
  std::vector<ExcludedSample> excluded_;
};

}  // namespace

std::unique_ptr<SampleSource> make_synthetic_source(const std::string& words,
                                                    const SyntheticChoice& choice) {
  return std::make_unique<SyntheticSource>(words, choice);
}

}  // namespace lvsa::analysis
