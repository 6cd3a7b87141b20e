#include "tests/cuda/attention_case.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <sstream>

#include "core/numeric/small_floats.hpp"
#include "tests/cuda/device_memory.hpp"

namespace lvsa::cuda::test {
namespace {

constexpr std::uint16_t kNan = 0x7fff;        // in both types
constexpr std::uint16_t kUnwritten = 0x7ea5;  // a NaN of its own
constexpr std::size_t kRedFloats = 64;

std::uint16_t round_to(double x, lvsa_dtype dtype) {
  return dtype == LVSA_BF16 ? double_to_bf16(x) : double_to_fp16(x);
}

HostTensor empty_tensor(const AttentionCase& c, std::int64_t heads, std::uint16_t fill) {
  const std::int64_t rows = c.seq_len() + kRedRows;
  HostTensor t;
  if (c.heads_first) {
    const std::int64_t pitch = c.head_dim + 8;
    t.strides[1] = pitch;
    t.strides[2] = rows * pitch;
    t.strides[0] = heads * t.strides[2];
  } else {
    t.strides[2] = c.head_dim;
    t.strides[1] = heads * c.head_dim;
    t.strides[0] = rows * t.strides[1];
  }
  t.strides[3] = 1;
  t.bits.assign(static_cast<std::size_t>(c.batch * t.strides[0]), fill);
  return t;
}

template <typename Make>
HostTensor filled(const AttentionCase& c, std::int64_t heads, Make&& make) {
  HostTensor t = empty_tensor(c, heads, kNan);
  for (std::int64_t b = 0; b < c.batch; ++b) {
    for (std::int64_t s = 0; s < c.seq_len(); ++s) {
      for (std::int64_t h = 0; h < heads; ++h) {
        for (std::int64_t d = 0; d < c.head_dim; ++d) {
          t.bits[t.at(b, s, h, d)] = round_to(make(s, d), c.dtype);
        }
      }
    }
  }
  return t;
}

struct Row {
  std::vector<double> out;
  std::vector<double> bound;
  double lse = -INFINITY;
  double lse_bound = 0;
};

// Bounds: docs of the project's numerics, tier A with the declared tile; u_a = 2^-23.
struct Oracle {
  const AttentionCase& c;
  const AttentionInputs& in;
  lvsa_numerics numerics;

  double k(std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t d) const {
    return value(in.k.bits[in.k.at(b, s, h, d)], c.dtype);
  }

  Row row(std::int64_t b, std::int64_t s, std::int64_t h) const {
    const std::vector<std::int64_t> keys = keys_of(c, s);
    const std::int64_t kv = h / (c.heads / c.kv_heads);
    const auto size = static_cast<std::size_t>(c.head_dim);
    Row row{std::vector<double>(size, 0.0), std::vector<double>(size, 0.0)};
    if (keys.empty()) return row;
    const double scale = 1.0 / std::sqrt(static_cast<double>(c.head_dim));
    const double u_a = numerics.accumulator_roundoff;
    std::vector<double> score(keys.size()), eta(keys.size());
    double most = -INFINITY;
    for (std::size_t j = 0; j < keys.size(); ++j) {
      double sum = 0;
      double magnitude = 0;
      for (std::int64_t d = 0; d < c.head_dim; ++d) {
        const double term = value(in.q.bits[in.q.at(b, s, h, d)], c.dtype) * k(b, keys[j], kv, d);
        sum += term;
        magnitude += std::abs(term);
      }
      score[j] = scale * sum;
      eta[j] = 2.0 * static_cast<double>(c.head_dim) * u_a * scale * magnitude;
      most = std::max(most, score[j]);
    }
    double total = 0;
    std::vector<double> p(keys.size());
    for (std::size_t j = 0; j < keys.size(); ++j) {
      p[j] = std::exp(score[j] - most);
      total += p[j];
      eta[j] += (std::abs(score[j]) + 2 * std::abs(score[j] - most) + numerics.exp_ulps) * 0x1p-24;
    }
    std::vector<double> absolute(size, 0.0), largest(size, 0.0);
    double lse_error = 0;
    for (std::size_t j = 0; j < keys.size(); ++j) {
      lse_error += p[j] * eta[j] / total;
      for (std::size_t d = 0; d < size; ++d) {
        const double v =
            value(in.v.bits[in.v.at(b, keys[j], kv, static_cast<std::int64_t>(d))], c.dtype);
        row.out[d] += p[j] * v / total;
        absolute[d] += p[j] * std::abs(v) / total;
        largest[d] += std::abs(v) / total;
      }
    }
    const double u_p = c.dtype == LVSA_BF16 ? 0x1p-8 : 0x1p-11;
    const double underflow = c.dtype == LVSA_BF16 ? 0x1p-126 : 0x1p-25;
    const auto tile = static_cast<double>(numerics.key_tile);
    const double tiles =
        static_cast<double>(keys.size()) / std::min(tile, static_cast<double>(c.patches)) + 2;
    const double steps = (tile + 2 * tiles + 4) * u_a;
    for (std::size_t d = 0; d < size; ++d) {
      double centred = 0;
      for (std::size_t j = 0; j < keys.size(); ++j) {
        const double v =
            value(in.v.bits[in.v.at(b, keys[j], kv, static_cast<std::int64_t>(d))], c.dtype);
        centred += p[j] * std::abs(v - row.out[d]) * eta[j] / total;
      }
      row.bound[d] =
          (1 + 0x1p-6) * (u_p * absolute[d] + centred +
                          steps * (absolute[d] + std::abs(row.out[d])) + underflow * largest[d]);
    }
    row.lse = most + std::log(total);
    row.lse_bound = (1 + 0x1p-6) * (lse_error + (tile + 2 * tiles) * u_a) +
                    0x1p-22 * (std::abs(row.lse) + std::abs(most) + 1);
    return row;
  }
};

std::string differs(const AttentionCase& c, const char* what, std::int64_t b, std::int64_t s,
                    std::int64_t h, double got, double due, double bound) {
  std::ostringstream out;
  out << text(c) << ": " << what << " of batch " << b << " token " << s << " head " << h << " is "
      << got << ", " << due << " +- " << bound << " is due";
  return out.str();
}

// Whatever the kernel was not to write still holds what was there.
std::string check_red_zones(const AttentionCase& c, const AttentionOutputs& outputs) {
  std::vector<bool> mine(outputs.out.bits.size(), false);
  for (std::int64_t b = 0; b < c.batch; ++b) {
    for (std::int64_t s = 0; s < c.seq_len(); ++s) {
      for (std::int64_t h = 0; h < c.heads; ++h) {
        for (std::int64_t d = 0; d < c.head_dim; ++d) mine[outputs.out.at(b, s, h, d)] = true;
      }
    }
  }
  for (std::size_t i = 0; i < mine.size(); ++i) {
    if (!mine[i] && outputs.out.bits[i] != kUnwritten) {
      return text(c) + ": out was written beside its rows, at element " + std::to_string(i);
    }
  }
  for (std::size_t i = outputs.lse.size() - std::min(kRedFloats, outputs.lse.size());
       i < outputs.lse.size(); ++i) {
    if (outputs.lse[i] != 12345.0F) return text(c) + ": lse was written past its end";
  }
  return "";
}

std::string compare_row(const Oracle& oracle, const AttentionOutputs& outputs, std::int64_t b,
                        std::int64_t s, std::int64_t h) {
  const AttentionCase& c = oracle.c;
  const Row due = oracle.row(b, s, h);
  for (std::int64_t d = 0; d < c.head_dim; ++d) {
    const auto i = static_cast<std::size_t>(d);
    // Rounding is monotone: the ends of the interval are rounded like the output.
    const double low = value(round_to(due.out[i] - due.bound[i], c.dtype), c.dtype);
    const double high = value(round_to(due.out[i] + due.bound[i], c.dtype), c.dtype);
    const double got = value(outputs.out.bits[outputs.out.at(b, s, h, d)], c.dtype);
    if (!(got >= low && got <= high)) {
      return differs(c, ("element " + std::to_string(d)).c_str(), b, s, h, got, due.out[i],
                     due.bound[i]);
    }
  }
  if (outputs.lse.empty()) return "";
  const double got = outputs.lse[static_cast<std::size_t>((b * c.seq_len() + s) * c.heads + h)];
  const bool good = std::isinf(due.lse) ? got == due.lse : std::abs(got - due.lse) <= due.lse_bound;
  return good ? "" : differs(c, "lse", b, s, h, got, due.lse, due.lse_bound);
}

}  // namespace

double value(std::uint16_t bits, lvsa_dtype dtype) {
  return static_cast<double>(dtype == LVSA_BF16 ? bf16_to_float(bits) : fp16_to_float(bits));
}

std::vector<std::int32_t> AttentionCase::list(std::int64_t frame) const {
  if (!lists.empty()) return lists[static_cast<std::size_t>(frame)];
  return window_of_one(frames, frame);
}

std::string text(const AttentionCase& c) {
  static constexpr std::array<const char*, 3> kNames = {"gauss", "uniform", "indicator"};
  std::ostringstream out;
  out << (c.dtype == LVSA_BF16 ? "bf16" : "fp16") << " T=" << c.frames << " P=" << c.patches
      << " text=" << c.text << " B=" << c.batch << " H=" << c.heads << "/" << c.kv_heads
      << " D=" << c.head_dim << (c.heads_first ? " bhsd " : " bshd ")
      << kNames[static_cast<std::size_t>(c.inputs)] << " sigma=" << c.sigma << " seed=" << c.seed;
  return out.str();
}

AttentionInputs make_inputs(const AttentionCase& c) {
  std::mt19937_64 random(c.seed);
  std::normal_distribution<double> gauss;
  const auto draw = [&](double sigma) {
    return [&, sigma](std::int64_t, std::int64_t) { return sigma * gauss(random); };
  };
  AttentionInputs in;
  in.q = filled(c, c.heads, draw(c.sigma));
  in.k = filled(c, c.kv_heads, draw(c.inputs == Inputs::kUniform ? 0.0 : c.sigma));
  if (c.inputs == Inputs::kIndicator) {
    in.v = filled(c, c.kv_heads, [&](std::int64_t s, std::int64_t d) {
      return s / c.patches % c.head_dim == d ? 1.0 : 0.0;
    });
  } else {
    in.v = filled(c, c.kv_heads, draw(1.0));
  }
  return in;
}

void poison_frame(const AttentionCase& c, AttentionInputs& in, std::int64_t frame) {
  for (HostTensor* t : {&in.k, &in.v}) {
    for (std::int64_t b = 0; b < c.batch; ++b) {
      for (std::int64_t s = frame * c.patches; s < (frame + 1) * c.patches; ++s) {
        for (std::int64_t h = 0; h < c.kv_heads; ++h) {
          for (std::int64_t d = 0; d < c.head_dim; ++d) t->bits[t->at(b, s, h, d)] = kNan;
        }
      }
    }
  }
}

lvsa_problem problem_of(const AttentionCase& c, const std::vector<std::int64_t>& offsets,
                        const std::vector<std::int32_t>& list) {
  lvsa_problem p{};
  p.struct_size = sizeof p;
  p.batch = c.batch;
  p.frames = c.frames;
  p.patches_per_frame = c.patches;
  p.text_tokens = c.text;
  p.heads = c.heads;
  p.kv_heads = c.kv_heads;
  p.head_dim = c.head_dim;
  p.scale = 1.0 / std::sqrt(static_cast<double>(c.head_dim));
  p.dtype = c.dtype;
  p.out_dtype = c.dtype;
  p.memory = LVSA_CUDA;
  p.frame_lists = {offsets.data(), list.data()};
  return p;
}

AttentionOutputs run_on_device(const lvsa_kernel& kernel, const AttentionCase& c,
                               const AttentionInputs& inputs, bool want_lse) {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> list;
  flatten(c, offsets, list);
  AttentionOutputs outputs;
  outputs.out = empty_tensor(c, c.heads, kUnwritten);
  const DeviceArray<std::uint16_t> q(inputs.q.bits), k(inputs.k.bits), v(inputs.v.bits),
      out(outputs.out.bits);
  const std::size_t rows = static_cast<std::size_t>(c.batch * c.seq_len() * c.heads);
  const DeviceArray<float> lse(std::vector<float>(rows + kRedFloats, 12345.0F));
  lvsa_problem p = problem_of(c, offsets, list);
  const auto tensor = [](const DeviceArray<std::uint16_t>& data, const HostTensor& like) {
    lvsa_tensor t{};
    t.data = data.get();
    std::copy(std::begin(like.strides), std::end(like.strides), std::begin(t.strides));
    return t;
  };
  p.q = tensor(q, inputs.q);
  p.k = tensor(k, inputs.k);
  p.v = tensor(v, inputs.v);
  p.out = tensor(out, outputs.out);
  if (want_lse) {
    p.lse = lse.get();
    p.lse_strides[0] = c.seq_len() * c.heads;
    p.lse_strides[1] = c.heads;
    p.lse_strides[2] = 1;
  }
  std::size_t bytes = 0;
  outputs.status = kernel.workspace(&p, &bytes);
  const DeviceArray<char> workspace(bytes);
  std::array<char, 512> message{};
  outputs.status = kernel.run(&p, workspace.get(), bytes, nullptr, message.data(), message.size());
  outputs.message = message.data();
  check(cudaDeviceSynchronize(), kernel.name);
  outputs.out.bits = out.read();
  if (want_lse) outputs.lse = lse.read();
  return outputs;
}

std::string compare(const lvsa_kernel& kernel, const AttentionCase& c,
                    const AttentionInputs& inputs, const AttentionOutputs& outputs) {
  if (outputs.status != LVSA_OK) return text(c) + ": " + outputs.message;
  Oracle oracle{c, inputs, {}};
  oracle.numerics.struct_size = sizeof(lvsa_numerics);
  const lvsa_problem p = problem_of(c, {}, {});
  if (kernel.numerics(&p, &oracle.numerics) != LVSA_OK) return text(c) + ": no numerics";
  const std::int64_t rows = c.batch * c.seq_len() * c.heads;
  std::vector<std::string> found(static_cast<std::size_t>(rows));
#pragma omp parallel for schedule(dynamic, 8)
  for (std::int64_t r = 0; r < rows; ++r) {
    found[static_cast<std::size_t>(r)] = compare_row(oracle, outputs, r / (c.seq_len() * c.heads),
                                                     r / c.heads % c.seq_len(), r % c.heads);
  }
  const auto first =
      std::find_if(found.begin(), found.end(), [](const std::string& s) { return !s.empty(); });
  return first != found.end() ? *first : check_red_zones(c, outputs);
}

}  // namespace lvsa::cuda::test
