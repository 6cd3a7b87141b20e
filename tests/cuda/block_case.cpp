#include "tests/cuda/block_case.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <set>
#include <sstream>
#include <stdexcept>

#include "cuda/launch/block_arrays.hpp"
#include "cuda/launch/block_attention.hpp"
#include "reference/attention/blocks/block_oracle.hpp"
#include "tests/cuda/device_memory.hpp"

extern "C" const lvsa_block_kernel* lvsa_block_kernels(std::uint32_t abi_version,
                                                       std::uint32_t* count);

namespace lvsa::cuda::test {
namespace {

using reference::RowId;

constexpr std::uint16_t kNan = 0xffff;
constexpr float kUnwritten = 12345.0F;
constexpr std::size_t kRedFloats = 32;

HostTensor empty(const BlockShape& s, std::int64_t tokens, std::int64_t heads) {
  HostTensor t{};
  const std::int64_t row = s.head_dim + (s.heads_first ? 8 : 0);
  const std::int64_t rows = tokens + kRedRows;
  const std::int64_t strides[4] = {rows * heads * row, s.heads_first ? row : heads * row,
                                   s.heads_first ? rows * row : row, 1};
  std::copy(std::begin(strides), std::end(strides), std::begin(t.strides));
  t.bits.assign(static_cast<std::size_t>(s.batch * strides[0]), kNan);
  return t;
}

HostTensor gauss(const BlockShape& s, std::int64_t tokens, std::int64_t heads, double sigma,
                 std::mt19937_64& random) {
  HostTensor t = empty(s, tokens, heads);
  std::normal_distribution<double> draw(0.0, sigma);
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t i = 0; i < tokens; ++i)
      for (std::int64_t h = 0; h < heads; ++h)
        for (std::int64_t d = 0; d < s.head_dim; ++d)
          encode(s.dtype, draw(random), &t.bits[t.at(b, i, h, d)]);
  return t;
}

TensorView view(const BlockShape& s, const HostTensor& t, std::int64_t tokens, std::int64_t heads) {
  TensorView v;
  v.data = t.bits.data();
  v.dtype = s.dtype;
  v.shape = {s.batch, tokens, heads, s.head_dim};
  std::copy(std::begin(t.strides), std::end(t.strides), v.strides.begin());
  return v;
}

void add_mask(ElementMaskBuilder& builder, const std::vector<std::uint64_t>& bits, HeadPattern& p,
              std::int64_t column) {
  if (std::all_of(bits.begin(), bits.end(), [](std::uint64_t w) { return w == 0; })) return;
  p.map.indices.push_back(static_cast<std::int32_t>(column));
  builder.add(bits);
}

}  // namespace

std::string text(const BlockShape& s) {
  std::ostringstream out;
  out << (s.dtype == LVSA_BF16 ? "bf16" : "fp16") << (s.f32_out ? "->f32" : "") << " B=" << s.batch
      << " Sq=" << s.queries << " Sk=" << s.keys << " H=" << s.heads << "/" << s.kv_heads
      << " D=" << s.head_dim << " blocks=" << s.block_rows << "x" << s.block_columns
      << (s.heads_first ? " bhsd" : " bshd") << " sigma=" << s.sigma;
  return out.str();
}

BlockAxis cut_axis(std::int64_t tokens, std::int64_t block, unsigned cuts,
                   std::mt19937_64& random) {
  std::set<std::int64_t> ends = {tokens};
  for (unsigned i = 0; i < cuts; ++i) {
    ends.insert(1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(tokens)));
  }
  std::vector<std::int64_t> begins = {0};
  for (const std::int64_t end : ends) {
    while (begins.back() < end) begins.push_back(std::min(begins.back() + block, end));
  }
  return BlockAxis::of_begins(std::move(begins));
}

HeadPattern random_map(const BlockAxis& rows, const BlockAxis& columns, const MapStyle& style,
                       std::mt19937_64& random) {
  const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  HeadPattern p;
  p.map.rows = rows;
  p.map.columns = columns;
  p.map.indptr = {0};
  if (style.order) {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(rows.tokens()));
    std::iota(tokens.begin(), tokens.end(), 0);
    std::shuffle(tokens.begin(), tokens.end(), random);
    p.order = Permutation(tokens, "order");
  }
  std::int64_t hidden = -1;
  if (style.hidden >= 0) hidden = p.order ? p.order->place(style.hidden) : style.hidden;
  ElementMaskBuilder builder(rows, columns);
  for (std::int64_t r = 0; r < rows.blocks(); ++r) {
    const bool empty_row = chance(style.empty_rows);
    for (std::int64_t c = 0; c < columns.blocks() && !empty_row; ++c) {
      const std::int64_t hidden_key = hidden - columns.begin(c);
      const bool hides = hidden_key >= 0 && hidden_key < columns.size(c);
      if (!hides && !chance(style.kept)) continue;
      if (!hides && (!style.masks || chance(40))) {
        p.map.indices.push_back(static_cast<std::int32_t>(c));
        builder.add_full();
        continue;
      }
      std::vector<std::uint64_t> bits(static_cast<std::size_t>(rows.largest() * builder.words()));
      const unsigned share = chance(50) ? 50 : 5;
      for (std::int64_t i = 0; i < rows.size(r); ++i)
        for (std::int64_t j = 0; j < columns.size(c); ++j)
          if (chance(share) && !(hides && j == hidden_key))
            bits[static_cast<std::size_t>(i * builder.words() + j / 64)] |= std::uint64_t{1}
                                                                            << (j % 64);
      add_mask(builder, bits, p, c);
    }
    p.map.indptr.push_back(static_cast<std::int32_t>(p.map.indices.size()));
  }
  p.mask = builder.take();
  check_head_pattern(p, "random map");
  return p;
}

std::vector<HeadPattern> random_maps(const BlockShape& s, const MapStyle& style,
                                     std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const BlockAxis rows = cut_axis(s.queries, s.block_rows, style.cuts, random);
  const BlockAxis columns = cut_axis(s.keys, s.block_columns, style.cuts, random);
  std::vector<HeadPattern> patterns;
  for (std::int64_t i = 0; i < s.batch * s.heads; ++i) {
    patterns.push_back(random_map(rows, columns, style, random));
  }
  return patterns;
}

BlockCase::BlockCase(const BlockShape& s, std::vector<HeadPattern> given, std::uint64_t seed)
    : shape(s),
      patterns(std::move(given)),
      arrays(patterns, s.batch, s.heads, s.block_rows, s.block_columns) {
  std::mt19937_64 random(seed);
  q = gauss(s, s.queries, s.heads, s.sigma, random);
  k = gauss(s, s.keys, s.kv_heads, s.sigma, random);
  v = gauss(s, s.keys, s.kv_heads, 1.0, random);
}

void BlockCase::poison(std::int64_t token, std::uint16_t bits) {
  for (HostTensor* t : {&k, &v})
    for (std::int64_t b = 0; b < shape.batch; ++b)
      for (std::int64_t h = 0; h < shape.kv_heads; ++h)
        for (std::int64_t d = 0; d < shape.head_dim; ++d) t->bits[t->at(b, token, h, d)] = bits;
}

lvsa_block_problem BlockCase::problem() const {
  lvsa_block_problem p{};
  p.struct_size = sizeof p;
  arrays.fill(p);
  p.kv_heads = shape.kv_heads;
  p.head_dim = shape.head_dim;
  p.scale = 1.0 / std::sqrt(static_cast<double>(shape.head_dim));
  p.dtype = shape.dtype;
  p.out_dtype = shape.f32_out ? LVSA_F32 : shape.dtype;
  p.memory = LVSA_CUDA;
  return p;
}

namespace {

lvsa_tensor c_tensor(void* data, const HostTensor& like) {
  lvsa_tensor t{};
  t.data = data;
  std::copy(std::begin(like.strides), std::end(like.strides), std::begin(t.strides));
  return t;
}

void set_lse(lvsa_block_problem& p, const BlockShape& s, float* lse) {
  if (!s.want_lse) return;
  p.lse = lse;
  p.lse_strides[0] = s.queries * s.heads;
  p.lse_strides[1] = s.heads;
  p.lse_strides[2] = 1;
}

void run_in_place(const lvsa_block_kernel& kernel, const BlockCase& c, BlockOutputs& outputs) {
  lvsa_block_problem p = c.problem();
  p.memory = LVSA_HOST;
  HostTensor q = c.q, k = c.k, v = c.v;
  p.q = c_tensor(q.bits.data(), q);
  p.k = c_tensor(k.bits.data(), k);
  p.v = c_tensor(v.bits.data(), v);
  p.out = c_tensor(c.shape.f32_out ? static_cast<void*>(outputs.out_f32.data())
                                   : static_cast<void*>(outputs.out.bits.data()),
                   outputs.out);
  set_lse(p, c.shape, outputs.lse.data());
  std::size_t bytes = 0;
  if (kernel.workspace != nullptr) outputs.status = kernel.workspace(&p, &bytes);
  std::vector<std::max_align_t> workspace(bytes / sizeof(std::max_align_t) + 1);
  std::array<char, 512> message{};
  outputs.status = kernel.run(&p, workspace.data(), bytes, nullptr, message.data(), message.size());
  outputs.message = message.data();
}

void run_on_copies(const lvsa_block_kernel& kernel, const BlockCase& c, BlockOutputs& outputs) {
  const DeviceArray<std::uint16_t> q(c.q.bits), k(c.k.bits), v(c.v.bits), out(outputs.out.bits);
  const DeviceArray<float> out_f32(outputs.out_f32), lse(outputs.lse);
  lvsa_block_problem p = c.problem();
  p.q = c_tensor(q.get(), c.q);
  p.k = c_tensor(k.get(), c.k);
  p.v = c_tensor(v.get(), c.v);
  p.out = c_tensor(c.shape.f32_out ? static_cast<void*>(out_f32.get()) : out.get(), outputs.out);
  set_lse(p, c.shape, lse.get());
  std::size_t bytes = 0;
  outputs.status = kernel.workspace(&p, &bytes);
  const DeviceArray<char> workspace(bytes + 256);
  std::array<char, 512> message{};
  outputs.status = kernel.run(&p, workspace.get(), bytes, nullptr, message.data(), message.size());
  outputs.message = message.data();
  check(cudaDeviceSynchronize(), kernel.name);
  outputs.out.bits = out.read();
  outputs.out_f32 = out_f32.read();
  outputs.lse = lse.read();
  const std::vector<char> after = workspace.read();
  if (std::any_of(after.end() - 256, after.end(), [](char x) { return x != char(0xA5); })) {
    outputs.status = LVSA_FAILED;
    outputs.message = "wrote behind the workspace";
  }
}

}  // namespace

BlockOutputs run_blocks(const lvsa_block_kernel& kernel, const BlockCase& c) {
  const BlockShape& s = c.shape;
  BlockOutputs outputs;
  outputs.out = empty(s, s.queries, s.heads);
  if (s.f32_out) {
    outputs.out_f32.assign(outputs.out.bits.size(), std::numeric_limits<float>::quiet_NaN());
  }
  outputs.lse.assign(static_cast<std::size_t>(s.batch * s.queries * s.heads) + kRedFloats,
                     kUnwritten);
  if (kernel.capabilities.memory == LVSA_HOST) {
    run_in_place(kernel, c, outputs);
  } else {
    run_on_copies(kernel, c, outputs);
  }
  return outputs;
}

namespace {

std::string check_red_zones(const BlockCase& c, const BlockOutputs& o) {
  const BlockShape& s = c.shape;
  std::vector<bool> mine(o.out.bits.size(), false);
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t i = 0; i < s.queries; ++i)
      for (std::int64_t h = 0; h < s.heads; ++h)
        for (std::int64_t d = 0; d < s.head_dim; ++d) mine[o.out.at(b, i, h, d)] = true;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    const bool kept = s.f32_out ? std::isnan(o.out_f32[i]) : o.out.bits[i] == kNan;
    if (!mine[i] && !kept) {
      return text(s) + ": out was written beside its rows, at element " + std::to_string(i);
    }
  }
  const std::size_t used = s.want_lse ? o.lse.size() - kRedFloats : 0;
  for (std::size_t i = used; i < o.lse.size(); ++i) {
    if (o.lse[i] != kUnwritten) return text(s) + ": lse was written past its end";
  }
  return "";
}

std::string differs(const BlockShape& s, const std::string& what, const RowId& row, double got,
                    double due, double bound) {
  std::ostringstream out;
  out.precision(9);
  out << text(s) << ": " << what << " of batch " << row.batch << " token " << row.token << " head "
      << row.head << " is " << got << ", due " << due << " +- " << bound;
  return out.str();
}

std::string compare_row(const BlockCase& c, const BlockOutputs& o, const RowId& row,
                        const reference::BlockRowResult& due) {
  const BlockShape& s = c.shape;
  constexpr double kAccumulator = 0x1.4p-22;
  const double steps = static_cast<double>(s.keys) / 8.0 + 64.0;
  const lvsa_dtype out_type = s.f32_out ? LVSA_F32 : s.dtype;
  for (std::int64_t d = 0; d < s.head_dim; ++d) {
    const auto i = static_cast<std::size_t>(d);
    const double right = due.row.out[i];
    // docs/bounds.md, second order as a tenth
    double bound = 1.1 * due.row.score_shift[i] + due.doubt[i] +
                   1.1 * (unit_roundoff(s.dtype) + steps * kAccumulator) * due.row.magnitude[i] +
                   underflow_error(s.dtype) * due.row.value_sum[i];
    bound += unit_roundoff(out_type) * (std::abs(right) + bound) + underflow_error(out_type);
    const std::size_t at = o.out.at(row.batch, row.token, row.head, d);
    const double got =
        s.f32_out ? static_cast<double>(o.out_f32[at]) : value(o.out.bits[at], s.dtype);
    if (!(std::abs(got - right) <= bound)) {
      return differs(s, "element " + std::to_string(d), row, got, right, bound);
    }
  }
  if (!s.want_lse) return "";
  const double right = due.row.lse;
  const double got = static_cast<double>(
      o.lse[static_cast<std::size_t>((row.batch * s.queries + row.token) * s.heads + row.head)]);
  const double bound = due.doubt_lse + 1.1 * due.row.lse_shift + steps * 0x1p-24 +
                       std::abs(right) * 0x1p-22 + 0x1p-20;
  const bool good = std::isinf(right) ? got == right : std::abs(got - right) <= bound;
  return good ? "" : differs(s, "lse", row, got, right, bound);
}

// First and last of each block, then others all over.
std::vector<RowId> some_rows(const BlockCase& c) {
  constexpr std::int64_t kMost = 400;
  const BlockShape& s = c.shape;
  const std::int64_t all = s.batch * s.heads * s.queries;
  std::vector<RowId> rows;
  const std::int64_t step = all <= kMost ? 1 : all / kMost | 1;
  for (std::int64_t i = 0; i < all; i += step) {
    rows.push_back({i / (s.queries * s.heads), i / s.heads % s.queries, i % s.heads});
  }
  if (step == 1) return rows;
  const BlockAxis& axis = c.patterns.front().map.rows;
  for (std::int64_t r = 0; r < axis.blocks() && r < 64; ++r) {
    const std::int64_t head = r % s.heads;
    const std::int64_t batch = r / s.heads % s.batch;
    const HeadPattern& p =
        c.patterns[static_cast<std::size_t>(batch * s.heads + head) % c.patterns.size()];
    for (const std::int64_t place : {axis.begin(r), axis.end(r) - 1}) {
      rows.push_back({batch, p.order ? std::int64_t{p.order->token(place)} : place, head});
    }
  }
  return rows;
}

}  // namespace

std::string compare(const BlockCase& c, const BlockOutputs& outputs, BlockCounts* counts) {
  const BlockShape& s = c.shape;
  if (outputs.status != LVSA_OK) return text(s) + ": " + outputs.message;
  reference::ScoreErrorModel errors;
  errors.dot = 2.0 * static_cast<double>(s.head_dim) * 0x1.4p-22;
  reference::BlockOracle oracle({view(s, c.q, s.queries, s.heads), view(s, c.k, s.keys, s.kv_heads),
                                 view(s, c.v, s.keys, s.kv_heads), c.problem().scale, c.patterns},
                                errors);
  const std::vector<RowId> rows = some_rows(c);
  const auto due = oracle.attend_rows(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (counts != nullptr) {
      ++counts->rows;
      if (due[i].blocks_skipped > 0) ++counts->rows_with_skips;
      if (due[i].blocks_in_doubt > 0) ++counts->rows_in_doubt;
    }
    const std::string wrong = compare_row(c, outputs, rows[i], due[i]);
    if (!wrong.empty()) return wrong;
  }
  return check_red_zones(c, outputs);
}

const lvsa_block_kernel& block_kernel(const std::string& name) {
  std::uint32_t count = 0;
  const lvsa_block_kernel* kernels = lvsa_block_kernels(LVSA_BLOCK_KERNEL_ABI_VERSION, &count);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (name == kernels[i].name) return kernels[i];
  }
  throw std::runtime_error("no kernel " + name);
}

namespace {

std::size_t all_marks(const lvsa_block_problem& p) {
  return static_cast<std::size_t>(p.batch * p.heads * p.row_blocks) * sizeof(std::int32_t);
}

lvsa_status run_all_marked(const lvsa_block_problem* p, void* workspace, std::size_t, void* stream,
                           char* message, std::size_t size) {
  BlockWork work;
  work.problem = p;
  char* const arrays = static_cast<char*>(workspace);
  char* const marks = arrays + block_arrays_bytes(*p);
  auto* const queue = static_cast<cudaStream_t>(stream);
  Verdict verdict = copy_block_arrays(*p, arrays, queue, &work.maps);
  if (verdict.ok()) verdict = from_cuda(cudaMemsetAsync(marks, 1, all_marks(*p), queue), "marks");
  if (verdict.ok()) {
    verdict = run_marked_blocks(work, reinterpret_cast<const std::int32_t*>(marks), queue);
  }
  return tell(verdict, message, size);
}

}  // namespace

const lvsa_block_kernel& marked_kernel() {
  static const lvsa_block_kernel kernel = [] {
    lvsa_block_kernel made = block_kernel("cuda-blocks-portable");
    made.name = "marked";
    made.workspace = [](const lvsa_block_problem* p, std::size_t* bytes) {
      *bytes = block_arrays_bytes(*p) + all_marks(*p);
      return LVSA_OK;
    };
    made.run = run_all_marked;
    return made;
  }();
  return kernel;
}

}  // namespace lvsa::cuda::test
