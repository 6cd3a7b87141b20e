#include "analysis/synth/synthetic_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

#include "analysis/synth/head_maker.hpp"

namespace lvsa::analysis {
namespace {

using synth::HeadMaker;

// The samples of one layer and step: consecutive ids.
struct CallHeads {
  std::int64_t layer;
  std::int64_t step;
  std::vector<std::int64_t> heads;
};

std::vector<CallHeads> calls_of(const SampleSource& source) {
  std::vector<CallHeads> calls;
  for (const SampleId& id : source.ids()) {
    if (calls.empty() || calls.back().layer != id.layer || calls.back().step != id.step) {
      calls.push_back({id.layer, id.step, {}});
    }
    calls.back().heads.push_back(id.head);
  }
  return calls;
}

// Heads beside each other: [1, S, H, D].
void write_tensor(TensorSink& file, const std::string& name, const synth::VideoWords& words,
                  const std::vector<HeadMaker>& makers, Tensor (HeadMaker::*made)() const) {
  const std::int64_t tokens = words.grid().seq_len();
  const auto heads = static_cast<std::int64_t>(makers.size());
  Tensor all(words.dtype, {1, tokens, heads, words.head_dim}, Layout::kBSHD);
  const auto row = static_cast<std::size_t>(words.head_dim) * dtype_bytes(words.dtype);
  for (std::size_t h = 0; h < makers.size(); ++h) {
    const Tensor one = (makers[h].*made)();
    for (std::size_t s = 0; s < static_cast<std::size_t>(tokens); ++s) {
      std::memcpy(all.bytes() + (s * makers.size() + h) * row, one.bytes() + s * row, row);
    }
  }
  file.dataset(name, element_type(words.dtype), {1, tokens, heads, words.head_dim}, all.bytes());
}

void write_root(TensorSink& file, const synth::VideoWords& words) {
  const FrameGrid grid = words.grid();
  file.attribute("/", "T", grid.frames);
  file.attribute("/", "P", grid.patches_per_frame);
  file.attribute("/", "text_tokens", grid.text_tokens);
  file.attribute("/", "latent_height", words.height);
  file.attribute("/", "latent_width", words.width);
  file.attribute("/", "layout", "bshd");
  file.attribute("/", "made_by", "lvsa-verify synth");
  file.attribute("/", "words", synth::video_words(words));
}

}  // namespace

SyntheticFile write_synthetic_capture(TensorSink& file, const std::string& text,
                                      const SyntheticChoice& choice) {
  const auto source = make_synthetic_source(text, choice);
  const synth::VideoWords words = synth::parse_video(text);
  const synth::Scene scene(words);
  write_root(file, words);
  SyntheticFile written;
  std::int64_t layer = -1;
  for (const CallHeads& call : calls_of(*source)) {
    const std::string folder = fmt::format("layer{}", call.layer);
    std::vector<HeadMaker> makers;
    std::vector<std::string_view> classes;
    for (const std::int64_t head : call.heads) {
      makers.emplace_back(words, scene, call.layer, call.step, head);
      classes.push_back(synth::class_name(makers.back().plan().head_class));
    }
    if (call.layer != layer) {
      layer = call.layer;
      file.group(folder);
      file.attribute(folder, "layer", layer);
      file.attribute(folder, "heads", fmt::format("{}", fmt::join(call.heads, ",")));
      file.attribute(folder, "head_classes", fmt::format("{}", fmt::join(classes, ",")));
    }
    const std::string group = fmt::format("{}/step{}", folder, call.step);
    file.group(group);
    file.attribute(group, "step", call.step);
    write_tensor(file, group + "/q", words, makers, &HeadMaker::queries);
    write_tensor(file, group + "/k", words, makers, &HeadMaker::keys);
    write_tensor(file, group + "/v", words, makers, &HeadMaker::values);
    ++written.calls;
    written.heads = static_cast<std::int64_t>(makers.size());
  }
  written.bytes = 3.0 * static_cast<double>(written.calls * written.heads) *
                  static_cast<double>(words.grid().seq_len() * words.head_dim) *
                  static_cast<double>(dtype_bytes(words.dtype));
  return written;
}

}  // namespace lvsa::analysis
