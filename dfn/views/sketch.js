// A curve to draw before it is shown: by dragging, or point by point with the arrow keys. The button hands it in; with
// the measured curve in the data the drawing is closed and the gap between the two is drawn.

const STYLE = `
.dfn-view .head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 10px; min-height: 30px; }
.dfn-view .head .muted { font-size: 12.5px; }
.dfn-view svg text { font-size: 12.5px; fill: var(--dfn-muted); }
.dfn-view svg .name { font-weight: 600; }
.dfn-view .pad { fill: transparent; cursor: crosshair; touch-action: none; }
.dfn-view .closed .pad { cursor: default; }
.dfn-view .curve { fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
.dfn-view .own { stroke: var(--dfn-text); stroke-dasharray: 6 5; }
.dfn-view .gap { stroke: var(--dfn-text); stroke-opacity: .35; stroke-width: 2; stroke-dasharray: 2 4; }
.dfn-view .handle circle { fill: var(--dfn-card); stroke: var(--dfn-text); stroke-width: 2; }
.dfn-view .handle:focus-visible circle { stroke: var(--dfn-focus); stroke-width: 4; }
.dfn-view .foot { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 14px; margin-top: 6px; min-height: 32px; }
.dfn-view.narrow .foot { min-height: 84px; align-content: start; }
.dfn-view .foot .status { font-size: 13px; color: var(--dfn-muted); }
.dfn-view button:disabled { color: var(--dfn-muted); cursor: default; border-style: dashed; }
`;

const HIGH = 220;
const FOOT = 28;
const TOP = 10;

export function draw(root, data, emit) {
  return update(mount(root, STYLE, build, data), data, emit);
}

function build(view) {
  view.title = html("span", { class: "title" });
  view.note = html("span", { class: "muted" });
  view.svg = svg("svg", { role: "group" });
  view.back = svg("g");
  view.handles = svg("g");
  view.pad = svg("rect", { class: "pad" });
  view.svg.append(view.back, view.pad, view.handles);
  view.button = html("button", { type: "button" });
  view.status = html("span", { class: "status", "aria-live": "polite" });
  view.root.append(html("div", { class: "head" }, view.title, view.note), view.svg, html("div", { class: "foot" }, view.button, view.status));
  view.values = null;
  view.touched = false;
  view.last = null;
  view.paint = () => paint(view);
  view.button.addEventListener("click", () => view.emit("drawn", { values: view.values.map(round) }));
  view.pad.addEventListener("pointerdown", (event) => {
    if (view.data.truth || event.button) return;
    view.pad.setPointerCapture(event.pointerId);
    view.last = null;
    follow(view, event);
  });
  view.pad.addEventListener("pointermove", (event) => view.pad.hasPointerCapture(event.pointerId) && follow(view, event));
  view.handles.addEventListener("keydown", (event) => step(view, event));
}

// What lies between two places of a quick hand is drawn as well.
function follow(view, event) {
  const box = view.svg.getBoundingClientRect();
  const { x, low, high } = view.data;
  const at = clamp(((event.clientX - box.left - view.left) / view.wide) * (x.length - 1), 0, x.length - 1);
  const value = clamp(high - ((event.clientY - box.top - TOP) / HIGH) * (high - low), low, high);
  const now = [Math.round(at), value];
  const [from, start] = view.last ?? now;
  const count = Math.abs(now[0] - from);
  for (let k = 0; k <= count; k++) {
    const part = count ? k / count : 1;
    view.values[from + Math.sign(now[0] - from) * k] = start + (value - start) * part;
  }
  view.last = now;
  view.touched = true;
  paint(view);
}

function step(view, event) {
  const at = Number(event.target.closest("[data-at]")?.dataset.at);
  const { x, low, high } = view.data;
  const unit = (high - low) / 100;
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: x.length - 1 }[event.key];
  const by = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
  if (to === undefined && by === undefined) return;
  event.preventDefault();
  if (to !== undefined) view.handles.children[clamp(to, 0, x.length - 1)].focus();
  else if (!view.data.truth) {
    view.values[at] = clamp(view.values[at] + by * unit, low, high);
    view.touched = true;
    paint(view);
  }
}

function paint(view) {
  const { data, width } = view;
  const { x, low, high, truth } = data;
  if (data.drawn) view.values = [...data.drawn];
  if (view.values?.length !== x.length) view.values = x.map(() => (low + high) / 2);
  view.root.classList.toggle("narrow", width < 480);
  view.root.classList.toggle("closed", Boolean(truth));
  say(view.title, data.title);
  say(view.note, _("{unit}, by {label}", { unit: data.unit, label: data.x_label }));
  const shown = [...data.beside, ...(truth ? [truth] : [])];
  const own = { label: _("your curve"), y: view.values, own: true };
  const names = [...shown, own].map((series) => textWidth(series.label, 12.5, 600, view.root));
  const right = Math.min(Math.max(...names) + 14, width * 0.34);
  const scale = ticks(low, high, 4);
  view.left = 12 + Math.max(...scale.map((value) => textWidth(number(value), 12.5, 400, view.root)));
  view.wide = width - view.left - right;
  const across = (i) => view.left + (x.length > 1 ? (i / (x.length - 1)) * view.wide : 0);
  const up = (value) => TOP + (1 - (value - low) / (high - low)) * HIGH;
  const path = (y) => y.map((value, i) => `${i ? "L" : "M"}${round(across(i))} ${round(up(value))}`).join("");
  const line = (y) => svg("line", { x1: view.left, x2: view.left + view.wide, y1: y, y2: y, style: "stroke:var(--dfn-line)" });
  const told = (series) => `${series.label} ${series.y.map((value) => number(round(value))).join(", ")}`;
  attributes(view.svg, { width, height: TOP + HIGH + FOOT, "aria-label": `${data.title}: ${[...shown, own].map(told).join("; ")}` });
  attributes(view.pad, { x: view.left, y: TOP, width: round(view.wide), height: HIGH });
  const texts = x.map((value, i) => svg("text", { x: round(across(i)), y: TOP + HIGH + 20, "text-anchor": "middle" }, String(value)));
  view.back.replaceChildren(
    ...scale.flatMap((value) => [line(round(up(value))), svg("text", { x: view.left - 8, y: round(up(value)) + 4.5, "text-anchor": "end" }, number(value))]),
    ...texts,
    ...(truth ? truth.y.map((value, i) => svg("line", { class: "gap", x1: round(across(i)), x2: round(across(i)), y1: round(up(value)), y2: round(up(view.values[i])) })) : []),
    ...shown.map((series) => svg("path", { class: "curve", d: path(series.y), style: `stroke:${ink(series.role)}` })),
    svg("path", { class: "curve own", d: path(view.values) }),
    ...labels([...shown, own], up, view.left + view.wide + 10),
  );
  while (view.handles.children.length > x.length) view.handles.lastChild.remove();
  x.forEach((value, i) => {
    let handle = view.handles.children[i];
    if (!handle) view.handles.append((handle = svg("g", { class: "handle", role: "slider", tabindex: i ? -1 : 0, "data-at": i }, svg("circle", { r: 6 }))));
    const words = `${number(round(view.values[i]))} ${data.unit}`;
    attributes(handle, { "aria-label": `${data.x_label} ${value}`, "aria-valuenow": round(view.values[i]), "aria-valuetext": words });
    attributes(handle, { "aria-valuemin": low, "aria-valuemax": high, "aria-orientation": "vertical", "aria-disabled": truth ? "true" : null });
    attributes(handle.firstChild, { cx: round(across(i)), cy: round(up(view.values[i])) });
    handle.style.pointerEvents = "none"; // the pad takes the pointer; the handles are for the keys
  });
  say(view.button, data.button);
  view.button.hidden = Boolean(truth);
  view.button.disabled = !view.touched;
  say(view.status, truth ? "" : view.touched ? "" : _("Drag over the picture, or take a point with Tab and move it with the arrow keys."));
}

// The names at the ends of the curves, moved apart where they would cover each other.
function labels(all, up, x) {
  const ends = all.map((series) => ({ series, y: up(series.y.at(-1)) })).sort((a, b) => a.y - b.y);
  for (let i = 1; i < ends.length; i++) ends[i].y = Math.max(ends[i].y, ends[i - 1].y + 16);
  const over = Math.max(0, (ends.at(-1)?.y ?? 0) - (TOP + HIGH));
  return ends.map(({ series, y }) => {
    const text = svg("text", { class: "name", x: round(x), y: round(y - over + 4) }, series.label);
    text.style.fill = series.own ? "var(--dfn-text)" : wordInk(series.role);
    return text;
  });
}
