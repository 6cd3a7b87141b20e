#pragma once
// What a block map says of one query row or of one pair of blocks, for lvsa-verify explain.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/blocks/head_pattern.hpp"
#include "core/blocks/pattern_rule.hpp"
#include "reference/attention/blocks/skip_decisions.hpp"

namespace lvsa::analysis {

/// A parameter of the rule that made the map.
struct ExplainedParameter {
  std::string name;
  std::string value;
  bool given = false;  ///< else it is the default
};

/// The map of one head, and where a query row stands in it.
struct ExplainedHead {
  std::string rule;  ///< name of the rule
  std::vector<ExplainedParameter> parameters;
  std::string choice;  ///< what the rule decided for this head; empty: nothing
  std::int64_t row_blocks = 0;
  std::int64_t column_blocks = 0;
  std::int64_t kept = 0;
  BlockSize nominal;                ///< tokens of a whole block
  double density = 0.0;             ///< attended pairs of tokens over all; the skip does not count
  bool ordered = false;             ///< places are not tokens
  bool masked = false;              ///< some entry has an element mask
  std::optional<double> threshold;  ///< of the online skip, log2 units
  std::int64_t query_block = 0;
  std::int64_t query_begin = 0;  ///< its places
  std::int64_t query_end = 0;
};

/// A kept key block of the row's query block.
struct ExplainedBlock {
  std::int64_t block = 0;
  std::int64_t begin = 0;  ///< its places
  std::int64_t end = 0;
  std::int32_t mask = -1;          ///< number of the element mask; -1: all pairs
  std::vector<std::int64_t> keys;  ///< tokens that the row attends in it, by place
  std::string bits;                ///< with a mask: '#' attended, '.' not, one for each place
  double share = 0.0;              ///< of the row's weight; 0 of skipped blocks
  reference::SkipDecision skip;
};

/// The row under another rule.
struct ExplainedOther {
  std::string rule;
  bool same_blocks = false;  ///< same block sizes and order, so that key blocks can be compared
  std::vector<std::int64_t> only_here;  ///< key blocks of the row's query block
  std::vector<std::int64_t> only_there;
  std::vector<std::int64_t> other_mask;  ///< kept by both, the row's keys in it differ
  std::int64_t keys = 0;                 ///< of the row there
  std::int64_t shared_keys = 0;
  std::vector<std::int64_t> tokens_here;   ///< keys that the row has here alone
  std::vector<std::int64_t> tokens_there;  ///< and there alone
  std::int64_t rows = 0;                   ///< of the head whose keys differ, of all of them
  double out = 0.0;                        ///< what the element is there, exactly
  double lse = 0.0;
  bool fits = false;  ///< the kernel's value and log-sum-exp are within tier A's intervals there
};

struct ExplainedMap {
  ExplainedHead head;
  std::int64_t place = 0;              ///< of the query
  std::vector<ExplainedBlock> blocks;  ///< in the order of the map
  double skipped_mass = 0.0;  ///< mass of the skipped keys, of the sum over all visible ones
  double doubt_mass = 0.0;    ///< mass of the keys in doubt, of the row's sum
  std::optional<ExplainedOther> other;
};

/// A reading of the pair of blocks, and how many rows of the query block fit it.
struct ExplainedReading {
  std::string what;
  std::int64_t fits = 0;
};

/// One pair of a query block and a key block.
struct ExplainedPair {
  std::int64_t batch = 0;
  std::int64_t head_number = 0;
  ExplainedHead head;
  std::int64_t key_block = 0;
  std::int64_t key_begin = 0;  ///< its places
  std::int64_t key_end = 0;
  std::vector<std::int64_t> query_tokens;  ///< by place
  std::vector<std::int64_t> key_tokens;
  bool kept = false;
  std::int64_t entry = 0;             ///< of the map, where it is kept
  std::vector<std::int64_t> columns;  ///< that the query block keeps
  std::vector<std::int64_t> keepers;  ///< query blocks that keep the key block
  std::int32_t mask = -1;
  std::int64_t pairs = 0;         ///< attended in the block
  std::vector<std::string> bits;  ///< with a mask, a query a line
  reference::SkipDecision skip;   ///< where it is kept
  std::vector<double> shares;     ///< of each query's weight on the key block
  std::string judged;             ///< whose outputs the readings are of; empty: nobody's
  std::vector<ExplainedReading> readings;
};

}  // namespace lvsa::analysis
