// Targets that read what people have of a run: model folders and captured lengths.
#include "analysis/diagnose/batch.hpp"
#include "analysis/diagnose/model_folder.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace lvsa::fuzz {

// The three files of a folder, with lines of "---" between them.
void fuzz_model_folder(std::string_view bytes) {
  std::string_view parts[3];
  for (std::string_view& part : parts) {
    const std::size_t end = bytes.find("\n---\n");
    part = bytes.substr(0, end);
    bytes = end == std::string_view::npos ? std::string_view() : bytes.substr(end + 5);
  }
  const analysis::ModelFolder folder =
      analysis::model_from_configs(parts[0], parts[1], parts[2], "fuzz");
  require(folder.model.heads % folder.model.kv_heads == 0, "heads are a multiple of kv heads");
  require(!folder.model.sizes.empty(), "a model has a size");
}

void fuzz_geometry_batch(std::string_view bytes) {
  analysis::Question question;
  analysis::Batch batch(question);
  analysis::read_batch_text(bytes, "fuzz", question, batch);
  const analysis::BatchSummary summary = batch.summary();
  std::int64_t judged = 0;
  for (const std::int64_t calls : summary.by_verdict) judged += calls;
  require(judged == summary.rows, "every row has a verdict");
}

}  // namespace lvsa::fuzz
