#include "core/blocks/element_mask.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "core/error.hpp"

namespace lvsa {
namespace {

// The bits of word `word` that a row of `columns` keys has.
std::uint64_t bits_of_word(std::int64_t word, std::int64_t columns) {
  const std::int64_t left = std::clamp<std::int64_t>(columns - word * 64, 0, 64);
  return left == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
}

// What is wrong with a mask for a block of `rows` x `columns`; empty: nothing.
std::string fault_of(const ElementMask& mask, std::int32_t number, std::int64_t rows,
                     std::int64_t columns) {
  bool any = false;
  for (std::int64_t r = 0; r < mask.block_rows; ++r) {
    for (std::int64_t w = 0; w < mask.words; ++w) {
      const std::uint64_t word = mask.row_bits(number, r)[w];
      any = any || word != 0;
      if ((word & ~(r < rows ? bits_of_word(w, columns) : 0)) != 0) {
        return fmt::format("has bits past the end of its block of {} x {}", rows, columns);
      }
    }
  }
  return any ? std::string() : "attends no pair: leave the block out";
}

}  // namespace

void check_element_mask(const ElementMask& mask, const BlockMap& map, const std::string& name) {
  if (mask.entry.empty() && mask.bits.empty()) return;
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::kValue, name + ": " + what);
  };
  if (static_cast<std::int64_t>(mask.entry.size()) != map.kept()) {
    refuse(fmt::format("{} mask numbers for {} kept blocks", mask.entry.size(), map.kept()));
  }
  if (mask.block_rows != map.rows.largest() || mask.words != (map.columns.largest() + 63) / 64) {
    refuse(fmt::format("masks of {} rows of {} words, {} rows of {} words are due", mask.block_rows,
                       mask.words, map.rows.largest(), (map.columns.largest() + 63) / 64));
  }
  if (static_cast<std::int64_t>(mask.bits.size()) % (mask.block_rows * mask.words) != 0) {
    refuse(fmt::format("{} words of masks are no whole number of masks of {}", mask.bits.size(),
                       mask.block_rows * mask.words));
  }
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    for (std::int64_t e = map.indptr[static_cast<std::size_t>(r)];
         e < map.indptr[static_cast<std::size_t>(r) + 1]; ++e) {
      const std::int32_t number = mask.mask_of(e);
      if (number == -1) continue;
      const std::int32_t column = map.indices[static_cast<std::size_t>(e)];
      if (number < -1 || number >= mask.masks()) {
        refuse(fmt::format("row {}, column {}: mask {} is out of range, -1 .. {} are due", r,
                           column, number, mask.masks() - 1));
      }
      const std::string fault = fault_of(mask, number, map.rows.size(r), map.columns.size(column));
      if (!fault.empty())
        refuse(fmt::format("row {}, column {}: mask {} {}", r, column, number, fault));
    }
  }
}

ElementMaskBuilder::ElementMaskBuilder(const BlockAxis& rows, const BlockAxis& columns) {
  mask_.block_rows = rows.largest();
  mask_.words = (columns.largest() + 63) / 64;
}

void ElementMaskBuilder::add_full() { mask_.entry.push_back(-1); }

std::int32_t ElementMaskBuilder::add(const std::vector<std::uint64_t>& bits) {
  const auto [found, fresh] = known_.try_emplace(bits, static_cast<std::int32_t>(known_.size()));
  if (fresh) mask_.bits.insert(mask_.bits.end(), bits.begin(), bits.end());
  mask_.entry.push_back(found->second);
  return found->second;
}

void ElementMaskBuilder::add_again(std::int32_t mask) { mask_.entry.push_back(mask); }

ElementMask ElementMaskBuilder::take() {
  if (mask_.bits.empty()) mask_ = ElementMask{};
  known_.clear();
  return std::exchange(mask_, ElementMask{});
}

}  // namespace lvsa
