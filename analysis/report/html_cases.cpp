#include "analysis/report/html_cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/report/html_case.hpp"
#include "analysis/report/html_details.hpp"
#include "analysis/report/html_masks.hpp"
#include "analysis/report/html_pack.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kChunk = 32;  // cases whose details are unpacked together

// --- filters
// --------------------------------------------------------------------------------------

std::string status_choices(const std::vector<CaseResult>& results) {
  std::string html;
  for (const Status status : listed_statuses()) {
    const auto count = std::count_if(results.begin(), results.end(), [=](const CaseResult& result) {
      return result.status == status;
    });
    if (count == 0) continue;
    html += fmt::format(
        "<label class=\"choice\"><input type=\"checkbox\" name=\"status\" value=\"{0}\""
        " checked>{1}{0} ({2})</label>",
        status_name(status), status_icon(status), count);
  }
  return html;
}

std::string selection(const char* name, const char* label, const std::set<std::string>& values) {
  std::string options = "<option value=\"\">all</option>";
  for (const std::string& value : values) {
    options += fmt::format("<option value=\"{0}\">{0}</option>", escape_markup(value));
  }
  return fmt::format(
      "<div><label class=\"label\" for=\"filter-{0}\">{1}</label><select id=\"filter-{0}\">{2}"
      "</select></div>",
      name, label, options);
}

std::string selections(const std::vector<CaseResult>& results) {
  std::set<std::string> models;
  std::set<std::string> inputs;
  std::set<std::string> dtypes;
  for (const CaseResult& result : results) {
    models.insert(result.c.model);
    inputs.insert(input_text(result.c));
    dtypes.insert(std::string(dtype_name(result.c.dtype)));
  }
  return selection("model", "Model", models) + selection("input", "Input", inputs) +
         selection("dtype", "Type", dtypes);
}

std::string pager_html() {
  return "<span class=\"pager\" id=\"pager\" hidden><label for=\"per-page\">Cases a page</label>"
         "<select id=\"per-page\"><option>50</option><option selected>200</option>"
         "<option>1000</option><option value=\"\">all</option></select>"
         "<button type=\"button\" class=\"plain\" id=\"page-back\">Previous</button>"
         "<span id=\"page-number\"></span>"
         "<button type=\"button\" class=\"plain\" id=\"page-on\">Next</button></span>";
}

std::string filters_html(const std::vector<CaseResult>& results) {
  return fmt::format(
      "<form id=\"filters\" class=\"filters\" aria-label=\"Filters of the cases\">"
      "<fieldset><legend>Status</legend>{}</fieldset>{}"
      "<div><label class=\"label\" for=\"filter-text\">Text in case, message or check</label>"
      "<input type=\"search\" id=\"filter-text\" placeholder=\"D=64 rotate\" autocomplete=\"off\">"
      "</div><button type=\"button\" class=\"plain\" id=\"reset-filters\">Reset</button></form>\n"
      "<div class=\"bar\"><span id=\"shown\" role=\"status\">{} cases</span>{}<span>"
      "<button type=\"button\" class=\"plain\" id=\"open-all\">Open all</button> "
      "<button type=\"button\" class=\"plain\" id=\"close-all\">Close all</button></span></div>\n",
      status_choices(results), selections(results), results.size(), pager_html());
}

// --- data of the script
// ---------------------------------------------------------------------------

// All that the free text looks at.
std::string searched_text(const CaseResult& result) {
  std::string text =
      fmt::format("{} {} {} {} {} {} {}", status_name(result.status), result.kernel, result.line,
                  result.message, result.where, result.suspect, input_text(result.c));
  for (const NamedCheck& check : result.checks) {
    if (check.state == CheckState::kNotApplicable) continue;
    text += fmt::format(" {} {} {}", check.name, check_state_name(check.state), check.message);
  }
  return valid_utf8(text);
}

Json sort_json(const CaseResult& result, std::size_t number) {
  Json values = Json::array();
  for (const SortValue& value : sort_values(result, number)) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      values.push_back(valid_utf8(*text));
    } else if (const auto* measured = std::get_if<double>(&value)) {
      values.push_back(*measured);
    } else {
      values.push_back(nullptr);
    }
  }
  return values;
}

Json index_json(const std::vector<CaseResult>& results) {
  Json cases = Json::array();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const CaseResult& result = results[i];
    const std::size_t number = case_number(results, i);
    cases.push_back({{"number", number},
                     {"status", status_name(result.status)},
                     {"model", valid_utf8(result.c.model)},
                     {"input", input_text(result.c)},
                     {"dtype", dtype_name(result.c.dtype)},
                     {"text", searched_text(result)},
                     {"values", sort_json(result, number)}});
  }
  return {{"cases", std::move(cases)}};
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// For the inside of a <script>: nothing there may look like markup.
std::string script_json(const Json& json) {
  std::string safe;
  for (const char c : dumped(json)) {
    if (c == '<') {
      safe += "\\u003c";
    } else if (c == '&') {
      safe += "\\u0026";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string data_html(const char* id, const std::string& text) {
  return fmt::format("<script type=\"text/plain\" id=\"{}\">{}</script>\n", id, text);
}

// --- table
// ----------------------------------------------------------------------------------------

std::string masks_html(const MaskLibrary& masks) {
  std::string text =
      "<svg id=\"masks\" width=\"0\" height=\"0\" style=\"position:absolute\" "
      "aria-hidden=\"true\">\n";
  for (const auto& [id, symbol] : masks.symbols()) text += symbol;
  return text + "</svg>\n";
}

std::string table_html(const std::string& bodies) {
  return "<div class=\"table-box\"><table class=\"cases\" id=\"cases\"><caption "
         "class=\"visually-hidden\">"
         "Cases; the button in the first column opens the details</caption>\n" +
         case_table_head() + bodies +
         "</table></div>\n<p id=\"none\" class=\"panel empty\" hidden>No case fits the "
         "filters.</p>\n";
}

// The masks stand before the rows that refer to them.
std::string plain_cases(const std::vector<CaseResult>& results) {
  MaskLibrary masks;
  std::string bodies;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const MaskEntry mask = masks.add(results[i].c);
    const std::size_t number = case_number(results, i);
    bodies += case_table_body(results[i], number, mask, case_details(results[i], number, mask));
  }
  return masks_html(masks) + table_html(bodies) +
         data_html("index", script_json(index_json(results)));
}

std::string packed_cases(const std::vector<CaseResult>& results) {
  Json index = index_json(results);
  index["chunk"] = kChunk;
  MaskLibrary masks;
  Json rows = Json::array();
  Json details = Json::array();
  std::string chunks;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const MaskEntry mask = masks.add(results[i].c);
    const std::size_t number = case_number(results, i);
    rows.push_back(case_table_body(results[i], number, mask, ""));
    details.push_back(case_details(results[i], number, mask));
    if (details.size() < kChunk && i + 1 < results.size()) continue;
    chunks +=
        data_html(fmt::format("details-{}", i / kChunk).c_str(), packed_text(dumped(details)));
    details = Json::array();
  }
  index["rows"] = std::move(rows);
  index["masks"] = Json::object();
  for (const auto& [id, symbol] : masks.symbols()) index["masks"][id] = symbol;
  return "<noscript><p class=\"panel\">This run is too long to stand here in full without the "
         "page's "
         "script; report.jsonl and report.md hold it.</p></noscript>\n" +
         masks_html({}) + table_html("") + data_html("packed-index", packed_text(dumped(index))) +
         chunks;
}

}  // namespace

const std::vector<Status>& listed_statuses() {
  static const std::vector<Status> statuses = {
      Status::kPass,  Status::kWeak,    Status::kFail,       Status::kError,
      Status::kCrash, Status::kTimeout, Status::kUnsupported};
  return statuses;
}

std::string cases_html(const std::vector<CaseResult>& results) {
  std::string html = "<h2 id=\"cases-heading\" tabindex=\"-1\">Cases</h2>\n";
  if (results.empty()) return html + "<p class=\"panel empty\">This run had no cases.</p>\n";
  html += filters_html(results);
  return html + (results.size() > kMostPlainCases ? packed_cases(results) : plain_cases(results));
}

}  // namespace lvsa::analysis
