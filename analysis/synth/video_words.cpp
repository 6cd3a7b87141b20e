#include "analysis/synth/video_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <functional>
#include <map>
#include <set>

#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::synth {
namespace {

constexpr std::array<std::string_view, kHeadClasses> kNames{"spatial", "temporal", "global",
                                                            "diffuse"};

[[noreturn]] void refuse(const std::string& word, const std::string& due) {
  throw Error(ErrorKind::kValue,
              fmt::format("synthetic video: {}: {} is due", printable(word), due));
}

std::vector<std::string> split(const std::string& text, char mark) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(mark, at), text.size());
    if (end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

template <typename Number>
Number number(const std::string& word, std::string_view text, Number least, Number most) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() ||
      !(value >= least && value <= most)) {
    refuse(word, fmt::format("a number from {} to {}", least, most));
  }
  return value;
}

void read_camera(VideoWords& v, const std::string& word, const std::string& text) {
  v.pan = v.tilt = 0.0;
  if (text == "still") return;
  for (const std::string& part : split(text, ',')) {
    const bool pan = part.starts_with("pan:");
    if (!pan && !part.starts_with("tilt:")) {
      refuse(word, "still, or pan:N, tilt:N or both with a comma between, tokens a latent frame");
    }
    const std::string_view value = std::string_view(part).substr(pan ? 4 : 5);
    (pan ? v.pan : v.tilt) = number(word, value, -8.0, 8.0);
  }
}

void read_mix(VideoWords& v, const std::string& word, const std::string& text) {
  for (const std::string& part : split(text, ',')) {
    const std::size_t colon = part.find(':');
    std::size_t at = 0;
    while (at < kHeadClasses && part.substr(0, colon) != kNames[at]) ++at;
    if (at == kHeadClasses || colon == std::string::npos) {
      refuse(word, "a list such as spatial:4,temporal:4,global:2,diffuse:2");
    }
    v.mix[at] = number<std::int64_t>(word, std::string_view(part).substr(colon + 1), 0, 4096);
  }
}

// 4:4:2:2, the remainder to the first classes.
void default_mix(VideoWords& v) {
  constexpr std::array<std::int64_t, kHeadClasses> kShares{4, 4, 2, 2};
  std::int64_t left = v.heads;
  for (std::size_t i = 0; i < kHeadClasses; ++i) {
    v.mix[i] = v.heads * kShares[i] / 12;
    left -= v.mix[i];
  }
  for (std::size_t i = 0; left > 0; i = (i + 1) % kHeadClasses, --left) ++v.mix[i];
}

using Reader = std::function<void(VideoWords&, const std::string& word, const std::string& value)>;

template <typename Member>
Reader member(Member VideoWords::*field, Member least, Member most) {
  return [=](VideoWords& v, const std::string& word, const std::string& value) {
    v.*field = number<Member>(word, value, least, most);
  };
}

const std::map<std::string, Reader>& readers() {
  using I = std::int64_t;
  static const std::map<std::string, Reader> table{
      {"T", member<I>(&VideoWords::frames, 1, 4096)},
      {"h", member<I>(&VideoWords::height, 1, 4096)},
      {"w", member<I>(&VideoWords::width, 1, 4096)},
      {"text", member<I>(&VideoWords::text, 0, 65536)},
      {"heads", member<I>(&VideoWords::heads, 1, 4096)},
      {"D", member<I>(&VideoWords::head_dim, 12, 1024)},
      {"layers", member<I>(&VideoWords::layers, 1, 4096)},
      {"steps", member<I>(&VideoWords::steps, 1, 4096)},
      {"seed", member<std::uint64_t>(&VideoWords::seed, 0, UINT64_MAX)},
      {"objects", member<I>(&VideoWords::objects, 0, 64)},
      {"speed", member(&VideoWords::speed, 0.0, 8.0)},
      {"sharpness", member(&VideoWords::sharpness, 0.0, 8.0)},
      {"noise", member(&VideoWords::noise, 0.0, 8.0)},
      {"camera", read_camera},
      {"mix", read_mix},
      {"dtype", [](VideoWords& v, const std::string& word, const std::string& value) {
         v.dtype = value == "bf16"  ? LVSA_BF16
                   : value == "f16" ? LVSA_F16
                   : value == "f32" ? LVSA_F32
                                    : LVSA_DTYPE_NONE;
         if (v.dtype == LVSA_DTYPE_NONE) refuse(word, "bf16, f16 or f32");
       }}};
  return table;
}

void check(const VideoWords& v) {
  if (v.head_dim % 2 != 0) refuse(fmt::format("D={}", v.head_dim), "an even number");
  std::int64_t sum = 0;
  for (const std::int64_t count : v.mix) sum += count;
  if (sum != v.heads) {
    refuse(fmt::format("mix of {} heads", sum), fmt::format("one of heads={}", v.heads));
  }
  constexpr std::int64_t kMostTokens = std::int64_t{1} << 26;
  if (v.frames * v.height * v.width > kMostTokens) {
    refuse(fmt::format("T={} h={} w={}", v.frames, v.height, v.width),
           fmt::format("a video of at most {} tokens", kMostTokens));
  }
}

}  // namespace

std::string_view class_name(HeadClass head_class) {
  return kNames[static_cast<std::size_t>(head_class)];
}

VideoWords parse_video(const std::string& text) {
  VideoWords v;
  std::set<std::string> seen;
  for (const std::string& word : split(text, ' ')) {
    const std::size_t equal = word.find('=');
    const std::string name = word.substr(0, equal);
    const auto reader = readers().find(name);
    if (equal == std::string::npos || reader == readers().end()) {
      std::vector<std::string> names;
      for (const auto& [known, read] : readers()) names.push_back(known);
      refuse(word, fmt::format("NAME=VALUE with one of {}", fmt::join(names, ", ")));
    }
    if (!seen.insert(name).second) refuse(word, fmt::format("{} once", name));
    reader->second(v, word, word.substr(equal + 1));
  }
  if (!seen.contains("mix")) default_mix(v);
  check(v);
  return v;
}

std::string video_words(const VideoWords& v) {
  std::string mix;
  for (std::size_t i = 0; i < kHeadClasses; ++i) {
    mix += fmt::format("{}{}:{}", i == 0 ? "" : ",", kNames[i], v.mix[i]);
  }
  return fmt::format(
      "T={} h={} w={} text={} heads={} D={} layers={} steps={} seed={} objects={} speed={} "
      "camera=pan:{},tilt:{} mix={} sharpness={} noise={} dtype={}",
      v.frames, v.height, v.width, v.text, v.heads, v.head_dim, v.layers, v.steps, v.seed,
      v.objects, v.speed, v.pan, v.tilt, mix, v.sharpness, v.noise, dtype_name(v.dtype));
}

}  // namespace lvsa::synth
