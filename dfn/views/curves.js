// Curves that grow while a net learns. Named at their ends, read with a crosshair that all panels share, zoomed by
// dragging. What the reader chose stays: zoom, crosshair and hidden curves survive every update.

const STYLE = `
.dfn-view .panels { display: grid; gap: 20px 28px; }
.dfn-view .head { display: flex; align-items: baseline; gap: 10px; min-height: 30px; }
.dfn-view .head .title, .dfn-view .head .muted { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.dfn-view .head .muted { flex: 1; font-size: 12.5px; }
.dfn-view .plot { position: relative; }
.dfn-view svg text { font-size: 12.5px; fill: var(--dfn-muted); }
.dfn-view .pad { position: absolute; cursor: crosshair; touch-action: pan-y; user-select: none; }
.dfn-view .pad:focus-visible::after { content: attr(aria-description); position: absolute; left: 0; top: calc(100% + 28px); font-size: 12px; }
.dfn-view .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.dfn-view .name { position: absolute; font-size: 12.5px; font-weight: 600; line-height: 17px; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; cursor: pointer; background: none; border: 0; padding: 0 4px; }
.dfn-view .name:hover { text-decoration: underline; text-underline-offset: 3px; }
.dfn-view .name[aria-pressed=false] { color: var(--dfn-muted) !important; font-weight: 400;
  text-decoration: line-through; }
.dfn-view .tip { position: absolute; pointer-events: none; top: 4px; font-size: 12.5px; line-height: 19px; z-index: 1;
  background: var(--dfn-card); border: 1px solid var(--dfn-line); border-radius: 8px; padding: 5px 10px;
  box-shadow: 0 2px 10px rgb(0 0 0 / .08); white-space: nowrap; }
.dfn-view .tip table { border-collapse: collapse; }
.dfn-view .tip td { padding: 0 0 0 14px; text-align: right; }
.dfn-view .tip td:first-child { padding: 0; text-align: left; font-weight: 600; }
.dfn-view .reset { visibility: hidden; font-size: 12.5px; padding: 1px 9px; }
.dfn-view .zoomed .reset { visibility: visible; }
`;

const [FOOT, TOP] = [30, 8]; // below the plot: ticks and their words
const LINE = 17; // height of a name

export function draw(root, data, emit) {
  return update(mount(root, STYLE, build, data), data, emit);
}

function build(view) {
  view.panels = new Map();
  view.hiddenSeries = new Set();
  view.cross = null; // where the crosshair is, as a part of the whole axis: it fits panels of different units
  view.zoom = null; // [from, to], likewise
  view.box = html("div", { class: "panels" });
  view.live = html("div", { class: "hidden", "aria-live": "polite" });
  view.spoken = 0;
  const name = () => view.data.panels.map((panel) => panel.title).join(" ");
  view.root.append(view.box, view.live, saving(() => view.root, () => ({ name: name(), rows: table(view.data) })));
  view.paint = () => paint(view);
}

function paint(view) {
  const { data, width } = view;
  const columns = width >= 860 && data.panels.length > 1 ? 2 : 1;
  view.box.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  const known = new Set(data.panels.map((panel) => panel.id));
  for (const [id, panel] of view.panels)
    if (!known.has(id)) {
      panel.root.remove();
      view.panels.delete(id);
    }
  keepZoom(view);
  for (const content of data.panels) {
    if (!view.panels.has(content.id)) view.panels.set(content.id, makePanel(view));
    const panel = view.panels.get(content.id);
    panel.data = content;
    panel.width = (width - 28 * (columns - 1)) / columns;
    drawPanel(view, panel);
  }
  announce(view);
}

// The very numbers: a line for every point of every curve.
function table({ panels }) {
  const rows = panels.flatMap((panel) =>
    panel.series.flatMap((series) => series.x.map((x, i) => [panel.title, series.label, x, series.y[i], panel.unit])),
  );
  return [[_("panel"), _("curve"), panels[0]?.x_label ?? _("step"), _("value"), _("unit")], ...rows];
}

// A longer run moves the end of the axis; the zoomed steps stay the same steps.
function keepZoom(view) {
  const end = endOf(view.data.panels[0]);
  if (view.end && end !== view.end) {
    const by = view.end / end;
    if (view.zoom) view.zoom = view.zoom.map((part) => part * by);
    if (view.cross !== null) view.cross *= by;
  }
  view.end = end;
}

const endOf = (panel) => Math.max(panel?.x_max ?? 0, ...(panel?.series ?? []).map((s) => s.x.at(-1) ?? 0)) || 1;

function makePanel(view) {
  const panel = { names: new Map() };
  panel.title = html("span", { class: "title" });
  panel.note = html("span", { class: "muted" });
  panel.reset = html("button", { class: "reset", type: "button" }, _("Whole run"));
  panel.svg = svg("svg", { role: "img" });
  panel.grid = svg("g");
  panel.curves = svg("g");
  panel.marks = svg("g");
  panel.range = svg("rect", { style: "fill:var(--dfn-text);fill-opacity:.08" });
  // Reading a chart with the arrow keys is what a slider does: the value text carries every curve.
  panel.pad = html("div", { class: "pad", role: "slider", tabindex: 0, "aria-valuemin": 0 });
  attributes(panel.pad, { "aria-description": _("← → values, + − zoom, 0 the whole run") });
  panel.tip = html("div", { class: "tip", "aria-hidden": "true", hidden: "" });
  panel.clip = svg("rect");
  const clipId = `dfn-clip-${Math.random().toString(36).slice(2)}`;
  panel.curves.setAttribute("clip-path", `url(#${clipId})`);
  panel.svg.append(svg("clipPath", { id: clipId }, panel.clip), panel.grid, panel.range, panel.curves, panel.marks);
  panel.plot = html("div", { class: "plot" }, panel.svg, panel.pad, panel.tip);
  panel.root = html("section", { class: "panel" }, html("div", { class: "head" }, panel.title, panel.note, panel.reset), panel.plot);
  view.box.append(panel.root);
  listen(view, panel);
  return panel;
}

function listen(view, panel) {
  const { pad } = panel;
  const partAt = (event) => partOf(view, (event.clientX - pad.getBoundingClientRect().left) / pad.clientWidth);
  let from = null;
  const look = (part) => {
    view.cross = part;
    for (const other of view.panels.values()) drawCross(view, other);
  };
  const zoom = (range) => {
    view.zoom = range;
    for (const other of view.panels.values()) drawPanel(view, other);
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button) return;
    from = partAt(event);
    pad.setPointerCapture(event.pointerId);
  });
  pad.addEventListener("pointermove", (event) => {
    panel.dragged = from === null ? null : [from, partAt(event)].sort((a, b) => a - b);
    look(partAt(event));
  });
  pad.addEventListener("pointerup", () => {
    const range = panel.dragged;
    from = panel.dragged = null;
    const [low, high] = view.zoom ?? [0, 1];
    if (range && (range[1] - range[0]) / (high - low) > 0.02) zoom(range);
    else drawCross(view, panel);
  });
  pad.addEventListener("pointercancel", () => (from = panel.dragged = null));
  pad.addEventListener("pointerleave", () => from === null && document.activeElement !== pad && look(null));
  pad.addEventListener("dblclick", () => zoom(null));
  pad.addEventListener("blur", () => look(null));
  pad.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return; // a pinch; the plain wheel scrolls the page
      event.preventDefault();
      zoom(scaled(view, partAt(event), Math.exp(event.deltaY * 0.01)));
    },
    { passive: false },
  );
  panel.reset.addEventListener("click", () => zoom(null));
  pad.addEventListener("keydown", (event) => {
    const steps = stepsOf(panel);
    const end = endOf(panel.data);
    const here = view.cross === null ? steps.length - 1 : nearest(steps, view.cross * end);
    const [low, high] = view.zoom ?? [0, 1];
    const go = (at) => {
      if (!steps.length) return;
      const part = steps[clamp(at, 0, steps.length - 1)] / end;
      if (part < low || part > high) view.zoom = shifted(low, high, part);
      look(part);
      if (part < low || part > high) zoom(view.zoom);
    };
    const stride = event.shiftKey ? 10 : 1;
    const keys = {
      ArrowLeft: () => go(view.cross === null ? here : here - stride),
      ArrowRight: () => go(view.cross === null ? here : here + stride),
      Home: () => go(0),
      End: () => go(steps.length - 1),
      "+": () => zoom(scaled(view, view.cross ?? (low + high) / 2, 0.6)),
      "=": () => zoom(scaled(view, view.cross ?? (low + high) / 2, 0.6)),
      "-": () => zoom(scaled(view, view.cross ?? (low + high) / 2, 1 / 0.6)),
      0: () => zoom(null),
      Escape: () => look(null),
    };
    if (!(event.key in keys) || event.ctrlKey || event.metaKey) return;
    keys[event.key]();
    event.preventDefault();
  });
}

function partOf(view, share) {
  const [low, high] = view.zoom ?? [0, 1];
  return low + (high - low) * clamp(share, 0, 1);
}

function scaled(view, around, by) {
  const [low, high] = view.zoom ?? [0, 1];
  const range = [around - (around - low) * by, around + (high - around) * by].map((part) => clamp(part, 0, 1));
  if (range[1] - range[0] > 0.999) return null;
  return range[1] - range[0] < 1e-4 ? view.zoom : range;
}

function shifted(low, high, part) {
  const start = clamp(part - (high - low) / 2, 0, 1 - (high - low));
  return [start, start + (high - low)];
}

// ---- one panel --------------------------------------------------------------------------------------------------

function drawPanel(view, panel) {
  const { data } = panel;
  const height = view.data.height ?? 300;
  say(panel.title, data.title);
  panel.root.classList.toggle("zoomed", Boolean(view.zoom));
  const wanted = Math.max(40, ...data.series.map((series) => textWidth(nameOf(series), 12.5, 600, view.root) + 12));
  const right = Math.min(wanted + 10, panel.width * 0.36);
  const end = endOf(data);
  const [from, to] = (view.zoom ?? [0, 1]).map((part) => part * end);
  const scale = yScale(view, panel, from, to, height - TOP - FOOT);
  const left = Math.max(30, ...scale.ticks.map((tick) => textWidth(tick.word, 12.5, 400, view.root) + 12));
  const wide = panel.width - left - right;
  const high = height - TOP - FOOT;
  panel.x = (step) => left + ((step - from) / (to - from)) * wide;
  panel.y = (value) => TOP + scale.at(value) * high;
  Object.assign(panel, { left, wide, high, from, to, end });
  Object.assign(panel.pad.style, { left: `${left}px`, top: `${TOP}px`, width: `${wide}px`, height: `${high}px` });
  panel.pad.dataset.from = round(from);
  panel.pad.dataset.to = round(to);
  attributes(panel.svg, { width: panel.width, height });
  attributes(panel.clip, { x: left - 5, y: TOP - 3, width: wide + 10, height: high + 8 });
  say(panel.note, [data.unit, scale.beyond ? _("{count} off the scale", { count: scale.beyond }) : ""].filter(Boolean).join(" · "));
  drawGrid(panel, scale, height);

  panel.curves.replaceChildren(
    ...shownSeries(view, panel).flatMap((series) => {
      const line = svg("path", { class: "curve", d: pathOf(panel, series), "data-series": series.id });
      line.style.stroke = ink(series.role);
      if (series.role === "fused") line.style.strokeWidth = 2.8;
      return [line, ...dots(panel, series)];
    }),
  );
  drawNames(view, panel, right);
  drawCross(view, panel);
}

function drawGrid(panel, scale, height) {
  const { data, left, wide, high, from } = panel;
  const bottom = TOP + high;
  const done = Math.max(0, ...data.series.map((series) => series.x.at(-1) ?? 0));
  const parts = [];
  for (const { value, word } of scale.ticks) {
    const y = round(panel.y(value));
    parts.push(svg("line", { x1: left, x2: left + wide, y1: y, y2: y, style: "stroke:var(--dfn-line);stroke-width:1" }));
    parts.push(svg("text", { x: left - 9, y: y + 4.5, "text-anchor": "end" }, word));
  }
  for (const { value, word } of xTicks(panel)) {
    const x = round(panel.x(value));
    parts.push(svg("line", { x1: x, x2: x, y1: bottom, y2: bottom + 6, style: "stroke:var(--dfn-line);stroke-width:1.4" }));
    parts.push(svg("text", { x, y: height - 7, "text-anchor": "middle" }, word));
  }
  // The run so far is a stronger part of the axis: what is left of the line is what is left to do.
  const reached = clamp(panel.x(done), left, left + wide);
  parts.push(svg("line", { x1: left, x2: left + wide, y1: bottom, y2: bottom, style: "stroke:var(--dfn-line);stroke-width:3" }));
  const style = "stroke:var(--dfn-muted);stroke-width:3";
  if (done > from) parts.push(svg("line", { class: "done", x1: left, x2: reached, y1: bottom, y2: bottom, style }));
  panel.grid.replaceChildren(...parts);
}

function dots(panel, series) {
  const at = lastGood(series);
  if (at < 0) return [];
  const list = series.markers ? series.x.map((_, i) => i).filter((i) => Number.isFinite(series.y[i])) : series.state === "running" ? [at] : [];
  return list.map((i) => {
    const dot = svg("circle", { class: "dot", cx: round(panel.x(series.x[i])), cy: round(panel.y(series.y[i])), r: 3.4 });
    dot.style.fill = ink(series.role);
    return dot;
  });
}

const TOLD = [N_("queued"), N_("waiting"), N_("paused"), N_("stopped"), N_("failed")]; // states that a name mentions
const nameOf = ({ label, state }) => (TOLD.includes(state) ? `${label}, ${_(state)}` : label);

// Names stand where the front of the race is, pushed apart, in the order of the curves.
function drawNames(view, panel, right) {
  const { data, left, wide, high } = panel;
  const ends = data.series.map((series) => {
    let at = lastGood(series);
    while (at > 0 && series.x[at] > panel.to) at--;
    const started = at >= 0;
    const [x, y] = started ? [panel.x(series.x[at]), clamp(panel.y(series.y[at]), TOP, TOP + high)] : [left, TOP + high - 8];
    return { series, x, y, started };
  });
  const shown = ends.filter(({ series }) => !view.hiddenSeries.has(series.id));
  const front = clamp(Math.max(left, ...shown.map(({ x }) => x)), left, left + wide);
  const placed = [...ends].sort((a, b) => a.y - b.y);
  placed.forEach((end, i) => (end.top = Math.max(end.y - LINE / 2, i ? placed[i - 1].top + LINE : -LINE)));
  let floor = TOP + high + 2;
  for (const end of placed.reverse()) floor = end.top = Math.min(end.top, floor - LINE);

  for (const [id, name] of panel.names)
    if (!data.series.some((series) => series.id === id)) {
      name.remove();
      panel.names.delete(id);
    }
  for (const { series, x, y, top, started } of ends) {
    let name = panel.names.get(series.id);
    if (!name) {
      name = html("button", { class: "name", type: "button" });
      name.addEventListener("click", () => {
        if (!view.hiddenSeries.delete(series.id)) view.hiddenSeries.add(series.id);
        for (const other of view.panels.values()) drawPanel(view, other);
      });
      panel.names.set(series.id, name);
      panel.plot.append(name);
    }
    const hidden = view.hiddenSeries.has(series.id);
    say(name, nameOf(series));
    attributes(name, { title: hidden ? _("Show {label}", { label: series.label }) : _("Hide {label}", { label: series.label }), "aria-pressed": String(!hidden) });
    Object.assign(name.style, { left: `${round(front + 7)}px`, top: `${round(top)}px`, maxWidth: `${round(right - 8)}px` });
    name.style.color = wordInk(series.role);
    // A curve that ended before the front, or whose name was pushed aside, points to its name.
    if (hidden || !started || (front - x < 8 && Math.abs(top + LINE / 2 - y) < 6)) continue;
    const d = `M${round(x + 4)} ${round(y)}H${round(Math.max(x + 4, front - 2))}L${round(front + 7)} ${round(top + LINE / 2)}`;
    const style = `fill:none;stroke:${ink(series.role)};stroke-opacity:.55;stroke-dasharray:2 3`;
    panel.grid.append(svg("path", { d, style }));
  }
}

// ---- reading ----------------------------------------------------------------------------------------------------

function drawCross(view, panel) {
  const { data, left, wide, high } = panel;
  const range = panel.dragged;
  const [from, to] = (range ?? [0, 0]).map((part) => panel.x(part * panel.end));
  attributes(panel.range, { x: from, y: TOP, width: to - from, height: high });
  const steps = stepsOf(panel);
  const step = view.cross === null || !steps.length ? null : steps[nearest(steps, view.cross * panel.end)];
  const readings = step === null ? [] : readingsAt(view, panel, step);
  const now = step ?? steps.at(-1) ?? 0;
  attributes(panel.pad, {
    "aria-label": _("{title}: read values with the arrow keys", { title: data.title }),
    "aria-valuemax": panel.end,
    "aria-valuenow": now,
    "aria-valuetext": sentence(data, now, step === null ? readingsAt(view, panel, now) : readings),
  });
  attributes(panel.svg, { "aria-label": `${data.title}. ${sentence(data, steps.at(-1) ?? 0, readingsAt(view, panel, steps.at(-1) ?? 0))}` });
  const outside = step === null || step < panel.from || step > panel.to;
  panel.tip.hidden = outside || !readings.length;
  if (outside) {
    panel.marks.replaceChildren();
    return;
  }
  const x = round(panel.x(step));
  panel.marks.replaceChildren(
    svg("line", { class: "cross", x1: x, x2: x, y1: TOP, y2: TOP + high, style: "stroke:var(--dfn-muted);stroke-width:1" }),
    ...readings.filter((r) => Number.isFinite(r.value)).map((reading) => {
      const dot = svg("circle", { cx: round(panel.x(reading.x)), cy: round(clamp(panel.y(reading.value), TOP, TOP + high)), r: 4.2 });
      dot.style.cssText = `fill:${ink(reading.series.role)};stroke:var(--dfn-card);stroke-width:1.6`;
      return dot;
    }),
  );
  const rows = readings.map(({ series, value }) => {
    const name = html("td", {}, series.label);
    name.style.color = wordInk(series.role);
    return html("tr", {}, name, html("td", {}, number(value, 4)));
  });
  panel.tip.replaceChildren(html("div", { class: "muted" }, place(data, step)), html("table", {}, ...rows));
  const flip = x > left + wide / 2;
  Object.assign(panel.tip.style, flip ? { left: "auto", right: `${round(panel.width - x + 12)}px` } : { right: "auto", left: `${x + 12}px` });
}

// The value of every visible curve at a step: its nearest point, if it has come that far.
function readingsAt(view, panel, step) {
  return shownSeries(view, panel)
    .filter((series) => series.x.length)
    .map((series) => {
      const at = nearest(series.x, step);
      const gap = series.x.length > 1 ? (series.x.at(-1) - series.x[0]) / (series.x.length - 1) : 1;
      const near = Math.abs(series.x[at] - step) <= gap;
      return { series, x: series.x[at], value: near ? series.y[at] : null };
    })
    .sort((a, b) => (b.value ?? -Infinity) - (a.value ?? -Infinity));
}

function place(data, step) {
  const epoch = data.epoch_steps ? `, ${epochName(decimal(step / data.epoch_steps, 1))}` : "";
  return `${data.x_label ?? _("step")} ${number(step)}${epoch}`;
}

function sentence(data, step, readings) {
  const values = readings.map(({ series, value }) => `${series.label} ${number(value)}`);
  return `${place(data, step)}: ${values.join(", ") || _("nothing yet")}`;
}

// Listeners hear how far it is, at most every five seconds.
function announce(view) {
  const now = performance.now();
  const panel = view.panels.get(view.data.panels[0]?.id);
  if (!panel || now - view.spoken < 5000 || !panel.data.series.some((series) => series.state === "running")) return;
  view.spoken = now;
  const step = stepsOf(panel).at(-1);
  if (step !== undefined) say(view.live, `${panel.data.title}, ${sentence(panel.data, step, readingsAt(view, panel, step))}`);
}
