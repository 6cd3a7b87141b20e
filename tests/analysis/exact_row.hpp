#pragma once
// One attention row by its definition in 220 bits: what the oracle and the terms of the bounds are
// held against.

#include <mpfr.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor/tensor.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// A number of 220 bits.
class Real {
 public:
  Real(double value = 0.0) {
    mpfr_init2(value_, 220);
    mpfr_set_d(value_, value, MPFR_RNDN);
  }
  Real(const Real& other) : Real() { mpfr_set(value_, other.value_, MPFR_RNDN); }
  Real& operator=(const Real& other) {
    mpfr_set(value_, other.value_, MPFR_RNDN);
    return *this;
  }
  ~Real() { mpfr_clear(value_); }

  double value() const { return mpfr_get_d(value_, MPFR_RNDN); }
  friend Real operator+(const Real& a, const Real& b) { return make(mpfr_add, a, b); }
  friend Real operator-(const Real& a, const Real& b) { return make(mpfr_sub, a, b); }
  friend Real operator*(const Real& a, const Real& b) { return make(mpfr_mul, a, b); }
  friend Real operator/(const Real& a, const Real& b) { return make(mpfr_div, a, b); }
  Real& operator+=(const Real& b) {
    mpfr_add(value_, value_, b.value_, MPFR_RNDN);
    return *this;
  }
  friend bool operator<(const Real& a, const Real& b) { return mpfr_less_p(a.value_, b.value_); }
  friend Real abs(const Real& a) { return make(mpfr_abs, a); }
  friend Real exp(const Real& a) { return make(mpfr_exp, a); }
  friend Real log(const Real& a) { return make(mpfr_log, a); }

 private:
  template <typename Operation>
  static Real make(Operation operation, const Real& a, const Real& b) {
    Real made;
    operation(made.value_, a.value_, b.value_, MPFR_RNDN);
    return made;
  }
  template <typename Operation>
  static Real make(Operation operation, const Real& a) {
    Real made;
    operation(made.value_, a.value_, MPFR_RNDN);
    return made;
  }
  mpfr_t value_;
};

/// A row of one head and one frame: q and the keys and values that it attends, exact in fp64.
struct RowInputs {
  std::string name;
  std::int64_t keys = 0;
  std::int64_t dim = 0;
  double scale = 1.0;
  std::vector<double> q;  ///< [dim]
  std::vector<double> k;  ///< [keys][dim]
  std::vector<double> v;  ///< [keys][dim]
};

/// Rows of every kind that is hard on a kernel or on the oracle: normal values, sums that cancel,
/// equal scores, scores far apart, one key that takes all, weights in the subnormal range, large
/// scores, many keys, scores that rise with the key.
std::vector<RowInputs> hard_rows(std::uint64_t seed);

/// The row by its definition.
struct ExactRow {
  std::vector<Real> score;     ///< s_j
  std::vector<Real> absolute;  ///< scale sum |q_i k_ji|
  std::vector<Real> p;
  Real max;
  Real normaliser;
  Real lse;
};
ExactRow exact_row(const RowInputs& inputs);

/// The sums of one column.
struct ExactColumn {
  Real out, magnitude, deviation, score_shift, value_sum;
};
ExactColumn exact_column(const RowInputs& inputs, const ExactRow& row,
                         const reference::ScoreErrorModel& errors, std::int64_t column);
Real exact_eta(const ExactRow& row, const reference::ScoreErrorModel& errors, std::size_t j);

/// The same inputs as tensors of fp64, one frame, and what the oracle makes of them.
struct OracleRow {
  Tensor q, k, v;
  reference::AttentionProblem problem;
};
OracleRow oracle_row(const RowInputs& inputs);

}  // namespace lvsa::analysis
