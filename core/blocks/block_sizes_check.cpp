#include "core/blocks/block_sizes_check.hpp"

#include <array>
#include <cinttypes>
#include <cstdint>
#include <limits>

namespace lvsa {

lvsa_status check_block_sizes(const lvsa_block_problem& p, Message message) {
  struct Size {
    const char* name;
    std::int64_t value;
  };
  const Size sizes[] = {{"batch", p.batch},           {"query_tokens", p.query_tokens},
                        {"key_tokens", p.key_tokens}, {"heads", p.heads},
                        {"kv_heads", p.kv_heads},     {"head_dim", p.head_dim},
                        {"block_rows", p.block_rows}, {"block_columns", p.block_columns},
                        {"row_blocks", p.row_blocks}, {"column_blocks", p.column_blocks},
                        {"map_count", p.map_count}};
  for (const Size& size : sizes) {
    const lvsa_status status = check_size(size.name, size.value, 1, message);
    if (status != LVSA_OK) return status;
  }
  if (p.heads % p.kv_heads != 0) {
    return refuse(message, LVSA_INVALID,
                  "heads = %" PRId64 ": must be a multiple of kv_heads = %" PRId64, p.heads,
                  p.kv_heads);
  }
  constexpr std::int64_t kMostTokens = std::numeric_limits<std::int32_t>::max();
  for (const std::int64_t tokens : {p.query_tokens, p.key_tokens}) {
    if (tokens > kMostTokens) {
      return refuse(message, LVSA_INVALID,
                    "%" PRId64 " tokens: orders and columns are 32 bits, at most 2147483647",
                    tokens);
    }
  }
  std::int64_t elements = p.query_tokens > p.key_tokens ? p.query_tokens : p.key_tokens;
  bool overflow = false;
  for (const std::int64_t factor : {p.batch, p.heads, p.head_dim, std::int64_t{8}}) {
    overflow = overflow || __builtin_mul_overflow(elements, factor, &elements);
  }
  if (overflow) {
    return refuse(message, LVSA_INVALID,
                  "batch * tokens * heads * head_dim = %" PRId64 " * ... * %" PRId64 " * %" PRId64
                  ": must fit 64 bits",
                  p.batch, p.heads, p.head_dim);
  }
  return LVSA_OK;
}

lvsa_status check_block_tensors(const lvsa_block_problem& p, Message message) {
  const std::array<std::int64_t, 4> query = {p.batch, p.query_tokens, p.heads, p.head_dim};
  const std::array<std::int64_t, 4> key = {p.batch, p.key_tokens, p.kv_heads, p.head_dim};
  for (const StridedTensor& tensor : {StridedTensor{"q", p.q.data, p.q.strides, query, 4},
                                      StridedTensor{"k", p.k.data, p.k.strides, key, 4},
                                      StridedTensor{"v", p.v.data, p.v.strides, key, 4}}) {
    const lvsa_status status = check_reach(tensor, message);
    if (status != LVSA_OK) return status;
  }
  const std::array<std::int64_t, 4> rows = {p.batch, p.query_tokens, p.heads, 1};
  for (const StridedTensor& tensor : {StridedTensor{"out", p.out.data, p.out.strides, query, 4},
                                      StridedTensor{"lse", p.lse, p.lse_strides, rows, 3}}) {
    if (tensor.data == nullptr && tensor.rank == 3) continue;  // lse is not wanted
    lvsa_status status = check_reach(tensor, message);
    if (status == LVSA_OK) status = check_distinct(tensor, message);
    if (status != LVSA_OK) return status;
  }
  return LVSA_OK;
}

lvsa_status check_wanted_tokens(const lvsa_block_problem& p, Message message) {
  if (p.wanted_tokens == nullptr) return LVSA_OK;
  if (p.wanted_count < 0 || p.wanted_count > p.query_tokens) {
    return refuse(message, LVSA_INVALID, "wanted_count = %" PRId64 ": must be in 0 .. %" PRId64,
                  p.wanted_count, p.query_tokens);
  }
  for (std::int64_t i = 0; i < p.wanted_count; ++i) {
    const std::int64_t token = p.wanted_tokens[i];
    const std::int64_t least = i == 0 ? 0 : p.wanted_tokens[i - 1] + 1;
    if (token < least || token >= p.query_tokens) {
      return refuse(message, LVSA_INVALID,
                    "wanted_tokens[%" PRId64 "] = %" PRId64 ": must be in %" PRId64 " .. %" PRId64
                    ", the list ascending",
                    i, token, least, p.query_tokens - 1);
    }
  }
  return LVSA_OK;
}

}  // namespace lvsa
