// Conversions, written once for all sets of instructions. Included inside an unnamed namespace by
// oracle_widen_*.cpp, each of which has defined before:
//   kLanes  doubles a vector: 2, 4 or 8
// No standard header may be included here (see oracle_loops.hpp).

typedef uint16_t Half __attribute__((vector_size(kLanes * 2), aligned(1), may_alias));
typedef uint32_t Word __attribute__((vector_size(kLanes * 4), may_alias));
typedef float Single __attribute__((vector_size(kLanes * 4), may_alias));
typedef double Wide __attribute__((vector_size(kLanes * 8), may_alias));
typedef double Anywhere __attribute__((vector_size(kLanes * 8), aligned(8), may_alias));

inline Word word_at(const void* from, int64_t i) {
  return __builtin_convertvector(
      *reinterpret_cast<const Half*>(static_cast<const char*>(from) + 2 * i), Word);
}

inline Wide of_bf16(Word bits) {
  return __builtin_convertvector(reinterpret_cast<Single>(bits << 16), Wide);
}

// The exponent of the type, as that of a float, is too small by 112. Subnormal numbers come out
// right, infinity and NaN get the exponent of theirs.
inline Wide of_f16(Word bits) {
  const Word magnitude = (bits & 0x7fffU) << 13;
  const Single scaled = reinterpret_cast<Single>(magnitude) * 0x1p112F;
  const Word special = reinterpret_cast<Word>((bits & 0x7c00U) == 0x7c00U);
  const Word value = (reinterpret_cast<Word>(scaled) & ~special) |
                     ((magnitude | 0x7f800000U) & special) | (bits & 0x8000U) << 16;
  return __builtin_convertvector(reinterpret_cast<Single>(value), Wide);
}

template <Wide (*kOf)(Word)>
inline void widen(const void* from, int64_t count, double* to) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    *reinterpret_cast<Anywhere*>(to + i) = kOf(word_at(from, i));
  }
  if (i == count) return;
  uint16_t rest[kLanes] = {};
  double wide[kLanes];
  for (int64_t j = i; j < count; ++j) {
    __builtin_memcpy(&rest[j - i], static_cast<const char*>(from) + 2 * j, 2);
  }
  *reinterpret_cast<Anywhere*>(wide) = kOf(word_at(rest, 0));
  for (int64_t j = i; j < count; ++j) to[j] = wide[j - i];
}

void widen_bf16(const void* from, int64_t count, double* to) { widen<of_bf16>(from, count, to); }
void widen_f16(const void* from, int64_t count, double* to) { widen<of_f16>(from, count, to); }
