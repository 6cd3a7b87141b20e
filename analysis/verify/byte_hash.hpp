#pragma once
// A hash that tells apart inputs, suites and libraries. It is no protection against forgery.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lvsa::analysis {

/// 64 bits over `size` bytes, read as little-endian words of 8 bytes, the last filled up with
/// zeros:
///     mix(size + sum over i of mix(word_i + (i + 1) * 0x9e3779b97f4a7c15))   modulo 2^64,
/// mix being SplitMix64's finaliser. A sum, so that any number of threads gives the same value. 1
/// stands for 0.
std::uint64_t byte_hash(const void* bytes, std::size_t size);
inline std::uint64_t byte_hash(std::string_view text) {
  return byte_hash(text.data(), text.size());
}

/// byte_hash() of bytes that come in parts: parts of any size give the hash of the whole.
class ByteHash {
 public:
  void add(std::string_view part);
  std::uint64_t value() const;

 private:
  std::uint64_t sum_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t open_ = 0;  // the word that is not whole yet
};

/// Hash of a file. Throws Error(kIo) that names the path.
std::uint64_t file_hash(const std::string& path);

/// The hash as reports write it: 16 hexadecimal digits.
std::string hash_text(std::uint64_t hash);

}  // namespace lvsa::analysis
