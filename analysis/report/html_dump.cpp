#include "analysis/report/html_dump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "analysis/maps/map_pictures.hpp"
#include "analysis/report/chart_library.hpp"
#include "analysis/report/html_charts.hpp"
#include "analysis/report/html_pack.hpp"
#include "analysis/report/text_format.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kTableRows = 400;
constexpr std::size_t kListedSamples = 200;  // excluded ones

std::string shown(std::int64_t number) { return number < 0 ? "-" : std::to_string(number); }

std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string header_html(const Dump& dump) {
  const LatentSize& size = dump.options.size;
  return fmt::format(
      "<header>\n<p class=\"kicker\">LVSA attention maps</p>\n<h1>{}</h1>\n<p class=\"source "
      "mono\">{}</p>\n<p class=\"soft\">{} latent frames of {} x {} = {} tokens ({}){} &middot; "
      "masses of {}<br>Pattern <span class=\"mono\">{}</span></p>\n</header>\n<main>\n",
      counted(dump.heads.size(), "head"), escape_markup(dump.identity), dump.grid.frames,
      size.height, size.width, dump.grid.patches_per_frame, escape_markup(size.source),
      dump.grid.text_tokens > 0 ? fmt::format(" and {} of text", dump.grid.text_tokens) : "",
      escape_markup(dump.masses_of), escape_markup(setting_words(dump.options.setting)));
}

std::string tiles_html(const Dump& dump) {
  std::set<std::int64_t> layers;
  std::set<std::int64_t> steps;
  double recall = 0.0;
  double least = 1.0;
  for (const DumpedHead& head : dump.heads) {
    layers.insert(head.id.layer);
    steps.insert(head.id.step);
    recall += head.kept.recall;
    least = std::min(least, head.kept.recall);
  }
  recall /= static_cast<double>(dump.heads.size());
  const auto tile = [](const char* name, const std::string& value) {
    return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", name, value);
  };
  return "<dl class=\"tiles\">" + tile("heads", std::to_string(dump.heads.size())) +
         tile("layers", std::to_string(layers.size())) +
         tile("steps", std::to_string(steps.size())) + tile("mean recall", number_text(recall, 4)) +
         tile("recall of the worst head", number_text(least, 4)) +
         tile("density in frame pairs", number_text(dump.patterns.front().frame_density(), 3)) +
         "</dl>\n";
}

constexpr const char* kControls =
    R"html(<h2 id="maps-heading">Mass from query frames (down) to key frames (across)</h2>
<form id="controls" class="filters controls needs-script">
<label><span class="label">Layer</span><select id="layer"></select></label>
<div id="step-label"><span class="label">Denoising step <output id="step-text" for="step"></output></span><span class="steps"><input type="range" id="step" min="0" step="1" aria-label="Denoising step"><button type="button" class="plain" id="play">Play</button></span></div>
<label id="batch-label"><span class="label">Batch element</span><select id="batch"></select></label>
<fieldset id="classes"><legend>Classes</legend></fieldset>
<label><span class="label">Heads</span><input type="search" id="heads" placeholder="all, or 0,3-5" size="10"></label>
<label><span class="label">Colours</span><select id="scale"><option value="log">logarithmic</option><option value="linear">linear</option></select></label>
<label class="choice"><input type="checkbox" id="mask" checked>pattern over the maps</label>
</form>
<p class="count needs-script" id="count" role="status"></p>
<div class="map-legend needs-script"><span class="bar-box"><canvas id="bar" width="240" height="12" role="img" aria-label="Scale of the colours"></canvas><span id="bar-text"></span></span><ul class="legend"><li><svg width="14" height="14" aria-hidden="true"><path d="M1 1h12v12H1z" fill="#087e8c"/><path d="M7 3v8" stroke="#fff"/></svg>global</li><li><svg width="14" height="14" aria-hidden="true"><path d="M1 1h12v12H1z" fill="#087e8c"/><path d="M3 7h8" stroke="#fff"/></svg>window</li><li><svg width="14" height="14" aria-hidden="true"><path d="M1 1h12v12H1z" fill="#087e8c"/><path d="M3 7h8M7 3v8" stroke="#fff"/></svg>both</li><li>line: border of what the pattern attends</li></ul></div>
<div id="cards" class="cards needs-script"></div>
<p class="empty needs-script" id="none" hidden>No head is left by these filters.</p>
)html";

constexpr const char* kChosen =
    R"html(<section class="needs-script" aria-labelledby="chosen-heading"><h2 id="chosen-heading">Chosen head</h2>
<div class="panel chosen-panel"><div><canvas id="large" tabindex="0" role="img" aria-label="Map of the chosen head; the arrow keys walk over it"></canvas><p class="soft" id="readout">Point at a cell, or walk with the arrow keys.</p></div>
<div><dl class="facts" id="facts"></dl><h3>Mass by distance in frames</h3><div class="small-chart needs-charts"><canvas id="profile" role="img" aria-label="Mass of the chosen head by the distance of query and key frame"></canvas></div><p class="soft no-charts">Charts were left out when this program was built.</p></div></div>
<div class="panel" id="tokens-panel" hidden><h3 id="tokens-heading">Where single tokens look</h3><label class="tokens-choice">Query row <select id="place"></select></label><div id="tokens" class="tokens"></div></div></section>
<section class="needs-charts" aria-labelledby="heads-chart-heading"><h2 id="heads-chart-heading">Heads</h2><div class="panel"><div class="filters controls"><label><span class="label">Across</span><select id="across"></select></label></div><div class="chart-box"><canvas id="heads-chart" role="img" aria-label="Recall of the heads; the table below has the figures"></canvas></div><p class="soft chart-hint">Click a point to choose its head.</p></div></section>
)html";

std::string row_html(const Dump& dump, std::size_t at) {
  const DumpedHead& head = dump.heads[at];
  const HeadStatistics& s = head.statistics;
  std::string name(head_class_name(head.head_class));
  if (!head.class_said.empty() && head.class_said != name) {
    name += fmt::format(" (source: {})", escape_markup(head.class_said));
  }
  std::string row = fmt::format(
      "<tr data-at=\"{}\"><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><th "
      "scope=\"row\" class=\"n\">{}</th><td>{}</td>",
      at, shown(head.id.layer), shown(head.id.step), head.id.batch, head.id.head, name);
  for (const double value : {head.kept.recall, head.kept.recall_min, s.own_frame, s.same_place,
                             s.first_frame, s.anchor}) {
    row += fmt::format("<td class=\"n\">{:.4f}</td>", value);
  }
  row += fmt::format(
      "<td class=\"n\">{}</td><td class=\"n\">{:.4f}</td><td class=\"n\">{:.2f}</td><td "
      "class=\"n\">{:.3f}</td></tr>\n",
      s.anchor_frame, s.text, s.distance, s.spread);
  return row;
}

std::string table_html(const Dump& dump) {
  std::vector<std::size_t> order(dump.heads.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::string note;
  if (order.size() > kTableRows) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return dump.heads[a].kept.recall < dump.heads[b].kept.recall;
    });
    order.resize(kTableRows);
    note = fmt::format(
        "<p class=\"count\">The {} heads that keep the least; heads.csv has all.</p>", kTableRows);
  }
  std::string html =
      "<h2 id=\"table-heading\">All heads</h2>\n" + note +
      "<div class=\"panel scroll\" role=\"region\" tabindex=\"0\" aria-label=\"All heads\"><table "
      "class=\"plain\" id=\"table\"><thead><tr>";
  for (const char* title :
       {"Layer", "Step", "Batch", "Head", "Class", "Recall", "Least recall of a frame", "Own frame",
        "Same place", "First frame", "Anchor", "Anchor frame", "Text", "Distance", "Spread"}) {
    const bool number = std::string_view(title) != "Class";
    html += fmt::format("<th scope=\"col\"{}>{}</th>", number ? " class=\"n\"" : "", title);
  }
  html += "</tr></thead><tbody>\n";
  for (const std::size_t at : order) html += row_html(dump, at);
  return html + "</tbody></table></div>\n";
}

std::string excluded_html(const Dump& dump) {
  if (dump.excluded.empty()) return "";
  std::string html =
      fmt::format("<h2>Left out</h2>\n<p class=\"count\">{}</p><div class=\"panel\"><ul>",
                  counted(dump.excluded.size(), "sample"));
  for (std::size_t i = 0; i < std::min(dump.excluded.size(), kListedSamples); ++i) {
    html += fmt::format("<li>{}: {}</li>", escape_markup(describe(dump.excluded[i].id)),
                        escape_markup(dump.excluded[i].reason));
  }
  return html + "</ul></div>\n";
}

constexpr const char* kHelp = R"html(<h2>What it means</h2>
<div class="panel help"><dl>
<dt>Mass</dt><dd>The share of a query's softmax (dense attention over all keys) that the keys of a frame get, mean over the rows of a query frame. A row of a map and the text add up to 1.</dd>
<dt>Recall and lost mass</dt><dd>The mass on the frames that the pattern attends and on the text, mean over the query frames; lost is the rest.</dd>
<dt>Own frame, same place, first frame, anchor</dt><dd>Mass on the query's own frame; within one token of its place in other frames; on frame 0; on the one frame that queries of other frames give the most.</dd>
<dt>Spread</dt><dd>Entropy of the softmax over its largest value, ln S: 1 where all keys get alike.</dd>
<dt>Classes</dt><dd>Spatial, temporal or global by the largest of own frame, same place, and anchor or text, where it lies 0.3 or more above even attention; else diffuse from a spread of 0.9 on; else mixed.</dd>
</dl></div>
)html";

std::string footer_html(const Provenance& provenance) {
  std::string html = "</main>\n<footer>\n<h2>Where this comes from</h2>\n<dl class=\"facts\">";
  for (const auto& [name, value] : provenance) {
    html += fmt::format("<dt>{}</dt><dd>{}</dd>", escape_markup(name), escape_markup(value));
  }
  return html + "</dl>\n</footer>\n";
}

// Readers without script get the first sheet as a picture.
std::string static_html(const Dump& dump) {
  Dump first;
  first.grid = dump.grid;
  first.options = dump.options;
  first.options.places.clear();
  first.patterns = dump.patterns;
  first.masses_of = dump.masses_of;
  const SampleId& id = dump.heads.front().id;
  for (const DumpedHead& head : dump.heads) {
    if (head.id.layer == id.layer && head.id.step == id.step && head.id.batch == id.batch &&
        head.id.source == id.source) {
      first.heads.push_back(head);
      first.heads.back().maps.clear();
    }
  }
  std::string html;
  try {
    draw_pictures(first, {}, [&](const std::string& name, const std::string& bytes) {
      if (!name.ends_with(".png")) return;
      html = fmt::format(
          "<noscript><img class=\"static-sheet\" alt=\"Maps of the first layer and step\" "
          "src=\"data:image/png;base64,{}\"></noscript>\n",
          base64_text(bytes));
    });
  } catch (const Error&) {  // too many frames for a picture
  }
  return html;
}

}  // namespace

void check_page_size(std::size_t heads, const DumpOptions& options, const FrameGrid& grid) {
  const auto refuse_beyond = [heads](std::size_t each, std::size_t most, const char* what) {
    if (each == 0 || heads <= most / each) return;
    throw Error(ErrorKind::kValue,
                fmt::format("--html: {} heads of {} {} are too much for a page; at most {} in all "
                            "are due, with fewer --layers, --steps, --heads or --rows",
                            heads, each, what, most));
  };
  refuse_beyond(static_cast<std::size_t>(grid.frames * grid.frames), kMostPageMasses, "masses");
  refuse_beyond(static_cast<std::size_t>(grid.video_tokens()) * options.places.size(),
                kMostPageWeights, "weights of tokens");
}

std::string html_dump(const Dump& dump, const Provenance& provenance) {
  const std::string title =
      fmt::format("{} - LVSA attention maps", counted(dump.heads.size(), "head"));
  std::string page = chart_page_head(title, "maps-heading", "Skip to the maps");
  page += fmt::format("<style>{}</style>\n", html_dump_style());
  page += header_html(dump) + tiles_html(dump) + chart_library_note() + kControls +
          static_html(dump) + kChosen + table_html(dump) + excluded_html(dump) + kHelp +
          footer_html(provenance) + html_dump_data(dump);
  return page + chart_page_end(html_dump_script());
}

void write_dump_page(const Dump& dump, const std::string& path, const Provenance& provenance) {
  write_file_atomically(path, html_dump(dump, provenance));
}

}  // namespace lvsa::analysis
