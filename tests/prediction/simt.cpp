#include "tests/prediction/simt.hpp"

#include <ucontext.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace lvsa::simt {
namespace {

constexpr std::size_t kStackBytes = 128 * 1024;
constexpr std::size_t kSharedBytes = 128 * 1024;
constexpr int kMostThreads = 1024;

// Those who wait have a turn; who comes last starts the next one.
struct Barrier {
  int due = 0;  // threads that have not ended
  int waiting = 0;
  long turn = 0;
};

class Machine {
 public:
  void run(std::int64_t blocks, int threads, const std::function<void()>& kernel) {
    kernel_ = &kernel;
    size.x = static_cast<unsigned>(threads);
    grid.x = static_cast<unsigned>(blocks);
    for (std::int64_t b = 0; b < blocks; ++b) {
      block.x = static_cast<unsigned>(b);
      run_block(threads);
    }
  }
  void wait(Barrier& barrier) {
    const long turn = barrier.turn;
    if (++barrier.waiting == barrier.due) {
      barrier.waiting = 0;
      ++barrier.turn;
      ++progress_;
      return;
    }
    while (barrier.turn == turn) {
      swapcontext(&fibres_[thread.x], &scheduler_);
    }
  }
  Barrier& of_block() { return block_barrier_; }
  Barrier& of_warp() { return warp_barriers_[thread.x / 32]; }

  Index thread, block, size, grid;
  std::array<std::uint64_t, kMostThreads> words{};
  alignas(64) std::array<char, kSharedBytes> shared{};

  static Machine& one() {
    static Machine machine;
    return machine;
  }

 private:
  static void start() { one().run_thread(); }
  void run_thread() {
    (*kernel_)();
    ended_[thread.x] = true;
    ++progress_;
    --block_barrier_.due;
    --of_warp().due;
    swapcontext(&fibres_[thread.x], &scheduler_);
  }
  void run_block(int threads) {
    const auto count = static_cast<std::size_t>(threads);
    shared.fill('\xa5');
    ended_.assign(count, false);
    block_barrier_ = {threads, 0, 0};
    warp_barriers_.assign(count / 32, {32, 0, 0});
    if (stacks_.size() < count) stacks_.resize(count, std::vector<char>(kStackBytes));
    fibres_.resize(count);
    for (std::size_t t = 0; t < count; ++t) {
      getcontext(&fibres_[t]);
      fibres_[t].uc_stack.ss_sp = stacks_[t].data();
      fibres_[t].uc_stack.ss_size = kStackBytes;
      fibres_[t].uc_link = nullptr;
      makecontext(&fibres_[t], &Machine::start, 0);
    }
    while (block_barrier_.due > 0) {
      const long before = progress_;
      for (std::size_t t = 0; t < count; ++t) {
        if (ended_[t]) continue;
        thread.x = static_cast<unsigned>(t);
        swapcontext(&scheduler_, &fibres_[t]);
      }
      if (progress_ == before) throw std::logic_error("threads wait for ever");
    }
  }

  const std::function<void()>* kernel_ = nullptr;
  ucontext_t scheduler_{};
  std::vector<ucontext_t> fibres_;
  std::vector<std::vector<char>> stacks_;
  std::vector<bool> ended_;
  Barrier block_barrier_;
  std::vector<Barrier> warp_barriers_;
  long progress_ = 0;
};

}  // namespace

void run(std::int64_t blocks, int threads, const std::function<void()>& kernel) {
  if (threads < 32 || threads > kMostThreads || threads % 32 != 0) {
    throw std::logic_error("blocks of threads are whole warps");
  }
  Machine::one().run(blocks, threads, kernel);
}
char* dynamic_shared() { return Machine::one().shared.data(); }
Index& thread_index() { return Machine::one().thread; }
Index& block_index() { return Machine::one().block; }
Index& block_size() { return Machine::one().size; }
Index& grid_size() { return Machine::one().grid; }
void wait_for_block() { Machine::one().wait(Machine::one().of_block()); }
void wait_for_warp() { Machine::one().wait(Machine::one().of_warp()); }
std::uint64_t* words() { return Machine::one().words.data(); }

}  // namespace lvsa::simt
