#include "reference/parallel/sharded_attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "reference/parallel/all_to_all.hpp"
#include "reference/parallel/ring_rows.hpp"

namespace lvsa::reference {
namespace {

void check(const ShardedProblem& p) {
  check_world(p.world);
  const std::int64_t tokens = p.grid.seq_len();
  require(p.grid.frames >= 1 && p.grid.patches_per_frame >= 1 && p.grid.text_tokens >= 0,
          "sharded attention: positive frames and patches are due");
  require(p.q.tokens == tokens && p.k.tokens == tokens && p.v.tokens == tokens,
          "sharded attention: q, k and v of " + std::to_string(tokens) + " tokens are due");
  require(p.k.heads == p.v.heads && p.k.heads >= 1 && p.q.heads % p.k.heads == 0,
          "sharded attention: " + std::to_string(p.q.heads) + " query heads on " +
              std::to_string(p.k.heads) + " kv heads: a multiple is due");
  require(p.q.dim == p.k.dim && p.q.dim == p.v.dim && p.q.dim >= 1,
          "sharded attention: one head size is due");
  require(static_cast<std::int64_t>(p.attended.size()) == p.grid.frames,
          "sharded attention: a list of frames for each frame is due");
  for (const auto& list : p.attended) {
    for (const std::int32_t f : list) {
      require(f >= 0 && f < p.grid.frames, "sharded attention: frame " + std::to_string(f) +
                                               " is attended; 0 .. " +
                                               std::to_string(p.grid.frames - 1) + " is due");
    }
  }
  require(p.wanted.empty() || static_cast<std::int64_t>(p.wanted.size()) == tokens,
          "sharded attention: wanted rows for every token are due");
  const std::int64_t u = p.world.ulysses;
  require(p.pads_heads || (p.q.heads % u == 0 && p.k.heads % u == 0),
          std::to_string(p.q.heads) + " query and " + std::to_string(p.k.heads) +
              " kv heads over " + std::to_string(u) + " Ulysses ranks: multiples of " +
              std::to_string(u) + " are due");
}

class ShardedRun {
 public:
  explicit ShardedRun(const ShardedProblem& problem)
      : problem_(problem),
        world_(problem.world),
        heads_(heads_on_wire()),
        video_(problem.grid.video_tokens()),
        chunk_(padded_size(video_, world_.size()) / world_.size()) {}

  ShardedResult run() {
    scatter();
    exchange();
    attend();
    return gather();
  }

 private:
  // The heads that are exchanged, padded ones included.
  HeadCounts heads_on_wire() const {
    const HeadCounts heads{problem_.q.heads, problem_.k.heads};
    if (problem_.defect == ParallelDefect::kWrongKvGroup) {
      return {padded_size(heads.query, problem_.world.ulysses),
              padded_size(heads.key_value, problem_.world.ulysses)};
    }
    return padded_heads(heads, problem_.world.ulysses);
  }

  bool swapped() const { return problem_.defect == ParallelDefect::kGroupsSwapped; }
  // The rank that plays (u, g).
  std::size_t rank(std::int64_t u, std::int64_t g) const {
    return static_cast<std::size_t>(swapped() ? u * world_.ring + g : world_.rank(u, g));
  }

  // Each rank's chunk. With U > 1 an exchange needs chunks of one length.
  void scatter() {
    for (std::int64_t r = 0; r < world_.size(); ++r) {
      TokenRange own = chunk_of(video_, world_.size(), r);
      if (world_.ulysses > 1) own = {r * chunk_, (r + 1) * chunk_};
      const auto part = [&](const HeadTensor& whole, std::int64_t heads) {
        HeadTensor padded(own.end - own.begin, heads, whole.dim);
        if (own.begin < video_) {  // a rank of padding alone has no video
          put(take_tokens(whole, own.begin, std::min(own.end, video_)), 0, 0, padded);
        }
        return padded;
      };
      q_.push_back(part(problem_.q, heads_.query));
      k_.push_back(part(problem_.k, heads_.key_value));
      v_.push_back(part(problem_.v, heads_.key_value));
    }
  }

  ExchangeOrder forward_order() const {
    return problem_.defect == ParallelDefect::kTokensInterleaved ? ExchangeOrder::kTokensInterleaved
                                                                 : ExchangeOrder::kPublished;
  }
  ExchangeOrder reverse_order() const {
    return problem_.defect == ParallelDefect::kHeadsInterleaved ? ExchangeOrder::kHeadsInterleaved
                                                                : forward_order();
  }

  // Tokens for heads within each Ulysses group.
  void exchange() {
    for (std::int64_t g = 0; g < world_.ring; ++g) {
      for (std::vector<HeadTensor>* shards : {&q_, &k_, &v_}) {
        std::vector<HeadTensor> in;
        for (std::int64_t u = 0; u < world_.ulysses; ++u) in.push_back((*shards)[rank(u, g)]);
        std::vector<HeadTensor> out = heads_for_tokens(in, forward_order());
        for (std::int64_t u = 0; u < world_.ulysses; ++u) {
          (*shards)[rank(u, g)] = std::move(out[static_cast<std::size_t>(u)]);
        }
      }
    }
  }

  // The text's heads of Ulysses rank u.
  HeadTensor text_of(const HeadTensor& whole, std::int64_t heads, std::int64_t u) const {
    const HeadTensor text = take_tokens(whole, video_, problem_.grid.seq_len());
    const std::int64_t each = heads / world_.ulysses;
    return take_heads(text, u * each, (u + 1) * each);
  }

  RingInput ring_input(std::int64_t u, std::int64_t g) const {
    RingInput input;
    input.problem = &problem_;
    input.query = &q_[rank(u, g)];
    input.first_query = g * world_.ulysses * chunk_;
    for (std::int64_t step = 0; step < world_.ring; ++step) {
      const std::int64_t from = floor_modulo(g - step, world_.ring);
      input.blocks.push_back(
          {&k_[rank(u, from)], &v_[rank(u, from)], from * world_.ulysses * chunk_});
    }
    input.block_tokens = world_.ulysses * chunk_;
    input.group = std::max<std::int64_t>(
        1, (heads_.query / world_.ulysses) / (heads_.key_value / world_.ulysses));
    return input;
  }

  void attend() {
    const auto ranks = static_cast<std::size_t>(world_.size());
    rows_.resize(ranks);
    text_.resize(ranks);
    const std::int64_t count = world_.size();
    // Threads that wait for each other cost more than small shapes.
    const bool large = problem_.grid.seq_len() * problem_.q.heads >= 20000;
#pragma omp parallel for schedule(dynamic, 1) if (large)
    for (std::int64_t r = 0; r < count; ++r) {  // nothing in here throws but for want of memory
      const std::int64_t u = world_.ulysses_rank(r);
      const std::int64_t g = world_.ring_rank(r);
      RingInput input = ring_input(u, g);
      input.text_query = text_of(problem_.q, heads_.query, u);
      input.text_key = text_of(problem_.k, heads_.key_value, u);
      input.text_value = text_of(problem_.v, heads_.key_value, u);
      RingRows made = attend_ring(input);
      rows_[rank(u, g)] = std::move(made.video);
      text_[rank(u, g)] = std::move(made.text);
    }
  }

  ShardedResult gather() {
    ShardedResult result;
    const std::int64_t tokens = problem_.grid.seq_len();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    result.out = HeadTensor(tokens, problem_.q.heads, problem_.q.dim, nan);
    result.lse = HeadTensor(tokens, problem_.q.heads, 1, nan);
    if (world_.ulysses > 1) result.padding_tokens = chunk_ * world_.size() - video_;
    gather_video(result);
    gather_text(result);
    return result;
  }

  void gather_video(ShardedResult& result) {
    const auto whole = [&](HeadTensor& target, HeadTensor AttendedRows::*member) {
      HeadTensor video(video_, target.heads, target.dim);
      for (std::int64_t g = 0; g < world_.ring; ++g) {
        std::vector<HeadTensor> in;
        for (std::int64_t u = 0; u < world_.ulysses; ++u) in.push_back(rows_[rank(u, g)].*member);
        const std::vector<HeadTensor> out = tokens_for_heads(in, reverse_order());
        for (std::int64_t u = 0; u < world_.ulysses; ++u) {
          const auto at = static_cast<std::int64_t>(rank(u, g)) * chunk_;
          if (at < video_) put(out[static_cast<std::size_t>(u)], at, 0, video);
        }
      }
      put(video, 0, 0, target);
    };
    whole(result.out, &AttendedRows::out);
    whole(result.lse, &AttendedRows::lse);
    for (const AttendedRows& rows : rows_) result.empty_first_blocks += rows.empty_first_blocks;
  }

  void gather_text(ShardedResult& result) {
    const std::int64_t each = heads_.query / world_.ulysses;
    for (std::int64_t u = 0; u < world_.ulysses; ++u) {
      const AttendedRows& rows = text_[rank(u, 0)];
      put(rows.out, video_, u * each, result.out);
      put(rows.lse, video_, u * each, result.lse);
      for (std::int64_t g = 1; g < world_.ring; ++g) {
        const HeadTensor& other = text_[rank(u, g)].out;
        for (std::size_t i = 0; i < other.data.size(); ++i) {
          const double apart = std::abs(other.data[i] - rows.out.data[i]);
          if (apart > result.text_disagreement) result.text_disagreement = apart;
        }
      }
    }
  }

  const ShardedProblem& problem_;
  const SequenceWorld world_;
  const HeadCounts heads_;
  const std::int64_t video_;
  const std::int64_t chunk_;               // tokens a rank
  std::vector<HeadTensor> q_, k_, v_;      // by rank
  std::vector<AttendedRows> rows_, text_;  // by rank
};

}  // namespace

ShardedResult attend_sharded(const ShardedProblem& problem) {
  check(problem);
  return ShardedRun(problem).run();
}

}  // namespace lvsa::reference
