// Captured calls: found, read in any order of dimensions, judged; and refused where they do not
// fit.
#include "analysis/verify/capture.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>

#include "analysis/verify/captured_call.hpp"
#include "analysis/verify/oracle_problem.hpp"
#include "core/error.hpp"
#include "core/io/tensor_file.hpp"

namespace lvsa::analysis {
namespace {

namespace fs = std::filesystem;
using Shape = std::vector<std::int64_t>;

const std::string kSmall = std::string(LVSA_SOURCE_DIR) + "/fixtures/captures/small.h5";

// Elements of a contiguous tensor with dimensions `from` in the order `to`.
template <typename T>
std::vector<T> permuted(const std::vector<T>& data, const std::string& from, const Shape& shape,
                        const std::string& to, Shape& to_shape) {
  const Axes source = *Axes::parse(from);
  to_shape.clear();
  for (const char letter : to) to_shape.push_back(source.size(shape, letter));
  const Axes target = *Axes::parse(to);
  std::vector<T> result(data.size());
  const auto at = [&](const Axes& axes, const Shape& sizes, const std::map<char, std::int64_t>& i) {
    std::int64_t index = 0;
    for (const auto& [letter, value] : i) index += value * axes.stride(sizes, letter);
    return static_cast<std::size_t>(index);
  };
  for (std::int64_t b = 0; b < source.size(shape, 'b'); ++b) {
    for (std::int64_t s = 0; s < source.size(shape, 's'); ++s) {
      for (std::int64_t h = 0; h < source.size(shape, 'h'); ++h) {
        for (std::int64_t d = 0; d < source.size(shape, 'd'); ++d) {
          const std::map<char, std::int64_t> i = {{'b', b}, {'s', s}, {'h', h}, {'d', d}};
          result[at(target, to_shape, i)] = data[at(source, shape, i)];
        }
      }
    }
  }
  return result;
}

class CaptureTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string form = (fs::temp_directory_path() / "lvsa-capture-XXXXXX").string();
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    folder_ = form;
    const auto file = open_tensor_file(kSmall);
    for (const char* name : {"q", "k", "v", "out"}) {
      std::vector<std::uint16_t>& bits = bits_[name];
      bits.resize(
          static_cast<std::size_t>(file->form(std::string("layer0/step1/") + name)->elements()));
      file->read_bits(std::string("layer0/step1/") + name, bits.data());
    }
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  // The first call of small.h5 at the root of a new file, its dimensions in the order `order`.
  std::string write(const std::string& name, const std::string& order = "bshd",
                    const std::map<std::string, std::string>& attributes = {}) {
    fs::remove_all(path(name));
    const auto sink = create_tensor_file(path(name), tensor_format_of_name(path(name)));
    for (const auto& [tensor, bits] : bits_) {
      const std::int64_t heads = tensor == "q" || tensor == "out" ? 2 : 1;
      Shape shape;
      const auto data = permuted(bits, "bshd", {1, 59, heads, 16}, order, shape);
      sink->dataset(tensor, ElementType::kBF16, shape, data.data());
    }
    for (const auto& [key, value] : attributes) sink->attribute("/", key, value);
    sink->commit();
    return path(name);
  }

  CaptureOptions options(const std::string& file) const {
    CaptureOptions options;
    options.path = file;
    options.frames = 7;
    options.patches = 8;
    options.text = 3;
    options.settings = "W=1 n_first=1 interval=3 expand=0 step=1";
    return options;
  }

  fs::path folder_;
  std::map<std::string, std::vector<std::uint16_t>> bits_;  // [1, 59, H, 16]
};

void expect_refused(const CaptureOptions& options, const std::string& text) {
  try {
    capture_cases(options);
    ADD_FAILURE() << "accepted; '" << text << "' was due";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find(text), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST_F(CaptureTest, TheRecordedSmallCapturePasses) {
  CaptureOptions small;
  small.path = kSmall;
  const auto cases = capture_cases(small);
  ASSERT_EQ(cases.size(), 4U);
  EXPECT_EQ(cases[1].step, 11);
  EXPECT_EQ(cases[2].layout, Layout::kBHSD);
  for (const Case& c : cases) {
    EXPECT_TRUE(has_captured_output(c));
    const CaseResult result = judge_captured(c, {});
    EXPECT_EQ(result.status, Status::kPass) << result.message;
    EXPECT_EQ(result.kernel, "captured");
    EXPECT_EQ(result.output.checked, 59 * 2 * 16);
    EXPECT_EQ(result.lse.checked, 59 * 2);
    EXPECT_EQ(parse_case(result.line), c);
  }
}

TEST_F(CaptureTest, AnotherPatternOrAnotherStepFails) {
  for (const char* settings : {"W=2", "interval=4", "n_first=3", "step=3"}) {
    CaptureOptions small;
    small.path = kSmall;
    small.settings = settings;
    EXPECT_EQ(judge_captured(capture_cases(small).front(), {}).status, Status::kFail) << settings;
  }
}

TEST_F(CaptureTest, AnyOrderOfDimensionsAndAnyFormatGivesTheSameVerdict) {
  const CaseResult expected = judge_captured(capture_cases(options(write("a.h5"))).front(), {});
  EXPECT_EQ(expected.status, Status::kPass) << expected.message;
  for (const char* name : {"a.safetensors", "a.npy", "a.h5"}) {
    for (const char* order : {"bshd", "bhsd", "sbhd", "shd", "hsd"}) {  // found by their sizes
      const Case c = capture_cases(options(write(name, order))).front();
      const CaseResult result = judge_captured(c, {});
      EXPECT_EQ(result.status, Status::kPass) << name << " " << order << ": " << result.message;
      EXPECT_EQ(result.output.worst_ratio, expected.output.worst_ratio) << name << " " << order;
    }
  }
  for (const char* order : {"dhsb", "hdbs"}) {  // by hand, and kept in the case line
    CaptureOptions by_hand = options(write("a.h5", order));
    by_hand.layout = order;
    const Case c = parse_case(to_line(capture_cases(by_hand).front()));
    EXPECT_EQ(judge_captured(c, {}).status, Status::kPass) << order;
    const std::string stated = write("b.h5", order, {{"layout", order}});
    EXPECT_EQ(judge_captured(capture_cases(options(stated)).front(), {}).status, Status::kPass);
  }
}

TEST_F(CaptureTest, PackedQkvIsTakenApart) {
  const auto sink = create_tensor_file(path("p.h5"), TensorFormat::kHdf5);
  std::vector<float> packed(59 * 3 * 2 * 16);
  for (std::size_t i = 0; i < packed.size(); ++i) packed[i] = std::sin(static_cast<float>(i));
  sink->dataset("qkv", ElementType::kF32, {59, 3, 2, 16}, packed.data());
  sink->commit();
  const Case c = capture_cases(options(path("p.h5"))).front();
  EXPECT_EQ(c.kv_heads, 2);
  const AttentionTensors tensors = captured_tensors(c);
  for (std::int64_t part = 0; part < 3; ++part) {
    const Tensor& tensor = part == 0 ? tensors.q : part == 1 ? tensors.k : tensors.v;
    std::vector<double> row(16);
    tensor.view().read_row(0, 5, 1, row.data());
    const auto first = static_cast<std::size_t>(((5 * 3 + part) * 2 + 1) * 16);
    for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(row[i], packed[first + i]);
  }
}

TEST_F(CaptureTest, WhatGeometryLeavesOpenFollowsFromTheLength) {
  CaptureOptions open = options(write("a.h5"));
  open.text.reset();
  EXPECT_EQ(capture_cases(open).front().grid.text_tokens, 3);
  open.text = 3;
  open.patches.reset();
  EXPECT_EQ(capture_cases(open).front().grid.patches_per_frame, 8);
  open.patches = 8;
  open.frames.reset();
  EXPECT_EQ(capture_cases(open).front().grid.frames, 7);
  open.patches.reset();
  expect_refused(open, "neither T nor P is known");
}

TEST_F(CaptureTest, AWrongGeometryIsToldWithTheNearestThatFit) {
  CaptureOptions wrong = options(write("a.h5"));
  wrong.patches = 9;
  expect_refused(wrong, "S = 59 is not T * P + text = 7 * 9 + 3; near readings: T=7 P=8 text=3");
  wrong.patches = 8;
  wrong.text = 2;
  expect_refused(wrong, "near readings: T=7 P=8 text=3");
  wrong.text = 3;
  wrong.frames = 14;
  expect_refused(wrong, "T=14 P=4 text=3, T=7 P=8 text=3");
  wrong.frames = -7;
  expect_refused(wrong, "T = -7; at least 1");
  wrong.frames = INT64_MAX;
  wrong.patches = INT64_MAX;
  expect_refused(wrong, "is not T * P + text");
}

TEST_F(CaptureTest, NotANumberIsNamedWithItsPlace) {
  const std::size_t token = 17;  // frame 2 row 1
  bits_["k"][token * 16 + 9] = 0x7fc0;
  expect_refused(options(write("a.h5", "bhsd")),
                 "a.h5: k: NaN at batch 0, token 17 (frame 2 row 1), head 0, column 9");
  bits_["k"][token * 16 + 9] = 0;
  bits_["q"][(58 * 2 + 1) * 16 + 3] = 0xff80;
  expect_refused(options(write("a.safetensors")),
                 "q: infinity at batch 0, token 58 (text row 2), head 1, column 3");
}

TEST_F(CaptureTest, NotANumberInTheOutputFailsTheCase) {
  bits_["out"][100] = 0x7fc0;
  const CaseResult result = judge_captured(capture_cases(options(write("a.h5"))).front(), {});
  EXPECT_EQ(result.status, Status::kFail);
  EXPECT_NE(result.message.find("nan"), std::string::npos) << result.message;
}

TEST_F(CaptureTest, WhatIsMissingOrDoesNotFitIsNamed) {
  const auto file = [&](const std::function<void(TensorSink&)>& fill) {
    fs::remove(path("x.h5"));
    const auto sink = create_tensor_file(path("x.h5"), TensorFormat::kHdf5);
    fill(*sink);
    sink->commit();
    return options(path("x.h5"));
  };
  const std::vector<double> zeros(2 * 59 * 2 * 16);
  const auto tensor = [&](TensorSink& sink, const char* name, ElementType type,
                          const Shape& shape) { sink.dataset(name, type, shape, zeros.data()); };
  const Shape usual = {1, 59, 2, 16};
  expect_refused(file([&](TensorSink& s) { tensor(s, "x", ElementType::kF32, usual); }),
                 "holds no call");
  expect_refused(file([&](TensorSink& s) { tensor(s, "q", ElementType::kF32, usual); }),
                 "k: no such tensor");
  const auto with_q = [&](ElementType type, const Shape& q, const Shape& kv, ElementType kv_type) {
    return file([&](TensorSink& s) {
      tensor(s, "q", type, q);
      tensor(s, "k", kv_type, kv);
      tensor(s, "v", kv_type, kv);
    });
  };
  const auto f32 = ElementType::kF32;
  expect_refused(with_q(f32, usual, {1, 59, 3, 16}, f32), "do not fit together");
  expect_refused(with_q(f32, usual, {1, 58, 2, 16}, f32), "do not fit together");
  expect_refused(with_q(f32, {59 * 2, 16}, usual, f32), "3 or 4 dimensions");
  expect_refused(with_q(f32, {0, 59, 2, 16}, usual, f32), "at least 1");
  expect_refused(with_q(f32, usual, usual, ElementType::kBF16), "as q is");
  expect_refused(with_q(ElementType::kI32, usual, usual, f32), "is int32");
  expect_refused(with_q(ElementType::kE5M2, usual, usual, ElementType::kE5M2), "float8_e5m2");
  expect_refused(with_q(ElementType::kF64, usual, usual, ElementType::kF64), "dtype=f32 rounds");
  CaptureOptions rounded = with_q(ElementType::kF64, usual, usual, ElementType::kF64);
  rounded.settings += " dtype=f32";
  EXPECT_EQ(capture_cases(rounded).front().dtype, LVSA_F32);
  CaptureOptions layout = options(write("a.h5"));
  layout.layout = "bsxd";
  expect_refused(layout, "--layout bsxd");
  layout.layout = "sbhd";
  expect_refused(layout, "S = 1");
  layout.layout = "shd";
  expect_refused(layout, "does not describe");
  layout.layout.clear();
  layout.settings = "T=6";
  expect_refused(layout, "come from the tensors");
  layout.settings = "colour=red";
  expect_refused(layout, "colour=red");
  expect_refused(options(write("b.h5", "bshd", {{"layout", "bbbb"}})), "layout is 'bbbb'");
  expect_refused(options(write("b.h5", "bshd", {{"env", "[]"}})), "attribute env");
}

// The output is the oracle's on tensors that were multiplied by hand.
TEST_F(CaptureTest, AnFp8CallIsJudgedWithTheFactorsBesideIt) {
  const Case c = parse_case("T=4 P=5 B=2 H=4 Hkv=2 D=16 dtype=e4m3 W=1 ref=2 step=1 rows=0");
  const AttentionTensors tensors = make_inputs(c);
  const AttentionTensors scaled = scaled_tensors(tensors);
  std::vector<reference::RowId> rows;
  for (std::int64_t b = 0; b < 2; ++b) {
    for (std::int64_t s = 0; s < 20; ++s) {
      for (std::int64_t h = 0; h < 4; ++h) rows.push_back({b, s, h});
    }
  }
  const auto exact = reference::attend_rows(
      oracle_problem(c, scaled.q.view(), scaled.k.view(), scaled.v.view()), rows, {});
  std::vector<float> out;
  for (const auto& row : exact) {
    for (const double value : row.out) out.push_back(static_cast<float>(value));
  }
  const auto judged = [&](const char* left_out) {
    fs::remove(path("fp8.h5"));
    const auto sink = create_tensor_file(path("fp8.h5"), TensorFormat::kHdf5);
    sink->dataset("q", ElementType::kE4M3, {2, 20, 4, 16}, tensors.q.bytes());
    sink->dataset("k", ElementType::kE4M3, {2, 20, 2, 16}, tensors.k.bytes());
    sink->dataset("v", ElementType::kE4M3, {2, 20, 2, 16}, tensors.v.bytes());
    sink->dataset("out", ElementType::kF32, {2, 20, 4, 16}, out.data());
    const auto factors = [&](const std::string& name, const std::vector<float>& scales) {
      const auto heads = static_cast<std::int64_t>(scales.size()) / 2;
      if (name != left_out) sink->dataset(name, ElementType::kF32, {2, heads}, scales.data());
    };
    factors("q_scale", tensors.q_scale);
    factors("k_scale", tensors.k_scale);
    factors("v_scale", tensors.v_scale);
    sink->commit();
    CaptureOptions fp8;
    fp8.path = path("fp8.h5");
    fp8.frames = 4;
    fp8.settings = "W=1 ref=2 step=1";
    return judge_captured(capture_cases(fp8).front(), {}).status;
  };
  EXPECT_FALSE(is_failure(judged("")));  // weak: P may be e4m3 too
  EXPECT_EQ(judged("q_scale"), Status::kFail);
  EXPECT_EQ(judged("k_scale"), Status::kFail);
  EXPECT_EQ(judged("v_scale"), Status::kFail);
}

TEST_F(CaptureTest, EqualSizesNeedAStatedOrder) {
  const std::vector<float> zeros(12 * 12 * 4);
  const auto sink = create_tensor_file(path("x.h5"), TensorFormat::kHdf5);
  for (const char* name : {"q", "k", "v"}) {
    sink->dataset(name, ElementType::kF32, {12, 12, 4}, zeros.data());
  }
  sink->commit();
  CaptureOptions equal = options(path("x.h5"));
  equal.frames = 3;
  equal.patches = 4;
  equal.text = 0;
  expect_refused(equal, "shd and hsd fit");
  equal.layout = "hsd";
  EXPECT_EQ(capture_cases(equal).front().heads, 12);
}

}  // namespace
}  // namespace lvsa::analysis
