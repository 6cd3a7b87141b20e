#include "analysis/verify/guard_pages.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>

#include "analysis/verify/guarded_tensor.hpp"
#include "analysis/verify/problem_extent.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kGuard = std::size_t{1} << 18;  // on each side: a tile or two
constexpr std::size_t kTensorAlignment = 64;          // what a Tensor has

// What the handler looks at: of each copy, its mapping and the first touch of its guards. A slot is
// free while begin is 0.
struct Slot {
  std::atomic<std::uintptr_t> begin = 0;  // of the guard in front
  std::atomic<std::uintptr_t> inner_begin = 0;
  std::atomic<std::uintptr_t> inner_end = 0;
  std::atomic<std::uintptr_t> end = 0;  // of the guard behind
  std::atomic<std::uintptr_t> touched = 0;
  std::atomic<bool> written = false;
};
std::array<Slot, 64> slots;
std::mutex slots_mutex;
int users = 0;
struct sigaction before {};

bool is_write(const void* context) {
#ifdef __x86_64__
  constexpr greg_t kWriteBit = 2;  // of the page fault's error code
  return (static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & kWriteBit) != 0;
#else
  (void)context;
  return false;
#endif
}

// Opens the guard that was touched, so that the instruction goes on; atomics and one system call.
bool let_through(std::uintptr_t address, const void* context) {
  for (Slot& slot : slots) {
    if (slot.begin == 0 || address < slot.begin || address >= slot.end) continue;
    const bool in_front = address < slot.inner_begin;
    if (!in_front && address < slot.inner_end) return false;
    std::uintptr_t none = 0;
    if (slot.touched.compare_exchange_strong(none, address)) slot.written = is_write(context);
    const std::uintptr_t from = in_front ? slot.begin : slot.inner_end;
    return ::mprotect(reinterpret_cast<void*>(from), kGuard, PROT_READ | PROT_WRITE) == 0;
  }
  return false;
}

void on_fault(int, siginfo_t* info, void* context) {
  const int error_number = errno;
  if (!let_through(reinterpret_cast<std::uintptr_t>(info->si_addr), context)) {
    // Not ours: the same instruction faults again, for whoever had the signal before.
    ::sigaction(SIGSEGV, &before, nullptr);
  }
  errno = error_number;
}

void take_signal() {
  const std::lock_guard lock(slots_mutex);
  if (users++ > 0) return;
  struct sigaction ours {};
  ours.sa_sigaction = on_fault;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  ::sigaction(SIGSEGV, &ours, &before);
}

void give_signal_back() {
  const std::lock_guard lock(slots_mutex);
  if (--users == 0) ::sigaction(SIGSEGV, &before, nullptr);
}

std::size_t whole_pages(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

}  // namespace

class GuardedInputs::Copy {
 public:
  Copy(const char* name, const void* from, std::size_t bytes, std::size_t alignment, GuardSide side)
      : name_(name), bytes_(bytes), inner_bytes_(whole_pages(bytes)) {
    void* const mapped = ::mmap(nullptr, mapped_bytes(), PROT_NONE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) fail();
    begin_ = static_cast<std::byte*>(mapped);
    std::byte* const inner = begin_ + kGuard;
    if (inner_bytes_ > 0 && ::mprotect(inner, inner_bytes_, PROT_READ | PROT_WRITE) != 0) {
      ::munmap(begin_, mapped_bytes());
      fail();
    }
    std::memset(inner, kNanByte, inner_bytes_);
    const std::size_t slack = inner_bytes_ - bytes;
    data_ = inner + (side == GuardSide::kBehind ? slack / alignment * alignment : 0);
    if (bytes > 0) std::memcpy(data_, from, bytes);
    enter_slot();
  }
  ~Copy() {
    if (slot_ != nullptr) slot_->begin = 0;
    ::munmap(begin_, mapped_bytes());
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  std::byte* data() { return data_; }

  std::optional<std::string> touched() const {
    const std::uintptr_t at = slot_ == nullptr ? 0 : slot_->touched.load();
    if (at == 0) return std::nullopt;
    const auto first = reinterpret_cast<std::uintptr_t>(data_);
    const char* verb = slot_->written ? "writes" : "reads";
    if (at < first) return fmt::format("{} {} bytes in front of {}", verb, first - at, name_);
    return fmt::format("{} past the end of {}: byte {} behind it", verb, name_,
                       at - first - bytes_);
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(ErrorKind::kOverflow, fmt::format("no memory for {} bytes of {}", bytes_, name_));
  }
  std::size_t mapped_bytes() const { return inner_bytes_ + 2 * kGuard; }

  void enter_slot() {
    const std::lock_guard lock(slots_mutex);
    for (Slot& slot : slots) {
      if (slot.begin != 0) continue;
      const auto begin = reinterpret_cast<std::uintptr_t>(begin_);
      slot.inner_begin = begin + kGuard;
      slot.inner_end = begin + kGuard + inner_bytes_;
      slot.end = begin + mapped_bytes();
      slot.touched = 0;
      slot.written = false;
      slot.begin = begin;
      slot_ = &slot;
      return;
    }
  }

  const char* name_;
  std::size_t bytes_;
  std::size_t inner_bytes_;
  std::byte* begin_ = nullptr;
  std::byte* data_ = nullptr;
  Slot* slot_ = nullptr;
};

GuardedInputs::GuardedInputs(lvsa_problem& p, GuardSide side) : side_(side) {
  const auto add_tensor = [&](const char* name, lvsa_tensor& tensor, std::int64_t heads) {
    tensor.data =
        add(name, tensor.data, tensor_extent(p, tensor, heads, p.dtype), kTensorAlignment);
  };
  add_tensor("q", p.q, p.heads);
  add_tensor("k", p.k, p.kv_heads);
  add_tensor("v", p.v, p.kv_heads);
  const auto add_list = [&](const char* name, auto*& list, std::int64_t count) {
    list = guarded(name, list, count);
  };
  const bool has_lists = p.frame_lists.offsets != nullptr;  // else a block-sparse kernel's call
  const std::int64_t entries = has_lists ? p.frame_lists.offsets[p.frames] : 0;
  add_list("frame_lists.offsets", p.frame_lists.offsets, p.frames + 1);
  add_list("frame_lists.list", p.frame_lists.list, entries);
  add_list("block_csr.indptr", p.block_csr.indptr, p.block_csr.rows + 1);
  add_list("block_csr.indices", p.block_csr.indices, entries);
  add_list("wanted_tokens", p.wanted_tokens, p.wanted_count);
  take_signal();
}

GuardedInputs::~GuardedInputs() { give_signal_back(); }

void* GuardedInputs::add(const char* name, const void* from, std::size_t bytes,
                         std::size_t alignment) {
  copies_.push_back(std::make_unique<Copy>(name, from, bytes, alignment, side_));
  return copies_.back()->data();
}

std::optional<std::string> GuardedInputs::touched() const {
  for (const auto& copy : copies_) {
    if (auto what = copy->touched()) return what;
  }
  return std::nullopt;
}

}  // namespace lvsa::analysis
