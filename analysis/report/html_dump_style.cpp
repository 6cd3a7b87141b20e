#include "analysis/report/html_dump.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kStyle = R"css(
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); gap: .7rem; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .5rem .6rem .6rem; }
.card.chosen-card { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.card button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; display: flex; flex-wrap: wrap; gap: 0 .5rem; width: 100%; text-align: left; align-items: baseline; }
.card button:hover .name { color: var(--accent); }
.card .name { font-weight: 600; } .card .kind { color: var(--soft); flex-basis: 100%; font-size: .88rem; line-height: 1.2; } .card .kept { margin-left: auto; font-variant-numeric: tabular-nums; font-size: .88rem; }
.source { margin: .2rem 0; overflow-wrap: anywhere; }
.card canvas, #large { display: block; width: 100%; image-rendering: pixelated; cursor: crosshair; margin-top: .35rem; }
.map-legend { display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; align-items: center; margin-bottom: .7rem; }
.map-legend .legend { margin: 0; }
.bar-box { position: relative; display: inline-block; padding-bottom: 1.15rem; margin: 0 1rem; }
#bar { display: block; border: 1px solid var(--line); }
#bar-text span { position: absolute; top: 15px; transform: translateX(-50%); font-size: .76rem; color: var(--soft); white-space: nowrap; }
.steps { display: inline-flex; gap: .5rem; align-items: center; }
.chosen-panel { display: grid; grid-template-columns: minmax(0, 34rem) minmax(0, 1fr); gap: 1rem 2rem; align-items: start; }
.chosen-panel h3, #tokens-panel h3 { font-size: 1rem; margin: .2rem 0 .4rem; }
.small-chart { position: relative; height: 15rem; }
.charts .no-charts { display: none; }
.tokens { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .5rem; margin-top: .5rem; }
.tokens figure { margin: 0; } .tokens figcaption { font-size: .78rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.tokens .kept-frame figcaption { color: var(--ink); }
.tokens canvas { width: 100%; image-rendering: pixelated; display: block; }
#tip { position: fixed; z-index: 9; pointer-events: none; background: var(--ink); color: var(--panel); border-radius: 5px; padding: .25rem .5rem; font-size: .82rem; white-space: nowrap; }
.static-sheet { max-width: 100%; }
#table tbody tr { cursor: pointer; }
@media (max-width: 60rem) { .chosen-panel { grid-template-columns: minmax(0, 1fr); } }
@media print { #controls { display: none; } .cards { grid-template-columns: repeat(4, 1fr); } .card, .tokens figure { break-inside: avoid; } #readout { display: none; } .chosen-panel { grid-template-columns: 1fr 1fr; } }
)css";

}  // namespace

std::string_view html_dump_style() { return kStyle; }

}  // namespace lvsa::analysis
