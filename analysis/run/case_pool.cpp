#include "analysis/run/case_pool.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "analysis/run/case_time.hpp"
#include "analysis/verify/run_case.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {

struct CasePool::Worker {
  std::unique_ptr<WorkerLink> link;
  NumberedCase in_hand;
  std::string note;  // of a case that is tried again: what happened before
};

CasePool::CasePool(PoolSettings settings, Callbacks callbacks)
    : settings_(std::move(settings)), callbacks_(std::move(callbacks)) {}

CasePool::~CasePool() = default;

std::unique_ptr<WorkerLink> CasePool::new_link() const {
  return std::make_unique<WorkerLink>(settings_.argv, settings_.environment, callbacks_.printed);
}

const KernelFacts& CasePool::start() {
  idle_first_ = new_link();
  WorkerLink& link = *idle_first_;
  while (!link.kernel()) {
    wait();
    link.step();
    if (link.state() == WorkerLink::State::kLost) {
      throw Error(ErrorKind::kKernel,
                  fmt::format("--kernel {}: {}", settings_.kernel_option, link.what_happened()));
    }
  }
  kernel_ = *link.kernel();
  return kernel_;
}

// What is tried again needs a process of its own.
std::optional<NumberedCase> CasePool::next_case(bool alone) {
  if (alone || exhausted_) return std::nullopt;
  auto next = callbacks_.next();
  exhausted_ = !next.has_value();
  return next;
}

void CasePool::fill() {
  while (static_cast<std::int64_t>(workers_.size()) < settings_.jobs) {
    auto worker = std::make_unique<Worker>();
    if (!retries_.empty()) {
      worker->in_hand = std::move(retries_.front().numbered);
      worker->note = std::move(retries_.front().note);
      retries_.pop_front();
    } else if (auto next = next_case(false)) {
      worker->in_hand = std::move(*next);
    } else {
      return;
    }
    worker->link = worker->note.empty() && idle_first_ ? std::move(idle_first_) : new_link();
    const Case& c = worker->in_hand.c;
    const double timeout_s = settings_.timeout_s > 0 ? settings_.timeout_s : default_timeout_s(c);
    worker->link->give(worker->in_hand.number, to_line(c), timeout_s);
    workers_.push_back(std::move(worker));
  }
}

void CasePool::wait() {
  constexpr int kPatience_ms = 100;  // ends and time-outs are looked for that often
  std::vector<pollfd> waited{{settings_.stop_descriptor, POLLIN, 0}};
  const auto add = [&](const WorkerLink& link) {
    waited.push_back({link.process().channel(), POLLIN, 0});
    waited.push_back({link.process().output(), POLLIN, 0});
  };
  if (idle_first_) add(*idle_first_);
  for (const auto& worker : workers_) add(*worker->link);
  const int ready = ::poll(waited.data(), waited.size(), kPatience_ms);
  if (ready > 0 && (waited.front().revents & POLLIN) != 0) throw Stopped();
}

bool CasePool::keeps(const WorkerLink& link) const {
  if (link.keep() == Keep::kSpoilt) return false;
  const std::int64_t most = settings_.cases_per_process;
  if (most > 0) return link.cases_taken() < most;
  return kernel_.wants_device_memory || link.keep() == Keep::kWorth;
}

CaseResult CasePool::lost_result(const NumberedCase& in_hand, const WorkerLink& link) const {
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(in_hand.c));
  CaseResult result = begin_result(in_hand.c, pattern, kernel_.name, settings_.kernel_option);
  result.number = in_hand.number;
  result.status = link.how_lost();
  result.message = fmt::format("kernel {}: {}", kernel_.name, link.what_happened());
  return result;
}

// A case that was lost with others in its process, and is not lost alone: something is wrong that
// no single case shows.
void CasePool::deliver(Worker& worker, CaseResult result) {
  if (!worker.note.empty() && result.status != Status::kCrash &&
      result.status != Status::kTimeout) {
    const std::string alone(status_name(result.status));
    result.status = Status::kCrash;
    result.message =
        fmt::format("{} (in a process of its own the case gives: {})", worker.note, alone);
  }
  callbacks_.result(std::move(result));
}

// Takes what a worker has come to; without a link it has nothing more to do.
void CasePool::settle(Worker& worker) {
  WorkerLink& link = *worker.link;
  if (link.state() == WorkerLink::State::kLost) {
    CaseResult result = lost_result(worker.in_hand, link);
    if (link.cases_taken() > 0 && worker.note.empty()) {
      retries_.push_back(
          {std::move(worker.in_hand), fmt::format("{}, after {} other cases in the same process",
                                                  result.message, link.cases_taken())});
    } else {
      deliver(worker, std::move(result));
    }
    worker.link.reset();
    return;
  }
  if (link.state() != WorkerLink::State::kDone) return;
  deliver(worker, link.take());
  const bool alone = !worker.note.empty();
  auto next = keeps(link) ? next_case(alone) : std::nullopt;
  if (!next) {
    worker.link.reset();
    return;
  }
  worker.in_hand = std::move(*next);
  const Case& c = worker.in_hand.c;
  link.give(worker.in_hand.number, to_line(c),
            settings_.timeout_s > 0 ? settings_.timeout_s : default_timeout_s(c));
}

void CasePool::show_progress() const {
  if (!callbacks_.progress || workers_.empty()) return;
  double shares = 0.0;
  for (const auto& worker : workers_) shares += worker->link->share();
  callbacks_.progress(shares, workers_.front()->in_hand.c);
}

void CasePool::run() {
  if (!idle_first_ && kernel_.name.empty()) start();
  while (true) {
    fill();
    if (workers_.empty()) break;
    show_progress();
    wait();
    for (const auto& worker : workers_) {
      worker->link->step();
      settle(*worker);
    }
    std::erase_if(workers_, [](const auto& worker) { return worker->link == nullptr; });
  }
  idle_first_.reset();
}

}  // namespace lvsa::analysis
