// The round trip of block maps through a file: a script stands in here that reads nothing but the
// file, by the text of docs/exchange.md.
#include "analysis/blocks/exchange_maps.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

#include "analysis/blocks/exchange_traps.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRich =
    "pattern=random:block_q=16:block_k=32:density=0.6:masks=0.5:order=1:empty=0.2 "
    "T=2 P=35 text=9 B=2 H=4 Hkv=2 D=16 dtype=f32 ref=21 step=0 input=gauss seed=5 rows=0";
constexpr const char* kPlain =
    "pattern=random:block_q=16:block_k=16:density=0.5:per_head=0 "
    "T=1 P=64 H=1 Hkv=1 D=16 dtype=bf16 layout=bhsd ref=21 step=0 input=gauss seed=2 rows=0";

// What a script knows of a case: the arrays of its group.
struct Group {
  explicit Group(const TensorSource& source) : file(source) {}

  std::vector<std::int64_t> integers(const std::string& name) const {
    const auto form = file.form("case0000/" + name);
    if (!form) return {};
    std::vector<std::int64_t> values(static_cast<std::size_t>(form->elements()));
    file.read("case0000/" + name, values.data());
    return values;
  }
  std::vector<double> numbers(const std::string& name) const {
    const auto form = file.form("case0000/" + name);
    std::vector<double> values(static_cast<std::size_t>(form->elements()));
    file.read("case0000/" + name, values.data());
    return values;
  }
  std::int64_t attribute(const char* name) const {
    return file.integer_attribute("case0000", name)->front();
  }

  const TensorSource& file;
};

// [B * H][S][S]: whether a query token attends a key token.
using Pairs = std::vector<std::vector<std::vector<char>>>;

void mark_entry(const Group& group, std::vector<std::vector<char>>& places, std::int64_t entry,
                std::size_t row, std::size_t column) {
  const auto row_begin = group.integers("row_begin");
  const auto column_begin = group.integers("column_begin");
  const auto entry_mask = group.integers("entry_mask");
  const auto bits = group.integers("mask_bits");
  const std::int64_t mask = entry_mask.empty() ? -1 : entry_mask[static_cast<std::size_t>(entry)];
  const std::int64_t block_rows = group.attribute("block_rows");
  const std::int64_t bytes = (group.attribute("block_columns") + 63) / 64 * 8;
  for (std::int64_t q = row_begin[row]; q < row_begin[row + 1]; ++q) {
    for (std::int64_t k = column_begin[column]; k < column_begin[column + 1]; ++k) {
      const std::int64_t i = k - column_begin[column];
      const std::int64_t at = (mask * block_rows + q - row_begin[row]) * bytes + i / 8;
      const bool seen = mask < 0 || ((bits[static_cast<std::size_t>(at)] >> (i % 8)) & 1) != 0;
      places[static_cast<std::size_t>(q)][static_cast<std::size_t>(k)] = seen ? 1 : 0;
    }
  }
}

Pairs pairs_of(const Group& group) {
  const auto map_of_head = group.integers("map_of_head");
  const auto map_begin = group.integers("map_begin");
  const auto indptr = group.integers("indptr");
  const auto indices = group.integers("indices");
  const auto orders = group.integers("orders");
  const auto order_of_head = group.integers("order_of_head");
  const std::size_t tokens = static_cast<std::size_t>(group.integers("row_begin").back());
  const std::size_t rows = group.integers("row_begin").size() - 1;
  Pairs pairs;
  for (std::size_t head = 0; head < map_of_head.size(); ++head) {
    const auto map = static_cast<std::size_t>(map_of_head[head]);
    std::vector<std::vector<char>> places(tokens, std::vector<char>(tokens, 0));
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t line = map * (rows + 1) + r;
      for (std::int64_t e = indptr[line]; e < indptr[line + 1]; ++e) {
        const std::int64_t entry = map_begin[map] + e;
        mark_entry(group, places, entry, r,
                   static_cast<std::size_t>(indices[static_cast<std::size_t>(entry)]));
      }
    }
    const auto token = [&](std::size_t place) {
      const std::int64_t order = order_of_head.empty() ? -1 : order_of_head[head];
      return order < 0 ? place
                       : static_cast<std::size_t>(
                             orders[static_cast<std::size_t>(order) * tokens + place]);
    };
    pairs.emplace_back(tokens, std::vector<char>(tokens, 0));
    for (std::size_t q = 0; q < tokens; ++q) {
      for (std::size_t k = 0; k < tokens; ++k) pairs.back()[token(q)][token(k)] = places[q][k];
    }
  }
  return pairs;
}

struct Filling {
  std::vector<float> out;  // in the layout of the case
  std::vector<float> lse;  // [B, S, H]
};

// The definition, on what the file says.
Filling attend(const Group& group, const Case& c, const Pairs& pairs) {
  const auto q = group.numbers("q");
  const auto k = group.numbers("k");
  const auto v = group.numbers("v");
  const std::int64_t tokens = c.grid.seq_len();
  const auto at = [&](std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t heads) {
    const std::int64_t row =
        c.layout == Layout::kBHSD ? (b * heads + h) * tokens + s : (b * tokens + s) * heads + h;
    return static_cast<std::size_t>(row * c.head_dim);
  };
  Filling filling{std::vector<float>(q.size(), 0.0F),
                  std::vector<float>(static_cast<std::size_t>(c.batch * tokens * c.heads),
                                     -std::numeric_limits<float>::infinity())};
  const auto width = static_cast<std::size_t>(c.head_dim);
  for (std::int64_t row = 0; row < c.batch * tokens * c.heads; ++row) {
    const std::int64_t h = row % c.heads;
    const std::int64_t s = row / c.heads % tokens;
    const std::int64_t b = row / c.heads / tokens;
    const std::size_t mine = at(b, s, h, c.heads);
    std::vector<double> sum(width, 0.0);
    double total = 0.0;
    for (std::int64_t key = 0; key < tokens; ++key) {
      const auto& seen = pairs[static_cast<std::size_t>(b * c.heads + h)];
      if (seen[static_cast<std::size_t>(s)][static_cast<std::size_t>(key)] == 0) continue;
      const std::size_t its = at(b, key, h / (c.heads / c.kv_heads), c.kv_heads);
      double score = 0.0;
      for (std::size_t d = 0; d < width; ++d) score += q[mine + d] * k[its + d];
      const double p = std::exp(score / std::sqrt(static_cast<double>(c.head_dim)));
      total += p;
      for (std::size_t d = 0; d < width; ++d) sum[d] += p * v[its + d];
    }
    if (total == 0.0) continue;
    filling.lse[static_cast<std::size_t>(row)] = static_cast<float>(std::log(total));
    for (std::size_t d = 0; d < width; ++d) {
      filling.out[mine + d] = static_cast<float>(sum[d] / total);
    }
  }
  return filling;
}

class ExchangeMapsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string form = (fs::temp_directory_path() / "lvsa-exchange-XXXXXX").string();
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    folder_ = form;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::unique_ptr<TensorSource> exported(const std::string& line,
                                         const std::string& name = "cases.safetensors") {
    const auto sink = create_tensor_file(path(name), tensor_format_of_name(path(name)));
    write_exchange_root(*sink, 1);
    write_exchange_case(*sink, "case0000", parse_case(line));
    sink->commit();
    return open_tensor_file(path(name));
  }

  // Fills the case as a script would, spoiled, and judges it; `claimed` is the file that is judged.
  CaseResult judged(const TensorSource& cases, const std::string& line,
                    const std::function<void(Pairs&, Filling&)>& spoil = {},
                    const std::function<void(TensorSink&)>& more = {}) {
    const Case c = parse_case(line);
    const Group group(cases);
    Pairs pairs = pairs_of(group);
    Filling filling;
    if (spoil) spoil(pairs, filling);
    if (filling.out.empty()) filling = attend(group, c, pairs);
    fs::remove(path("outputs.h5"));
    const auto sink = create_tensor_file(path("outputs.h5"), TensorFormat::kHdf5);
    sink->group("case0000");
    sink->dataset("case0000/out", ElementType::kF32, cases.form("case0000/q")->shape,
                  filling.out.data());
    sink->dataset("case0000/lse", ElementType::kF32, {c.batch, c.grid.seq_len(), c.heads},
                  filling.lse.data());
    if (more) more(*sink);
    sink->commit();
    const auto outputs = open_tensor_file(path("outputs.h5"));
    return check_exchange_case({cases, *outputs}, "case0000", {});
  }

  fs::path folder_;
};

TEST_F(ExchangeMapsTest, WhatTheFileSaysOfMapsMasksAndOrdersIsWhatTheOracleAttends) {
  for (const char* name : {"a.safetensors", "a.h5", "a.npy"}) {
    const auto cases = exported(kRich, name);
    const CaseResult result = judged(*cases, kRich);
    EXPECT_EQ(result.status, Status::kPass) << name << ": " << result.message;
    EXPECT_GT(result.lse.checked, 0) << name;
    EXPECT_GT(result.density, 0.05);
    EXPECT_LT(result.density, 0.6);
  }
}

TEST_F(ExchangeMapsTest, OnePairTooFewOrTooManyFails) {
  const auto cases = exported(kRich);
  for (const char wanted : {char{0}, char{1}}) {
    const CaseResult result = judged(*cases, kRich, [wanted](Pairs& pairs, Filling&) {
      for (auto& row : pairs[3]) {  // the first that has one
        const auto found = std::find(row.begin(), row.end(), wanted == 0 ? char{1} : char{0});
        if (found == row.end() || std::count(row.begin(), row.end(), 1) < 3) continue;
        *found = wanted;
        return;
      }
    });
    EXPECT_EQ(result.status, Status::kFail) << static_cast<int>(wanted);
    EXPECT_EQ(result.output.worst.head, 3);
    EXPECT_NE(result.where.find("row block"), std::string::npos) << result.where;
  }
}

TEST_F(ExchangeMapsTest, HeadsThatGetEachOthersMapsFail) {
  const auto cases = exported(kRich);
  const CaseResult result =
      judged(*cases, kRich, [](Pairs& pairs, Filling&) { std::swap(pairs[0], pairs[1]); });
  EXPECT_EQ(result.status, Status::kFail);
}

TEST_F(ExchangeMapsTest, RowsWithoutKeysAreZeroAndMinusInfinity) {
  const std::string line =
      "pattern=random:block_q=16:block_k=16:density=0:empty=1 T=1 P=40 H=1 Hkv=1 D=16 "
      "dtype=bf16 ref=21 step=0 input=gauss seed=1 rows=0";
  const auto cases = exported(line);
  EXPECT_EQ(judged(*cases, line).status, Status::kPass);
  const CaseResult finite = judged(*cases, line, [](Pairs&, Filling& filling) {
    filling = {std::vector<float>(40 * 16, 0.0F), std::vector<float>(40, -5e4F)};
  });
  EXPECT_EQ(finite.status, Status::kFail);
  const CaseResult nan = judged(*cases, line, [](Pairs&, Filling& filling) {
    filling = {std::vector<float>(40 * 16, std::nanf("")),
               std::vector<float>(40, -std::numeric_limits<float>::infinity())};
  });
  EXPECT_EQ(nan.status, Status::kFail);
}

TEST_F(ExchangeMapsTest, BitsOfABase2LogSumExpAreTakenWhenTheFileSaysSo) {
  const auto cases = exported(kPlain);
  const auto in_base_2 = [&](Pairs& pairs, Filling& filling) {
    filling = attend(Group(*cases), parse_case(kPlain), pairs);
    for (float& lse : filling.lse) lse *= 1.4426950408889634F;
  };
  EXPECT_EQ(judged(*cases, kPlain, in_base_2).status, Status::kFail);
  const auto said = [](TensorSink& sink) {
    sink.attribute("case0000/lse", "base", std::string("2"));
  };
  EXPECT_EQ(judged(*cases, kPlain, in_base_2, said).status, Status::kPass);
}

// What a script declares of its schedule; `p_dtype` is what it says of P.
std::function<void(TensorSink&)> schedule_of(const std::string& p_dtype,
                                             std::int64_t tiles_cross_frames = 0) {
  return [=](TensorSink& sink) {
    sink.attribute("/", "key_tile", std::int64_t{16});
    sink.attribute("/", "tiles_cross_frames", tiles_cross_frames);
    sink.attribute("/", "key_order", std::int64_t{LVSA_KEYS_ASCENDING});
    sink.attribute("case0000", "max_rule", std::int64_t{LVSA_MAX_RUNNING});
    sink.attribute("case0000", "rescale_exact", std::int64_t{1});
    sink.attribute("case0000", "p_dtype", p_dtype);
  };
}

TEST_F(ExchangeMapsTest, ADeclaredScheduleIsReplayedOverTheMaps) {
  // The outputs here are those of a P that is not rounded.
  for (const char* line : {kRich, kPlain}) {
    const auto cases = exported(line);
    EXPECT_EQ(judged(*cases, line).schedule.checked, 0);
    for (const std::int64_t across : {0, 1}) {
      const CaseResult honest = judged(*cases, line, {}, schedule_of("f32", across));
      EXPECT_EQ(honest.status, Status::kPass) << honest.message;
      EXPECT_GT(honest.schedule.checked, honest.output.checked / 2);
    }
  }
  const auto cases = exported(kRich);
  const CaseResult untrue = judged(*cases, kRich, {}, schedule_of("bf16"));
  EXPECT_EQ(untrue.status, Status::kFail);
  EXPECT_GT(untrue.schedule.failed, 0);
  EXPECT_EQ(untrue.output.failed, 0) << "tier A has room for a P in bf16";
  EXPECT_NE(untrue.message.find("tier B"), std::string::npos) << untrue.message;
}

TEST_F(ExchangeMapsTest, SchedulesThatMapsDoNotHaveAreLeftToTierA) {
  const auto cases = exported(kRich);
  const CaseResult result = judged(*cases, kRich, {}, schedule_of("bf16", 2));
  EXPECT_EQ(result.status, Status::kPass) << result.message;
  EXPECT_EQ(result.schedule.checked, 0);
}

TEST_F(ExchangeMapsTest, ADeclarationThatIsNoneIsToldByName) {
  const auto cases = exported(kPlain);
  for (const char* name : {"key_order", "max_rule", "tiles_cross_frames", "sum_rounded_p"}) {
    const CaseResult result = judged(*cases, kPlain, {}, [name](TensorSink& sink) {
      sink.attribute("case0000", name, std::int64_t{7});
    });
    EXPECT_EQ(result.status, Status::kFail);
    EXPECT_NE(result.message.find(std::string("case0000: attribute ") + name + ": 7; one integer"),
              std::string::npos)
        << result.message;
  }
}

TEST_F(ExchangeMapsTest, AFileWithAnotherCasesMapsIsToldByName) {
  const std::string other = [] {
    std::string line = kPlain;
    return line.replace(line.find("density=0.5"), 11, "density=0.9");
  }();
  const auto cases = exported(other);  // same tensors, other maps
  // The same file under the first line.
  const auto sink = create_tensor_file(path("forged.safetensors"), TensorFormat::kSafetensors);
  write_exchange_root(*sink, 1);
  sink->group("case0000");
  for (const std::string& name : cases->members("case0000")) {
    const auto form = cases->form("case0000/" + name);
    std::vector<std::byte> data(static_cast<std::size_t>(form->bytes()));
    cases->read_bits("case0000/" + name, data.data());
    sink->dataset("case0000/" + name, form->type, form->shape, data.data());
  }
  for (const char* name : {"block_rows", "block_columns"}) {
    sink->attribute("case0000", name, cases->integer_attribute("case0000", name)->front());
  }
  sink->attribute("case0000", "case", to_line(parse_case(kPlain)));
  sink->commit();
  const auto forged = open_tensor_file(path("forged.safetensors"));
  const CaseResult result = judged(*forged, kPlain);
  EXPECT_EQ(result.status, Status::kFail);
  EXPECT_NE(result.message.find("case0000/map_begin is not what the case line gives: entry 1"),
            std::string::npos)
      << result.message;
}

TEST_F(ExchangeMapsTest, ASkippedCaseIsUnsupportedAndStillHasItsDensity) {
  const auto cases = exported(kPlain);
  const CaseResult result = judged(*cases, kPlain, {}, [](TensorSink& sink) {
    sink.attribute("case0000", "skipped", std::string("no such map"));
  });
  EXPECT_EQ(result.status, Status::kUnsupported);
  EXPECT_EQ(result.message, "no such map");
  EXPECT_GT(result.density, 0.0);
}

TEST_F(ExchangeMapsTest, RowsThatAreWantedAloneStandInTheFile) {
  const std::string line =
      std::string(kPlain).replace(std::string(kPlain).find("rows=0"), 6, "rows=8 compute=rows");
  const auto cases = exported(line);
  const auto wanted = Group(*cases).integers("wanted_tokens");
  ASSERT_FALSE(wanted.empty());
  EXPECT_LT(wanted.size(), 64U);
  EXPECT_TRUE(std::is_sorted(wanted.begin(), wanted.end()));
}

// --- traps
// ----------------------------------------------------------------------------------------

TEST(TrapSuites, HaveDifferentNamesThatStandInTheirCases) {
  for (const char* suite : {"flashinfer-traps", "flex-traps"}) {
    ASSERT_TRUE(is_trap_suite(suite));
    std::vector<std::string> names;
    for (const TrapCase& trap : trap_cases(suite)) {
      EXPECT_EQ(trap.c.model, trap.name);
      EXPECT_FALSE(trap.c.pattern.empty());
      names.push_back(trap.name);
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
    EXPECT_GE(names.size(), 10U);
  }
  EXPECT_FALSE(is_trap_suite("smoke"));
  EXPECT_THROW(trap_cases("smoke"), Error);
}

class TrapTest : public ExchangeMapsTest {
 protected:
  CaseResult sprung(const std::string& state) {
    const auto sink = create_tensor_file(path("trap.safetensors"), TensorFormat::kSafetensors);
    write_exchange_root(*sink, 1);
    write_exchange_case(*sink, "case0000", parse_case(kPlain));
    sink->attribute("case0000", "trap", std::string("base-2-log-sum-exp"));
    sink->commit();
    const auto cases = open_tensor_file(path("trap.safetensors"));
    return judged(*cases, kPlain, {}, [&](TensorSink& out) {
      if (state.empty()) return;
      out.attribute("case0000", "trap_state", state);
      out.attribute("case0000", "trap_seen", std::string("what was seen"));
    });
  }
};

TEST_F(TrapTest, WhatTheScriptSawIsACheckOfTheCase) {
  const CaseResult good = sprung("holds");
  ASSERT_EQ(good.checks.size(), 1U);
  EXPECT_EQ(good.checks[0].name, "trap base-2-log-sum-exp");
  EXPECT_EQ(good.checks[0].message, "what was seen");
  EXPECT_EQ(good.status, Status::kPass);
}

TEST_F(TrapTest, OneThatIsNotAsKnownFailsTheCaseThoughItsOutputsAreRight) {
  const CaseResult bad = sprung("fails");
  EXPECT_EQ(bad.status, Status::kFail);
  EXPECT_NE(bad.message.find("what was seen"), std::string::npos);
  EXPECT_EQ(bad.output.failed, 0);
}

TEST_F(TrapTest, OneThatNobodySprangDoesNotApply) {
  const CaseResult result = sprung("");
  ASSERT_EQ(result.checks.size(), 1U);
  EXPECT_EQ(result.checks[0].state, CheckState::kNotApplicable);
  EXPECT_EQ(result.status, Status::kPass);
}

TEST_F(TrapTest, AStateThatIsNoneIsBadInput) { EXPECT_THROW(sprung("perhaps"), Error); }

}  // namespace
}  // namespace lvsa::analysis
