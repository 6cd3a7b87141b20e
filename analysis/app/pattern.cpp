// lvsa-verify pattern: the block map that a rule makes, as figures, picture and file; two rules
// against each other; a user's own file under examination.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/app/command.hpp"
#include "analysis/app/rule_process.hpp"
#include "analysis/app/sample_options.hpp"
#include "analysis/patterns/pattern_calls.hpp"
#include "analysis/patterns/pattern_text.hpp"
#include "analysis/run/pattern_process.hpp"
#include "analysis/sweep/sweep_axes.hpp"
#include "analysis/synth/video_words.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/hdf5_writer.hpp"
#include "core/sparse/pattern_file.hpp"

namespace lvsa::app {
namespace {

using analysis::PatternCall;
using Json = nlohmann::ordered_json;

struct PatternOptions {
  std::vector<std::string> words;
  std::string size;
  std::string against;
  std::string check;
  std::string out;
  std::string png;
  SampleOptions samples;
  RuleProcessOptions process;
  std::string as_worker;
  bool about = false;
  bool json = false;
};

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::kValue, message); }

bool has_tensors(const PatternOptions& options) {
  return !options.samples.synthetic.empty() || !options.samples.capture.path.empty();
}

std::vector<std::int64_t> numbers(const std::string& option, const std::string& text) {
  constexpr std::int64_t kMost = 1'000'000;
  if (text.empty()) return {0};
  return analysis::parse_integer_axis(option, text, 0, kMost);
}

// All calls that the options ask for.
class Calls {
 public:
  explicit Calls(const PatternOptions& options) {
    const SampleOptions& chosen = options.samples;
    if (has_tensors(options)) {
      size_ = analysis::parse_video_size(options.size, false);
      if (!chosen.synthetic.empty() && size_.height == 0) {
        const synth::VideoWords video = synth::parse_video(chosen.synthetic);
        size_.height = video.height;
        size_.width = video.width;
      }
      source_ = open_samples(chosen);
      return;
    }
    if (options.size.empty()) {
      refuse("--size T=..,h=..,w=.. is due, or tensors (--synthetic WORDS, --capture FILE)");
    }
    size_ = analysis::parse_video_size(options.size);
    layers_ = numbers("--layers", chosen.layers);
    steps_ = numbers("--steps", chosen.steps);
    heads_ = numbers("--heads", chosen.heads);
  }

  bool single() const {
    return source_ ? source_->ids().size() == 1
                   : layers_.size() * steps_.size() * heads_.size() == 1;
  }
  // One after the other.
  void each(const std::function<void(const PatternCall&)>& use) const {
    if (source_) return for_pattern_calls(*source_, size_, use);
    for_pattern_calls(size_, layers_, steps_, heads_, use);
  }

 private:
  VideoGrid size_;
  std::unique_ptr<analysis::SampleSource> source_;  // null: no tensors
  std::vector<std::int64_t> layers_;
  std::vector<std::int64_t> steps_;
  std::vector<std::int64_t> heads_;
};

// The group of a call in a file: "/" where it is the only one.
std::string group_of(const analysis::SampleId& id) {
  std::string group;
  if (id.layer >= 0) group += fmt::format("layer{}/", id.layer);
  if (id.step >= 0) group += fmt::format("step{}/", id.step);
  if (id.batch > 0) group += fmt::format("batch{}/", id.batch);
  return group + fmt::format("head{}", id.head);
}

class PatternFile {
 public:
  PatternFile(const std::string& path, bool single)
      : sink_(create_tensor_file(path, tensor_format_of_name(path))), single_(single) {}

  void add(const PatternCall& call, const HeadPattern& pattern, const std::string& words) {
    if (single_) return write_pattern(*sink_, "/", pattern, words);
    const std::string group = group_of(call.id);
    for (std::size_t at = group.find('/');; at = group.find('/', at + 1)) {
      const std::string part = group.substr(0, at);
      if (groups_.insert(part).second) sink_->group(part);
      if (at == std::string::npos) break;
    }
    write_pattern(*sink_, group, pattern, words);
  }
  void commit() { sink_->commit(); }

 private:
  std::unique_ptr<TensorSink> sink_;
  std::set<std::string> groups_;
  bool single_;
};

std::string call_text(const analysis::SampleId& id) {
  return fmt::format("layer {} step {} head {}", std::max<std::int64_t>(id.layer, 0),
                     std::max<std::int64_t>(id.step, 0), id.head);
}

Json call_json(const PatternCall& call) {
  return {{"layer", call.id.layer},
          {"step", call.id.step},
          {"batch", call.id.batch},
          {"head", call.id.head}};
}

HeadPattern make_checked(const PatternRule& rule, const PatternCall& call,
                         const std::string& words) {
  HeadPattern pattern = rule.make(call.input);
  check_head_pattern(pattern, words);
  return pattern;
}

Json video_json(const VideoGrid& video) {
  return {{"frames", video.grid.frames},
          {"height", video.height},
          {"width", video.width},
          {"patches_per_frame", video.grid.patches_per_frame},
          {"text", video.grid.text_tokens}};
}

int show(const PatternOptions& options, const std::string& line) {
  const auto rule = rule_maker(options.process)(line);
  const std::string words = canonical_rule_words(line);
  const Calls calls(options);
  const bool single = calls.single();
  if (!options.png.empty() && !single) {
    refuse("--png: a picture of one pattern; one head is due (--layers, --steps, --heads)");
  }
  std::unique_ptr<PatternFile> file;
  if (!options.out.empty()) file = std::make_unique<PatternFile>(options.out, single);
  Json json{{"words", words}, {"patterns", Json::array()}};
  std::string text = single ? "" : fmt::format("{:<24} {}", words, analysis::figures_heading());
  calls.each([&](const PatternCall& call) {
    const HeadPattern pattern = make_checked(*rule, call, words);
    const analysis::PatternFigures figures = analysis::pattern_figures(pattern);
    if (file) file->add(call, pattern, words);
    if (!options.png.empty()) {
      write_file_atomically(options.png, encode_png(analysis::draw_block_map(pattern.map, words)));
    }
    json["video"] = video_json(call.input.video);
    json["patterns"].push_back(call_json(call));
    json["patterns"].back().update(analysis::figures_json(figures));
    text += single ? fmt::format("{:<14} {}\n{}", "pattern", words, analysis::figures_text(figures))
                   : fmt::format("{:<24} {}", call_text(call.id), analysis::figures_line(figures));
  });
  if (file) file->commit();
  fmt::print("{}", options.json ? json.dump(2) + "\n" : text);
  return kAllGood;
}

int compare(const PatternOptions& options, const std::string& line) {
  if (!options.out.empty() || !options.png.empty()) {
    refuse("--against: neither --out nor --png goes with it");
  }
  const RuleMaker make = rule_maker(options.process);
  const auto first = make(line);
  const auto second = make(options.against);
  const std::string words = canonical_rule_words(line);
  const std::string other = canonical_rule_words(options.against);
  Json json{{"first", words}, {"second", other}, {"patterns", Json::array()}};
  std::string text = fmt::format("{:<14} {}\n{:<14} {}\n", "first", words, "second", other);
  bool same = true;
  Calls(options).each([&](const PatternCall& call) {
    const analysis::PatternDifference difference = analysis::pattern_difference(
        make_checked(*first, call, words), make_checked(*second, call, other));
    same = same && difference.none();
    json["patterns"].push_back(call_json(call));
    json["patterns"].back().update(analysis::difference_json(difference));
    text += fmt::format("\n{}\n{}", call_text(call.id), analysis::difference_text(difference));
  });
  fmt::print("{}", options.json ? json.dump(2) + "\n" : text);
  return same ? kAllGood : kCheckFailed;
}

// Every pattern of a file; the first thing that is wrong is an error.
int check(const PatternOptions& options) {
  const auto file = open_tensor_file(options.check);
  const std::vector<std::string> groups = pattern_groups(*file);
  if (groups.empty()) refuse(options.check + ": holds no tensor indptr: docs/patterns/file.md");
  Json json{{"file", options.check}, {"patterns", Json::array()}};
  std::string text = fmt::format("{:<24} {}", "group", analysis::figures_heading());
  for (const std::string& group : groups) {
    const std::vector<HeadPattern> patterns = read_patterns(*file, group);
    for (std::size_t head = 0; head < patterns.size(); ++head) {
      const analysis::PatternFigures figures = analysis::pattern_figures(patterns[head]);
      const std::string name =
          patterns.size() == 1 ? group : fmt::format("{} head {}", group, head);
      text += fmt::format("{:<24} {}", name, analysis::figures_line(figures));
      json["patterns"].push_back({{"group", group}, {"head", head}});
      json["patterns"].back().update(analysis::figures_json(figures));
    }
  }
  fmt::print("{}", options.json ? json.dump(2) + "\n" : text);
  return kAllGood;
}

int run_pattern(const PatternOptions& options) {
  if (!options.as_worker.empty()) {
    return analysis::serve_patterns(analysis::parse_worker_set_up(options.as_worker),
                                    options.words.front());
  }
  leave_hdf5_open_at_exit();
  if (!options.check.empty()) {
    if (!options.words.empty()) refuse("--check FILE: no rule goes with it");
    return check(options);
  }
  if (options.words.empty()) {
    fmt::print("{}", options.json ? analysis::rules_json().dump(2) + "\n" : analysis::rules_text());
    return kAllGood;
  }
  const std::string line = fmt::format("{}", fmt::join(options.words, " "));
  if (options.about) {
    fmt::print("{}", analysis::rule_text(rule_info(line.substr(0, line.find(' ')))));
    return kAllGood;
  }
  return options.against.empty() ? show(options, line) : compare(options, line);
}

}  // namespace

void add_pattern_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<PatternOptions>();
  CLI::App* command = app.add_subcommand(
      "pattern",
      "Make a sparse pattern's block map: its density, a picture, a file; list the rules");
  command
      ->add_option("words", options->words,
                   "The rule and its parameters, NAME KEY=VALUE ...; none: the rules are listed")
      ->type_name("WORDS");
  command->add_flag("--about", options->about, "Source and parameters of the rule");
  command
      ->add_option("--size", options->size,
                   "The video, T=21,h=30,w=52,text=0 (P=1560 for h and w that are not known); "
                   "beside tensors h and w alone")
      ->type_name("WORDS");
  add_sample_options(command, options->samples);
  command
      ->add_option("--against", options->against,
                   "Another rule: what the two differ in; exit code 1 where they do")
      ->type_name("WORDS");
  command->add_option("--out", options->out, "Write the map: .h5, .safetensors, folder/ of .npy")
      ->type_name("FILE");
  command->add_option("--png", options->png, "Draw the block map")->type_name("FILE");
  command
      ->add_option("--check", options->check,
                   "Look through a file of patterns (docs/patterns/file.md) and name what is wrong")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "JSON in place of text");
  add_rule_process_options(command, options->process);
  command->add_option("--as-worker", options->as_worker)->group("");
  command->footer(
      "Examples:\n"
      "  lvsa-verify pattern\n"
      "  lvsa-verify pattern radial --about\n"
      "  lvsa-verify pattern radial decay=0.5 --size T=21,h=30,w=52 --png radial.png\n"
      "  lvsa-verify pattern sparge topk=0.3 --synthetic 'T=5 h=16 w=16 heads=4 D=64' --out s.h5\n"
      "  lvsa-verify pattern csr file=s.h5 group=layer0/step0/head2 --against 'sparge topk=0.3' "
      "--synthetic 'T=5 h=16 w=16 heads=4 D=64' --heads 2\n"
      "Without tensors --layers, --steps and --heads say for which numbers the rule is asked "
      "(default 0).");
  command->callback([options, &body] { body = [options] { return run_pattern(*options); }; });
}

}  // namespace lvsa::app
