"""The one style sheet. Inline, so that the page's content policy needs no outside file."""

CSS = """
:root { color-scheme:dark; --bg:#111217; --box:#181b1f; --line:#2c3036; --text:#d8d9da; --dim:#9aa0a8;
  --blue:#6ea8fe }
* { box-sizing:border-box }
body { margin:0; background:var(--bg); color:var(--text); font:14px/1.45 system-ui,"DejaVu Sans",sans-serif }
a { color:var(--blue); text-decoration:none }
td[style] a { color:inherit }
a:hover { text-decoration:underline }
.banner { background:#4a3a12; color:#ffe2a0; padding:5px 16px; font-size:12px }
header { display:flex; gap:14px; align-items:center; padding:9px 16px; border-bottom:1px solid var(--line);
  flex-wrap:wrap }
header h1 { font-size:17px; margin:0 }
header .grow { flex:1 }
header form { margin:0 }
.bar-vars { display:flex; gap:10px; flex-wrap:wrap; align-items:flex-start; padding:9px 16px 2px }
.bar-vars label, .bar-vars summary { background:var(--box); border:1px solid var(--line); border-radius:4px;
  padding:4px 9px }
.bar-vars details { position:relative }
.bar-vars summary { cursor:pointer; list-style:none }
.bar-vars summary b { font-weight:500 }
.bar-vars summary span, .bar-vars label span { color:var(--dim); margin-right:7px }
.bar-vars .menu { position:absolute; z-index:9; background:#22262c; border:1px solid var(--line); padding:7px;
  border-radius:4px; max-height:330px; overflow:auto; min-width:190px; margin-top:3px }
.menu label { display:block; border:0; background:none; white-space:nowrap }
input, select, button { background:#22262c; color:var(--text); border:1px solid var(--line); border-radius:4px;
  padding:4px 9px; font:inherit }
.bar-vars label input[type=text], .bar-vars label select { border:0; background:none; padding:0 }
.bar-vars label select option { background:#22262c }
button { background:#2b5fc2; border-color:#2b5fc2; color:#fff; cursor:pointer }
button.quiet { background:none; border-color:var(--line) }
main.grid { display:grid; grid-template-columns:repeat(24,minmax(0,1fr)); grid-auto-rows:30px; gap:8px;
  padding:10px 16px 40px }
main.plain { max-width:1080px; margin:14px auto; padding:0 16px }
section { background:var(--box); border:1px solid var(--line); border-radius:4px; padding:7px 9px; display:flex;
  flex-direction:column; min-height:0; overflow:hidden }
section h3 { font-size:13px; font-weight:600; margin:0 0 5px; white-space:nowrap; overflow:hidden }
section h3 small { float:right; font-weight:400 }
section h3 small a { margin-left:9px }
h2.row { font-size:14px; margin:0; align-self:center; color:var(--dim); border-bottom:1px solid var(--line) }
.graph { display:flex; flex-direction:column; flex:1; min-height:0 }
.graph.side { flex-direction:row }
svg.chart { flex:1 1 auto; min-height:0; width:100%; display:block }
.graph.side svg.chart { width:70% }
svg text { fill:var(--dim); font-size:11px }
.rule { stroke:#2a2e35; stroke-width:1 }
.line { fill:none; stroke-width:1.4; vector-effect:non-scaling-stroke; stroke-linejoin:round }
.legend { overflow:auto; font-size:12px; flex:0 1 auto; max-height:42% }
.legend.side { max-height:100%; width:30% }
.legend table { width:100%; border-collapse:collapse }
.legend th { color:var(--dim); font-weight:400; text-align:right }
.legend td { padding:0 5px; white-space:nowrap }
.legend i { display:inline-block; width:12px; height:4px; border-radius:2px; margin-right:7px; vertical-align:middle }
.num { text-align:right; font-variant-numeric:tabular-nums }
.tiles { display:flex; flex:1; gap:7px; flex-wrap:wrap; min-height:0; overflow:auto }
.tile { flex:1 1 110px; display:flex; flex-direction:column; justify-content:center; align-items:center;
  position:relative; min-height:44px; overflow:hidden }
.tile b { font-size:25px; font-weight:600; line-height:1.2; z-index:1 }
.tile span { color:var(--dim); font-size:12px; z-index:1 }
.spark { position:absolute; left:0; right:0; bottom:0; width:100%; height:45% }
.gauge { width:70%; max-height:70px }
.gauge path { fill:none; stroke-width:11 }
.gauge .track { stroke:#2c3036 }
.bars { overflow:auto; flex:1 }
.bar { display:grid; grid-template-columns:minmax(90px,28%) 1fr 80px; gap:9px; align-items:center; margin:4px 0;
  font-size:12px }
.bar .track { background:#22262c; height:14px; border-radius:2px }
.bar .track div { height:100%; border-radius:2px }
.bar b { text-align:right }
.bar span { white-space:nowrap; overflow:hidden; text-overflow:ellipsis }
.scroll { overflow:auto; flex:1; min-height:0 }
.scroll table, main.plain table { border-collapse:collapse; width:100%; font-size:13px }
.scroll th, main.plain th { position:sticky; top:0; background:var(--box); color:var(--dim); font-weight:500;
  text-align:left; padding:3px 8px }
.scroll th.num { text-align:right }
.scroll td, main.plain td { border-top:1px solid var(--line); padding:3px 8px; white-space:nowrap }
.logs td { border:0; padding:1px 8px; vertical-align:top; font:12px/1.45 "DejaVu Sans Mono",monospace }
.logs td:not(.text) { color:var(--dim) }
.logs td.text { white-space:pre-wrap; word-break:break-all; width:99% }
.prose { white-space:pre-wrap }
.nodata { margin:auto; color:var(--dim); font-size:15px }
.problem { color:#ffb4a2; background:#3a1d1d; padding:5px 8px; margin:2px 0; border-radius:3px; font-size:12px;
  overflow:auto }
.note { color:var(--dim); font-size:12px; margin:3px 0 }
.ok { color:#6fbf73 }
.bad { color:#e4572e }
.login { max-width:330px; margin:9vh auto; background:var(--box); border:1px solid var(--line); border-radius:6px;
  padding:22px }
.login label { display:block; margin:9px 0 }
.login input { width:100%; padding:7px 9px }
.login button { width:100%; padding:8px; margin-top:9px }
"""
