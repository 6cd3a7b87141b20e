#include "reference/attention/shadow_row.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/attention/oracle_loops.hpp"

namespace lvsa::reference {
namespace {

constexpr double kUnit = 0x1p-24;
/// Roundings of the exponent that grow with the distance from the maximum: the factor log2(e) times
/// the scale, twice; the difference; its product. Factors of q and k join the first of these.
constexpr double kExponentRoundings = 4.0;
/// exp(e) - 1 <= e kSecondOrder for the e that first-order bounds are good for.
constexpr double kSecondOrder = 1.0 + 0x1p-6;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The largest score so far, and between what the kernel's own lies.
struct Maximum {
  double value = -kInfinity;
  double low = -kInfinity;
  double high = -kInfinity;

  void join(const Maximum& other) {
    value = std::max(value, other.value);
    low = std::max(low, other.low);
    high = std::max(high, other.high);
  }
  double error() const { return std::max(high - value, value - low); }
};

class RowPlanner {
 public:
  RowPlanner(ShadowPlan& plan, const Schedule& schedule, const ShadowErrors& errors,
             std::span<const double> scores, std::span<const double> score_errors)
      : plan_(plan),
        schedule_(schedule),
        errors_(errors),
        scores_(scores),
        score_errors_(score_errors),
        rounding_(schedule.p_dtype, schedule.p_rounding == LVSA_P_TOWARD_ZERO),
        p_scale_(std::ldexp(1.0, schedule.p_scale_log2)),
        exponent_roundings_(kExponentRoundings + errors.factor_roundings) {}

  void find_epochs() {
    plan_.epoch_of.resize(plan_.tiles.size());
    for (std::int64_t split = 0; split < schedule_.splits; ++split) {
      if (schedule_.max_rule == LVSA_MAX_FINAL) {
        find_final(split);
      } else {
        find_running(split);
      }
    }
    double top = -kInfinity;
    for (const ShadowEpoch& epoch : plan_.epochs) top = std::max(top, epoch.max);
    for (ShadowEpoch& epoch : plan_.epochs) {
      const double below = epoch.max - top;
      best_oracle_loops().exp_array(&below, &epoch.factor, 1);
    }
    set_factor_errors();
  }

  // P, and what the denominator sums.
  void weigh(double common_error, double divisor) {
    const OracleLoops& loops = best_oracle_loops();
    for (std::size_t t = 0; t < plan_.tiles.size(); ++t) {
      const ShadowTile& tile = plan_.tiles[t];
      ShadowEpoch& epoch = plan_.epochs[plan_.epoch_of[t]];
      exponent_.clear();
      for (std::int64_t j = tile.first; j < tile.last; ++j) {
        exponent_.push_back(scores_[static_cast<std::size_t>(j)] - epoch.max);
      }
      p_.resize(exponent_.size());
      loops.exp_array(exponent_.data(), p_.data(), tile.last - tile.first);
      for (std::size_t i = 0; i < p_.size(); ++i) {
        const auto j = static_cast<std::size_t>(tile.first) + i;
        weigh_key(j, p_[i], -exponent_[i], epoch, common_error, divisor);
      }
    }
  }

  void add_up() {
    double error = 0.0;
    double all = 0.0;
    for (const ShadowEpoch& epoch : plan_.epochs) {
      all += epoch.factor * epoch.sum;
      error += epoch.factor * (epoch.sum_error + epoch.factor_error * epoch.sum);
    }
    plan_.sum = all;
    plan_.sum_error = error / all;
  }

 private:
  Maximum of_tile(const ShadowTile& tile) const {
    Maximum found;
    for (std::int64_t j = tile.first; j < tile.last; ++j) {
      const auto i = static_cast<std::size_t>(j);
      found.join({scores_[i], scores_[i] - score_errors_[i], scores_[i] + score_errors_[i]});
    }
    return found;
  }

  void find_final(std::int64_t split) {
    Maximum all;
    const std::size_t index = plan_.epochs.size();
    ShadowEpoch epoch;
    epoch.split = split;
    for (std::size_t t = 0; t < plan_.tiles.size(); ++t) {
      if (plan_.tiles[t].split != split) continue;
      all.join(of_tile(plan_.tiles[t]));
      plan_.epoch_of[t] = index;
      ++epoch.tiles;
    }
    if (epoch.tiles == 0) return;
    epoch.max = all.value;
    epoch.max_error = all.error();
    plan_.epochs.push_back(epoch);
  }

  void find_running(std::int64_t split) {
    Maximum all;
    for (std::size_t t = 0; t < plan_.tiles.size(); ++t) {
      if (plan_.tiles[t].split != split) continue;
      const Maximum here = of_tile(plan_.tiles[t]);
      const bool stays = here.high <= all.low && schedule_.rescale_exact;
      all.join(here);
      if (!stays) {
        ShadowEpoch epoch;
        epoch.split = split;
        epoch.max = all.value;
        epoch.max_error = all.error();
        plan_.epochs.push_back(epoch);
      }
      ++plan_.epochs.back().tiles;
      plan_.epoch_of[t] = plan_.epochs.size() - 1;
    }
  }

  // From the end of each split back: each later epoch costs one factor.
  void set_factor_errors() {
    if (schedule_.max_rule == LVSA_MAX_FINAL) return;
    double later = 0.0;
    for (std::size_t e = plan_.epochs.size(); e-- > 0;) {
      ShadowEpoch& epoch = plan_.epochs[e];
      const bool last = e + 1 == plan_.epochs.size() || plan_.epochs[e + 1].split != epoch.split;
      if (last) {
        later = 0.0;
      } else {
        const ShadowEpoch& next = plan_.epochs[e + 1];
        later += kUnit * (errors_.exp_units + exponent_roundings_ * (next.max - epoch.max));
        if (!schedule_.rescale_exact) later += kUnit * std::fabs(next.max);
      }
      epoch.factor_error = later;
    }
  }

  // p = exp(-below), below = the epoch's maximum less the score.
  void weigh_key(std::size_t j, double p, double below, ShadowEpoch& epoch, double common_error,
                 double divisor) {
    const double eta = score_errors_[j] + kUnit * (exponent_roundings_ * below + errors_.exp_units);
    const double unsure = std::min(
        1.0, kSecondOrder * (eta + (schedule_.normalise_first ? common_error : epoch.max_error)));
    plan_.max_eta = std::max(plan_.max_eta, unsure);
    if (!rounding_.rounds()) {
      plan_.weight[j] = p / divisor;
      plan_.doubt[j] = p / divisor * (schedule_.normalise_first ? unsure : eta);
    } else {
      const double scaled = p / divisor * p_scale_;
      const double rounded = rounding_(scaled);
      const double low = rounding_(scaled * (1.0 - unsure));
      const double high = rounding_(scaled * (1.0 + unsure));
      plan_.weight[j] = rounded / p_scale_;
      plan_.doubt[j] = std::max(high - rounded, rounded - low) / p_scale_;
      if (plan_.doubt[j] > 0.0) ++plan_.doubtful;
    }
    epoch.sum += schedule_.sum_rounded_p ? plan_.weight[j] : p;
    epoch.sum_error += p * eta;
    epoch.doubt += plan_.doubt[j];
  }

  ShadowPlan& plan_;
  const Schedule& schedule_;
  const ShadowErrors& errors_;
  std::span<const double> scores_;
  std::span<const double> score_errors_;
  PRounding rounding_;
  double p_scale_;
  double exponent_roundings_;
  std::vector<double> exponent_;  // of the tile at hand
  std::vector<double> p_;
};

}  // namespace

ShadowPlan plan_row(std::vector<ShadowTile> tiles, const Schedule& schedule,
                    const ShadowErrors& errors, std::span<const double> scores,
                    std::span<const double> score_errors, double accumulation_error) {
  ShadowPlan plan;
  plan.tiles = std::move(tiles);
  plan.weight.resize(scores.size());
  plan.doubt.resize(scores.size());
  RowPlanner planner(plan, schedule, errors, scores, score_errors);
  planner.find_epochs();
  planner.weigh(0.0, 1.0);
  planner.add_up();
  if (schedule.normalise_first) {
    // Again with P divided by the sum, which the first time has found.
    const double divisor = plan.sum;
    const double common = plan.sum_error + accumulation_error + 2.0 * kUnit;
    for (ShadowEpoch& epoch : plan.epochs) epoch.sum = epoch.sum_error = epoch.doubt = 0.0;
    plan.doubtful = 0;
    plan.max_eta = 0.0;
    planner.weigh(common, divisor);
    planner.add_up();
  }
  return plan;
}

}  // namespace lvsa::reference
