#include "analysis/diagnose/parallel_compute.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace lvsa::analysis {

ParallelComputation compute_parallel(const ParallelLayout& layout, const ComputeOptions& options) {
  const ParallelQuestion& q = layout.question;
  if (!q.knows_frames()) {
    throw Error(ErrorKind::kValue,
                "--compute: the frames are not known; --latent-frames or --patches is due");
  }
  constexpr std::int64_t kMostText = 16;
  const std::int64_t world = q.world.size();
  ParallelComputation made;
  made.shape.grid = {q.grid.frames, (q.grid.patches_per_frame - 1) % world + 1,
                     std::min(q.grid.text_tokens, kMostText)};
  made.shape.heads = q.heads;
  made.shape.pattern = options.pattern;
  made.shape.seed = options.seed;
  made.shape.rows = options.rows;
  made.shape.world = world;
  ParallelRun run;
  run.tp = q.tp;
  run.world = q.world;
  run.pads_heads = q.pads_heads;
  run.merge = options.merge;
  run.merges_in_fp32 = options.merges_in_fp32;
  if (!layout.heads.strict && !q.pads_heads) {
    throw Error(ErrorKind::kValue,
                "--compute: " + layout.heads.message + "; --pad-heads asks for that");
  }
  const ParallelData data = make_parallel_data(made.shape);
  made.exact = check_exact(data, run);
  if (made.exact.padding_tokens > 0) {
    run.defect = reference::ParallelDefect::kPaddedKeys;
    made.unmasked = check_exact(data, run);
  }
  if (made.shape.grid.video_tokens() % world == 0) made.custom = check_custom(data, world);
  return made;
}

}  // namespace lvsa::analysis
