#include "analysis/diagnose/video_sizes.hpp"

namespace lvsa::analysis {

// From the published model cards and configuration files of Wan, HunyuanVideo, CogVideoX and
// Cosmos: the resolution classes 240p to 1080p in the aspects 16:9, 3:2, 4:3 and 1:1, each rounded
// as the models round it.
std::span<const VideoSize> common_video_sizes() {
  static constexpr VideoSize kSizes[] = {
      {240, 416},   {256, 256},   {320, 512},   {320, 576},  {352, 640},  {360, 640},  {384, 672},
      {448, 832},   {480, 480},   {480, 640},   {480, 720},  {480, 768},  {480, 832},  {480, 848},
      {480, 854},   {480, 864},   {512, 512},   {512, 768},  {512, 896},  {540, 960},  {544, 720},
      {544, 736},   {544, 960},   {576, 1024},  {608, 1072}, {624, 624},  {624, 832},  {640, 640},
      {640, 960},   {640, 1152},  {704, 704},   {704, 960},  {704, 1280}, {720, 720},  {720, 960},
      {720, 1072},  {720, 1104},  {720, 1280},  {768, 768},  {768, 1024}, {768, 1152}, {768, 1280},
      {768, 1360},  {768, 1344},  {832, 1104},  {832, 1088}, {960, 960},  {960, 1280}, {1024, 1024},
      {1072, 1920}, {1080, 1920}, {1088, 1920},
  };
  return kSizes;
}

}  // namespace lvsa::analysis
