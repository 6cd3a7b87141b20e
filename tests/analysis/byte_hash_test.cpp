// The hash of inputs, suites and libraries. The values come from a few lines of Python that follow
// docs/report.md.

#include "analysis/verify/byte_hash.hpp"

#include <gtest/gtest.h>
#include <omp.h>

namespace lvsa::analysis {
namespace {

TEST(ByteHash, IsWhatTheDocumentationSays) {
  EXPECT_EQ(hash_text(byte_hash("")), "0000000000000001");
  EXPECT_EQ(hash_text(byte_hash("a")), "eef08ed19c32945e");
  EXPECT_EQ(hash_text(byte_hash("12345678")), "45d6e654aad20a22");
  EXPECT_EQ(hash_text(byte_hash("123456789abcdefghij")), "1afce565e86070f7");
}

TEST(ByteHash, IsTheSameOnAnyNumberOfThreads) {
  std::string bytes(1000003, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + 3);
  const int before = omp_get_max_threads();
  for (const int threads : {1, 2, 5}) {
    omp_set_num_threads(threads);
    EXPECT_EQ(hash_text(byte_hash(bytes)), "a58501ac00a0ba45") << threads;
  }
  omp_set_num_threads(before);
}

}  // namespace
}  // namespace lvsa::analysis
