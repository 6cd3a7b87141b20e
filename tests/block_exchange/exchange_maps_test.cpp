// What a script makes of block maps in a file, right or wrong, and what is found.
#include <cmath>
#include <functional>
#include <limits>

#include "core/error.hpp"
#include "tests/block_exchange/exchange_maps_fixture.hpp"

namespace lvsa::analysis {
namespace {

using script::Filling;
using script::Group;
using script::Pairs;

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

}  // namespace
}  // namespace lvsa::analysis
