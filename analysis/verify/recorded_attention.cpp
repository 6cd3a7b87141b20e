#include "analysis/verify/recorded_attention.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "core/config/config.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

[[noreturn]] void fail(const Hdf5File& file, const std::string& group, const std::string& what) {
  throw Error(ErrorKind::kIo, fmt::format("{}: {}: {}", file.path(), group, what));
}

std::int64_t size_attribute(const Hdf5File& file, const std::string& group, const char* name) {
  const auto values = file.integer_attribute(group, name);
  if (!values || values->size() != 1)
    fail(file, group, fmt::format("attribute {} is due: one integer", name));
  return values->front();
}

Environment environment_attribute(const Hdf5File& file, const std::string& group) {
  const auto text = file.text_attribute(group, "env");
  if (!text) fail(file, group, "attribute env is due: a JSON object of LVSA_* variables");
  return environment_from_json(*text, fmt::format("{}: {}: attribute env", file.path(), group));
}

Version version_attribute(const Hdf5File& file, const std::string& group) {
  const std::string text = file.text_attribute(group, "lvsa").value_or("1.2");
  if (text != "1.2" && text != "1.3") {
    fail(file, group, fmt::format("attribute lvsa is '{}'; 1.2 or 1.3 is due", text));
  }
  return parse_version(text);
}

Layout layout_attribute(const Hdf5File& file, const std::string& group) {
  const std::string text = file.text_attribute(group, "layout").value_or("B,S,H,D");
  if (text == "B,S,H,D") return Layout::kBSHD;
  if (text == "B,H,S,D") return Layout::kBHSD;
  fail(file, group, fmt::format("attribute layout is '{}'; B,S,H,D or B,H,S,D is due", text));
}

DType output_dtype(const Hdf5File& file, const std::string& dataset, const std::string& name) {
  for (const DType dtype : {LVSA_F64, LVSA_F32, LVSA_F16, LVSA_BF16}) {
    if (name == dtype_name(dtype)) return dtype;
  }
  fail(file, dataset, fmt::format("'{}' is no element type; f64, f32, f16 or bf16 is due", name));
}

// Sizes of a dataset as [B, S, H, D] whatever its order.
std::array<std::int64_t, 4> bshd_shape(const RealDataset& data, Layout layout) {
  const auto& s = data.shape;
  return layout == Layout::kBSHD ? std::array{s[0], s[1], s[2], s[3]}
                                 : std::array{s[0], s[2], s[1], s[3]};
}

RealDataset read_tensor(const Hdf5File& file, const std::string& group, const char* name,
                        const FrameGrid& grid, Layout layout) {
  RealDataset data = file.read_reals(group + "/" + name);
  if (data.shape.size() != 4 || bshd_shape(data, layout)[1] != grid.seq_len()) {
    fail(file, group,
         fmt::format("{} has shape [{}]; four dimensions {} with S = T * P + text = {} are due",
                     name, fmt::join(data.shape, ", "),
                     layout == Layout::kBSHD ? "[B, S, H, D]" : "[B, H, S, D]", grid.seq_len()));
  }
  return data;
}

Tensor to_tensor(const RealDataset& data, Layout layout, DType dtype) {
  Tensor tensor(dtype, bshd_shape(data, layout), layout);
  const std::size_t width = dtype_bytes(dtype);
  for (std::size_t i = 0; i < data.values.size(); ++i) {
    encode(dtype, data.values[i], tensor.bytes() + i * width);
  }
  return tensor;
}

}  // namespace

AttentionTensors RecordedAttention::tensors(DType dtype) const {
  return {to_tensor(q, layout, dtype), to_tensor(k, layout, dtype), to_tensor(v, layout, dtype)};
}

Case RecordedAttention::as_case(std::int64_t step, DType dtype) const {
  const auto q_shape = bshd_shape(q, layout);
  Case c;
  c.model = "recorded";
  c.grid = grid;
  c.batch = q_shape[0];
  c.heads = q_shape[2];
  c.kv_heads = bshd_shape(k, layout)[2];
  c.head_dim = q_shape[3];
  c.dtype = dtype;
  c.layout = layout;
  c.version = version;
  apply_environment(c, environment);
  c.step = step;
  c.rows = 0;
  return c;
}

void apply_environment(Case& c, const Environment& environment) {
  const Config config = config_from_environment(environment);
  c.window_frames = config.latent_window_size();
  c.n_first_frames = config.latent_n_first_frames();
  c.reference_frames = config.reference_latent_frames;
  c.sparsity_scale = config.sparsity_scale;
  c.interval.reset();
  if (!config.auto_keyframes) c.interval = config.latent_key_frame_interval();
  c.rotate = config.rotate_keyframes;
  c.expand = config.expand_window;
  c.condition_frames = condition_latent_frames(environment);
}

Environment environment_from_json(const std::string& text, const std::string& where) {
  const auto object = parse_strict_json(text, where);
  const auto fail_here = [&](const std::string& what) {
    throw Error(ErrorKind::kIo, fmt::format("{}: {}", where, what));
  };
  if (!object.is_object()) fail_here("a JSON object is due");
  Environment environment;
  for (const auto& [name, value] : object.items()) {
    if (!value.is_string()) fail_here(fmt::format("{} is no string", printable(name)));
    environment[name] = value.get<std::string>();
  }
  return environment;
}

RecordedAttention read_recorded(const Hdf5File& file, const std::string& group) {
  RecordedAttention recorded;
  recorded.group = group;
  try {
    recorded.grid =
        make_frame_grid(size_attribute(file, group, "T"), size_attribute(file, group, "P"),
                        size_attribute(file, group, "text_tokens"));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kIo) throw;
    fail(file, group, error.what());
  }
  recorded.environment = environment_attribute(file, group);
  recorded.version = version_attribute(file, group);
  recorded.layout = layout_attribute(file, group);
  recorded.q = read_tensor(file, group, "q", recorded.grid, recorded.layout);
  recorded.k = read_tensor(file, group, "k", recorded.grid, recorded.layout);
  recorded.v = read_tensor(file, group, "v", recorded.grid, recorded.layout);
  const auto q = bshd_shape(recorded.q, recorded.layout);
  const auto k = bshd_shape(recorded.k, recorded.layout);
  if (recorded.k.shape != recorded.v.shape || q[0] != k[0] || q[3] != k[3] || k[2] < 1 ||
      q[2] % k[2] != 0) {
    fail(file, group,
         fmt::format("shapes of q [{}], k [{}] and v [{}] do not fit together",
                     fmt::join(recorded.q.shape, ", "), fmt::join(recorded.k.shape, ", "),
                     fmt::join(recorded.v.shape, ", ")));
  }
  return recorded;
}

std::vector<RecordedOutput> recorded_outputs(const Hdf5File& file, const std::string& group) {
  constexpr std::string_view kPrefix = "out_step";
  std::vector<RecordedOutput> outputs;
  for (const std::string& name : file.members(group)) {
    if (name.rfind(kPrefix, 0) != 0) continue;
    RecordedOutput output;
    output.dataset = group + "/" + name;
    const char* end = name.data() + name.size();
    const auto number = std::from_chars(name.data() + kPrefix.size(), end, output.step);
    if (number.ec != std::errc() || number.ptr == end || *number.ptr != '_') {
      fail(file, output.dataset, "out_step<N>_<dtype> is due");
    }
    output.dtype = output_dtype(file, output.dataset, std::string(number.ptr + 1, end));
    outputs.push_back(output);
  }
  return outputs;
}

std::size_t element_index(const RealDataset& data, Layout layout, std::int64_t b, std::int64_t s,
                          std::int64_t h, std::int64_t c) {
  const auto& n = data.shape;
  const std::int64_t second = layout == Layout::kBSHD ? s : h;
  const std::int64_t third = layout == Layout::kBSHD ? h : s;
  return static_cast<std::size_t>(((b * n[1] + second) * n[2] + third) * n[3] + c);
}

}  // namespace lvsa::analysis
