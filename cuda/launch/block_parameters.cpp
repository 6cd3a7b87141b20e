#include "cuda/launch/block_parameters.hpp"

#include "cuda/launch/tensor_parameters.hpp"

namespace lvsa::cuda {

portable_blocks::Parameters block_parameters(const BlockWork& work) {
  portable_blocks::Parameters parameters{};
  tell_tensors(*work.problem, &parameters);
  parameters.query_tokens = work.problem->query_tokens;
  parameters.maps = work.maps;
  return parameters;
}

}  // namespace lvsa::cuda
