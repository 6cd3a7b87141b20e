#pragma once
// The round trip of block maps through a file, with a script's stand-in between.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "tests/block_exchange/script_stand_in.hpp"

namespace lvsa::analysis {

inline constexpr const char* kRich =
    "pattern=random:block_q=16:block_k=32:density=0.6:masks=0.5:order=1:empty=0.2 "
    "T=2 P=35 text=9 B=2 H=4 Hkv=2 D=16 dtype=f32 ref=21 step=0 input=gauss seed=5 rows=0";
inline constexpr const char* kPlain =
    "pattern=random:block_q=16:block_k=16:density=0.5:per_head=0 "
    "T=1 P=64 H=1 Hkv=1 D=16 dtype=bf16 layout=bhsd ref=21 step=0 input=gauss seed=2 rows=0";

class ExchangeMapsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string form = (std::filesystem::temp_directory_path() / "lvsa-exchange-XXXXXX").string();
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    folder_ = form;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::unique_ptr<TensorSource> exported(const std::string& line,
                                         const std::string& name = "cases.safetensors") {
    const auto sink = create_tensor_file(path(name), tensor_format_of_name(path(name)));
    write_exchange_root(*sink, 1);
    write_exchange_case(*sink, "case0000", parse_case(line));
    sink->commit();
    return open_tensor_file(path(name));
  }

  // Fills the case as a script would, spoiled, and judges it; `more` adds to the file of outputs.
  CaseResult judged(const TensorSource& cases, const std::string& line,
                    const std::function<void(script::Pairs&, script::Filling&)>& spoil = {},
                    const std::function<void(TensorSink&)>& more = {}) {
    const Case c = parse_case(line);
    const script::Group group(cases);
    script::Pairs pairs = pairs_of(group);
    script::Filling filling;
    if (spoil) spoil(pairs, filling);
    if (filling.out.empty()) filling = attend(group, c, pairs);
    std::filesystem::remove(path("outputs.h5"));
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

  std::filesystem::path folder_;
};

}  // namespace lvsa::analysis
