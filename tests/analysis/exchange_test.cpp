// The round trip through a file, completed here with the outputs of the kernel `cpu` and spoiled in
// the ways that scripts spoil them.
#include "analysis/verify/exchange.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>

#include "analysis/verify/kernel_call.hpp"
#include "core/error.hpp"
#include "core/io/hdf5_source.hpp"
#include "core/io/hdf5_writer.hpp"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace lvsa::analysis {
namespace {

namespace fs = std::filesystem;

// What a script would write, as float32 in the order of the case's layout, and lse [B, S, H].
struct Filling {
  std::vector<std::int64_t> shape;
  std::vector<float> out;
  std::vector<float> lse;
  std::string base;  // attribute of lse; empty: none
  bool has_out = true;
  bool has_lse = true;
  std::string skipped;
};

Filling filled_by_cpu(const Case& c) {
  AttentionTensors tensors = make_inputs(c);
  const FramePattern pattern = build_frame_pattern(case_pattern_spec(c));
  KernelCall call(reference::cpu_kernel(), c, tensors, pattern, 1, {});
  call.run();
  Filling filling;
  filling.shape = {c.batch, c.grid.seq_len(), c.heads, c.head_dim};
  if (c.layout == Layout::kBHSD) std::swap(filling.shape[1], filling.shape[2]);
  const std::size_t width = dtype_bytes(c.dtype);
  for (std::int64_t i = 0; i < call.out().elements(); ++i) {
    const std::byte* element = call.out().bytes() + static_cast<std::size_t>(i) * width;
    filling.out.push_back(static_cast<float>(decode(c.dtype, element)));
  }
  for (std::int64_t b = 0; b < c.batch; ++b) {
    for (std::int64_t s = 0; s < c.grid.seq_len(); ++s) {
      for (std::int64_t h = 0; h < c.heads; ++h) filling.lse.push_back(call.lse(b, s, h));
    }
  }
  return filling;
}

class ExchangeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string form = (fs::temp_directory_path() / "lvsa-exchange-XXXXXX").string();
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    folder_ = form;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path() const { return (folder_ / "cases.h5").string(); }
  std::string path(const char* name) const { return (folder_ / name).string(); }

  // Exports one case, fills it, and judges it. `stored` is the case that the tensors are of.
  CaseResult round_trip(const std::string& line, const std::function<void(Filling&)>& spoil = {},
                        const std::function<void(TensorSink&)>& more = {},
                        const char* name = "cases.h5") {
    const Case c = parse_case(line);
    Filling filling = filled_by_cpu(c);
    if (spoil) spoil(filling);
    fs::remove_all(path(name));
    const auto sink = create_tensor_file(path(name), tensor_format_of_name(path(name)));
    TensorSink& writer = *sink;
    write_exchange_root(writer, 1);
    writer.attribute("/", "kernel", std::string("script"));
    write_exchange_case(writer, "case0000", c);
    if (filling.has_out) {
      writer.dataset("case0000/out", ElementType::kF32, filling.shape, filling.out.data());
    }
    if (filling.has_lse) {
      writer.dataset("case0000/lse", ElementType::kF32, {c.batch, c.grid.seq_len(), c.heads},
                     filling.lse.data());
      if (!filling.base.empty()) writer.attribute("case0000/lse", "base", filling.base);
    }
    if (!filling.skipped.empty()) writer.attribute("case0000", "skipped", filling.skipped);
    if (more) more(writer);
    writer.commit();
    const auto source = open_tensor_file(path(name));
    const TensorSource& reader = *source;
    EXPECT_EQ(exchange_groups(reader), std::vector<std::string>{"case0000"});
    return check_exchange_case({reader, reader}, "case0000", {});
  }

  fs::path folder_;
};

constexpr const char* kPlain =
    "T=7 P=9 text=5 B=2 H=4 Hkv=2 D=24 dtype=f32 W=1 ref=3 step=1 input=gauss seed=1 rows=0";

void expect_failure(const CaseResult& result, const std::string& text) {
  EXPECT_EQ(result.status, Status::kFail);
  EXPECT_NE(result.message.find(text), std::string::npos) << result.message;
}

TEST_F(ExchangeTest, AHealthyRoundTripPassesInAllTypesAndLayouts) {
  for (const char* dtype : {"f32", "f16", "bf16"}) {
    for (const char* layout : {"bshd", "bhsd"}) {
      const CaseResult result = round_trip(
          std::string("T=9 P=12 text=3 B=2 H=4 Hkv=2 D=32 W=1 ref=4 step=2 input=indicator seed=2 "
                      "rows=0 dtype=") +
          dtype + " layout=" + layout);
      EXPECT_EQ(result.status, Status::kPass) << result.line << ": " << result.message;
      EXPECT_EQ(result.kernel, "script");
      EXPECT_GT(result.output.checked, 0);
      EXPECT_GT(result.lse.checked, 0);
    }
  }
}

TEST_F(ExchangeTest, AllFormatsGiveTheSameVerdict) {
  const auto wrong = [](Filling& f) { std::fill_n(f.out.begin() + 48, 24, 0.0F); };
  const std::string line =
      "T=5 P=6 text=3 H=2 Hkv=1 D=16 W=1 ref=3 step=2 input=gauss seed=5 rows=0 layout=bhsd dtype=";
  for (const char* dtype : {"f32", "f16", "bf16"}) {
    const CaseResult expected = round_trip(line + dtype);
    for (const char* name : {"cases.safetensors", "cases.npy"}) {
      const CaseResult result = round_trip(line + dtype, {}, {}, name);
      EXPECT_EQ(result.status, Status::kPass) << name << " " << dtype << ": " << result.message;
      EXPECT_EQ(result.kernel, "script");
      EXPECT_EQ(result.output.worst_ratio, expected.output.worst_ratio);
      EXPECT_EQ(result.lse.worst_ratio, expected.lse.worst_ratio);
      expect_failure(round_trip(line + dtype, wrong, {}, name), "output");
    }
  }
}

TEST_F(ExchangeTest, OutputsMayStandInAFileOfTheirOwn) {
  const CaseResult result = round_trip(kPlain);
  const Hdf5Source cases(path());
  {
    const Filling filling = filled_by_cpu(parse_case(kPlain));
    const auto sink = create_tensor_file(path("o.safetensors"), TensorFormat::kSafetensors);
    sink->dataset("case0000/out", ElementType::kF32, filling.shape, filling.out.data());
    sink->attribute("/", "kernel", std::string("elsewhere"));
    sink->commit();
  }
  const auto outputs = open_tensor_file(path("o.safetensors"));
  const CaseResult apart = check_exchange_case({cases, *outputs}, "case0000", {});
  EXPECT_EQ(apart.status, Status::kPass) << apart.message;
  EXPECT_EQ(apart.kernel, "elsewhere");
  EXPECT_EQ(apart.output.worst_ratio, result.output.worst_ratio);
  EXPECT_EQ(apart.lse.checked, 0);
  EXPECT_NE(apart.command.find("--outputs"), std::string::npos);
}

TEST_F(ExchangeTest, TheLogSumExpIsOptionalAndMayBeInBase2) {
  EXPECT_EQ(round_trip(kPlain, [](Filling& f) { f.has_lse = false; }).status, Status::kPass);
  const auto in_base_2 = [](const char* base) {
    return [base](Filling& f) {
      for (float& value : f.lse) value *= 1.44269504F;
      f.base = base;
    };
  };
  EXPECT_EQ(round_trip(kPlain, in_base_2("2")).status, Status::kPass);
  expect_failure(round_trip(kPlain, in_base_2("")), "log-sum-exp");
  expect_failure(round_trip(kPlain, in_base_2("10")), "'e' or '2' is due");
}

TEST_F(ExchangeTest, WrongOutputsFail) {
  expect_failure(round_trip(kPlain, [](Filling& f) { std::fill_n(f.out.begin() + 48, 24, 0.0F); }),
                 "output");
  expect_failure(round_trip(kPlain,
                            [](Filling& f) {
                              for (float& value : f.out) value *= 1.01F;
                            }),
                 "output");
  expect_failure(
      round_trip(kPlain, [](Filling& f) { f.out[5] = std::numeric_limits<float>::quiet_NaN(); }),
      "output");
}

TEST_F(ExchangeTest, WhatIsMissingOrIllShapedIsNamed) {
  expect_failure(round_trip(kPlain, [](Filling& f) { f.has_out = false; }),
                 "no dataset case0000/out");
  expect_failure(round_trip(kPlain, [](Filling& f) { std::swap(f.shape[1], f.shape[2]); }),
                 "case0000/out has shape [2, 4, 68, 24]; [2, 68, 4, 24] is due");
  const std::vector<std::int32_t> numbers(2 * 68 * 4 * 24);
  expect_failure(
      round_trip(
          kPlain, [](Filling& f) { f.has_out = false; },
          [&](TensorSink& writer) {
            writer.dataset("case0000/out", ElementType::kI32, {2, 68, 4, 24}, numbers.data());
          }),
      "int32");
}

TEST_F(ExchangeTest, ASkippedCaseIsNotSupported) {
  const CaseResult result = round_trip(kPlain, [](Filling& f) {
    f.has_out = false;
    f.skipped = "no text";
  });
  EXPECT_EQ(result.status, Status::kUnsupported);
  EXPECT_EQ(result.message, "no text");
}

TEST_F(ExchangeTest, DeclaredNumericsNarrowTheBounds) {
  const CaseResult wide = round_trip(kPlain);
  const CaseResult narrow = round_trip(kPlain, {}, [](TensorSink& writer) {
    writer.attribute("/", "key_tile", std::int64_t{32});
    writer.attribute("case0000", "accumulator", std::string("f32"));
  });
  EXPECT_EQ(narrow.status, Status::kPass) << narrow.message;
  EXPECT_LT(narrow.mean_tolerance, wide.mean_tolerance);
  const CaseResult narrower = round_trip(kPlain, {}, [](TensorSink& writer) {
    writer.attribute("/", "key_tile", std::int64_t{32});
    writer.attribute("/", "sum_step", std::int64_t{32});
    writer.attribute("case0000", "accumulator", std::string("f32"));
  });
  EXPECT_EQ(narrower.status, Status::kPass) << narrower.message;
  EXPECT_LT(narrower.mean_tolerance, narrow.mean_tolerance);
  expect_failure(
      round_trip(kPlain, {},
                 [](TensorSink& writer) { writer.attribute("/", "p_dtype", std::string("f12")); }),
      "p_dtype");
}

TEST_F(ExchangeTest, ADeclaredScheduleIsReplayed) {
  const auto declare = [](const char* p_dtype) {
    return [=](TensorSink& writer) {
      writer.attribute("/", "key_tile", std::int64_t{32});
      writer.attribute("/", "key_order", std::int64_t{LVSA_KEYS_ASCENDING});
      writer.attribute("/", "max_rule", std::int64_t{LVSA_MAX_RUNNING});
      writer.attribute("/", "p_dtype", std::string(p_dtype));
    };
  };
  // The outputs here are those of an unrounded P.
  const CaseResult honest = round_trip(kPlain, {}, declare("f32"));
  EXPECT_GT(honest.schedule.checked, 0);
  EXPECT_EQ(honest.status, Status::kPass) << honest.message;
  EXPECT_GT(round_trip(kPlain, {}, declare("bf16")).schedule.failed, 0);
}

TEST_F(ExchangeTest, InputsOtherThanTheCaseLineGivesAreTold) {
  const Case c = parse_case(kPlain);
  Case other = c;
  other.seed = 2;
  const AttentionTensors tensors = make_inputs(other);
  Hdf5Writer writer(path());
  write_exchange_root(writer, 1);
  write_exchange_case(writer, "spare", c);
  writer.group("case0000");
  writer.attribute("case0000", "case", to_line(c));
  writer.dataset("case0000/q", ElementType::kF32, {2, 68, 4, 24}, tensors.q.bytes());
  writer.commit();
  const Hdf5Source reader(path());
  expect_failure(check_exchange_case({reader, reader}, "case0000", {}),
                 "case0000/q is not what the case");
}

TEST_F(ExchangeTest, OtherFilesAndMissingGroupsAreBadInput) {
  const auto expect_error = [&](std::int64_t cases) {
    Hdf5Writer writer(path());
    if (cases > 0) write_exchange_root(writer, cases);
    writer.group("case0000");
    writer.commit();
    const Hdf5Source reader(path());
    EXPECT_THROW(exchange_groups(reader), Error);
  };
  expect_error(0);
  expect_error(2);
}

}  // namespace
}  // namespace lvsa::analysis
