// Patterns in files: written and read in all formats, and what is refused.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <numeric>

#include "core/error.hpp"
#include "core/sparse/pattern_file.hpp"
#include "tests/sparse_static/sparse_case.hpp"

namespace lvsa::sparse_test {
namespace {

namespace fs = std::filesystem;

class CsrFile : public testing::Test {
 protected:
  CsrFile() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / fmt::format("lvsa-csr-{}-{}", test->name(), getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~CsrFile() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  void write(const std::string& file, const HeadPattern& pattern) const {
    const auto sink = create_tensor_file(file, tensor_format_of_name(file));
    write_pattern(*sink, "/", pattern, "words");
    sink->commit();
  }

  fs::path folder_;
};

const reference::SparseVideo kVideo{5, 6, 7, 9};

TEST_F(CsrFile, ComesBackFromEveryFormat) {
  for (const char* words : {"sta tile=2,3,4 window=1 ragged=tiles block_q=32 block_k=100",
                            "lvsa window=1 interval=0 blocks=frame", "dense"}) {
    const HeadPattern pattern = pattern_of(words, kVideo);
    EXPECT_EQ(pattern.mask.entry.empty(), words[0] != 's');
    int number = 0;
    for (const char* name : {"a.h5", "a.safetensors", "a/"}) {
      const std::string file = path(fmt::format("{}{}", std::string_view(words).size(), name));
      write(file, pattern);
      EXPECT_EQ(pattern_of("csr file=" + file, kVideo), pattern) << words << " " << name;
      ++number;
    }
    EXPECT_EQ(number, 3);
  }
}

TEST_F(CsrFile, KeepsSkipAndChoice) {
  HeadPattern pattern = pattern_of("dense", kVideo);
  pattern.skip = SkipRule{-3.5};
  pattern.choice = "spatial";
  for (const char* name : {"a.h5", "a.safetensors", "a/"}) {
    write(path(name), pattern);
    EXPECT_EQ(pattern_of("csr file=" + path(name), kVideo), pattern) << name;
  }
}

TEST_F(CsrFile, TakesTheGroupOfLayerStepAndHead) {
  const auto sink = create_tensor_file(path("a.h5"), TensorFormat::kHdf5);
  sink->group("layer2");
  sink->group("layer2/step1");
  const HeadPattern one = pattern_of("lvsa window=0 interval=0", kVideo);
  sink->group("layer2/step1/head0");
  write_pattern(*sink, "layer2/step1/head0", one, "");
  sink->commit();
  const auto rule =
      make_rule("csr file=" + path("a.h5") + " group=layer{layer}/step{step}/head{head}");
  PatternInput input = input_of(kVideo);
  input.layer = 2;
  input.step = 1;
  EXPECT_EQ(rule->make(input), one);
  EXPECT_TRUE(rule->depends_on_head());
  EXPECT_TRUE(rule->depends_on_step());
  input.head = 3;
  try {
    rule->make(input);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), path("a.h5") + ": layer2/step1/head3: no tensor indptr");
  }
  EXPECT_EQ(pattern_groups(*open_tensor_file(path("a.h5"))),
            (std::vector<std::string>{"layer2/step1/head0"}));
}

// A file of 10 tokens in query blocks of 4 and key blocks of 2, which a test spoils.
struct Contents {
  std::vector<std::int64_t> indptr{0, 2, 2, 4};
  std::vector<std::int64_t> indptr_shape{4};
  std::vector<std::int64_t> indices{0, 3, 1, 4};
  std::vector<std::int32_t> entry_mask{-1, 0, -1, -1};
  std::vector<std::uint8_t> masks{1, 0, 1, 1, 0, 0, 0, 0};  // [1, 4, 2]
  std::vector<std::int32_t> order;
  std::int64_t tokens = 10;
  std::int64_t block_q = 4;
};

std::string written(const std::string& file, const Contents& c) {
  fs::remove(file);
  const auto sink = create_tensor_file(file, TensorFormat::kHdf5);
  const auto size = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
  sink->dataset("indptr", ElementType::kI64, c.indptr_shape, c.indptr.data());
  sink->dataset("indices", ElementType::kI64, {size(c.indices)}, c.indices.data());
  if (!c.entry_mask.empty()) {
    sink->dataset("entry_mask", ElementType::kI32, {size(c.entry_mask)}, c.entry_mask.data());
    sink->dataset("masks", ElementType::kU8, {size(c.masks) / 8, 4, 2}, c.masks.data());
  }
  if (!c.order.empty()) {
    sink->dataset("order", ElementType::kI32, {size(c.order)}, c.order.data());
  }
  sink->attribute("/", "tokens", c.tokens);
  sink->attribute("/", "block_q", c.block_q);
  sink->attribute("/", "block_k", std::int64_t{2});
  sink->commit();
  return file;
}

// What is said of the spoiled file, without the file's name.
std::string refusal(const std::string& file, const std::function<void(Contents&)>& spoil) {
  Contents contents;
  spoil(contents);
  written(file, contents);
  try {
    make_rule("csr file=" + file)->make(input_of({1, 2, 5, 0}));
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_EQ(what.substr(0, file.size() + 2), file + ": ");
    return what.substr(file.size() + 2);
  }
  return "accepted";
}

TEST_F(CsrFile, IsReadByHand) {
  written(path("a.h5"), {});
  const HeadPattern pattern = pattern_of("csr file=" + path("a.h5"), {1, 2, 5, 0});
  using Ranges = std::vector<KeyRange>;
  EXPECT_EQ(visible_tokens(pattern, 0), (Ranges{{0, 2}, {6, 7}}));
  EXPECT_EQ(visible_tokens(pattern, 1), (Ranges{{0, 2}, {6, 8}}));
  EXPECT_EQ(visible_tokens(pattern, 2), (Ranges{{0, 2}}));
  EXPECT_EQ(visible_tokens(pattern, 5), Ranges{});
  EXPECT_EQ(visible_tokens(pattern, 9), (Ranges{{2, 4}, {8, 10}}));
}

TEST_F(CsrFile, IsRefusedWithRowAndColumn) {
  const std::string file = path("a.h5");
  EXPECT_EQ(refusal(file, [](Contents&) {}), "accepted");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.indices[3] = 5; }),
            "row 2: column 5 is out of range, 0 .. 4 are due");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.indices[3] = (std::int64_t{1} << 32) + 4; }),
            "row 2: column 2147483647 is out of range, 0 .. 4 are due");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.indices[1] = 0; }), "row 0: column 0 comes twice");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.indices[3] = 0; }),
            "row 2: column 0 after 1, columns must ascend");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.indptr[1] = 3; }), "row 1: indptr falls from 3 to 2");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.indptr[3] = 3; }),
            "indptr ends with 3, but there are 4 indices");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.tokens = 13; }),
            "indptr has 4 entries, 5 are due for 13 tokens in blocks of 4");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.tokens = 11; }),
            "a pattern of 11 queries and 11 keys for a sequence of 10 tokens");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.block_q = 0; }),
            "block_q=0 tokens=10: 1 and more are due, and tokens up to 2147483647");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.entry_mask[3] = 1; }),
            "row 2, column 4: mask 1 is out of range, -1 .. 0 are due");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.masks = {0, 0, 0, 0, 0, 0, 0, 0}; }),
            "row 0, column 3: mask 0 attends no pair: leave the block out");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.entry_mask.pop_back(); }),
            "entry_mask has 3 elements for 4 indices");
  EXPECT_EQ(refusal(file, [](Contents& c) { c.order = {0, 1, 2, 3, 4, 4, 6, 7, 8, 9}; }),
            "order: place 5: token 4 comes twice, first at place 4");
  EXPECT_EQ(refusal(file,
                    [](Contents& c) {
                      c.order = {0, 1};
                    }),
            "order has 2 elements, 10 are due");
}

TEST_F(CsrFile, HoldsPatternsOfSeveralHeadsInOneTensor) {
  Contents contents;
  contents.indptr = {0, 2, 2, 4, 0, 0, 0, 1};
  contents.indptr_shape = {2, 4};
  contents.indices = {0, 3, 1, 4, 2};
  contents.entry_mask = {};
  contents.order = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
  const auto rule = make_rule("csr file=" + written(path("a.h5"), contents));
  EXPECT_TRUE(rule->depends_on_head());
  PatternInput input = input_of({1, 2, 5, 0});
  EXPECT_EQ(rule->make(input).map.indices, (std::vector<std::int32_t>{0, 3, 1, 4}));
  input.head = 1;
  EXPECT_EQ(rule->make(input).map.indices, (std::vector<std::int32_t>{2}));
  EXPECT_EQ(visible_tokens(rule->make(input), 0), (std::vector<KeyRange>{{4, 6}}));
  input.head = 2;
  EXPECT_THROW(rule->make(input), Error);
  contents.indices[3] = 9;
  EXPECT_THROW(make_rule("csr file=" + written(path("b.h5"), contents)), Error);
}

TEST_F(CsrFile, IsRefusedWithoutItsParts) {
  const std::string file = path("a.h5");
  {
    const auto sink = create_tensor_file(file, TensorFormat::kHdf5);
    sink->group("other");
    sink->commit();
  }
  try {
    make_rule("csr file=" + file);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "csr: group=auto: " + file + " holds no tensor indptr");
  }
  EXPECT_THROW(make_rule("csr"), Error);
  EXPECT_THROW(make_rule("csr file=" + path("missing.h5")), Error);
}

}  // namespace
}  // namespace lvsa::sparse_test
