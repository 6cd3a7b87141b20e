#include "analysis/patterns/pattern_calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <sstream>

#include "core/config/python_number.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kMostTokens = std::numeric_limits<std::int32_t>::max();

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorKind::kValue, printable(what, 400));
}

std::map<std::string, std::int64_t> words_of(std::string text) {
  std::replace(text.begin(), text.end(), ',', ' ');
  std::istringstream in(text);
  std::map<std::string, std::int64_t> words;
  for (std::string word; in >> word;) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (name != "T" && name != "h" && name != "w" && name != "P" && name != "text") {
      refuse(fmt::format("--size: '{}': T=, h=, w=, text= or P= is due", word));
    }
    const auto value = equals == std::string::npos
                           ? std::nullopt
                           : parse_python_int_saturated(word.substr(equals + 1));
    const std::int64_t least = name == "text" ? 0 : 1;
    if (!value || *value < least || *value > kMostTokens) {
      refuse(fmt::format("--size: '{}': an integer of {} .. {} is due", word, least, kMostTokens));
    }
    if (!words.emplace(name, *value).second) refuse(fmt::format("--size: {} comes twice", name));
  }
  return words;
}

}  // namespace

VideoGrid parse_video_size(const std::string& text, bool frames_due) {
  const std::map<std::string, std::int64_t> words = words_of(text);
  const auto value = [&](const char* name) {
    const auto found = words.find(name);
    return found == words.end() ? std::int64_t{0} : found->second;
  };
  VideoGrid video;
  video.height = value("h");
  video.width = value("w");
  if ((video.height == 0) != (video.width == 0)) refuse("--size: both h= and w= are due");
  const std::int64_t patches =
      video.height > 0 ? checked_product(video.height, video.width, "--size") : value("P");
  if (value("P") != 0 && value("P") != patches) {
    refuse(fmt::format("--size: P={} for h={} w={}: they make {}", value("P"), video.height,
                       video.width, patches));
  }
  if (frames_due && (value("T") == 0 || patches == 0)) {
    refuse(fmt::format("--size: '{}': T=, h= and w= are due, for example T=21,h=30,w=52", text));
  }
  video.grid.frames = value("T");
  video.grid.patches_per_frame = patches;
  video.grid.text_tokens = words.contains("text") || frames_due ? value("text") : -1;
  if (frames_due) {
    video.grid = make_frame_grid(video.grid.frames, patches, video.grid.text_tokens);
    if (video.grid.seq_len() > kMostTokens) {
      refuse(
          fmt::format("--size: {} tokens, at most {} are due", video.grid.seq_len(), kMostTokens));
    }
  }
  return video;
}

void for_pattern_calls(const SampleSource& source, const VideoGrid& size,
                       const std::function<void(const PatternCall&)>& use) {
  std::int64_t heads = 1;
  for (const SampleId& id : source.ids()) heads = std::max(heads, id.head + 1);
  for (std::size_t i = 0; i < source.ids().size(); ++i) {
    const Sample sample = source.load(i);
    const auto agree = [&](const char* name, std::int64_t said, std::int64_t is, bool given) {
      if (given && said != is) {
        refuse(fmt::format("--size: {}={}, but {} has {}", name, said, describe(sample.id), is));
      }
    };
    agree("T", size.grid.frames, sample.grid.frames, size.grid.frames > 0);
    agree("P", size.grid.patches_per_frame, sample.grid.patches_per_frame,
          size.grid.patches_per_frame > 0);
    agree("text", size.grid.text_tokens, sample.grid.text_tokens, size.grid.text_tokens >= 0);
    PatternCall call;
    call.id = sample.id;
    call.input.video = {sample.grid, size.height, size.width};
    call.input.q = sample.q;
    call.input.k = sample.k;
    call.input.v = sample.v;
    call.input.scale = sample.scale;
    call.input.head = sample.id.head;
    call.input.heads = heads;
    call.input.layer = std::max<std::int64_t>(sample.id.layer, 0);
    call.input.step = std::max<std::int64_t>(sample.id.step, 0);
    use(call);
  }
}

void for_pattern_calls(const VideoGrid& size, const std::vector<std::int64_t>& layers,
                       const std::vector<std::int64_t>& steps,
                       const std::vector<std::int64_t>& heads,
                       const std::function<void(const PatternCall&)>& use) {
  for (const std::int64_t layer : layers) {
    for (const std::int64_t step : steps) {
      for (const std::int64_t head : heads) {
        PatternCall call;
        call.id = {"", layer, step, 0, head};
        call.input.video = size;
        call.input.head = head;
        call.input.heads = *std::max_element(heads.begin(), heads.end()) + 1;
        call.input.layer = layer;
        call.input.step = step;
        use(call);
      }
    }
  }
}

}  // namespace lvsa::analysis
