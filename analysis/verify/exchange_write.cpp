// Writing cases for kernels that live elsewhere.

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "analysis/blocks/exchange_maps.hpp"
#include "analysis/verify/exchange.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// Bytes of q (and of out), k and v of a case.
double case_bytes(const Case& c, double query_tensors) {
  const double rows = static_cast<double>(c.batch) * static_cast<double>(c.grid.seq_len()) *
                      static_cast<double>(c.head_dim);
  const double heads =
      query_tensors * static_cast<double>(c.heads) + 2.0 * static_cast<double>(c.kv_heads);
  return rows * heads * static_cast<double>(dtype_bytes(c.dtype));
}

void write_tensor(TensorSink& file, const std::string& name, const Tensor& tensor, const Case& c) {
  std::vector<std::int64_t> shape(tensor.shape().begin(), tensor.shape().end());
  if (c.layout == Layout::kBHSD) std::swap(shape[1], shape[2]);
  file.dataset(name, element_type(c.dtype), shape, tensor.bytes());
  if (c.dtype == LVSA_F32) file.attribute(name, "dtype", std::string(dtype_name(c.dtype)));
}

void write_tensors(TensorSink& file, const std::string& group, const AttentionTensors& tensors,
                   const Case& c) {
  write_tensor(file, group + "/q", tensors.q, c);
  write_tensor(file, group + "/k", tensors.k, c);
  write_tensor(file, group + "/v", tensors.v, c);
}

void write_pattern(TensorSink& file, const std::string& group, const FramePattern& pattern) {
  const auto rows = static_cast<std::int64_t>(pattern.offsets.size());
  const auto pairs = static_cast<std::int64_t>(pattern.list.size());
  const std::vector<std::int32_t> indptr(pattern.offsets.begin(), pattern.offsets.end());
  file.dataset(group + "/frame_offsets", ElementType::kI64, {rows}, pattern.offsets.data());
  file.dataset(group + "/frame_list", ElementType::kI32, {pairs}, pattern.list.data());
  file.dataset(group + "/csr_indptr", ElementType::kI32, {rows}, indptr.data());
  file.dataset(group + "/csr_indices", ElementType::kI32, {pairs}, pattern.list.data());
}

void write_attributes(TensorSink& file, const std::string& group, const Case& c) {
  const auto number = [&](const char* name, std::int64_t value) {
    file.attribute(group, name, value);
  };
  number("T", c.grid.frames);
  number("P", c.grid.patches_per_frame);
  number("text_tokens", c.grid.text_tokens);
  number("B", c.batch);
  number("H", c.heads);
  number("Hkv", c.kv_heads);
  number("D", c.head_dim);
  file.attribute(group, "scale", 1.0 / std::sqrt(static_cast<double>(c.head_dim)));
  file.attribute(group, "dtype", std::string(dtype_name(c.dtype)));
  file.attribute(group, "layout", std::string(c.layout == Layout::kBSHD ? "B,S,H,D" : "B,H,S,D"));
  if (c.p_dtype != LVSA_DTYPE_NONE) {
    file.attribute(group, "p_asked", std::string(dtype_name(c.p_dtype)));
  }
  file.attribute(group, "case", to_line(c));
}

}  // namespace

double exchange_bytes(const std::vector<Case>& cases) {
  double bytes = 0.0;
  for (const Case& c : cases) bytes += case_bytes(c, 1.0);
  return bytes;
}

void require_disk(const std::string& path, const std::vector<Case>& cases) {
  double needed = 0.0;
  for (const Case& c : cases) needed += case_bytes(c, 2.0);
  const auto folder = std::filesystem::absolute(path).parent_path();
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  if (error) return;  // the writer says what is wrong with the folder
  const auto there = static_cast<double>(space.available);
  if (needed > there) {
    throw Error(
        ErrorKind::kIo,
        fmt::format("{}: {} case(s) need {:.1f} GiB with their outputs; its disk has {:.1f} "
                    "free: fewer cases (--filter) or smaller ones",
                    path, cases.size(), needed / 0x1p30, there / 0x1p30));
  }
}

void write_exchange_root(TensorSink& file, std::int64_t cases) {
  file.attribute("/", "lvsa_schema", kExchangeSchema);
  file.attribute("/", "cases", cases);
}

std::string exchange_group(std::int64_t index) { return fmt::format("case{:04}", index); }

void write_exchange_case(TensorSink& file, const std::string& group, const Case& c) {
  if (c.dtype == LVSA_E4M3) {
    throw Error(ErrorKind::kValue,
                fmt::format("case '{}': e4m3 inputs have scales, which these files do not carry; "
                            "f32, f16 or bf16 is due",
                            to_line(c)));
  }
  if (!c.pattern.empty()) {
    const BlockCase made = make_block_case(c);
    file.group(group);
    write_attributes(file, group, c);
    write_tensors(file, group, made.tensors, c);
    write_exchange_maps(file, group, c, made);
    return;
  }
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(c));
  file.group(group);
  write_attributes(file, group, c);
  write_pattern(file, group, pattern);
  const AttentionTensors tensors = case_tensors(c);
  write_tensors(file, group, tensors, c);
  if (!c.only_wanted) return;
  std::set<std::int64_t> wanted;
  for (const auto& row : sample_rows(c)) wanted.insert(row.token);
  const std::vector<std::int64_t> tokens(wanted.begin(), wanted.end());
  file.dataset(group + "/wanted_tokens", ElementType::kI64,
               {static_cast<std::int64_t>(tokens.size())}, tokens.data());
}

}  // namespace lvsa::analysis
