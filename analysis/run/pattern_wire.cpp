#include "analysis/run/pattern_wire.hpp"

#include <array>
#include <cstring>
#include <type_traits>
#include <utility>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

template <typename T>
void put(std::string& bytes, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
void put_all(std::string& bytes, const std::vector<T>& values) {
  put(bytes, static_cast<std::uint64_t>(values.size()));
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  template <typename T>
  T one() {
    T value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  template <typename T>
  std::vector<T> all() {
    const auto count = one<std::uint64_t>();
    if (count > left_.size() / sizeof(T)) fail();
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), take(count * sizeof(T)).data(), count * sizeof(T));
    return values;
  }
  std::string_view take(std::size_t count) {
    if (count > left_.size()) fail();
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  void end() const {
    if (!left_.empty()) fail();
  }

 private:
  [[noreturn]] static void fail() {
    throw Error(ErrorKind::kIo, "bytes that are no message between rule and process");
  }
  std::string_view left_;
};

// Type, tokens and width, then the elements of the rows.
void put_tensor(std::string& bytes, const TensorView& view) {
  const bool there = view.data != nullptr;
  put(bytes, static_cast<std::int64_t>(there ? view.dtype : LVSA_DTYPE_NONE));
  put(bytes, there ? view.shape[1] : 0);
  put(bytes, there ? view.shape[3] : 0);
  if (!there) return;
  const std::size_t width = dtype_bytes(view.dtype);
  const auto* data = static_cast<const std::byte*>(view.data);
  const std::int64_t together = view.strides[3] == 1 ? view.shape[3] : 1;
  for (std::int64_t s = 0; s < view.shape[1]; ++s) {
    for (std::int64_t d = 0; d < view.shape[3]; d += together) {
      const auto at = static_cast<std::size_t>(s * view.strides[1] + d * view.strides[3]);
      bytes.append(reinterpret_cast<const char*>(data + at * width),
                   static_cast<std::size_t>(together) * width);
    }
  }
}

// Where a tensor's elements come to lie in `tensors`; the address itself follows later, since the
// memory may still move.
TensorView take_tensor(Reader& in, std::vector<std::byte>& tensors, std::size_t& offset) {
  TensorView view;
  view.dtype = static_cast<DType>(in.one<std::int64_t>());
  const auto tokens = in.one<std::int64_t>();
  const auto width = in.one<std::int64_t>();
  view.shape = {1, tokens, 1, width};
  view.strides = {tokens * width, width, width, 1};
  constexpr std::size_t kAlignment = 64;
  tensors.resize((tensors.size() + kAlignment - 1) / kAlignment * kAlignment);
  offset = tensors.size();
  const std::string_view data =
      in.take(static_cast<std::size_t>(tokens * width) * dtype_bytes(view.dtype));
  const auto* bytes = reinterpret_cast<const std::byte*>(data.data());
  tensors.insert(tensors.end(), bytes, bytes + data.size());
  return view;
}

void put_axis(std::string& bytes, const BlockAxis& axis) { put_all(bytes, axis.begins()); }

}  // namespace

std::string request_bytes(const PatternInput& input) {
  std::string bytes;
  put(bytes, input.video);
  for (const std::int64_t number : {input.head, input.heads, input.layer, input.step}) {
    put(bytes, number);
  }
  put(bytes, input.scale);
  for (const TensorView* view : {&input.q, &input.k, &input.v}) put_tensor(bytes, *view);
  return bytes;
}

ReceivedRequest parse_request(std::string_view bytes) {
  Reader in(bytes);
  ReceivedRequest request;
  PatternInput& input = request.input;
  input.video = in.one<VideoGrid>();
  for (std::int64_t* number : {&input.head, &input.heads, &input.layer, &input.step}) {
    *number = in.one<std::int64_t>();
  }
  input.scale = in.one<double>();
  std::array<std::size_t, 3> offsets{};
  std::array<TensorView*, 3> views = {&input.q, &input.k, &input.v};
  for (std::size_t i = 0; i < views.size(); ++i) {
    *views[i] = take_tensor(in, request.tensors, offsets[i]);
  }
  in.end();
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (views[i]->dtype != LVSA_DTYPE_NONE) views[i]->data = request.tensors.data() + offsets[i];
  }
  return request;
}

std::string pattern_bytes(const HeadPattern& pattern) {
  std::string bytes;
  put_axis(bytes, pattern.map.rows);
  put_axis(bytes, pattern.map.columns);
  put_all(bytes, pattern.map.indptr);
  put_all(bytes, pattern.map.indices);
  put(bytes, pattern.mask.block_rows);
  put(bytes, pattern.mask.words);
  put_all(bytes, pattern.mask.entry);
  put_all(bytes, pattern.mask.bits);
  put(bytes, std::int64_t{pattern.order ? 1 : 0});
  put_all(bytes, pattern.order ? pattern.order->tokens() : std::vector<std::int32_t>());
  put(bytes, std::int64_t{pattern.skip ? 1 : 0});
  put(bytes, pattern.skip ? pattern.skip->threshold_log2 : 0.0);
  put_all(bytes, std::vector<char>(pattern.choice.begin(), pattern.choice.end()));
  return bytes;
}

HeadPattern parse_pattern(std::string_view bytes) {
  Reader in(bytes);
  HeadPattern pattern;
  pattern.map.rows = BlockAxis::of_begins(in.all<std::int64_t>());
  pattern.map.columns = BlockAxis::of_begins(in.all<std::int64_t>());
  pattern.map.indptr = in.all<std::int32_t>();
  pattern.map.indices = in.all<std::int32_t>();
  pattern.mask.block_rows = in.one<std::int64_t>();
  pattern.mask.words = in.one<std::int64_t>();
  pattern.mask.entry = in.all<std::int32_t>();
  pattern.mask.bits = in.all<std::uint64_t>();
  const bool ordered = in.one<std::int64_t>() != 0;
  std::vector<std::int32_t> order = in.all<std::int32_t>();
  if (ordered) pattern.order = Permutation(std::move(order), "order");
  const bool skips = in.one<std::int64_t>() != 0;
  const auto threshold = in.one<double>();
  if (skips) pattern.skip = SkipRule{threshold};
  const std::vector<char> choice = in.all<char>();
  pattern.choice.assign(choice.begin(), choice.end());
  in.end();
  return pattern;
}

}  // namespace lvsa::analysis
