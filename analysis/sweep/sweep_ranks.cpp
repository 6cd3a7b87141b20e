#include "analysis/sweep/sweep_ranks.hpp"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "analysis/verify/byte_hash.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// The first byte of a message from a rank to rank 0; rank 0 answers with a unit, 0 for the end.
constexpr char kReady = 'R';    // and the hash of the plan
constexpr char kValues = 'V';   // and unit and values
constexpr char kFailure = 'F';  // and a text

constexpr std::chrono::milliseconds kPause{1};

template <typename Number>
void put(std::string& bytes, const Number& number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <typename Number>
Number get(const std::string& bytes, std::size_t at) {
  Number number{};
  if (bytes.size() < at + sizeof number) throw Error(ErrorKind::kIo, "--mpi: a message is cut off");
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

std::string values_message(const UnitResult& result) {
  std::string bytes(1, kValues);
  put(bytes, result.unit);
  bytes.append(reinterpret_cast<const char*>(result.values.data()),
               result.values.size() * sizeof(MetricValues));
  return bytes;
}

UnitResult parse_values(const std::string& bytes) {
  constexpr std::size_t kHead = 1 + sizeof(std::int64_t);
  UnitResult result;
  result.unit = get<std::int64_t>(bytes, 1);
  result.values.resize((bytes.size() - kHead) / sizeof(MetricValues));
  std::memcpy(result.values.data(), bytes.data() + kHead,
              result.values.size() * sizeof(MetricValues));
  return result;
}

/// Rank 0's own share, in a thread of its own: only the caller's thread sends and receives.
class OwnShare {
 public:
  explicit OwnShare(ComputeUnit compute)
      : compute_(std::move(compute)), thread_([this] { work(); }) {}
  ~OwnShare() {
    give(0);
    thread_.join();
  }
  OwnShare(const OwnShare&) = delete;
  OwnShare& operator=(const OwnShare&) = delete;

  bool idle() {
    const std::lock_guard lock(mutex_);
    return unit_ < 0;
  }
  /// 0: the end.
  void give(std::int64_t unit) {
    const std::lock_guard lock(mutex_);
    if (unit == 0) ended_ = true;
    if (unit > 0) unit_ = unit;
    changed_.notify_one();
  }
  std::optional<UnitResult> take() {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return std::exchange(done_, std::nullopt);
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return unit_ > 0 || ended_; });
      if (unit_ <= 0) return;
      const std::int64_t unit = unit_;
      lock.unlock();
      std::optional<UnitResult> result;
      std::exception_ptr failure;
      try {
        result = compute_(unit);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      done_ = std::move(result);
      failure_ = failure;
      unit_ = -1;
    }
  }

  ComputeUnit compute_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t unit_ = -1;  // in hand; -1: none
  bool ended_ = false;
  std::optional<UnitResult> done_;
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses all of the others
};

class Root {
 public:
  Root(RankLink& link, const std::string& plan, RankRoot root)
      : link_(link),
        hash_(byte_hash(plan)),
        root_(std::move(root)),
        left_(root_.units.begin(), root_.units.end()),
        running_(link.size() - 1) {}

  bool serve() {
    OwnShare own(root_.compute);
    bool own_busy = false;
    while (running_ > 0 || own_busy || !left_.empty()) {
      bool moved = false;
      try {
        while (const auto message = link_.poll()) {
          handle(*message);
          moved = true;
        }
        if (own_busy && own.idle()) {
          own_busy = false;
          moved = true;
          if (const auto result = own.take()) keep(*result);
        }
      } catch (...) {
        if (!failure_) failure_ = std::current_exception();
        own_busy = own_busy && !own.idle();
        left_.clear();
      }
      const std::int64_t unit = own_busy ? 0 : next();
      if (unit > 0) {
        own.give(unit);
        own_busy = true;
      }
      if (!moved) std::this_thread::sleep_for(kPause);
    }
    if (failure_) std::rethrow_exception(failure_);
    return !stopped_;
  }

 private:
  void keep(const UnitResult& result) {
    if (!failure_) root_.take(result);
  }

  std::int64_t next() {
    if (!left_.empty() && root_.stopped()) {
      stopped_ = true;
      left_.clear();
    }
    if (left_.empty()) return 0;
    const std::int64_t unit = left_.front();
    left_.pop_front();
    return unit;
  }

  void answer(int rank) {
    const std::int64_t unit = next();
    if (unit == 0) --running_;
    std::string bytes;
    put(bytes, unit);
    link_.send(rank, bytes);
  }

  void handle(const RankMessage& message) {
    const char kind = message.bytes.empty() ? '\0' : message.bytes.front();
    if (kind == kFailure) {
      --running_;  // it waits for no answer
      throw Error(ErrorKind::kIo,
                  fmt::format("rank {}: {}", message.from, message.bytes.substr(1)));
    }
    // A rank that waits for its answer gets one whatever happens to what it sent.
    std::exception_ptr failure;
    try {
      if (kind == kReady && get<std::uint64_t>(message.bytes, 1) != hash_) {
        throw Error(ErrorKind::kIo,
                    fmt::format("--mpi: rank {} has another plan than rank 0: the same program, "
                                "options and files are due on all machines",
                                message.from));
      }
      if (kind == kValues) keep(parse_values(message.bytes));
    } catch (...) {
      failure = std::current_exception();
      left_.clear();
    }
    answer(message.from);
    if (failure) std::rethrow_exception(failure);
  }

  RankLink& link_;
  std::uint64_t hash_;
  RankRoot root_;
  std::deque<std::int64_t> left_;
  int running_;  // ranks that were not told to end
  bool stopped_ = false;
  std::exception_ptr failure_;
};

}  // namespace

bool serve_ranks(RankLink& link, const std::string& plan, RankRoot root) {
  return Root(link, plan, std::move(root)).serve();
}

void compute_for_root(RankLink& link, const std::string& plan, const ComputeUnit& compute) {
  std::string message(1, kReady);
  put(message, byte_hash(plan));
  for (;;) {
    link.send(0, message);
    std::optional<RankMessage> answer;
    while (!(answer = link.poll())) std::this_thread::sleep_for(kPause);
    const auto unit = get<std::int64_t>(answer->bytes, 0);
    if (unit == 0) return;
    try {
      message = values_message(compute(unit));
    } catch (const std::exception& error) {
      report_failure(link, error.what());
      return;
    }
  }
}

void dismiss_ranks(RankLink& link) {
  std::string end;
  put(end, std::int64_t{0});
  for (int running = link.size() - 1; running > 0;) {
    const auto message = link.poll();
    if (!message) {
      std::this_thread::sleep_for(kPause);
      continue;
    }
    --running;
    if (message->bytes.rfind(kFailure, 0) != 0) link.send(message->from, end);
  }
}

void report_failure(RankLink& link, const std::string& message) {
  link.send(0, std::string(1, kFailure) + message);
}

}  // namespace lvsa::analysis
