#include "core/io/atomic_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string form = (fs::temp_directory_path() / "lvsa-atomic-XXXXXX").string();
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    folder_ = form;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const char* name) const { return (folder_ / name).string(); }
  std::ptrdiff_t entries() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }
  static std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path folder_;
};

std::string message_of(const std::string& path) {
  return test_support::refusal_of([&] { write_file_atomically(path, "text"); }, ErrorKind::kIo);
}

TEST_F(AtomicFileTest, HasItsContentAfterCommitAndNoCompany) {
  write_file_atomically(path("a"), "one");
  EXPECT_EQ(content(path("a")), "one");
  EXPECT_EQ(entries(), 1);
}

TEST_F(AtomicFileTest, LeavesTheOldContentUntilCommit) {
  write_file_atomically(path("a"), "old");
  {
    AtomicFile file(path("a"));
    file.write(std::string(1 << 20, 'x'));
    EXPECT_EQ(content(path("a")), "old");
  }
  EXPECT_EQ(content(path("a")), "old");
  EXPECT_EQ(entries(), 1);
  write_file_atomically(path("a"), "new");
  EXPECT_EQ(content(path("a")), "new");
}

TEST_F(AtomicFileTest, WritesMoreThanItsBuffer) {
  AtomicFile file(path("a"));
  std::string all;
  for (int i = 0; i < 50'000; ++i) {
    const std::string part = std::to_string(i) + '\n';
    file.write(part);
    all += part;
  }
  file.commit();
  EXPECT_EQ(content(path("a")), all);
}

TEST_F(AtomicFileTest, RefusesWritesAfterCommit) {
  AtomicFile file(path("a"));
  file.commit();
  file.write("late");
  EXPECT_THROW(file.commit(), Error);
  EXPECT_EQ(content(path("a")), "");
}

TEST_F(AtomicFileTest, NamesADirectoryInItsPlace) {
  EXPECT_EQ(message_of(folder_.string()), folder_.string() +
                                              ": cannot be written: is a directory; the name of a "
                                              "file is due");
}

TEST_F(AtomicFileTest, NamesTheMissingFolder) {
  EXPECT_EQ(
      message_of(path("no/such/file")),
      path("no/such/file") + ": cannot be written: there is no folder '" + path("no/such") + "'");
}

TEST_F(AtomicFileTest, RefusesAFileAsAFolder) {
  write_file_atomically(path("a"), "one");
  EXPECT_NE(message_of(path("a/b")).find("Not a directory"), std::string::npos);
}

TEST_F(AtomicFileTest, RefusesAnEmptyName) {
  EXPECT_NE(message_of("").find("name of a file is due"), std::string::npos);
}

TEST_F(AtomicFileTest, RefusesAFolderWithoutPermission) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_NE(message_of(path("a")).find("Permission denied"), std::string::npos);
  fs::permissions(folder_, fs::perms::owner_all);
}

TEST_F(AtomicFileTest, ReportsAFullDiskAndKeepsTheDevice) {
  EXPECT_EQ(message_of("/dev/full"), "/dev/full: cannot be written: No space left on device");
  struct stat info {};
  ASSERT_EQ(::stat("/dev/full", &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
}

TEST_F(AtomicFileTest, ReportsTheFileSizeLimitAndLeavesNothing) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string message = "no error";
  try {
    write_file_atomically(path("a"), std::string(1 << 20, 'x'));
  } catch (const Error& error) {
    message = error.what();
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(message, path("a") + ": cannot be written: File too large");
  EXPECT_EQ(entries(), 0);
}

TEST_F(AtomicFileTest, KeepsASymbolicLinkAndReplacesWhatItNames) {
  write_file_atomically(path("a"), "old");
  fs::create_symlink("a", path("link"));
  fs::create_symlink("b", path("dangling"));
  write_file_atomically(path("link"), "new");
  write_file_atomically(path("dangling"), "born");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(content(path("a")), "new");
  EXPECT_EQ(content(path("b")), "born");
  EXPECT_EQ(entries(), 4);
}

TEST_F(AtomicFileTest, TakesTheLongestNameThatAFileMayHave) {
  const std::string name(255, 'n');
  write_file_atomically(path(name.c_str()), "one");
  EXPECT_EQ(content(path(name.c_str())), "one");
}

}  // namespace
}  // namespace lvsa
