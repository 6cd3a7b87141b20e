// The built-in rows. Heads, sizes and patch rules were read in the published model files that
// `source` names; the reference frames are LVSA's own choice, from its documentation.

#include "core/config/presets.hpp"

namespace lvsa {
namespace {

ModelPreset wan_1_3b() {
  return {.name = "wan-1.3b",
          .title = "Wan 2.1 1.3B",
          .reference_latent_frames = 21,  // 81 video frames
          .heads = 12,
          .kv_heads = 12,
          .head_dim = 128,
          .blocks = 30,
          .rule = {.vae_temporal_factor = 4, .vae_spatial_factor = 8, .patch_size = 2},
          .sizes = {{480, 832}, {720, 1280}},
          .text_kind = TextKind::kNone,
          .hook_variable = "LVSA_WAN_HOOK",
          .source =
              "github.com/Wan-Video/Wan2.1 wan/configs/wan_t2v_1_3B.py (heads, dim, blocks, "
              "strides), wan/configs/__init__.py (480x832; the model is published for 480p "
              "only, 720x1280 is as the LVSA documentation states), generate.py (81 frames)"};
}

ModelPreset wan_14b() {
  return {.name = "wan-14b",
          .title = "Wan 2.1 14B, Wan 2.2 A14B",
          .reference_latent_frames = 21,  // 81 video frames
          .heads = 40,
          .kv_heads = 40,
          .head_dim = 128,
          .blocks = 40,
          .rule = {.vae_temporal_factor = 4, .vae_spatial_factor = 8, .patch_size = 2},
          .sizes = {{480, 832}, {720, 1280}},
          .text_kind = TextKind::kNone,
          .hook_variable = "LVSA_WAN_HOOK",
          .source =
              "github.com/Wan-Video/Wan2.1 wan/configs/wan_t2v_14B.py, __init__.py; "
              "github.com/Wan-Video/Wan2.2 wan/configs/wan_t2v_A14B.py, wan_i2v_A14B.py, "
              "shared_config.py (81 frames), __init__.py (both sizes)"};
}

ModelPreset wan2_2_5b() {
  return {.name = "wan2.2-5b",
          .title = "Wan 2.2 TI2V 5B",
          .reference_latent_frames = 31,  // 121 video frames
          .heads = 24,
          .kv_heads = 24,
          .head_dim = 128,
          .blocks = 30,
          .rule = {.vae_temporal_factor = 4, .vae_spatial_factor = 16, .patch_size = 2},
          .sizes = {{704, 1280}},
          .text_kind = TextKind::kNone,
          .hook_variable = "LVSA_WAN_HOOK",
          .source =
              "github.com/Wan-Video/Wan2.2 wan/configs/wan_ti2v_5B.py (heads, dim, blocks, "
              "strides, 121 frames), __init__.py (704x1280)"};
}

ModelPreset hunyuan_1_5() {
  return {.name = "hunyuan-1.5",
          .title = "HunyuanVideo 1.5",
          .reference_latent_frames = 33,  // 129 video frames
          .heads = 16,
          .kv_heads = 16,
          .head_dim = 128,
          .blocks = 54,
          .rule = {.vae_temporal_factor = 4, .vae_spatial_factor = 16, .patch_size = 1},
          .sizes = {{480, 832}, {480, 848}},
          .text_kind = TextKind::kJoint,
          .usual_text_tokens = 1000,                // the language model's
          .largest_text_tokens = 1000 + 256 + 729,  // and those of ByT5 and of the image encoder
          .hook_variable = "LVSA_HUNYUAN_HOOK",
          .source =
              "github.com/huggingface/diffusers transformer_hunyuan_video15.py and "
              "scripts/convert_hunyuan_video1_5_to_diffusers.py (heads, blocks, patch, joint "
              "attention with the video first); github.com/vllm-project/vllm-omni "
              "pipeline_hunyuan_video_1_5.py (VAE factors, 1000 + 256 + 729 tokens); 33 "
              "reference frames and 480x832 as the LVSA documentation states (the model's "
              "own default is 121 video frames, 31 latent ones)"};
}

ModelPreset cosmos3() {
  return {.name = "cosmos3",
          .title = "Cosmos 3.0",
          .reference_latent_frames = 48,  // 189 video frames
          .heads = 32,
          .kv_heads = 8,
          .head_dim = 128,
          .blocks = 36,
          .rule = {.vae_temporal_factor = 4,
                   .vae_spatial_factor = 16,
                   .patch_size = 2,
                   .rounds_up = true},
          .sizes = {{720, 1280}},
          .text_kind = TextKind::kFrontOfKeys,
          .usual_text_tokens = 0,  // the prompt's own length, not padded
          .largest_text_tokens = 4096,
          .hook_variable = "LVSA_COSMOS3_HOOK",
          .source =
              "github.com/huggingface/diffusers transformer_cosmos3.py (heads, grouped keys, "
              "blocks, patches padded up, text keys in front); "
              "github.com/vllm-project/vllm-omni models/cosmos3/pipeline_cosmos3.py "
              "(720x1280, 189 frames, at most 4096 text tokens)"};
}

ModelPreset cogvideox_5b() {
  return {.name = "cogvideox-5b",
          .title = "CogVideoX 5B",
          .reference_latent_frames = 13,  // 49 video frames
          .heads = 48,
          .kv_heads = 48,
          .head_dim = 64,
          .blocks = 42,
          .rule = {.vae_temporal_factor = 4, .vae_spatial_factor = 8, .patch_size = 2},
          .sizes = {{480, 720}},
          .text_kind = TextKind::kJoint,
          .usual_text_tokens = 226,
          .largest_text_tokens = 226,
          .hook_variable = "",
          .source =
              "github.com/THUDM/CogVideo sat/configs/cogvideox_5b.yaml (49 frames, 60x90 "
              "latents, heads, blocks, patch, 226 text tokens)"};
}

}  // namespace

const std::vector<ModelPreset>& builtin_presets() {
  static const std::vector<ModelPreset> presets = {wan_1_3b(),    wan_14b(), wan2_2_5b(),
                                                   hunyuan_1_5(), cosmos3(), cogvideox_5b()};
  return presets;
}

}  // namespace lvsa
