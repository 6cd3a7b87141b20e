// Malformed block problems: refused with one line that names what is wrong, row and column
// included.

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "reference/attention/blocks/cpu_blocks.hpp"
#include "tests/block_attention/block_case.hpp"

namespace block_test {
namespace {

using lvsa::BlockAxis;
using lvsa::HeadPattern;

// Arrays that may be written to, behind a problem.
struct Writable {
  Writable() : c(shape(), patterns()) {
    p = c.problem();
    for (std::int64_t m = 0; m < p.map_count; ++m) {
      const lvsa_block_map& from = p.maps[m];
      const std::int32_t entries = from.indptr[p.row_blocks];
      indptr.emplace_back(from.indptr, from.indptr + p.row_blocks + 1);
      indices.emplace_back(from.indices, from.indices + entries);
      masks.emplace_back(from.entry_mask, from.entry_mask + entries);
    }
    for (std::size_t m = 0; m < indptr.size(); ++m) {
      maps.push_back({indptr[m].data(), indices[m].data(), masks[m].data()});
    }
    p.maps = maps.data();
    row_begin.assign(p.row_begin, p.row_begin + p.row_blocks + 1);
    p.row_begin = row_begin.data();
    order.assign(p.orders, p.orders + p.query_tokens);
    p.orders = order.data();
    map_of_head.assign(p.map_of_head, p.map_of_head + p.heads);
    p.map_of_head = map_of_head.data();
    thresholds.assign(static_cast<std::size_t>(p.heads), 3.0F);
    p.skip_threshold_log2 = thresholds.data();
    bits.assign(p.mask_bits, p.mask_bits + p.mask_count * p.block_rows * p.mask_words);
    p.mask_bits = bits.data();
  }
  static Shape shape() {
    Shape s;
    s.queries = s.keys = 37;
    s.heads = 2;
    return s;
  }
  static std::vector<HeadPattern> patterns() {
    const BlockAxis axis = BlockAxis::uniform(37, 8);
    HeadPattern full;
    full.map = full_block_map(axis, axis);
    lvsa::ElementMaskBuilder builder(axis, axis);
    std::vector<std::uint64_t> bits(8, 0);
    bits[0] = 1;
    for (std::int64_t i = 0; i < full.map.kept(); ++i) builder.add(bits);
    full.mask = builder.take();
    HeadPattern other = full;
    other.order = lvsa::Permutation::identity(37);
    return {full, other};
  }
  std::string refusal(lvsa_status due = LVSA_INVALID) {
    const lvsa_block_kernel& kernel = lvsa::reference::cpu_blocks_kernel();
    std::vector<char> workspace(1 << 20);
    char message[300] = "";
    EXPECT_EQ(kernel.run(&p, workspace.data(), workspace.size(), nullptr, message, sizeof message),
              due);
    std::size_t bytes = 1;
    EXPECT_EQ(kernel.workspace(&p, &bytes), due);
    return message;
  }

  Case c;
  lvsa_block_problem p{};
  std::vector<std::vector<std::int32_t>> indptr, indices, masks;
  std::vector<lvsa_block_map> maps;
  std::vector<std::int64_t> row_begin;
  std::vector<std::int32_t> order, map_of_head;
  std::vector<float> thresholds;
  std::vector<std::uint64_t> bits;
};

TEST(BlockRefusal, TakesTheProblemThatTheOthersSpoil) {
  Writable w;
  EXPECT_EQ(w.refusal(LVSA_OK), "");
}

TEST(BlockRefusal, NamesWhatIsWrongFirst) {
  struct Fault {
    std::function<void(Writable&)> spoil;
    const char* due;
  };
  const std::vector<Fault> faults = {
      {[](Writable& w) { std::swap(w.indices[0][5], w.indices[0][6]); },
       "maps[0]: row 1: column 0 after 1: columns must ascend and be unique"},
      {[](Writable& w) { w.indices[1][12] = 1; },
       "maps[1]: row 2: column 1 after 1: columns must ascend"},
      {[](Writable& w) { w.indices[0][24] = 5; },
       "maps[0]: row 4: column 5 is out of range, must be in 0 .. 4"},
      {[](Writable& w) { w.indices[0][0] = -1; }, "maps[0]: row 0: column -1 is out of range"},
      {[](Writable& w) { w.indptr[0][3] = 9; },
       "maps[0].indptr[3] = 9: must be in 10 .. 15, the entry of row 2"},
      {[](Writable& w) { w.indptr[0][1] = 6; }, "maps[0].indptr[1] = 6: must be in 0 .. 5"},
      {[](Writable& w) { w.indptr[1][0] = 1; }, "maps[1].indptr[0] = 1: must be 0"},
      {[](Writable& w) { w.masks[0][7] = 1; },
       "maps[0]: row 1, column 2: mask 1 is out of range, must be in -1 .. 0"},
      {[](Writable& w) { w.bits[0] = 1U << 6; },
       "maps[0]: row 0, column 4: mask 0 has bits past the end of its block of 8 x 5"},
      {[](Writable& w) { w.order[3] = 7; }, "orders[0]: place 7: token 7 comes twice"},
      {[](Writable& w) { w.order[3] = 37; }, "orders[0]: place 3: token 37 is out of range"},
      {[](Writable& w) { w.map_of_head[1] = 2; }, "map_of_head[1] = 2: must be in 0 .. 0"},
      {[](Writable& w) { w.row_begin[2] = 8; }, "row_begin[2] = 8: must be in 9 .. 16"},
      {[](Writable& w) { w.row_begin[5] = 36; },
       "row_begin[5] = 36: must be 37, the number of tokens"},
      {[](Writable& w) { w.p.mask_words = 2; }, "mask_words = 2: must be 1"},
      {[](Writable& w) { w.thresholds[1] = std::numeric_limits<float>::quiet_NaN(); },
       "skip_threshold_log2[1] = nan"},
      {[](Writable& w) { w.p.kv_heads = 3; }, "heads = 2: must be a multiple of kv_heads = 3"},
      {[](Writable& w) { w.p.out.strides[1] = 1; }, "out.strides[3] = 1: elements would share"},
      {[](Writable& w) { w.p.struct_size = 8; }, "struct_size = 8: must be at least"},
      {[](Writable& w) { w.p.maps = nullptr; }, "maps = null"},
  };
  for (const Fault& fault : faults) {
    Writable w;
    // One map for both heads where they are equal.
    if (w.indptr.size() == 1) {
      w.indptr.push_back(w.indptr[0]);
      w.indices.push_back(w.indices[0]);
      w.masks.push_back(w.masks[0]);
    }
    w.maps.clear();
    for (std::size_t m = 0; m < 2; ++m) {
      w.maps.push_back({w.indptr[m].data(), w.indices[m].data(), w.masks[m].data()});
    }
    w.p.maps = w.maps.data();
    const std::string due = fault.due;
    w.p.map_count = due.find("maps[1]") != std::string::npos ? 2 : 1;
    fault.spoil(w);
    EXPECT_NE(w.refusal().find(due), std::string::npos)
        << "due: " << due << "\ngot: " << w.refusal();
  }
}

TEST(BlockRefusal, SaysWhatItDoesNotServe) {
  Writable w;
  w.p.dtype = LVSA_E4M3;
  EXPECT_NE(w.refusal(LVSA_UNSUPPORTED).find("dtype = 5"), std::string::npos);
  Writable large;
  large.p.block_rows = 10000;
  EXPECT_NE(large.refusal(LVSA_UNSUPPORTED).find("blocks of 10000 x 8"), std::string::npos);
}

}  // namespace
}  // namespace block_test
