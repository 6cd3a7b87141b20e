#include "analysis/verify/byte_hash.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <iterator>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15ULL;

std::uint64_t word_at(const std::byte* bytes, std::size_t count) {
  std::uint64_t word = 0;
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(&word, bytes, count);
  return word;
}

}  // namespace

std::uint64_t byte_hash(const void* bytes, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(bytes);
  const std::size_t words = size / sizeof(std::uint64_t);
  std::uint64_t sum = 0;
#pragma omp parallel for reduction(+ : sum) schedule(static) if (words > 100000)
  for (std::size_t i = 0; i < words; ++i) {
    sum += mix(word_at(first + i * sizeof(std::uint64_t), sizeof(std::uint64_t)) + (i + 1) * kStep);
  }
  if (const std::size_t rest = size % sizeof(std::uint64_t); rest > 0) {
    sum += mix(word_at(first + (size - rest), rest) + (words + 1) * kStep);
  }
  const std::uint64_t hash = mix(sum + size);
  return hash == 0 ? 1 : hash;
}

void ByteHash::add(std::string_view part) {
  constexpr std::uint64_t kWord = sizeof(std::uint64_t);
  for (const char c : part) {
    const std::uint64_t place = size_ % kWord;
    open_ |= static_cast<std::uint64_t>(static_cast<unsigned char>(c)) << (8 * place);
    ++size_;
    if (place + 1 < kWord) continue;
    sum_ += mix(open_ + size_ / kWord * kStep);
    open_ = 0;
  }
}

std::uint64_t ByteHash::value() const {
  constexpr std::uint64_t kWord = sizeof(std::uint64_t);
  const std::uint64_t rest = size_ % kWord == 0 ? 0 : mix(open_ + (size_ / kWord + 1) * kStep);
  const std::uint64_t hash = mix(sum_ + rest + size_);
  return hash == 0 ? 1 : hash;
}

std::uint64_t file_hash(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) {
    throw Error(ErrorKind::kIo, fmt::format("{}: cannot be read", path));
  }
  return byte_hash(bytes);
}

std::string hash_text(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

}  // namespace lvsa::analysis
