// The page's style sheet. Hues are those of the window (ui/gui/palette.h); nothing is said by colour alone.
#pragma once

namespace draftscope {

inline constexpr char kPageStyle[] = R"css(
:root{--page:#fff;--text:#15181d;--dim:#555d68;--line:#c3c9d1;--soft:#eef0f3;--base:#555d68;--fixed:#0072b2;
--published:#b84a00;--ours:#00795a;--hindsight:#a3467c;--amber:#9a6700}
@media screen and (prefers-color-scheme:dark){:root{--page:#14171c;--text:#e8eaed;--dim:#a3abb6;--line:#3a424e;
--soft:#1f242c;--base:#a3abb6;--fixed:#56b4e9;--published:#e8743b;--ours:#2ac79b;--hindsight:#d98cb8;--amber:#f0c04a}}
*{box-sizing:border-box}
body{margin:0 auto;padding:24px 20px 60px;max-width:1330px;background:var(--page);color:var(--text);
font:15px/1.5 system-ui,"Segoe UI","Helvetica Neue","DejaVu Sans",sans-serif}
h1{font-size:26px;margin:0 0 4px;line-height:1.25}
h2{font-size:20px;margin:44px 0 6px;padding-top:14px;border-top:1px solid var(--line);line-height:1.3}
h3{font-size:15px;margin:22px 0 6px}
p,ul,dl{margin:6px 0;max-width:105ch}
ul{padding-left:20px}
li{margin:3px 0}
a{color:inherit}
.dim{color:var(--dim)}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:1px 14px;font-size:14px}
dl.facts dt{color:var(--dim)}
dl.facts dd{margin:0;overflow-wrap:anywhere}
.badge{display:inline-block;font-size:12px;font-weight:600;border:1px solid currentColor;border-radius:4px;padding:0 6px;
vertical-align:middle;color:var(--amber);white-space:nowrap}
.badge.measured{color:var(--ours)}
.said{background:var(--soft);border-left:3px solid var(--fixed);padding:6px 12px;margin:10px 0;max-width:none}
.said ul{margin:0}
.key{display:flex;flex-wrap:wrap;gap:2px 18px;font-size:13px;color:var(--dim);margin:8px 0}
.key span::before{content:"";display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px;
background:var(--swatch)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,520px),1fr));gap:14px 26px;margin:10px 0}
figure{margin:0;break-inside:avoid}
figcaption{font-size:13px;font-weight:600;margin:0 0 4px}
svg{width:100%;max-width:660px;height:auto;display:block}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;margin:4px 0}
th,td{padding:2px 8px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--soft)}
th{font-weight:600;border-bottom:1px solid var(--line);vertical-align:bottom}
th.group{text-align:center}
th:first-child,td:first-child,td.words,th.words{text-align:left}
td.best{font-weight:700}
tr.reference td{background:var(--soft)}
summary{cursor:pointer;font-size:14px;font-weight:600;margin:12px 0 4px}
text{font:12px system-ui,"Segoe UI","Helvetica Neue","DejaVu Sans",sans-serif;fill:var(--text)}
text.tick{font-size:11px;fill:var(--dim)}
text.small{font-size:10px}
text.value{font-size:11px}
.grid{stroke:var(--line);stroke-width:.6;stroke-opacity:.7}
.axis{stroke:var(--dim);stroke-width:1}
.one{stroke:var(--text);stroke-width:1;stroke-dasharray:3 3}
.whisker{stroke:var(--text);stroke-width:2.2}
.range{stroke:var(--line);stroke-width:1.5}
.bar{fill-opacity:.28}
.prompt{fill-opacity:.5}
.median{stroke:var(--page);stroke-width:1.2}
.mark{fill-opacity:.9;stroke:var(--page);stroke-width:.7}
.span{stroke-width:5;stroke-opacity:.35;stroke-linecap:round}
.curve{fill:none;stroke-width:2}
.dashed{stroke-dasharray:6 4}
.beyond{fill:var(--dim);fill-opacity:.1}
.f-base{fill:var(--base)}.f-fixed{fill:var(--fixed)}.f-published{fill:var(--published)}.f-ours{fill:var(--ours)}
.f-hindsight{fill:var(--hindsight)}
.s-base{stroke:var(--base)}.s-fixed{stroke:var(--fixed)}.s-published{stroke:var(--published)}.s-ours{stroke:var(--ours)}
.s-hindsight{stroke:var(--hindsight)}.s-pass{stroke:var(--text)}.s-round{stroke:var(--fixed);stroke-width:1.4}
.f-d0{fill:var(--fixed)}.f-d1{fill:var(--published)}.f-d2{fill:var(--ours)}.f-d3{fill:var(--hindsight)}
.f-d4{fill:var(--amber)}.f-d5{fill:var(--base)}
@media print{@page{margin:11mm}body{padding:0;max-width:none;font-size:10.5px;line-height:1.35}.key{font-size:9px}h2{break-before:page;margin-top:0;border:0}
h3{break-after:avoid;margin:10px 0 2px}details{display:none}.plots{grid-template-columns:1fr 1fr;gap:8px 14px}table{font-size:8px;line-height:1.25}th,td{padding:0 5px}svg{max-width:94%}
tr{break-inside:avoid}.wide{overflow:visible}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

}  // namespace draftscope
