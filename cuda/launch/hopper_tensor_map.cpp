#include "cuda/launch/hopper_tensor_map.hpp"

#include <cuda_runtime_api.h>

#include "core/tensor/tensor.hpp"

namespace lvsa::cuda {
namespace {

using EncodeTiled = decltype(&cuTensorMapEncodeTiled);

constexpr unsigned kFirstVersionWithMaps = 12000;

EncodeTiled find_encode_tiled() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  const cudaError_t error = cudaGetDriverEntryPointByVersion(
      "cuTensorMapEncodeTiled", &function, kFirstVersionWithMaps, cudaEnableDefault, &found);
  if (error != cudaSuccess || found != cudaDriverEntryPointSuccess) return nullptr;
  return reinterpret_cast<EncodeTiled>(function);
}

// Bytes are copied, whatever they mean; the type counts where elements outside are filled.
CUtensorMapDataType element_type(lvsa_dtype dtype) {
  return dtype == LVSA_BF16  ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16
         : dtype == LVSA_F16 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16
                             : CU_TENSOR_MAP_DATA_TYPE_UINT8;
}

}  // namespace

std::string make_tensor_map(const TensorMapShape& shape, CUtensorMap* map) {
  static const EncodeTiled encode = find_encode_tiled();
  if (encode == nullptr) return "the driver has no cuTensorMapEncodeTiled (CUDA 12.0)";
  const std::size_t bytes = dtype_bytes(shape.dtype);
  cuuint64_t sizes[5];
  cuuint64_t stride_bytes[4];
  for (int i = 0; i < 5; ++i) sizes[i] = shape.sizes[i];
  for (int i = 0; i < 4; ++i)
    stride_bytes[i] = static_cast<cuuint64_t>(shape.strides[i + 1]) * bytes;
  const cuuint32_t box[5] = {static_cast<cuuint32_t>(128 / bytes), shape.box_rows, 1, 1, 1};
  const cuuint32_t element_steps[5] = {1, 1, 1, 1, 1};
  const CUresult result =
      encode(map, element_type(shape.dtype), 5, const_cast<void*>(shape.data), sizes, stride_bytes,
             box, element_steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
             CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result == CUDA_SUCCESS) return {};
  return "cuTensorMapEncodeTiled refused a tensor, error " +
         std::to_string(static_cast<int>(result));
}

}  // namespace lvsa::cuda
