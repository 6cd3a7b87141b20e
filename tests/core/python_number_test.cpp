// Expected values: what CPython 3.11's int() and float() give for the same text.
#include "core/config/python_number.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"

namespace lvsa {
namespace {

TEST(PythonInt, TakesBlanksSignsAndSingleUnderscores) {
  EXPECT_EQ(parse_python_int("12"), 12);
  EXPECT_EQ(parse_python_int(" 12\n"), 12);
  EXPECT_EQ(parse_python_int("+7"), 7);
  EXPECT_EQ(parse_python_int("-0"), 0);
  EXPECT_EQ(parse_python_int("007"), 7);
  EXPECT_EQ(parse_python_int("1_000"), 1000);
  EXPECT_EQ(parse_python_int("-9223372036854775808"), INT64_MIN);
}

TEST(PythonInt, RefusesWhatPythonRefuses) {
  for (const char* text :
       {"", " ", "1__0", "_1", "1_", "+ 1", "++1", "1e3", "0x10", "1.0", "1 0", "+",
        "\x1c"
        "1"}) {
    EXPECT_FALSE(parse_python_int(text)) << '"' << text << '"';
  }
}

TEST(PythonInt, TakesDigitsAndBlanksOfOtherScripts) {
  EXPECT_EQ(parse_python_int("\uff10\uff11"), 1);   // full-width digits
  EXPECT_EQ(parse_python_int("\u0664\u0662"), 42);  // Arabic-Indic digits
  EXPECT_EQ(parse_python_int("\u00a0\u3000"
                             "5"),
            5);                                // no-break and ideographic space
  EXPECT_FALSE(parse_python_int("\u00b2"));    // superscript two is no decimal digit
  EXPECT_FALSE(parse_python_int("\xff\xfe"));  // no UTF-8
}

TEST(PythonInt, NamesANumberThat64BitsCannotHold) {
  try {
    parse_python_int("99999999999999999999");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kOverflow);
    EXPECT_NE(std::string(error.what()).find("99999999999999999999"), std::string::npos);
  }
}

TEST(PythonFloat, TakesFractionsExponentsAndNames) {
  EXPECT_EQ(parse_python_float("1e0"), 1.0);
  EXPECT_EQ(parse_python_float(".5"), 0.5);
  EXPECT_EQ(parse_python_float("5."), 5.0);
  EXPECT_EQ(parse_python_float("1_0.5"), 10.5);
  EXPECT_EQ(parse_python_float("1e1_0"), 1e10);
  EXPECT_EQ(parse_python_float("0.1"), 0.1);
  EXPECT_EQ(parse_python_float("1e400"), INFINITY);
  EXPECT_EQ(parse_python_float("-1e400"), -INFINITY);
  EXPECT_EQ(parse_python_float("1e-400"), 0.0);
  EXPECT_EQ(parse_python_float("iNf"), INFINITY);
  EXPECT_EQ(parse_python_float("-Infinity"), -INFINITY);
  EXPECT_TRUE(std::isnan(parse_python_float("+nan").value()));
}

TEST(PythonFloat, RefusesWhatPythonRefuses) {
  for (const char* text : {"", "nanx", "1._5", "1_.5", "1_e5", "in_f", "0x1p3", "1 0", "e5", ".",
                           "--1", "1e", "nan(1)"}) {
    EXPECT_FALSE(parse_python_float(text)) << '"' << text << '"';
  }
}

TEST(PythonStrip, TakesBlanksOfAllScriptsFromTheEndsOnly) {
  EXPECT_EQ(python_strip("  a b\t"), "a b");
  EXPECT_EQ(python_strip("\u3000x\u00a0"), "x");
  EXPECT_EQ(python_strip(" \x1f "), "");
}

}  // namespace
}  // namespace lvsa
