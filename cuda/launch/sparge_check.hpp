#pragma once
// What the prediction and SpargeAttn's attention refuse, before anything is queued.

#include <vector>

#include "core/blocks/lvsa_blocks.h"
#include "cuda/launch/problem_check.hpp"
#include "cuda/launch/sparge_attention.h"
#include "cuda/prediction/parameters.hpp"

namespace lvsa::cuda {

/// Checks sizes, types and tensors; asks no device. *prepared is the problem with its numbers of
/// blocks, ready for a block-sparse kernel but for the maps. v, out and lse count only with
/// `attention`.
Verdict prepare_sparge_problem(const lvsa_block_problem* problem, bool attention,
                               lvsa_block_problem* prepared);

/// The settings, and what they say to each head of a prepared problem.
Verdict read_sparge_settings(const lvsa_sparge_settings* settings,
                             const lvsa_block_problem& prepared,
                             std::vector<prediction::HeadNumbers>* numbers);

/// The current device serves, and the tensors of a prepared problem lie in memory that it reaches.
Verdict check_sparge_device(const lvsa_block_problem& prepared, bool attention);

/// Device memory that is due: there, aligned to `alignment` bytes.
Verdict check_device_memory(const char* name, const void* pointer, std::size_t alignment);

}  // namespace lvsa::cuda
