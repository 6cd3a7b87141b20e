#pragma once
// A block-sparse kernel offered as a kernel for LVSA's frame lists: what is attended becomes a
// block map, text included, so that all suites for frame patterns judge the block kernel too.

#include "core/blocks/block_problem.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::reference {

/// How frames become blocks: blocks of 128 x 64 tokens over the whole sequence with element masks
/// where frames end inside, or a block for each frame and one for the text, without masks.
enum class FrameBlocks { kTiles, kFrames };

/// The pattern of all heads of a problem with well-formed frame lists.
HeadPattern pattern_of_frames(const lvsa_problem& problem, FrameBlocks blocks);

/// "cpu-blocks" (kTiles) and "cpu-blocks-frames" as kernels for frame lists. With kFrames the
/// results have the bits of the kernel "cpu".
const lvsa_kernel& cpu_blocks_frame_kernel(FrameBlocks blocks);

}  // namespace lvsa::reference
