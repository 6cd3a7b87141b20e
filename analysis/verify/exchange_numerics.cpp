#include "analysis/verify/exchange_numerics.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// Declared numerics: attributes of the group, else of the root.
class Declared {
 public:
  Declared(const TensorSource& file, const std::string& group) : file_(file), group_(group) {}

  std::int64_t number(const char* name, std::int64_t low = 0,
                      std::int64_t high = std::int64_t{1} << 30) const {
    for (const std::string& object : {group_, std::string("/")}) {
      const auto values = file_.integer_attribute(object, name);
      if (!values) continue;
      if (values->size() == 1 && values->front() >= low && values->front() <= high) {
        return values->front();
      }
      throw Error(ErrorKind::kValue,
                  fmt::format("{}: attribute {}: {}; one integer {} .. {} is due", object, name,
                              fmt::join(*values, " "), low, high));
    }
    return 0;
  }

  DType dtype(const char* name) const {
    for (const std::string& object : {group_, std::string("/")}) {
      const auto text = file_.text_attribute(object, name);
      if (!text) continue;
      try {
        return parse_dtype(*text);
      } catch (const Error& error) {
        throw Error(ErrorKind::kValue,
                    fmt::format("{}: attribute {}: {}", object, name, error.what()));
      }
    }
    return LVSA_DTYPE_NONE;
  }

 private:
  const TensorSource& file_;
  std::string group_;
};

}  // namespace

lvsa_numerics declared_numerics(const TensorSource& file, const std::string& group, DType p_asked) {
  const Declared declared(file, group);
  lvsa_numerics numerics{};
  numerics.struct_size = sizeof numerics;
  numerics.key_tile = declared.number("key_tile");
  numerics.tiles_cross_frames =
      static_cast<std::int32_t>(declared.number("tiles_cross_frames", 0, 2));
  numerics.split_keys = static_cast<std::int32_t>(declared.number("split_keys"));
  numerics.exp_ulps = static_cast<double>(declared.number("exp_ulps"));
  struct Field {
    const char* name;
    std::int32_t* value;
    std::int64_t low;
    std::int64_t high;
  };
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  const Field schedule[] = {{"sum_rounded_p", &numerics.sum_rounded_p, 0, 1},
                            {"normalise_first", &numerics.normalise_first, 0, 1},
                            {"key_order", &numerics.key_order, 0, LVSA_KEYS_DESCENDING},
                            {"max_rule", &numerics.max_rule, 0, LVSA_MAX_FINAL},
                            {"p_rounding", &numerics.p_rounding, 0, LVSA_P_TOWARD_ZERO},
                            {"p_scale_log2", &numerics.p_scale_log2, -64, 64},
                            {"rescale_exact", &numerics.rescale_exact, 0, 1},
                            {"score_step", &numerics.score_step, 0, kMost},
                            {"split_rule", &numerics.split_rule, 0, LVSA_SPLIT_ROUND_ROBIN},
                            {"sum_step", &numerics.sum_step, 0, kMost}};
  for (const Field& field : schedule) {
    *field.value = static_cast<std::int32_t>(declared.number(field.name, field.low, field.high));
  }
  numerics.split_tiles = declared.number("split_tiles");
  numerics.partial_dtype = declared.dtype("partial_dtype");
  numerics.accumulator = declared.dtype("accumulator");
  numerics.p_dtype = declared.dtype("p_dtype");
  if (numerics.p_dtype == LVSA_DTYPE_NONE) numerics.p_dtype = p_asked;  // what the case asks for
  return numerics;
}

}  // namespace lvsa::analysis
