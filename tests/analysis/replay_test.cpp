// Recorded files, whole and damaged, through the library.
#include "analysis/vectors/replay.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "core/error.hpp"
#include "core/io/hdf5.hpp"
#include "core/io/line_reader.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

const std::string kFixtures = LVSA_SOURCE_DIR "/fixtures/";

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A file of this test alone that goes with it.
class Scratch {
 public:
  explicit Scratch(const std::string& name)
      : path_(std::filesystem::temp_directory_path() /
              ("lvsa_replay_" + std::to_string(getpid()) + "_" + name)) {}
  ~Scratch() { std::filesystem::remove(path_); }
  std::string write(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary) << bytes;
    return path_.string();
  }

 private:
  std::filesystem::path path_;
};

std::string complaint(const std::string& path) {
  return test_support::refusal_of([&] { replay_file(path, [](const Mismatch&) {}); });
}

TEST(Replay, PassesEveryRecordedCase) {
  const auto none = [](const Mismatch& m) { ADD_FAILURE() << m.where << " " << m.function; };
  EXPECT_EQ(replay_file(kFixtures + "pattern_vectors.ndjson.gz", none).passed, 7963);
  EXPECT_EQ(replay_file(kFixtures + "pattern_vectors_1.3.ndjson.gz", none).passed, 779);
  // 63 outputs, 21 lists of global frames, 7 intervals.
  EXPECT_EQ(replay_file(kFixtures + "attention_vectors.h5", none).passed, 91);
  // As many files as it names.
  EXPECT_EQ(replay_file(kFixtures + "manifest.json", none).passed, 5);
}

TEST(Replay, NamesFunctionArgumentsExpectedAndGot) {
  const Scratch scratch("wrong.ndjson");
  const std::string path = scratch.write(
      R"({"fn": "compute_auto_kfi", "args": {"total_frames": 41, "window_size": 3, "n_first_frames": 1, )"
      R"("reference_frames": 21, "sparsity_scale": 1.0}, "out": 4})");
  std::vector<Mismatch> mismatches;
  const ReplaySummary summary =
      replay_file(path, [&](const Mismatch& m) { mismatches.push_back(m); });
  EXPECT_EQ(summary.failed, 1);
  ASSERT_EQ(mismatches.size(), 1U);
  EXPECT_EQ(mismatches[0].where, "line 1");
  EXPECT_EQ(mismatches[0].function, "compute_auto_kfi");
  EXPECT_NE(mismatches[0].arguments.find("\"total_frames\":41"), std::string::npos);
  EXPECT_EQ(mismatches[0].expected, "4");
  EXPECT_EQ(mismatches[0].got, "3");
}

TEST(Replay, ReadsTheWordsThatPythonWritesForNumbersThatAreNone) {
  const Scratch scratch("nan.ndjson");
  const std::string path = scratch.write(
      "{\"fn\": \"compute_auto_kfi\", \"args\": {\"total_frames\": 41, \"window_size\": 3, "
      "\"n_first_frames\": 1, \"reference_frames\": 21, \"sparsity_scale\": NaN}, "
      "\"out\": {\"error\": \"ValueError\"}}\n");
  EXPECT_EQ(replay_file(path, [](const Mismatch&) {}).passed, 1);
}

TEST(Replay, FindsAChangedOutputInAnAttentionFile) {
  // One byte within the data of an output: found by looking for a value that is in the file once.
  std::string bytes = bytes_of(kFixtures + "attention_vectors.h5");
  const RealDataset data =
      Hdf5File(kFixtures + "attention_vectors.h5").read_reals("case4/out_step1_f64");
  const double value = data.values[1000];
  const std::string pattern(reinterpret_cast<const char*>(&value), sizeof value);
  const std::size_t at = bytes.find(pattern);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 5] = static_cast<char>(bytes[at + 5] ^ 0x10);  // moves it by 2^-12 of itself
  const Scratch scratch("changed.h5");
  std::vector<Mismatch> mismatches;
  const ReplaySummary summary =
      replay_file(scratch.write(bytes), [&](const Mismatch& m) { mismatches.push_back(m); });
  EXPECT_EQ(summary.failed, 1);
  ASSERT_EQ(mismatches.size(), 1U);
  EXPECT_EQ(mismatches[0].where, "case4/out_step1_f64");
}

TEST(Replay, TellsACutOffFile) {
  for (const char* name : {"pattern_vectors.ndjson.gz", "attention_vectors.h5"}) {
    const std::string bytes = bytes_of(kFixtures + name);
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{9}, bytes.size() / 2, bytes.size() - 5}) {
      const Scratch scratch(name);
      const std::string path = scratch.write(bytes.substr(0, size));
      EXPECT_NE(complaint(path).find(path), std::string::npos) << name << " cut to " << size;
    }
  }
}

// Whatever a damaged file brings about, it is a result or an Error that names the file.
TEST(Replay, SurvivesDamage) {
  std::mt19937 random(20261121);
  for (const char* name : {"pattern_vectors_1.3.ndjson.gz", "attention_vectors.h5"}) {
    const std::string whole = bytes_of(kFixtures + name);
    for (int round = 0; round < 25; ++round) {
      std::string bytes = whole;
      for (std::size_t i = 0, changes = 1 + random() % 60; i < changes; ++i) {
        // Half of them where HDF5 keeps its structures.
        const std::size_t range =
            i % 2 == 0 ? std::min<std::size_t>(bytes.size(), 8192) : bytes.size();
        bytes[random() % range] = static_cast<char>(random());
      }
      const Scratch scratch(name);
      const std::string path = scratch.write(bytes);
      const std::string said = complaint(path);
      EXPECT_TRUE(said == "accepted" || said.find(path) != std::string::npos) << said;
    }
  }
}

TEST(LineReader, ReadsPlainAndGzipLinesOfAnyLength) {
  const Scratch scratch("lines.txt");
  const std::string longest(200000, 'x');
  LineReader reader(scratch.write("one\r\n\n" + longest + "\nlast"));
  std::string line;
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line, "one");
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line, "");
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line, longest);
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line, "last");
  EXPECT_EQ(reader.line_number(), 4);
  EXPECT_FALSE(reader.next(line));
}

}  // namespace
}  // namespace lvsa::analysis
