#include "reference/attention/blocks/frame_adapter.hpp"

#include <cstdio>
#include <exception>
#include <new>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"
#include "reference/attention/tiled/problem_check.hpp"

namespace lvsa::reference {
namespace {

std::int64_t tokens_of(const lvsa_problem& p) {
  return p.frames * p.patches_per_frame + p.text_tokens;
}

// The keys of a query token: its frame's list, neighbours joined, and the text.
void keys_of(const lvsa_problem& p, std::int64_t token, std::vector<KeyRange>& out) {
  const std::int64_t video = p.frames * p.patches_per_frame;
  if (token >= video) {
    out.emplace_back(0, tokens_of(p));
    return;
  }
  const auto add = [&out](std::int64_t begin, std::int64_t end) {
    if (begin == end) return;
    if (!out.empty() && out.back().second == begin) {
      out.back().second = end;
    } else {
      out.emplace_back(begin, end);
    }
  };
  const std::int64_t frame = token / p.patches_per_frame;
  for (std::int64_t i = p.frame_lists.offsets[frame]; i < p.frame_lists.offsets[frame + 1]; ++i) {
    const std::int64_t begin = p.frame_lists.list[i] * p.patches_per_frame;
    add(begin, begin + p.patches_per_frame);
  }
  add(video, tokens_of(p));
}

BlockAxis frame_axis(const lvsa_problem& p) {
  std::vector<std::int64_t> begins;
  for (std::int64_t f = 0; f <= p.frames; ++f) begins.push_back(f * p.patches_per_frame);
  if (p.text_tokens > 0) begins.push_back(tokens_of(p));
  return BlockAxis::of_begins(std::move(begins));
}

HeadPattern frame_blocks(const lvsa_problem& p) {
  HeadPattern pattern;
  BlockMap& map = pattern.map;
  map.rows = map.columns = frame_axis(p);
  map.indptr = {0};
  for (std::int64_t f = 0; f < map.rows.blocks(); ++f) {
    if (f == p.frames) {
      for (std::int64_t g = 0; g < p.frames; ++g) {
        map.indices.push_back(static_cast<std::int32_t>(g));
      }
    } else {
      map.indices.insert(map.indices.end(), p.frame_lists.list + p.frame_lists.offsets[f],
                         p.frame_lists.list + p.frame_lists.offsets[f + 1]);
    }
    if (p.text_tokens > 0) map.indices.push_back(static_cast<std::int32_t>(p.frames));
    map.indptr.push_back(static_cast<std::int32_t>(map.indices.size()));
  }
  return pattern;
}

// The same call with a block map for its frame lists.
class BlockCall {
 public:
  BlockCall(const lvsa_problem& p, FrameBlocks blocks)
      : pattern_(pattern_of_frames(p, blocks)),
        arrays_(std::vector<HeadPattern>(static_cast<std::size_t>(p.heads), pattern_), p.batch,
                p.heads) {
    problem_.struct_size = sizeof problem_;
    arrays_.fill(problem_);
    problem_.kv_heads = p.kv_heads;
    problem_.head_dim = p.head_dim;
    problem_.scale = p.scale;
    problem_.dtype = p.dtype;
    problem_.out_dtype = p.out_dtype;
    problem_.memory = p.memory;
    problem_.p_dtype = p.p_dtype;
    problem_.threads = p.threads;
    problem_.q = p.q;
    problem_.k = p.k;
    problem_.v = p.v;
    problem_.out = p.out;
    problem_.lse = p.lse;
    for (int i = 0; i < 3; ++i) problem_.lse_strides[i] = p.lse_strides[i];
    problem_.wanted_tokens = p.wanted_tokens;
    problem_.wanted_count = p.wanted_count;
  }
  const lvsa_block_problem& problem() const { return problem_; }

 private:
  HeadPattern pattern_;
  BlockProblem arrays_;
  lvsa_block_problem problem_{};
};

// use(block problem) for a well-formed problem; what it throws becomes a status.
template <FrameBlocks kBlocks, typename Use>
lvsa_status with_blocks(const lvsa_problem* problem, Message message, const Use& use) {
  const lvsa_status status = check_problem(problem, message);
  if (status != LVSA_OK) return status;
  try {
    return use(BlockCall(*problem, kBlocks).problem());
  } catch (const std::bad_alloc&) {
    return refuse(message, LVSA_OUT_OF_MEMORY, "no memory for the block map");
  } catch (const std::exception& error) {
    return refuse(message, LVSA_FAILED, "%s", error.what());
  }
}

template <FrameBlocks kBlocks>
lvsa_status numerics(const lvsa_problem* problem, lvsa_numerics* numerics) {
  return with_blocks<kBlocks>(problem, {}, [&](const lvsa_block_problem& blocks) {
    const lvsa_status status = cpu_blocks_kernel().numerics(&blocks, numerics);
    // Tiles are cut from the keys of all rows of a block; what a row has in one, nobody says here.
    if (status == LVSA_OK && numerics->key_order == LVSA_KEY_ORDER_UNKNOWN) numerics->key_tile = 0;
    return status;
  });
}

template <FrameBlocks kBlocks>
lvsa_status workspace(const lvsa_problem* problem, std::size_t* bytes) {
  if (bytes == nullptr) return LVSA_INVALID;
  *bytes = 0;
  return with_blocks<kBlocks>(problem, {}, [&](const lvsa_block_problem& blocks) {
    return cpu_blocks_kernel().workspace(&blocks, bytes);
  });
}

template <FrameBlocks kBlocks>
lvsa_status run(const lvsa_problem* problem, void* workspace, std::size_t bytes, void* stream,
                char* message, std::size_t message_size) {
  return with_blocks<kBlocks>(
      problem, {message, message_size}, [&](const lvsa_block_problem& blocks) {
        return cpu_blocks_kernel().run(&blocks, workspace, bytes, stream, message, message_size);
      });
}

template <FrameBlocks kBlocks>
lvsa_kernel make_kernel(const char* name, const char* description) {
  const lvsa_block_capabilities& blocks = cpu_blocks_kernel().capabilities;
  lvsa_kernel kernel{};
  kernel.abi_version = LVSA_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof(lvsa_kernel);
  kernel.name = name;
  kernel.description = description;
  lvsa_capabilities& c = kernel.capabilities;
  c.struct_size = sizeof(lvsa_capabilities);
  c.dtypes = blocks.dtypes;
  c.p_dtypes = blocks.p_dtypes;
  c.memory = blocks.memory;
  c.head_dim_min = blocks.head_dim_min;
  c.head_dim_max = blocks.head_dim_max;
  c.head_dim_multiple = blocks.head_dim_multiple;
  c.grouped_heads = c.text = c.batch = c.any_strides = c.lse = 1;
  kernel.numerics = numerics<kBlocks>;
  kernel.workspace = workspace<kBlocks>;
  kernel.run = run<kBlocks>;
  return kernel;
}

}  // namespace

HeadPattern pattern_of_frames(const lvsa_problem& problem, FrameBlocks blocks) {
  if (blocks == FrameBlocks::kFrames) return frame_blocks(problem);
  const std::int64_t tokens = tokens_of(problem);
  return pattern_of_ranges(
      BlockAxis::uniform(tokens, 128), BlockAxis::uniform(tokens, 64),
      [&](std::int64_t place, std::vector<KeyRange>& out) { keys_of(problem, place, out); });
}

const lvsa_kernel& cpu_blocks_frame_kernel(FrameBlocks blocks) {
  static const lvsa_kernel tiles = make_kernel<FrameBlocks::kTiles>(
      "cpu-blocks", "block-sparse attention on the host, 128 x 64 blocks with element masks");
  static const lvsa_kernel frames = make_kernel<FrameBlocks::kFrames>(
      "cpu-blocks-frames", "block-sparse attention on the host, a block for each pair of frames");
  return blocks == FrameBlocks::kFrames ? frames : tiles;
}

}  // namespace lvsa::reference
