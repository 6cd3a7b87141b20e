// Samples out of captured calls: which ones, their values, and what is refused or left out.
#include "analysis/sweep/capture_source.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

#include "core/error.hpp"
#include "core/io/tensor_file.hpp"
#include "core/numeric/small_floats.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

namespace fs = std::filesystem;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Value of an element, told by its place: tensor, call, batch, token, head, column.
float value_at(int tensor, int call, std::int64_t b, std::int64_t s, std::int64_t h,
               std::int64_t d) {
  return static_cast<float>(tensor * 1000 + call * 100 + b * 50 + h * 20 + s) +
         static_cast<float>(d) / 16.0F;
}

struct CallForm {
  std::int64_t batch = 1, tokens = 13, heads = 4, key_heads = 2, dim = 8;
  bool heads_first = false;
  std::function<void(int tensor, std::vector<float>&)> spoil = {};
};

class CaptureSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string form = (fs::temp_directory_path() / "lvsa-source-XXXXXX").string();
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    folder_ = form;
    path_ = (folder_ / "run.h5").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write_call(TensorSink& sink, const std::string& group, int call, const CallForm& form) {
    for (int tensor = 0; tensor < 3; ++tensor) {
      const std::int64_t heads = tensor == 0 ? form.heads : form.key_heads;
      std::vector<float> data(
          static_cast<std::size_t>(form.batch * form.tokens * heads * form.dim));
      for (std::int64_t b = 0; b < form.batch; ++b) {
        for (std::int64_t s = 0; s < form.tokens; ++s) {
          for (std::int64_t h = 0; h < heads; ++h) {
            const std::int64_t row = form.heads_first ? (b * heads + h) * form.tokens + s
                                                      : (b * form.tokens + s) * heads + h;
            for (std::int64_t d = 0; d < form.dim; ++d) {
              data[static_cast<std::size_t>(row * form.dim + d)] =
                  value_at(tensor, call, b, s, h, d);
            }
          }
        }
      }
      if (form.spoil) form.spoil(tensor, data);
      const std::vector<std::int64_t> shape =
          form.heads_first ? std::vector{form.batch, heads, form.tokens, form.dim}
                           : std::vector{form.batch, form.tokens, heads, form.dim};
      sink.dataset(group + "/" + std::string(1, "qkv"[tensor]), ElementType::kF32, shape,
                   data.data());
    }
  }

  // Calls layer0/step0, layer0/step4, layer2/step0, ... of the forms given.
  void write(const std::vector<CallForm>& forms) {
    const auto sink = create_tensor_file(path_, TensorFormat::kHdf5);
    sink->attribute("/", "T", std::int64_t{4});
    sink->attribute("/", "P", std::int64_t{3});
    for (std::size_t i = 0; i < forms.size(); ++i) {
      const std::string layer = "layer" + std::to_string(i / 2 * 2);
      const std::string group = layer + "/step" + std::to_string(i % 2 * 4);
      if (i % 2 == 0) sink->group(layer);
      sink->group(group);
      write_call(*sink, group, static_cast<int>(i), forms[i]);
    }
    sink->commit();
  }

  std::unique_ptr<SampleSource> open(bool exclude_bad = false) const {
    CaptureSourceOptions options;
    options.capture.path = path_;
    options.exclude_bad = exclude_bad;
    return open_capture_source(options);
  }

  std::string refusal(const CaptureSourceOptions& options) const {
    return test_support::refusal_of([&] { open_capture_source(options); });
  }
  std::string refusal() const {
    CaptureSourceOptions options;
    options.capture.path = path_;
    return refusal(options);
  }

  fs::path folder_;
  std::string path_;
};

void expect_values(const TensorView& view, int tensor, int call, std::int64_t b, std::int64_t h) {
  std::vector<double> row(static_cast<std::size_t>(view.shape[3]));
  for (std::int64_t s = 0; s < view.shape[1]; ++s) {
    view.read_row(0, s, 0, row.data());
    for (std::size_t d = 0; d < row.size(); ++d) {
      ASSERT_EQ(row[d], value_at(tensor, call, b, s, h, static_cast<std::int64_t>(d)));
    }
  }
}

TEST_F(CaptureSourceTest, GivesEveryHeadOfEveryCallWithItsKeyHead) {
  for (const bool heads_first : {false, true}) {
    CallForm form;
    form.batch = 2;
    form.heads_first = heads_first;
    write({form, form, form});
    const auto source = open();
    ASSERT_EQ(source->ids().size(), 3U * 2U * 4U);
    for (const std::size_t i : {0U, 7U, 13U, 23U, 2U}) {  // back and forth
      const Sample sample = source->load(i);
      const int call = static_cast<int>(i / 8);
      EXPECT_EQ(sample.id, source->ids()[i]);
      EXPECT_EQ(sample.id.layer, call / 2 * 2);
      EXPECT_EQ(sample.id.step, call % 2 * 4);
      EXPECT_EQ(sample.grid.text_tokens, 1);
      EXPECT_DOUBLE_EQ(sample.scale, 1.0 / std::sqrt(8.0));
      expect_values(sample.q, 0, call, sample.id.batch, sample.id.head);
      expect_values(sample.k, 1, call, sample.id.batch, sample.id.head / 2);
      expect_values(sample.v, 2, call, sample.id.batch, sample.id.head / 2);
    }
  }
}

TEST_F(CaptureSourceTest, TakesChosenLayersStepsAndHeadsAndListsWhatThereIs) {
  write({{}, {}, {}, {}});
  CaptureSourceOptions options;
  options.capture.path = path_;
  options.layers = {2};
  options.steps = {0};
  options.heads = {3, 1};
  const auto source = open_capture_source(options);
  ASSERT_EQ(source->ids().size(), 2U);
  EXPECT_EQ(source->ids()[0].head, 1);
  EXPECT_EQ(describe(source->ids()[1]), "layer 2, step 0, batch 0, head 3");
  options.heads = {9, 4};
  EXPECT_NE(refusal(options).find("heads 4, 9 not there; it has heads 0-3"), std::string::npos);
  options.heads = {};
  options.layers = {1};
  EXPECT_NE(refusal(options).find("layer 1 not there; it has layers 0, 2"), std::string::npos);
  options.layers = {};
  options.steps = {4, 5};
  EXPECT_NE(refusal(options).find("step 5 not there; it has steps 0, 4"), std::string::npos);
}

TEST_F(CaptureSourceTest, NotANumberIsRefusedWithItsPlaceOrItsHeadsLeftOut) {
  CallForm spoiled;
  spoiled.spoil = [](int tensor, std::vector<float>& data) {
    if (tensor == 1) data[(7 * 2 + 1) * 8 + 5] = kNaN;       // k, token 7, key head 1
    if (tensor == 0) data[(12 * 4 + 0) * 8 + 2] = INFINITY;  // q, token 12, head 0
  };
  write({{}, spoiled});
  EXPECT_NE(refusal().find("layer0/step4: q: infinity at batch 0, token 12 (text row 0), head 0, "
                           "column 2"),
            std::string::npos)
      << refusal();
  const auto source = open(true);
  ASSERT_EQ(source->ids().size(), 4U + 1U);
  EXPECT_EQ(source->ids()[4].head, 1);
  ASSERT_EQ(source->excluded().size(), 3U);
  EXPECT_EQ(source->excluded()[1].id.head, 2);
  EXPECT_NE(source->excluded()[1].reason.find("k: NaN at batch 0, token 7 (frame 2 row 1), head 1, "
                                              "column 5"),
            std::string::npos);
  expect_values(source->load(4).q, 0, 1, 0, 1);
}

TEST_F(CaptureSourceTest, NotANumberIsSeenInEveryType) {
  const std::vector<std::pair<ElementType, std::vector<std::uint8_t>>> bad = {
      {ElementType::kBF16, {0x80, 0x7f}}, {ElementType::kBF16, {0x81, 0xff}},
      {ElementType::kF16, {0x00, 0xfc}},  {ElementType::kF16, {0x01, 0x7c}},
      {ElementType::kE4M3, {0x7f}},       {ElementType::kE4M3, {0xff}}};
  for (const auto& [type, bits] : bad) {
    const auto sink = create_tensor_file(path_, TensorFormat::kHdf5);
    sink->attribute("/", "T", std::int64_t{2});
    for (const char* name : {"q", "k", "v"}) {
      std::vector<std::uint8_t> data(2 * 3 * bits.size());
      if (*name == 'v') std::copy(bits.begin(), bits.end(), data.end() - bits.size());
      sink->dataset(name, type, {1, 2, 1, 3}, data.data());
    }
    sink->commit();
    EXPECT_NE(refusal().find("token 1 (frame 1 row 0), head 0, column 2"), std::string::npos)
        << element_name(type) << ": " << refusal();
  }
}

TEST_F(CaptureSourceTest, CallsOfAnotherShapeAreRefusedOrLeftOut) {
  CallForm longer;
  longer.tokens = 14;
  write({longer, {}, {}});
  EXPECT_NE(refusal().find("layer0/step0: has T=4 P=3 text=2 H=4 Hkv=2 D=8, other calls T=4 P=3 "
                           "text=1 H=4 Hkv=2 D=8"),
            std::string::npos)
      << refusal();
  const auto source = open(true);
  EXPECT_EQ(source->ids().size(), 8U);
  ASSERT_EQ(source->excluded().size(), 1U);
  EXPECT_EQ(source->excluded()[0].id.head, -1);
  EXPECT_EQ(describe(source->excluded()[0].id), "layer 0, step 0");
}

TEST_F(CaptureSourceTest, GeometryThatDoesNotFitIsRefused) {
  CallForm odd;
  odd.tokens = 11;
  write({{}, odd});
  EXPECT_NE(refusal().find("S = 11 is not T * P + text = 4 * 3"), std::string::npos) << refusal();
  EXPECT_EQ(open(true)->excluded().size(), 1U);
  write({odd});
  CaptureSourceOptions options;
  options.capture.path = path_;
  options.exclude_bad = true;
  EXPECT_NE(refusal(options).find("nothing is left of it: 1 excluded"), std::string::npos)
      << refusal(options);
}

TEST_F(CaptureSourceTest, MissingAttributesAreNamed) {
  const auto sink = create_tensor_file(path_, TensorFormat::kHdf5);
  sink->group("a");
  write_call(*sink, "a", 0, {});
  sink->commit();
  EXPECT_NE(refusal().find("neither T nor P is known"), std::string::npos) << refusal();
  CaptureSourceOptions options;
  options.capture.path = path_;
  options.capture.frames = 13;
  const auto source = open_capture_source(options);
  EXPECT_EQ(source->grid(0).frames, 13);
  EXPECT_EQ(describe(source->ids()[1]), "batch 0, head 1");
  options.layers = {0};
  EXPECT_NE(refusal(options).find("layer 0 not there; it has no calls with a layer"),
            std::string::npos)
      << refusal(options);
}

TEST_F(CaptureSourceTest, PassesCountAsFurtherBatchElements) {
  const auto sink = create_tensor_file(path_, TensorFormat::kHdf5);
  sink->attribute("/", "T", std::int64_t{4});
  sink->attribute("/", "P", std::int64_t{3});
  sink->attribute("/", "head_classes", "spatial,temporal,global,diffuse");
  for (const char* group : {"step1", "step1/pass0", "step1/pass1"}) sink->group(group);
  write_call(*sink, "step1/pass0", 0, {});
  write_call(*sink, "step1/pass1", 1, {});
  sink->commit();
  const auto source = open();
  ASSERT_EQ(source->ids().size(), 8U);
  EXPECT_EQ(source->ids()[6].batch, 1);
  expect_values(source->load(6).q, 0, 1, 0, 2);
  EXPECT_EQ(source->head_class(6), "global");
  EXPECT_EQ(sample_classes(*source).size(), 8U);
}

TEST_F(CaptureSourceTest, HeadsKeepTheirNumbersInTheModel) {
  const auto write_with = [&](const char* heads) {
    const auto sink = create_tensor_file(path_, TensorFormat::kHdf5);
    sink->attribute("/", "T", std::int64_t{4});
    sink->attribute("/", "P", std::int64_t{3});
    sink->attribute("/", "heads", heads);
    sink->attribute("/", "head_classes", "a,b,c,d");
    sink->group("layer1");
    write_call(*sink, "layer1", 0, {});
    sink->commit();
  };
  write_with("2,5,7,11");
  CaptureSourceOptions options;
  options.capture.path = path_;
  options.heads = {7};
  const auto source = open_capture_source(options);
  ASSERT_EQ(source->ids().size(), 1U);
  EXPECT_EQ(source->ids()[0].head, 7);
  EXPECT_EQ(source->head_class(0), "c");
  expect_values(source->load(0).q, 0, 0, 0, 2);
  expect_values(source->load(0).k, 1, 0, 0, 1);
  options.heads = {1};
  EXPECT_NE(refusal(options).find("head 1 not there; it has heads 2, 5, 7, 11"), std::string::npos)
      << refusal(options);
  for (const char* bad : {"2,5,7", "2,5,5,7", "2,5,seven,8", "2,5,7,"}) {
    write_with(bad);
    EXPECT_NE(refusal().find("attribute heads"), std::string::npos) << refusal();
  }
}

TEST_F(CaptureSourceTest, FactorsOfFp8AreMultipliedIn) {
  const auto sink = create_tensor_file(path_, TensorFormat::kHdf5);
  sink->attribute("/", "T", std::int64_t{3});
  for (const char* name : {"q", "k", "v"}) {
    const std::vector<std::uint8_t> data = {0x38, 0x40, 0xb8, 0x30, 0x44, 0x38};  // 1 2 -1 .5 3 1
    sink->dataset(name, ElementType::kE4M3, {1, 3, 2, 1}, data.data());
  }
  const std::vector<float> factors = {0.5F, 4.0F};
  sink->dataset("k_scale", ElementType::kF32, {2}, factors.data());
  sink->commit();
  const auto source = open();
  const Sample sample = source->load(1);
  const auto at = [](const TensorView& view, std::int64_t s) {
    double value = 0.0;
    view.read_row(0, s, 0, &value);
    return value;
  };
  EXPECT_EQ(at(sample.q, 0), 2.0);
  EXPECT_EQ(at(sample.k, 0), 8.0);
  EXPECT_EQ(at(sample.k, 1), 2.0);
  EXPECT_EQ(at(sample.k, 2), 4.0);
  EXPECT_EQ(at(source->load(0).k, 2), 1.5);
}

TEST_F(CaptureSourceTest, IdentityFollowsTheValuesNotThePlace) {
  write({{}, {}});
  const std::string first = open()->identity();
  fs::create_directory(folder_ / "other");
  fs::copy_file(path_, folder_ / "other" / "run.h5");
  const std::string there = path_;
  path_ = (folder_ / "other" / "run.h5").string();
  EXPECT_EQ(open()->identity(), first);
  path_ = there;
  CallForm spoiled;
  spoiled.spoil = [](int, std::vector<float>& data) { data.back() += 1.0F; };
  write({{}, spoiled});
  EXPECT_NE(open()->identity(), first);
}

TEST_F(CaptureSourceTest, TheCaptureOfWansTransformerIsRead) {
  path_ = std::string(LVSA_SOURCE_DIR) + "/fixtures/captures/wan_tiny.h5";
  const auto source = open();
  ASSERT_EQ(source->ids().size(), 2U * 3U * 2U * 2U);  // layers, steps, passes, heads
  EXPECT_EQ(describe(source->ids()[3]), "layer 1, step 0, batch 1, head 1");
  EXPECT_EQ(source->grid(0).frames, 7);
  EXPECT_EQ(source->grid(0).patches_per_frame, 20);
}

TEST_F(CaptureSourceTest, TheFixtureOfTheProjectIsRead) {
  path_ = std::string(LVSA_SOURCE_DIR) + "/fixtures/captures/small.h5";
  const auto source = open();
  EXPECT_EQ(source->ids().size(), 8U);
  EXPECT_EQ(describe(source->ids()[7]), "layer 17, step 11, batch 0, head 1");
  EXPECT_EQ(source->load(7).q.dtype, LVSA_BF16);
}

}  // namespace
}  // namespace lvsa::analysis
