// MPI through a library that is loaded when it is asked for.

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "analysis/mpi/lvsa_ranks.h"
#include "analysis/sweep/rank_link.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr const char* kLibrary = "liblvsa_mpi.so";

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorKind::kIo, fmt::format("--mpi: {}", what));
}

std::string library_of(const std::string& program) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(program).parent_path();
  for (const char* place : {".", "../lib", "../lib/lvsa"}) {
    std::error_code ignored;
    const fs::path path = folder / place / kLibrary;
    if (fs::exists(path, ignored)) return path.string();
  }
  fail(
      fmt::format("{} is not beside {}: this lvsa-verify was built without MPI (package "
                  "libopenmpi-dev, CMake option LVSA_MPI)",
                  kLibrary, program));
}

class MpiLink : public RankLink {
 public:
  explicit MpiLink(const std::string& path) {
    // Never closed: MPI libraries do not survive that. Global, since Open MPI loads plugins of its
    // own that look for its symbols.
    void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) fail(::dlerror());
    const auto start = reinterpret_cast<lvsa_ranks_start_fn>(::dlsym(library, LVSA_RANKS_START));
    if (start == nullptr) fail(fmt::format("{}: has no {}", path, LVSA_RANKS_START));
    ranks_ = start();
    if (ranks_ == nullptr) fail("MPI cannot be started");
    if (ranks_->version != LVSA_RANKS_VERSION) {
      fail(fmt::format("{}: version {} of its interface, {} is due", path, ranks_->version,
                       LVSA_RANKS_VERSION));
    }
  }
  ~MpiLink() override { ranks_->finish(); }

  int rank() const override { return ranks_->rank; }
  int size() const override { return ranks_->size; }
  std::string description() const override { return ranks_->library; }

  void send(int to, const std::string& bytes) override {
    if (ranks_->send(to, bytes.data(), bytes.size()) != 0) {
      fail(fmt::format("a message of {} bytes to rank {} was lost", bytes.size(), to));
    }
  }

  std::optional<RankMessage> poll() override {
    RankMessage message;
    std::size_t size = 0;
    if (ranks_->probe(&message.from, &size) != 0) fail("messages cannot be looked for");
    if (message.from < 0) return std::nullopt;
    message.bytes.resize(size);
    if (ranks_->receive(message.from, message.bytes.data(), size) != 0) {
      fail(fmt::format("a message of {} bytes from rank {} was lost", size, message.from));
    }
    return message;
  }

 private:
  const lvsa_ranks* ranks_ = nullptr;
};

}  // namespace

std::unique_ptr<RankLink> open_mpi_link(const std::string& program) {
  return std::make_unique<MpiLink>(library_of(program));
}

}  // namespace lvsa::analysis
