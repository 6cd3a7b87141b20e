// Relations about where tensors lie: strides of their own, elements apart, addresses, and distances
// that do not fit in 31 or 32 bits.

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "analysis/verify/relations.hpp"
#include "core/kernel/loader.hpp"

namespace lvsa::analysis {
namespace {

Layout other_layout(Layout layout) {
  return layout == Layout::kBSHD ? Layout::kBHSD : Layout::kBSHD;
}

// Other places may take another path through a kernel, so bounds decide where bits differ.
Finding same_or_within_bounds(const RelationContext& context, const Outputs& outputs) {
  const Problem& problem = context.problem;
  if (!rows_differ(problem, outputs, context.base, same_rows(problem))) return holds();
  return holds_unless(outside_bounds(problem, outputs, spread_rows(problem, 64)));
}

template <typename Visit>
void for_each_row(const GuardedTensor& tensor, Visit visit) {
  const auto& shape = tensor.shape();
  for (std::int64_t b = 0; b < shape[0]; ++b) {
    for (std::int64_t s = 0; s < shape[1]; ++s) {
      for (std::int64_t h = 0; h < shape[2]; ++h) visit(b, s, h);
    }
  }
}

// Address space with tokens far apart: only the pages that are touched take memory.
class FarTensor {
 public:
  // Nothing where the system gives no such range.
  static std::unique_ptr<FarTensor> like(const GuardedTensor& tensor) {
    auto far = std::unique_ptr<FarTensor>(new FarTensor(tensor));
    return far->data_ == MAP_FAILED ? nullptr : std::move(far);
  }
  FarTensor(const FarTensor&) = delete;
  FarTensor& operator=(const FarTensor&) = delete;
  ~FarTensor() {
    if (data_ != MAP_FAILED) munmap(data_, bytes_);
  }

  lvsa_tensor c_tensor() const { return {data_, {strides_[0], strides_[1], strides_[2], 1}}; }
  std::byte* row(std::int64_t b, std::int64_t s, std::int64_t h) const {
    const std::int64_t at = b * strides_[0] + s * strides_[1] + h * strides_[2];
    return static_cast<std::byte*>(data_) + static_cast<std::size_t>(at) * width_;
  }

 private:
  explicit FarTensor(const GuardedTensor& tensor) : width_(dtype_bytes(tensor.dtype())) {
    const auto& shape = tensor.shape();
    constexpr std::int64_t kLine = 128;  // elements: rows stay as aligned as they were
    constexpr std::int64_t kFar = (std::int64_t{1} << 31) + kLine;
    const std::int64_t heads = shape[0] * shape[2] * shape[3];
    const std::int64_t apart = std::max(heads, (kFar + shape[1] - 2) / (shape[1] - 1));
    strides_[1] = (apart + kLine - 1) / kLine * kLine;
    strides_[0] = shape[2] * shape[3];  // batch elements side by side within a token's place
    strides_[2] = shape[3];
    bytes_ = static_cast<std::size_t>(strides_[1] * shape[1]) * width_;
    data_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }

  std::size_t width_;
  std::size_t bytes_ = 0;
  std::int64_t strides_[3] = {0, 0, 0};
  void* data_ = MAP_FAILED;
};

}  // namespace

Finding check_own_strides(RelationContext& context) {
  Problem other = context.problem;
  const Layout one = other.c.layout;
  const Layout two = other_layout(one);
  other.gaps = true;
  other.q = std::make_shared<GuardedTensor>(other.q->view(), one, true, kNanByte);
  other.k = std::make_shared<GuardedTensor>(other.k->view(), two, false, kNanByte);
  other.v = std::make_shared<GuardedTensor>(other.v->view(), one, false, kNanByte);
  other.c.layout = two;
  OutputOptions options;
  options.gaps = true;
  return same_or_within_bounds(context, context.call(other, options));
}

Finding check_element_stride(RelationContext& context) {
  if (context.kernel.capabilities.any_strides == 0) {
    return not_applicable("the kernel wants the elements of a row side by side");
  }
  Problem other = context.problem;
  Outputs outputs = make_outputs(context.kernel, other);
  lvsa_problem p = c_problem(other, outputs);
  std::vector<GuardedTensor> wide;
  wide.reserve(3);
  const std::size_t width = dtype_bytes(other.c.dtype);
  for (const auto& [tensor, asked] :
       {std::pair{other.q, &p.q}, std::pair{other.k, &p.k}, std::pair{other.v, &p.v}}) {
    auto shape = tensor->shape();
    shape[3] *= 2;
    GuardedTensor& made = wide.emplace_back(other.c.dtype, shape, other.c.layout, false, kNanByte);
    for_each_row(*tensor, [&, &tensor = tensor](auto b, auto s, auto h) {
      for (std::int64_t i = 0; i < other.c.head_dim; ++i) {
        const auto at = static_cast<std::size_t>(i) * width;
        std::memcpy(made.row(b, s, h) + 2 * at, tensor->row(b, s, h) + at, width);
      }
    });
    *asked = made.c_tensor();
    asked->strides[3] = 2;
  }
  run_call(context.kernel, p, other, outputs);
  return same_or_within_bounds(context, outputs);
}

// What a slice of a tensor has: copies of 16 bytes at a time still find their places.
Finding check_alignment(RelationContext& context) {
  constexpr std::size_t kShift = 16;
  Problem other = context.problem;
  other.unusual = true;
  for (auto* tensor : {&other.q, &other.k, &other.v}) {
    *tensor =
        std::make_shared<GuardedTensor>((*tensor)->view(), other.c.layout, false, kNanByte, kShift);
  }
  OutputOptions options;
  options.shift = kShift;
  return same_or_within_bounds(context, context.call(other, options));
}

Finding check_far(RelationContext& context) {
  if (declared_memory(context.kernel.capabilities) != LVSA_HOST) {
    return not_applicable("a device has no memory for tensors with such gaps");
  }
  constexpr std::int64_t kMostTokens = 4096;  // a page each and tensor
  Problem other = context.problem;
  const std::int64_t tokens = other.c.grid.seq_len();
  if (tokens < 2 || tokens > kMostTokens) return not_applicable("for 2 to 4,096 tokens");
  other.gaps = other.unusual = true;
  Outputs outputs = make_outputs(context.kernel, other);
  lvsa_problem p = c_problem(other, outputs);
  std::vector<std::unique_ptr<FarTensor>> far;
  for (const auto& [tensor, asked] :
       {std::pair{other.q.get(), &p.q}, std::pair{other.k.get(), &p.k},
        std::pair{other.v.get(), &p.v}}) {
    far.push_back(FarTensor::like(*tensor));
    if (!far.back()) return not_applicable("no range of addresses of that size");
    for_each_row(*tensor, [&, tensor = tensor](auto b, auto s, auto h) {
      std::memcpy(far.back()->row(b, s, h), tensor->row(b, s, h), tensor->row_bytes());
    });
    *asked = far.back()->c_tensor();
  }
  const auto out = FarTensor::like(outputs.out);
  if (!out) return not_applicable("no range of addresses of that size");
  p.out = out->c_tensor();
  outputs.out.refill(kNanByte);
  for_each_row(outputs.out, [&](auto b, auto s, auto h) {
    std::memcpy(out->row(b, s, h), outputs.out.row(b, s, h), outputs.out.row_bytes());
  });
  run_call(context.kernel, p, other, outputs);
  for_each_row(outputs.out, [&](auto b, auto s, auto h) {
    std::memcpy(outputs.out.row(b, s, h), out->row(b, s, h), outputs.out.row_bytes());
  });
  return same_or_within_bounds(context, outputs);
}

}  // namespace lvsa::analysis
