// The corpora of the fuzzers as ordinary tests: what once was interesting, and what once crashed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/fuzz/fuzz_target.hpp"

namespace lvsa::fuzz {
namespace {

namespace fs = std::filesystem;

const fs::path kCorpora = fs::path(LVSA_SOURCE_DIR) / "fixtures" / "fuzz";

class Corpus : public testing::TestWithParam<FuzzTarget> {};

TEST_P(Corpus, IsReadWithoutASurprise) {
  const fs::path folder = kCorpora / GetParam().name;
  ASSERT_TRUE(fs::is_directory(folder)) << folder << ": each target has a corpus";
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    EXPECT_NO_THROW(run_target(GetParam(), bytes));
    ++files;
  }
  EXPECT_GE(files, 3) << folder;
}

INSTANTIATE_TEST_SUITE_P(OfTarget, Corpus,
                         testing::ValuesIn(fuzz_targets().begin(), fuzz_targets().end()),
                         [](const auto& target) { return std::string(target.param.name); });

TEST(Corpora, AreSmallAndBelongToTargets) {
  std::set<std::string> names;
  for (const FuzzTarget& target : fuzz_targets()) names.insert(target.name);
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kCorpora)) {
    if (entry.is_directory()) {
      EXPECT_TRUE(names.count(entry.path().filename().string()) == 1) << entry.path();
    } else {
      bytes += entry.file_size();
    }
  }
  EXPECT_LE(bytes, 300000U);
}

}  // namespace
}  // namespace lvsa::fuzz
