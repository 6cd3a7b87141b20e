// What fuzzing and a close look found: each of these once read or wrote where it must not, or ended
// the program.
#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "core/config/config.hpp"
#include "core/error.hpp"
#include "core/io/hdf5.hpp"
#include "core/io/line_reader.hpp"
#include "core/pattern/keyframe_interval.hpp"

namespace lvsa {
namespace {

namespace fs = std::filesystem;

class DamagedInput : public testing::Test {
 protected:
  void SetUp() override {
    std::string form = (fs::temp_directory_path() / "lvsa-damaged-XXXXXX").string();
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    folder_ = form;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }

  fs::path folder_;
};

TEST_F(DamagedInput, ZeroBytesAreBytesOfALine) {
  const std::string bytes("\0first\n\0\nlast\0\r\n\n", 17);
  std::ofstream(path("lines"), std::ios::binary) << bytes;
  LineReader reader(path("lines"));
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  EXPECT_EQ(lines, (std::vector<std::string>{std::string("\0first", 6), std::string("\0", 1),
                                             std::string("last\0", 5), ""}));
  EXPECT_EQ(reader.line_number(), 4);
}

TEST_F(DamagedInput, ALongLastLineWithoutItsEndIsRead) {
  const std::string longer(200000, 'x');  // several buffers
  std::ofstream(path("lines"), std::ios::binary) << "a\n" << longer;
  LineReader reader(path("lines"));
  std::string line;
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line, "a");
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line, longer);
  EXPECT_FALSE(reader.next(line));
}

TEST_F(DamagedInput, ANumberBeyondDoubleInSettingsIsAnError) {
  EXPECT_THROW(config_from_json(R"({"window_size": 1e400})", "test"), Error);
  EXPECT_THROW(floor_divide(INT64_MIN, -1), Error);
}

TEST_F(DamagedInput, FramesBeyondAllMeasureAreAnErrorOfTheInterval) {
  EXPECT_THROW(keyframe_interval({.n_first_frames = INT64_MAX}), Error);
  EXPECT_THROW(keyframe_interval({.frames = 50, .window_frames = INT64_MAX}), Error);
  EXPECT_EQ(keyframe_interval({.frames = 50, .n_first_frames = std::int64_t{1} << 59}), 1);
}

TEST_F(DamagedInput, AnAttributeOfSeveralTextsIsAnError) {
  const hid_t file = H5Fcreate(path("a.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const std::array<hsize_t, 1> dims = {64};
  const hid_t space = H5Screate_simple(1, dims.data(), nullptr);
  const hid_t variable = H5Tcopy(H5T_C_S1);
  H5Tset_size(variable, H5T_VARIABLE);
  const hid_t fixed = H5Tcopy(H5T_C_S1);
  H5Tset_size(fixed, 3);
  std::array<const char*, 64> texts;
  texts.fill("many");
  const std::array<char, 192> packed{};
  for (const auto& [name, type, data] :
       {std::tuple("variable", variable, static_cast<const void*>(texts.data())),
        std::tuple("fixed", fixed, static_cast<const void*>(packed.data()))}) {
    const hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, data);
    H5Aclose(attribute);
  }
  H5Tclose(fixed);
  H5Tclose(variable);
  H5Sclose(space);
  H5Fclose(file);
  const Hdf5File reader(path("a.h5"));
  EXPECT_THROW(reader.text_attribute("/", "variable"), Error);
  EXPECT_THROW(reader.text_attribute("/", "fixed"), Error);
  EXPECT_FALSE(reader.text_attribute("/", "nothing"));
}

}  // namespace
}  // namespace lvsa
