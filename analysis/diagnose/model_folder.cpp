#include "analysis/diagnose/model_folder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/io/byte_file.hpp"
#include "core/io/printable.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostBytes = 1 << 22;
constexpr std::int64_t kLargestNumber = 1 << 20;

// A config.json: what it says under any of several names.
class Config {
 public:
  Config(std::string_view text, std::string where) : where_(std::move(where)) {
    values_ = parse_strict_json(text, where_);
    if (!values_.is_object()) fail("an object is due");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kType, fmt::format("{}: {}", where_, what));
  }

  std::optional<std::int64_t> number(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      if (!values_.contains(name) || values_[name].is_null()) continue;
      return checked(name, values_[name]);
    }
    return std::nullopt;
  }
  /// Entry `index` of a list, or the number itself where it is one.
  std::optional<std::int64_t> part(const char* name, std::size_t index) const {
    if (!values_.contains(name) || values_[name].is_null()) return std::nullopt;
    const json& value = values_[name];
    if (!value.is_array()) return checked(name, value);
    if (index >= value.size())
      fail(fmt::format("\"{}\" holds {} numbers; {} are due", name, value.size(), index + 1));
    return checked(name, value[index]);
  }
  std::int64_t due(std::initializer_list<const char*> names) const {
    if (const auto found = number(names)) return *found;
    throw Error(ErrorKind::kValue,
                fmt::format("{}: the key \"{}\" is missing", where_, fmt::join(names, "\" or \"")));
  }
  std::string text(const char* name) const {
    if (!values_.contains(name) || !values_[name].is_string()) return "";
    return printable(values_[name].get<std::string>());
  }
  bool has(const char* name) const { return values_.contains(name) && !values_[name].is_null(); }

 private:
  std::int64_t checked(const char* name, const json& value) const {
    const bool good = value.is_number_integer() && value.get<std::int64_t>() >= 1 &&
                      value.get<std::int64_t>() <= kLargestNumber;
    if (good) return value.get<std::int64_t>();
    fail(fmt::format("\"{}\" is {}; a whole number from 1 to {} is due", name,
                     printable(value.dump(), 60), kLargestNumber));
  }

  std::string where_;
  json values_;
};

struct Family {
  const char* word;  // in the class name of the transformer
  const char* preset;
};
// The narrower name first.
constexpr Family kFamilies[] = {{"HunyuanVideo15", "hunyuan-1.5"},
                                {"Cosmos3", "cosmos3"},
                                {"CogVideoX", "cogvideox-5b"},
                                {"Wan", "wan-1.3b"}};

std::string family_of(const std::string& transformer, std::int64_t heads, std::int64_t spatial) {
  for (const Family& family : kFamilies) {
    if (transformer.find(family.word) == std::string::npos) continue;
    if (std::string_view(family.word) != "Wan") return family.preset;
    if (spatial == 16 || heads == 24) return "wan2.2-5b";
    return heads >= 40 ? "wan-14b" : "wan-1.3b";
  }
  return "";
}

void read_vae(const Config& vae, ModelFolder& folder) {
  PatchRule& rule = folder.model.rule;
  if (const auto temporal = vae.number({"scale_factor_temporal", "temporal_compression_ratio"})) {
    rule.vae_temporal_factor = *temporal;
  } else if (folder.is_video) {
    folder.assumed.push_back("the VAE does not say its temporal factor: 4");
  }
  if (const auto spatial = vae.number({"scale_factor_spatial", "spatial_compression_ratio"})) {
    rule.vae_spatial_factor = *spatial;
  } else {
    folder.assumed.push_back(
        fmt::format("the VAE does not say its spatial factor: {}", rule.vae_spatial_factor));
  }
}

void read_transformer(const Config& config, ModelFolder& folder) {
  ModelPreset& model = folder.model;
  model.heads = config.due({"num_attention_heads", "heads"});
  model.kv_heads = config.number({"num_key_value_heads"}).value_or(model.heads);
  const auto width = config.number({"hidden_size"});
  const auto head_dim = config.number({"attention_head_dim", "head_dim"});
  if (!head_dim && !width) config.due({"attention_head_dim"});
  model.head_dim = head_dim ? *head_dim : *width / model.heads;
  model.blocks = config.due({"num_layers", "num_hidden_layers"});
  if (model.heads % model.kv_heads != 0) {
    config.fail(fmt::format("{} heads and {} kv heads; a multiple of the latter is due",
                            model.heads, model.kv_heads));
  }
  // [t, h, w] in Wan; one number, with patch_size_t beside it, elsewhere.
  if (config.has("patch_size")) model.rule.patch_size = *config.part("patch_size", 1);
  const auto temporal = config.number({"patch_size_t", "temporal_patch_size"});
  model.rule.temporal_patch_size = temporal.value_or(
      config.has("patch_size") && folder.transformer.find("Wan") != std::string::npos
          ? *config.part("patch_size", 0)
          : 1);
}

void compare(const ModelPreset& preset, ModelFolder& folder) {
  const ModelPreset& model = folder.model;
  const auto line = [&](const char* what, std::int64_t is, std::int64_t has) {
    if (is != has)
      folder.differs.push_back(
          fmt::format("{}: the folder says {}, the preset {} {}", what, is, preset.name, has));
  };
  line("heads", model.heads, preset.heads);
  line("kv heads", model.kv_heads, preset.kv_heads);
  line("head dim", model.head_dim, preset.head_dim);
  line("blocks", model.blocks, preset.blocks);
  line("VAE temporal factor", model.rule.vae_temporal_factor, preset.rule.vae_temporal_factor);
  line("VAE spatial factor", model.rule.vae_spatial_factor, preset.rule.vae_spatial_factor);
  line("patch size", model.rule.patch_size, preset.rule.patch_size);
  line("temporal patch size", model.rule.temporal_patch_size, preset.rule.temporal_patch_size);
  line("reference latent frames", model.reference_latent_frames, preset.reference_latent_frames);
}

// The training length: sample_frames counts video frames in some models, latent ones in none of
// those known.
void read_reference(const Config& config, ModelFolder& folder, const ModelPreset* preset) {
  if (const auto frames = config.number({"sample_frames"})) {
    folder.model.reference_latent_frames = latent_frames(folder.model, *frames);
  } else if (preset) {
    folder.assumed.push_back(
        fmt::format("no sample frames: reference {} latent frames, the preset's",
                    preset->reference_latent_frames));
  } else {
    folder.model.reference_latent_frames = 21;
    folder.assumed.push_back(
        "no sample frames and no known family: reference 21 latent frames, the plugin's default");
  }
  if (config.has("sample_height") && config.has("sample_width")) {  // latent pixels
    const std::int64_t s = folder.model.rule.vae_spatial_factor;
    const VideoSize size{*config.part("sample_height", 0) * s, *config.part("sample_width", 0) * s};
    if (size.height < 1 << 16 && size.width < 1 << 16) {
      std::erase(folder.model.sizes, size);
      folder.model.sizes.insert(folder.model.sizes.begin(), size);
    }
  }
}

std::string read_text(const std::filesystem::path& path) {
  return read_small_file(path.string(), kMostBytes);
}

}  // namespace

ModelFolder model_from_configs(std::string_view transformer, std::string_view vae,
                               std::string_view model_index, const std::string& where) {
  const Config config(transformer, where + "/transformer/config.json");
  ModelFolder folder;
  folder.transformer = config.text("_class_name");
  if (folder.transformer.empty())
    config.fail("the key \"_class_name\" is missing; the class of the transformer is due");
  folder.is_video = folder.transformer.find("2DModel") == std::string::npos &&
                    (folder.transformer.find("3D") != std::string::npos ||
                     folder.transformer.find("Video") != std::string::npos);
  if (!folder.is_video) folder.model.rule.vae_temporal_factor = 1;
  std::optional<Config> coder;
  if (!vae.empty()) coder.emplace(vae, where + "/vae/config.json");
  ModelFolder probe;
  if (coder) read_vae(*coder, probe);
  const std::string family =
      family_of(folder.transformer, config.due({"num_attention_heads", "heads"}),
                probe.model.rule.vae_spatial_factor);
  const ModelPreset* preset = family.empty() ? nullptr : &find_preset(family);
  if (preset) folder.model = *preset;
  if (!preset) folder.model.name = folder.model.title = folder.transformer;
  read_transformer(config, folder);
  if (coder) {
    read_vae(*coder, folder);
  } else {
    folder.assumed.push_back("no vae/config.json: the VAE factors are the family's");
  }
  if (!preset) folder.model.sizes = {{480, 832}, {720, 1280}};
  read_reference(config, folder, preset);
  folder.model.source = where;
  if (!model_index.empty()) {
    const Config index(model_index, where + "/model_index.json");
    folder.second_expert = index.has("transformer_2");
  }
  if (preset) compare(*preset, folder);
  return folder;
}

ModelFolder read_model_folder(const std::string& path) {
  const std::filesystem::path folder(path);
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}: is no folder; a model in the layout of diffusers is due", path));
  }
  const auto optional_text = [&](const char* name) {
    return std::filesystem::exists(folder / name, ignored) ? read_text(folder / name)
                                                           : std::string();
  };
  return model_from_configs(read_text(folder / "transformer" / "config.json"),
                            optional_text("vae/config.json"), optional_text("model_index.json"),
                            path);
}

}  // namespace lvsa::analysis
