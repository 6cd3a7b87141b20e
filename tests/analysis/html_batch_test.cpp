// The page of a batch of captured calls: counts, reasons and mends, and markup that closes.

#include "analysis/report/html_batch.hpp"

#include <gtest/gtest.h>

#include "tests/analysis/report_markup_check.hpp"

namespace lvsa::analysis {
namespace {

Question wan() {
  Question question;
  question.model = find_preset("wan-1.3b");
  return question;
}

std::string page_of(std::string_view rows, const Question& question,
                    const std::string& path = "calls.csv") {
  Batch batch(question);
  read_batch_text(rows, path, question, batch);
  return html_batch(batch.summary(), question, path, {{"lvsa_version", "1 & 2"}});
}

TEST(BatchPage, SaysWhatIsWrongWithTheMostFrequentCallsAndWhatMendsThem) {
  const std::string page = page_of("seq_len,T\n42840,21\n42840,21\n63960,41\n75600,21\n", wan());
  EXPECT_EQ(markup_problem(page, true), "");
  EXPECT_NE(page.find("1 of 4 calls are as they should be"), std::string::npos);
  EXPECT_NE(page.find("Why misread"), std::string::npos);
  EXPECT_NE(page.find("seq_len 42840 at T 21: 2 calls"), std::string::npos);
  EXPECT_NE(page.find("export LVSA_PATCHES_PER_FRAME=2040"), std::string::npos);
  EXPECT_NE(page.find("[LVSA-FALLBACK] "), std::string::npos);
  EXPECT_NE(page.find("Of seq_len 63960 at T 41"), std::string::npos);
}

TEST(BatchPage, HasNothingToMendWhereAllIsWell) {
  const std::string page = page_of("seq_len,T\n63960,41\n32760,21\n", wan());
  EXPECT_EQ(markup_problem(page, true), "");
  EXPECT_EQ(page.find("Why "), std::string::npos);
  EXPECT_NE(page.find("2 of 2 calls are as they should be"), std::string::npos);
}

TEST(BatchPage, EscapesTheNameOfTheFileAndNeedsNothingButItself) {
  const std::string page = page_of("seq_len,T\n63960,41\n", wan(), "a<b>&.csv");
  EXPECT_EQ(markup_problem(page, true), "");
  EXPECT_EQ(page.find("a<b>"), std::string::npos);
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
}

TEST(BatchPage, TellsThatMoreCallsThanItsRowsThereWere) {
  std::string rows = "seq_len,T\n";
  for (int i = 0; i < 300; ++i) rows += std::to_string(63960 + i) + ",41\n";
  EXPECT_NE(page_of(rows, wan()).find("with most calls, of 300"), std::string::npos);
}

}  // namespace
}  // namespace lvsa::analysis
