#include "analysis/report/html_assets.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::string_view kIcons =
    R"svg(<svg width="0" height="0" style="position:absolute" aria-hidden="true">
<symbol id="icon-pass" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7"/><path d="M4.6 8.3l2.4 2.4 4.6-5" fill="none" stroke="var(--panel)" stroke-width="2"/></symbol>
<symbol id="icon-weak" viewBox="0 0 16 16"><path d="M8 0l8 8-8 8-8-8z"/><path d="M4 9c1.4-2.4 2.7-2.4 4-1s2.6 1.4 4-1" fill="none" stroke="var(--panel)" stroke-width="1.8"/></symbol>
<symbol id="icon-fail" viewBox="0 0 16 16"><path d="M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7z"/><path d="M5 5l6 6M11 5l-6 6" fill="none" stroke="var(--panel)" stroke-width="2"/></symbol>
<symbol id="icon-error" viewBox="0 0 16 16"><path d="M8 .5L16 15.5H0z"/><path d="M8 5.5v5M8 12v2" fill="none" stroke="var(--panel)" stroke-width="2"/></symbol>
<symbol id="icon-crash" viewBox="0 0 16 16"><path d="M8 0l1.9 3.4L13.7 2.3 12.6 6.1 16 8l-3.4 1.9 1.1 3.8-3.8-1.1L8 16l-1.9-3.4-3.8 1.1 1.1-3.8L0 8l3.4-1.9L2.3 2.3l3.8 1.1z"/><path d="M8.8 4L6 8.4h4L7.2 12" fill="none" stroke="var(--panel)" stroke-width="1.5"/></symbol>
<symbol id="icon-timeout" viewBox="0 0 16 16"><path d="M2 0h12v2.2c0 2.7-1.6 4.2-3.6 5.8 2 1.6 3.6 3.1 3.6 5.8V16H2v-2.2C2 11.1 3.6 9.6 5.6 8 3.6 6.4 2 4.9 2 2.2z"/><path d="M5 13.2h6L8 10.2zM5.4 3.2h5.2" fill="var(--panel)" stroke="var(--panel)" stroke-width="1"/></symbol>
<symbol id="icon-holds" viewBox="0 0 16 16"><path d="M2.5 8.5l3.6 3.6 7.4-8" fill="none" stroke="currentColor" stroke-width="2.4"/></symbol>
<symbol id="icon-fails" viewBox="0 0 16 16"><path d="M3 3l10 10M13 3L3 13" fill="none" stroke="currentColor" stroke-width="2.4"/></symbol>
<symbol id="icon-na" viewBox="0 0 16 16"><path d="M3 8h10" fill="none" stroke="currentColor" stroke-width="2.4"/></symbol>
<symbol id="icon-unsupported" viewBox="0 0 16 16"><path d="M1 1h14v14H1zM3 3v10h10V3z" fill-rule="evenodd"/><path d="M5 7h6v2H5z"/></symbol>
</svg>)svg";

}  // namespace

std::string_view html_icons() { return kIcons; }

}  // namespace lvsa::analysis
