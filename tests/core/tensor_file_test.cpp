// Files of tensors: what is written is read, in all formats; damaged ones are refused in one line.
#include "core/io/tensor_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>

#include "core/error.hpp"
#include "core/io/npy_folder.hpp"
#include "core/io/safetensors.hpp"

namespace lvsa {
namespace {

namespace fs = std::filesystem;
using Shape = std::vector<std::int64_t>;

class TensorFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string form = (fs::temp_directory_path() / "lvsa-tensors-XXXXXX").string();
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    folder_ = form;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::string write(const std::string& name, const std::string& bytes) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  // A safetensors file with this header and this many bytes behind it.
  std::string safetensors(const std::string& header, std::size_t data_bytes) const {
    std::string bytes(8, '\0');
    const std::uint64_t length = header.size();
    std::memcpy(bytes.data(), &length, sizeof length);
    return write("t.safetensors", bytes + header + std::string(data_bytes, '\1'));
  }
  // A folder with one .npy file.
  std::string npy(const std::string& bytes) const {
    write("folder/q.npy", bytes);
    return path("folder");
  }

  fs::path folder_;
};

std::string npy_bytes(const std::string& dictionary, std::size_t data_bytes, char version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += version;
  bytes += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    bytes += static_cast<char>((dictionary.size() >> (8 * i)) & 0xff);
  }
  return bytes + dictionary + std::string(data_bytes, '\2');
}

void expect_refused(const std::string& path, const std::string& text) {
  try {
    open_tensor_file(path);
    ADD_FAILURE() << path << " was accepted; '" << text << "' was due";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find(text), std::string::npos) << message;
    EXPECT_NE(message.find(path), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST_F(TensorFileTest, WhatIsWrittenIsReadInAllFormats) {
  std::vector<std::uint16_t> bits(60 * 70 * 40);
  std::iota(bits.begin(), bits.end(), std::uint16_t{0});
  const std::vector<float> reals = {-1.5F, 0.0F, 3e38F};
  const std::vector<std::int32_t> numbers = {-7, 8};
  for (const char* name : {"a.h5", "a.safetensors", "a.npy"}) {
    const auto sink = create_tensor_file(path(name), tensor_format_of_name(path(name)));
    sink->group("g2");
    sink->group("g10");
    sink->dataset("g10/bits", ElementType::kBF16, {60, 70, 40}, bits.data());
    sink->dataset("g10/half", ElementType::kF16, {4}, bits.data());
    sink->dataset("g10/eight", ElementType::kE4M3, {2, 3}, bits.data());
    sink->dataset("g2/reals", ElementType::kF32, {3}, reals.data());
    sink->dataset("g2/numbers", ElementType::kI32, {2}, numbers.data());
    sink->dataset("g2/empty", ElementType::kI64, {0}, nullptr);
    sink->attribute("/", "number", std::int64_t{-7});
    sink->attribute("g2", "text", std::string("B,S,H,D \xc3\xa9"));
    sink->attribute("g2/reals", "base", std::string("2"));
    EXPECT_FALSE(fs::exists(path(name))) << "before commit";
    sink->commit();

    const auto file = open_tensor_file(path(name));
    EXPECT_EQ(file->members("/"), (std::vector<std::string>{"g2", "g10"})) << name;
    EXPECT_EQ(file->members("g10"), (std::vector<std::string>{"bits", "eight", "half"})) << name;
    const auto form = file->form("g10/bits");
    ASSERT_TRUE(form);
    EXPECT_EQ(form->shape, (Shape{60, 70, 40}));
    EXPECT_EQ(form->type, ElementType::kBF16) << name;
    std::vector<std::uint16_t> read(bits.size());
    file->read_bits("g10/bits", read.data());
    EXPECT_EQ(read, bits);
    EXPECT_EQ(file->form("g10/half")->type, ElementType::kF16) << name;
    EXPECT_EQ(file->form("g10/eight")->type, ElementType::kE4M3) << name;
    std::vector<double> doubles(3);
    file->read("g2/reals", doubles.data());
    EXPECT_EQ(doubles, std::vector<double>(reals.begin(), reals.end()));
    std::vector<std::int64_t> integers(2);
    file->read("g2/numbers", integers.data());
    EXPECT_EQ(integers, (std::vector<std::int64_t>{-7, 8}));
    EXPECT_EQ(file->form("g2/empty")->elements(), 0);
    EXPECT_FALSE(file->form("g2/nothing"));
    EXPECT_EQ(file->integer_attribute("/", "number"), std::vector<std::int64_t>{-7});
    EXPECT_EQ(file->text_attribute("g2", "text"), "B,S,H,D \xc3\xa9");
    EXPECT_EQ(file->text_attribute("g2/reals", "base"), "2");
    EXPECT_FALSE(file->text_attribute("g2", "nothing"));
  }
}

TEST_F(TensorFileTest, WithoutCommitNothingIsLeftBehind) {
  const float value = 1.0F;
  for (const char* name : {"a.h5", "a.safetensors", "a.npy"}) {
    create_tensor_file(path(name), tensor_format_of_name(path(name)))
        ->dataset("x", ElementType::kF32, {1}, &value);
    EXPECT_TRUE(fs::is_empty(folder_)) << name;
  }
}

TEST_F(TensorFileTest, AFolderWithSomethingInItIsNotReplaced) {
  write("mine/keep.txt", "mine");
  EXPECT_THROW(create_tensor_file(path("mine"), TensorFormat::kNpyFolder), Error);
  EXPECT_TRUE(fs::exists(path("mine/keep.txt")));
  EXPECT_THROW(create_tensor_file(path("no/where"), TensorFormat::kNpyFolder), Error);
  EXPECT_THROW(create_tensor_file(path("a.safetensors"), TensorFormat::kSafetensors, true), Error);
}

TEST_F(TensorFileTest, PointsDivideNamesAsSlashesDo) {
  const auto file = open_tensor_file(safetensors(
      R"({"__metadata__":{"T":"3","layer0.step2.P":"5"},"layer0.step2.q":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
      4));
  EXPECT_EQ(file->members("/"), std::vector<std::string>{"layer0"});
  EXPECT_EQ(file->members("layer0/step2"), std::vector<std::string>{"q"});
  EXPECT_EQ(file->integer_attribute("/", "T"), std::vector<std::int64_t>{3});
  EXPECT_EQ(file->integer_attribute("layer0/step2", "P"), std::vector<std::int64_t>{5});
}

TEST_F(TensorFileTest, DamagedSafetensorsAreRefusedInOneLine) {
  const auto entry = [](const std::string& rest) { return "{\"q\":{" + rest + "}}"; };
  const auto refused = [&](const std::string& header, std::size_t bytes, const char* text) {
    expect_refused(safetensors(header, bytes), text);
  };
  refused(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), 7, "cut off");
  refused(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), 9, "follow the last tensor");
  refused(entry(R"("dtype":"F32","shape":[2],"data_offsets":[4,12])"), 12, "hole");
  refused(entry(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), 8, "outside");
  refused(entry(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), 8, "takes 12");
  refused(entry(R"("dtype":"F4","shape":[2],"data_offsets":[0,8])"), 8, "dtype is 'F4'");
  refused(entry(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), 8, "shape holds -2");
  refused(entry(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), 8, "shape holds 2.0");
  refused(entry(R"("dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8])"), 8, "shape");
  refused(entry(R"("dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8])"), 8,
          "do not fit in 63 bits");
  refused(entry(R"("dtype":"F32","shape":[4611686018427387904,4,0],"data_offsets":[0,0])"), 0,
          "do not fit in 63 bits");
  refused(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1)"), 8, "is due");
  refused(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), 8, "[begin, end]");
  refused(entry(R"("dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8])"), 8, "twice");
  refused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
          R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
          6, "tensors 'a' and 'b' overlap");
  refused(R"({"a/q":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
          R"("a.q":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
          0, "two tensors");
  refused(R"({"__metadata__":{"a":1}})", 0, "is no text");
  refused(R"({"q\n":{}})", 0, "tensor 'q\\x0a'");
  refused("{\"q\xff\":{}}", 0, "no valid JSON");
  refused("{\"q\":", 0, "no valid JSON");
  refused("[]", 0, "JSON object");
  refused(std::string(200000, '['), 0, "nested");
  expect_refused(write("t.safetensors", "{}"), "cut off");
  std::string long_header("\xff\xff\xff\xff\x0f\0\0\0{}", 10);
  expect_refused(write("t.safetensors", long_header), "safetensors allows 100000000");
  long_header = std::string("\x40\0\0\0\0\0\0\0{}", 10);
  expect_refused(write("t.safetensors", long_header), "cut off");
}

TEST_F(TensorFileTest, DamagedNpyFilesAreRefusedInOneLine) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
  EXPECT_EQ(open_tensor_file(npy(npy_bytes(good, 24)))->form("q")->shape, (Shape{2, 3}));
  EXPECT_EQ(open_tensor_file(npy(npy_bytes(good, 24, 2)))->form("q")->shape, (Shape{2, 3}));
  const auto refused = [&](const std::string& dictionary, std::size_t bytes, const char* text) {
    expect_refused(npy(npy_bytes(dictionary, bytes)), text);
  };
  refused(good, 23, "takes 24 bytes; 23 follow");
  refused(good, 25, "takes 24 bytes; 25 follow");
  refused("{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}", 8, "big endian");
  refused("{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}", 16, "'<c8'");
  refused("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", 16, "'|O'");
  refused("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}", 24, "fortran_order");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", 8, "shape");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 8, "shape");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", 8,
          "2^63 or more");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}", 8, "twice");
  refused("{'descr': '<f4', 'shape': (2,)}", 8, "are due");
  refused("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", 8, "True or False");
  refused("{'descr: '<f4'", 8, "':' is due");
  refused("{'descr", 8, "no end");
  refused(good + "x", 24, "nothing more");
  expect_refused(npy(npy_bytes(good, 24, 9)), "version 9");
  expect_refused(npy("\x93NUMPY"), "cut off");
  expect_refused(npy("PK\x03\x04 this is a zip file"), "no npy file");
  expect_refused(npy(std::string("\x93NUMPY\x02\0\xff\xff\xff\x7f{", 13)), "at most");
  expect_refused(npy(std::string("\x93NUMPY\x01\0\xff\x7f{", 11)), "cut off");
  npy(npy_bytes(good, 24));
  write("folder/cases.json", R"({"/": 3})");
  expect_refused(path("folder"), "an object of attributes");
  write("folder/cases.json", R"({"/": {}, "/": {}})");
  expect_refused(path("folder"), "twice");
}

TEST_F(TensorFileTest, OtherFilesAreToldApart) {
  expect_refused(path("nothing"), "no such file");
  expect_refused(write("text.bin", "only text, nothing else"), "neither HDF5 nor safetensors");
  expect_refused(write("short.bin", ""), "neither HDF5 nor safetensors");
  expect_refused(write("text.h5", "only text, nothing else"), "no HDF5 file");
  expect_refused(write("q.npy", npy_bytes("{}", 0)), "the folder of a .npy file");
  fs::create_directory(path("empty"));
  expect_refused(path("empty"), "without .npy files");
  expect_refused("/dev/null", "no regular file");
}

TEST_F(TensorFileTest, AFileThatShrinksWhileItIsReadIsAnErrorNotACrash) {
  const std::string name =
      safetensors(R"({"q":{"dtype":"U8","shape":[100000],"data_offsets":[0,100000]}})", 100000);
  const auto file = open_tensor_file(name);
  fs::resize_file(name, 5000);
  std::vector<std::byte> bytes(100000);
  EXPECT_THROW(file->read_bits("q", bytes.data()), Error);
}

}  // namespace
}  // namespace lvsa
