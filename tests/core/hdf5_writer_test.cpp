#include "core/io/hdf5_writer.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "core/error.hpp"
#include "core/io/hdf5.hpp"

namespace lvsa {
namespace {

namespace fs = std::filesystem;

class Hdf5WriterTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string form = (fs::temp_directory_path() / "lvsa-hdf5-XXXXXX").string();
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    folder_ = form;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }

  fs::path folder_;
};

void expect_refused(const std::string& path, const std::string& text) {
  try {
    const Hdf5Writer writer(path);
    ADD_FAILURE() << path << " was accepted";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    EXPECT_NE(message.find(text), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST_F(Hdf5WriterTest, WhatIsWrittenIsRead) {
  std::vector<std::uint16_t> bits(300 * 70 * 40);  // several chunks
  std::iota(bits.begin(), bits.end(), std::uint16_t{0});
  const std::vector<float> reals = {-1.5F, 0.0F, 3e38F};
  for (const bool compress : {false, true}) {
    Hdf5Writer writer(path("a.h5"), compress);
    writer.group("g");
    writer.dataset("g/bits", ElementType::kU16, {300, 70, 40}, bits.data());
    writer.dataset("g/reals", ElementType::kF32, {3}, reals.data());
    writer.dataset("g/empty", ElementType::kI32, {0}, nullptr);
    writer.attribute("g", "text", std::string("B,S,H,D"));
    writer.attribute("/", "number", std::int64_t{-7});
    writer.commit();
    const Hdf5File file(path("a.h5"));
    const RealDataset read = file.read_reals("g/bits");
    EXPECT_EQ(read.shape, (std::vector<std::int64_t>{300, 70, 40}));
    EXPECT_EQ(read.element_bytes, 2);
    EXPECT_EQ(read.values, std::vector<double>(bits.begin(), bits.end()));
    EXPECT_EQ(file.read_reals("g/reals").values, std::vector<double>(reals.begin(), reals.end()));
    EXPECT_TRUE(file.read_reals("g/empty").values.empty());
    EXPECT_EQ(file.text_attribute("g", "text"), "B,S,H,D");
    EXPECT_EQ(file.integer_attribute("/", "number"), std::vector<std::int64_t>{-7});
  }
}

TEST_F(Hdf5WriterTest, WithoutCommitNothingIsLeftBehind) {
  {
    Hdf5Writer writer(path("a.h5"));
    writer.group("g");
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(Hdf5WriterTest, AnExistingFileStaysUntilCommit) {
  std::ofstream(path("a.h5")) << "before";
  {
    Hdf5Writer writer(path("a.h5"));
    writer.group("g");
  }
  EXPECT_EQ(fs::file_size(path("a.h5")), 6U);
}

TEST_F(Hdf5WriterTest, ANameThatIsThereAlreadyIsNamed) {
  Hdf5Writer writer(path("a.h5"));
  writer.group("twice");
  EXPECT_THROW(writer.group("twice"), Error);
}

TEST_F(Hdf5WriterTest, BadPlacesAreRefusedInOneLine) {
  expect_refused(path("missing/a.h5"), "no folder");
  expect_refused(folder_.string(), "directory");
  expect_refused("/dev/null", "regular file");
  expect_refused("", "name of a file");
}

}  // namespace
}  // namespace lvsa
