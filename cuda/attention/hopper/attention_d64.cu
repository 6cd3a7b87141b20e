#include "cuda/attention/hopper/instances.cuh"

namespace lvsa::cuda::hopper {

Instance instance_d64(lvsa_dtype dtype, int key_tile) { return instance<64>(dtype, key_tile); }

}  // namespace lvsa::cuda::hopper
