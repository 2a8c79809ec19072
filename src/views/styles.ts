/**
 * The one style sheet of pages and reports. Colours are roles: blue-greys for calm, oranges for alarm (told apart by every
 * common colour vision and by lightness), hatching for "not known". Inlined, so that a report is one file.
 */
export const STYLES = `
:root{color-scheme:light dark;--paper:#fff;--page:#f6f7f8;--ink:#1c2430;--muted:#5d6875;--line:#e3e7eb;--outline:#27313d;
--link:#1b5a94;--reference:#a9b4c0;--current:#2c6fa8;--special:#8a6fb0;--alarm:#b8430f;--shade:#fbe3d2;
--none:#f2f4f5;--hatch-bg:#eef0f2;--hatch-fg:#a3adb8;--stable-1:#dbe6ef;--stable-2:#b9cfe2;--minor:#7fa8cb;
--material-1:#f5b583;--material-2:#e98846;--material-3:#cc5518;--material-4:#8f2f08;
--episode-warning:#e0a03a;--episode-critical:#b8430f;--ok:#2f7d5b}
@media (prefers-color-scheme:dark){:root{--paper:#171c22;--page:#101419;--ink:#e3e8ed;--muted:#98a4b0;--line:#2a323b;--outline:#dfe6ec;
--link:#7db7e8;--reference:#66727f;--current:#4e9bd6;--special:#a98fd0;--alarm:#f08a4b;--shade:#44291a;
--none:#1c2228;--hatch-bg:#1f262d;--hatch-fg:#5b6672;--stable-1:#22323f;--stable-2:#2f4a60;--minor:#47759b;
--material-1:#8c4a1f;--material-2:#b9611f;--material-3:#e8883c;--material-4:#ffc27d;
--episode-warning:#c9953f;--episode-critical:#f08a4b;--ok:#6cc29a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
header.top,main,footer{max-width:1180px;margin:0 auto;padding:0 28px}
header.top{display:flex;gap:18px;align-items:center;padding-top:18px;padding-bottom:14px;flex-wrap:wrap}
.brand{font-weight:650;letter-spacing:.01em;color:var(--ink);display:inline-flex;gap:8px;align-items:center}
.brand svg{width:14px;height:22px}
nav.crumbs{color:var(--muted);font-size:14px;min-width:0;overflow-wrap:anywhere}nav.crumbs a{color:var(--muted)}
header.top .right{margin-left:auto;font-size:14px}
h1{font-size:26px;line-height:1.25;margin:10px 0 4px;font-weight:640;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 4px;font-weight:620}h3{font-size:15px;margin:0 0 4px;font-weight:620;overflow-wrap:anywhere}
.lede{font-size:16px;max-width:78ch;margin:6px 0 18px;overflow-wrap:anywhere}
.muted,.hint{color:var(--muted)}.hint{font-size:13px;margin:6px 0 0;max-width:90ch}
section{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:18px 20px;margin:0 0 16px}
.head{display:flex;justify-content:space-between;gap:6px 20px;align-items:baseline;flex-wrap:wrap;margin-bottom:8px}
.head .hint{margin:0}
dl.facts{display:flex;flex-wrap:wrap;gap:10px 34px;margin:0 0 18px}
dl.facts div{min-width:0}dl.facts dt{color:var(--muted);font-size:13px}dl.facts dd{margin:0;font-weight:560;overflow-wrap:anywhere}
.scroll{overflow-x:auto;background:linear-gradient(90deg,var(--paper) 30%,transparent) 0 0/40px 100% no-repeat local,
linear-gradient(-90deg,var(--paper) 30%,transparent) 100% 0/40px 100% no-repeat local,
linear-gradient(90deg,rgba(0,0,0,.2),transparent) 0 0/10px 100% no-repeat scroll,linear-gradient(-90deg,rgba(0,0,0,.2),transparent) 100% 0/10px 100% no-repeat scroll}
table{border-collapse:collapse;width:100%;font-size:14px}
th{font-weight:560;color:var(--muted);text-align:left;font-size:13px;vertical-align:bottom}
th,td{padding:6px 14px 6px 0;border-bottom:1px solid var(--line)}
td{vertical-align:middle}tr:last-child td{border-bottom:0}th:last-child,td:last-child{padding-right:0}
.num{text-align:right;white-space:nowrap}th.apart,td.apart{padding-left:18px}td.moved,td.verdict{min-width:150px}td.nowrap{white-space:nowrap}
td.name{max-width:340px;overflow-wrap:break-word}
.badge{display:inline-flex;align-items:center;gap:7px;white-space:nowrap}
.badge::before{content:"";width:10px;height:10px;border-radius:50%;background:var(--muted);flex:none}
.badge.ok::before{background:var(--ok)}.badge.drifting::before{background:var(--material-3)}
.badge.undecided::before,.badge.no_data::before{background:none;border:2px solid var(--muted)}.badge.no_data::before{border-style:dotted}
.badge.open::before{background:var(--episode-critical);border-radius:2px}.badge.open.warning::before{background:var(--episode-warning)}
.badge.closed::before{background:none;border:2px solid var(--muted);border-radius:2px}
.swatch{display:inline-block;width:13px;height:13px;border-radius:2px;vertical-align:-2px;margin-right:6px}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;margin:8px 0 0;padding:0;font-size:13px;color:var(--muted)}
.ramp .swatch{margin-right:1px;border-radius:0}.ramp{margin-right:5px}
.line-key{display:inline-block;width:22px;border-top:2px dashed var(--alarm);vertical-align:4px;margin-right:6px}.line-key.dotted{border-top-style:dotted}.line-key.plain{border-top-color:var(--outline)}
.change-key{display:inline-block;border:5px solid transparent;border-top:7px solid var(--alarm);border-bottom:0;vertical-align:1px;margin-right:6px}h3.apart{margin-top:18px}
.tone-reference{background:var(--reference)}.tone-current{background:var(--current)}.tone-estimated{background:color-mix(in srgb,var(--special) 28%,transparent);border:solid var(--special);border-width:1.5px 0 0}.tone-shade{background:var(--shade)}
.tone-none{background:var(--none);outline:1px solid var(--line);outline-offset:-1px}
.tone-stable-1{background:var(--stable-1)}.tone-stable-2{background:var(--stable-2)}.tone-minor{background:var(--minor)}
.tone-material-1{background:var(--material-1)}.tone-material-2{background:var(--material-2)}.tone-material-3{background:var(--material-3)}.tone-material-4{background:var(--material-4)}
.tone-undecided{background:repeating-linear-gradient(45deg,var(--hatch-bg) 0 3px,var(--hatch-fg) 3px 4px)}
.sides{display:grid;grid-template-columns:1fr 1fr;gap:8px 24px}
figure{margin:0;min-width:0}figure+figure,.sides~figure{margin-top:16px}.sides figure{margin-top:0}figcaption{font-size:14px;margin:0 0 4px}
svg.plot{display:block;width:100%;height:auto;overflow:visible;color:var(--ink)}svg.plot text{white-space:pre}
svg.plot a:hover rect{stroke:var(--ink);stroke-width:1}
svg.spark{display:block}.spark-current{fill:var(--current);fill-opacity:.75}.spark-reference{fill:none;stroke:var(--outline);stroke-width:1}
.meter{display:inline-block;width:64px;height:8px;background:var(--none);border-radius:2px;overflow:hidden;vertical-align:1px;margin-right:8px}
.meter i{display:block;height:100%}
.looks{display:inline-flex;width:110px;height:9px;border-radius:2px;overflow:hidden;margin-right:8px}.looks i{display:block}
th.month{padding-top:14px;font-size:14px;color:var(--ink);font-weight:400}th.month b{font-weight:620}h2.apart{margin:24px 0 8px}section p{max-width:90ch}
.pager{display:inline-flex;margin-left:14px;gap:16px;font-size:14px;flex-wrap:wrap}
.empty{color:var(--muted);padding:14px 0;margin:0}
.tags{display:flex;flex-wrap:wrap;gap:2px 14px}
ul.changes{list-style:none;margin:0;padding:0}
.offscreen{position:absolute;width:0;height:0}
footer{color:var(--muted);font-size:13px;padding-top:6px;padding-bottom:36px;overflow-wrap:anywhere}
form.act{display:flex;flex-wrap:wrap;gap:6px 12px;align-items:center;margin:8px 0}form.act label{color:var(--muted);font-size:13px}
details summary{cursor:pointer;color:var(--link)}
@media (max-width:900px){header.top,main,footer{padding-left:16px;padding-right:16px}section{padding:14px}table{font-size:13px}
svg.plot text{font-size:15px}.sides{gap:8px 12px}th,td{padding-right:9px}.wide,.meter{display:none}th.apart,td.apart{padding-left:8px}svg.spark{width:90px}}
@media (max-width:640px){.sides{grid-template-columns:1fr}}
@media print{:root{color-scheme:light}body{background:#fff;font-size:11pt}section{border:0;padding:0 0 10pt;break-inside:auto}
figure,tr,.keep{break-inside:avoid}h2,h3{break-after:avoid}a{color:inherit}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`;
