// What a dump writes, read back, and that it is the same however it was made.

#include "analysis/maps/dump.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "analysis/maps/dump_folder.hpp"
#include "analysis/maps/gpu_mass.hpp"
#include "analysis/maps/map_file.hpp"
#include "analysis/report/html_dump.hpp"
#include "analysis/synth/synthetic_source.hpp"
#include "core/error.hpp"
#include "core/io/hdf5.hpp"
#include "core/kernel/device_memory.hpp"

namespace lvsa::analysis {
namespace {

namespace fs = std::filesystem;

class DumpFiles : public ::testing::Test {
 protected:
  DumpFiles()
      : folder_(fs::temp_directory_path() / ("lvsa-dump-test-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~DumpFiles() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  fs::path folder_;
};

Dump small_dump(const std::string& setting) {
  const auto source = make_synthetic_source(
      "T=7 h=4 w=5 text=3 heads=2 D=16 steps=3 seed=2 mix=spatial:1,diffuse:1");
  DumpOptions options;
  options.setting = parse_setting(setting);
  options.size = {4, 5, "test"};
  options.rows = {3, 1};
  options.places = {{2, 1, 4}};
  return make_dump(*source, options);
}

std::string bytes_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  return bytes.str();
}

TEST_F(DumpFiles, HoldMassesThatAddUpAndTheirMasks) {
  const Dump dump = small_dump("W=1 ref=4 rotate=1 interval=3");
  write_dump_file(dump, path("dump.h5"), {{"version", "1"}, {"time", "now"}});
  const Hdf5File file(path("dump.h5"));
  const RealDataset mass = file.read_reals("mass");
  const RealDataset text = file.read_reals("text_mass");
  const RealDataset lost = file.read_reals("lost_mass");
  const RealDataset mask = file.read_reals("mask");
  const RealDataset which = file.read_reals("sample_pattern");
  const RealDataset map = file.read_reals("token_map");
  ASSERT_EQ(mass.shape, (std::vector<std::int64_t>{6, 7, 7}));
  ASSERT_EQ(mask.shape, (std::vector<std::int64_t>{3, 7, 7}));
  ASSERT_EQ(map.shape, (std::vector<std::int64_t>{6, 1, 7, 4, 5}));
  EXPECT_EQ(which.values, (std::vector<double>{0, 0, 1, 1, 2, 2})) << "the grid rotates";
  for (std::size_t s = 0; s < 6; ++s) {
    for (std::size_t f = 0; f < 7; ++f) {
      double sum = text.values[s * 7 + f];
      double left_out = 0.0;
      for (std::size_t k = 0; k < 7; ++k) {
        const double here = mass.values[(s * 7 + f) * 7 + k];
        sum += here;
        const auto pattern = static_cast<std::size_t>(which.values[s]);
        if (mask.values[(pattern * 7 + f) * 7 + k] == 0.0) left_out += here;
      }
      EXPECT_NEAR(sum, 1.0, 1e-12);
      EXPECT_NEAR(lost.values[s * 7 + f], left_out, 1e-12);
    }
  }
  EXPECT_EQ(file.text_attribute("mask", "flag_meanings"), "not_attended global window both");
  EXPECT_EQ(file.text_attribute("mass", "coordinates"), "layer step batch head class");
  EXPECT_EQ(file.text_attribute("/", "tool_version"), "1");
  EXPECT_FALSE(file.text_attribute("/", "tool_time")) << "the same dump, the same bytes";
  EXPECT_TRUE(file.text_attribute("key_frame", "CLASS") == "DIMENSION_SCALE");
}

TEST_F(DumpFiles, HaveTheSameBytesOnAnyNumberOfThreads) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const Dump one = small_dump("W=1 ref=4");
  omp_set_num_threads(3);
  const Dump three = small_dump("W=1 ref=4");
  omp_set_num_threads(before);
  write_dump_file(one, path("one.h5"), {});
  write_dump_file(three, path("three.h5"), {});
  EXPECT_EQ(bytes_of(path("one.h5")), bytes_of(path("three.h5")));
  EXPECT_EQ(dump_table(one), dump_table(three));
  EXPECT_EQ(html_dump(one, {}), html_dump(three, {}));
}

TEST_F(DumpFiles, StayInAFolderOfTheirOwn) {
  const Provenance content = {{"source", "a"}, {"rows", "8"}};
  {
    DumpFolder folder(path("out"), content);
    EXPECT_FALSE(fs::exists(path("out"))) << "nothing before begin()";
    folder.begin();
    folder.write("a.txt", "a");
    folder.finish({{"time", "now"}});
  }
  EXPECT_NO_THROW(DumpFolder(path("out"), content)) << "the same dump again";
  EXPECT_THROW(DumpFolder(path("out"), {{"source", "b"}, {"rows", "8"}}), Error);
  fs::create_directories(path("other"));
  EXPECT_NO_THROW(DumpFolder(path("other"), content)) << "an empty one";
  std::ofstream(path("other/file")) << "x";
  EXPECT_THROW(DumpFolder(path("other"), content), Error);
  std::ofstream(path("other/dump.json")) << "[1, 2";
  EXPECT_THROW(DumpFolder(path("other"), content), Error);
  EXPECT_THROW(DumpFolder(path("other/file"), content), Error) << "a file";
  EXPECT_THROW(DumpFolder("", content), Error);
}

TEST(DumpPage, RefusesWhatNoBrowserCouldShow) {
  EXPECT_NO_THROW(check_page_size(360, {}, {121, 1560, 0}));
  EXPECT_THROW(check_page_size(3600, {}, {121, 1560, 0}), Error);
  DumpOptions options;
  options.places.resize(100);
  EXPECT_THROW(check_page_size(12, options, {121, 1560, 0}), Error);
}

TEST(GpuFrameMass, SaysWhatIsWrongWithALibrary) {
  for (const char* library : {"/nowhere/liblvsa_cuda.so", "libpng16.so.16"}) {
    try {
      const GpuFrameMass gpu(library);
      FAIL() << library;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(library), std::string::npos) << error.what();
    }
  }
}

// With LVSA_CUDA_PLUGIN naming liblvsa_cuda.so and a device: the kernel's masses are those of all
// rows on the CPU.
TEST(GpuFrameMass, AgreesWithAllRowsOnTheCpu) {
  const char* const plugin = std::getenv("LVSA_CUDA_PLUGIN");
  if (plugin == nullptr) GTEST_SKIP() << "LVSA_CUDA_PLUGIN is not set";
  if (const auto why = DeviceMemory::why_none()) GTEST_SKIP() << *why;
  GpuFrameMass gpu(plugin);
  for (const char* words : {"T=5 h=6 w=7 text=0 heads=2 D=64 seed=4 mix=spatial:1,diffuse:1",
                            "T=6 h=5 w=9 text=11 heads=2 D=128 seed=5 mix=global:1,temporal:1"}) {
    const auto source = make_synthetic_source(words);
    for (std::size_t i = 0; i < source->ids().size(); ++i) {
      const Sample sample = source->load(i);
      std::vector<std::int64_t> all;
      for (std::int64_t t = 0; t < sample.grid.video_tokens(); ++t) all.push_back(t);
      const LatentSize size{1, sample.grid.patches_per_frame, "test"};
      const FrameMass cpu = head_mass(sample, size, all).mass;
      const FrameMass there = gpu.measure(sample);
      ASSERT_EQ(there.mass.size(), cpu.mass.size());
      ASSERT_EQ(there.text.size(), cpu.text.size());
      for (std::size_t c = 0; c < cpu.mass.size(); ++c) {
        EXPECT_NEAR(there.mass[c], cpu.mass[c], 1e-5) << words << " " << i << " " << c;
      }
      for (std::size_t c = 0; c < cpu.text.size(); ++c) {
        EXPECT_NEAR(there.text[c], cpu.text[c], 1e-5) << words << " " << i << " " << c;
      }
    }
  }
}

}  // namespace
}  // namespace lvsa::analysis
