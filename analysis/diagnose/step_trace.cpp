#include "analysis/diagnose/step_trace.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/geometry/frame_grid.hpp"

namespace lvsa::analysis {
namespace {

void require_positive(std::int64_t value, const char* what) {
  if (value >= 1) return;
  throw Error(ErrorKind::kValue, fmt::format("{} is {}; at least 1 is due", what, value));
}

void check(const TracePlan& plan) {
  require_positive(plan.blocks, "number of blocks");
  require_positive(plan.passes, "number of passes");
  require_positive(plan.cfg_parallel, "CFG-parallel degree");
  require_positive(plan.steps, "number of steps");
  require_positive(plan.requests, "number of requests");
  require_positive(plan.batch, "batch");
  if (plan.seq_lens.empty() || plan.changes.empty()) {
    throw Error(ErrorKind::kValue, "a made trace needs a sequence length and a change of a step");
  }
  for (const std::int64_t length : plan.seq_lens) require_positive(length, "sequence length");
  if (plan.passes % plan.cfg_parallel != 0) {
    throw Error(ErrorKind::kValue,
                fmt::format("CFG-parallel degree {} does not divide {} passes; a divisor is due",
                            plan.cfg_parallel, plan.passes));
  }
  // Small numbers first, so that no product leaves 64 bits.
  std::int64_t calls = 1;
  for (const std::int64_t factor : {plan.passes, plan.requests, plan.steps, plan.blocks}) {
    calls = factor > kMostCalls ? kMostCalls + 1 : calls * factor;
    if (calls > kMostCalls) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{} requests x {} steps x {} passes x {} blocks make more than {} "
                              "calls; fewer are due",
                              plan.requests, plan.steps, plan.passes, plan.blocks, kMostCalls));
    }
  }
}

// One forward pass of one request.
void make_pass(const TracePlan& plan, const ComputedBlocks& computed, StepCall call,
               const CallSink& sink) {
  for (std::int64_t block = 0; block < plan.blocks; ++block) {
    if (block >= computed.first && block < plan.blocks - computed.last) continue;
    call.layer = block;
    sink(call);
  }
}

// The requests [first, first + caches) of which the passes alternate.
void make_batch(const TracePlan& plan, std::int64_t first, std::vector<CacheRule>& caches,
                const CallSink& sink) {
  for (std::int64_t step = 0; step < plan.steps; ++step) {
    const double change =
        plan.changes[std::min(static_cast<std::size_t>(step), plan.changes.size() - 1)];
    for (std::size_t i = 0; i < caches.size(); ++i) {
      StepCall call;
      call.request = first + static_cast<std::int64_t>(i);
      call.seq_len = plan.seq_lens[static_cast<std::size_t>(call.request) % plan.seq_lens.size()];
      call.true_step = step;
      if (plan.publishes_step) call.published_step = step;
      // Both branches of guidance see the same embedding, so they decide alike.
      const ComputedBlocks computed = caches[i].next(change, plan.steps, plan.blocks);
      for (std::int64_t pass = 0; pass < plan.passes / plan.cfg_parallel; ++pass) {
        make_pass(plan, computed, call, sink);
      }
    }
  }
}

}  // namespace

void make_trace(const TracePlan& plan, const CallSink& sink) {
  check(plan);
  if (plan.warmup_seq_len > 0) {
    StepCall call;
    call.request = -1;
    call.seq_len = plan.warmup_seq_len;
    call.true_step = 0;
    make_pass(plan, {plan.blocks, 0}, call, sink);
  }
  const std::int64_t lanes = std::min(plan.batch, plan.requests);
  std::vector<CacheRule> caches(static_cast<std::size_t>(lanes), plan.cache);
  for (std::int64_t first = 0; first < plan.requests; first += lanes) {
    caches.resize(static_cast<std::size_t>(std::min(lanes, plan.requests - first)));
    for (CacheRule& cache : caches) cache.restart();
    make_batch(plan, first, caches, sink);
  }
}

StepTruth::StepTruth(std::int64_t passes, std::optional<std::int64_t> steps)
    : passes_(passes), steps_(steps) {
  require_positive(passes, "number of passes that this rank sees");
  if (steps) require_positive(*steps, "number of steps");
}

StepCall StepTruth::complete(StepCall call) {
  const bool other_length = seq_len_ != call.seq_len;
  if (other_length) {
    ++request_;
    pass_ = 0;
    first_layer_ = call.layer;
    seq_len_ = call.seq_len;
  } else if (call.layer == first_layer_) {
    ++pass_;
    if (steps_ && pass_ == *steps_ * passes_) {
      ++request_;
      pass_ = 0;
    }
  }
  call.request = request_;
  call.true_step = pass_ / passes_;
  return call;
}

}  // namespace lvsa::analysis
