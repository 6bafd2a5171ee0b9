// Feature maps of a run, all channels at once, scrubbed through the epochs in the browser. A channel has the same
// place in every panel; the panels share one scale, which holds for all epochs; pointing at a position writes the
// sum that the net computed there.

const STYLE = `
.dfn-view .player { display: flex; align-items: center; gap: 12px; min-height: 44px; margin-bottom: 8px; }
.dfn-view .play { width: 38px; height: 36px; padding: 0; display: grid; place-items: center; flex: none; }
.dfn-view .play path { fill: var(--dfn-text); }
.dfn-view .player output { min-width: 9.5em; text-align: right; flex: none; }
.dfn-view input[type=range] { appearance: none; flex: 1; min-width: 60px; height: 24px; margin: 0; background: transparent; cursor: pointer; }
.dfn-view input[type=range]::-webkit-slider-runnable-track { height: 4px; border-radius: 2px;
  background: linear-gradient(to right, var(--dfn-text) var(--done), var(--dfn-line) var(--done)); }
.dfn-view input[type=range]::-moz-range-track { height: 4px; border-radius: 2px;
  background: linear-gradient(to right, var(--dfn-text) var(--done), var(--dfn-line) var(--done)); }
.dfn-view input[type=range]::-webkit-slider-thumb { appearance: none; width: 16px; height: 16px; margin-top: -6px;
  border-radius: 50%; background: var(--dfn-text); }
.dfn-view input[type=range]::-moz-range-thumb { width: 16px; height: 16px; border: 0; border-radius: 50%; background: var(--dfn-text); }
.dfn-view .grid { display: flex; align-items: flex-start; }
.dfn-view.stacked .grid { flex-direction: column; }
.dfn-view .name { font-weight: 600; min-height: 26px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.dfn-view .sheet { position: relative; cursor: crosshair; touch-action: manipulation; }
.dfn-view canvas { display: block; width: 100%; height: 100%; image-rendering: pixelated; }
.dfn-view .missing { display: grid; place-items: center; border: 1px dashed var(--dfn-line); border-radius: 8px;
  color: var(--dfn-muted); width: 100%; height: 100%; }
.dfn-view .operator { flex: none; text-align: center; font-size: 26px; line-height: 1; color: var(--dfn-muted); }
.dfn-view .mark { position: absolute; pointer-events: none; visibility: hidden; }
.dfn-view .mark.map { outline: 2px solid var(--dfn-text); outline-offset: 1px; border-radius: 1px;
  box-shadow: inset 0 0 0 1px var(--dfn-background), 0 0 0 5px var(--dfn-background); }
.dfn-view .mark.cell { outline: 1.5px solid #111; box-shadow: 0 0 0 3px #fff; }
.dfn-view .foot { display: flex; flex-wrap: wrap; gap: 6px 28px; align-items: center; margin-top: 12px; }
.dfn-view .sum { flex: 1 1 340px; min-height: 3em; }
.dfn-view .sum b { font-weight: 600; }
.dfn-view.stacked .key { min-height: 5.4em; }
.dfn-view.stacked .sum { flex-basis: 100%; min-height: 4.5em; }
.dfn-view .key { max-width: 100%; font-size: 12.5px; color: var(--dfn-muted); }
.dfn-view .ramp { width: 240px; height: 10px; border-radius: 3px; border: 1px solid var(--dfn-line); margin-bottom: 2px; }
.dfn-view .ends { display: flex; width: 240px; justify-content: space-between; }
`;

const ICONS = { play: "M4 2.5v11l9-5.5z", pause: "M3.5 2.5h3.2v11H3.5zM9.3 2.5h3.2v11H9.3z" };
const BETWEEN = 40; // room of an operator between two panels

export function draw(root, data, emit) {
  return update(mount(root, STYLE, build), data, emit);
}

function build(view) {
  view.icon = svg("path", { d: ICONS.play });
  const face = svg("svg", { width: 16, height: 16, "aria-hidden": "true" }, view.icon);
  view.button = html("button", { class: "play", type: "button", "aria-label": "Play the epochs" }, face);
  view.range = html("input", { type: "range", min: 0, step: 1, "aria-label": "Epoch" });
  view.epoch = html("output");
  view.player = html("div", { class: "player" }, view.button, view.range, view.epoch);
  view.grid = html("div", { class: "grid" });
  view.sum = html("div", { class: "sum", "aria-live": "polite" });
  view.ramp = html("div", { class: "ramp" });
  view.ends = html("div", { class: "ends" });
  view.caption = html("div");
  view.key = html("div", { class: "key" }, view.ramp, view.ends, view.caption);
  view.root.append(view.player, view.grid, html("div", { class: "foot" }, view.sum, view.key));
  view.root.append(saving(() => view.root, () => ({ name: `maps epoch ${view.shown}`, rows: table(view) })));
  view.panels = [];
  view.at = null; // index of the epoch on show
  view.pointed = null;
  view.pinned = null;
  view.playing = 0;
  view.stop = () => clearInterval(view.playing);
  view.paint = () => paint(view);

  view.range.addEventListener("input", () => show(view, Number(view.range.value)));
  view.range.addEventListener("change", () => view.emit("epoch", view.data.epochs[view.at]));
  view.button.addEventListener("click", () => play(view, !view.playing));
}

function play(view, on) {
  clearInterval(view.playing);
  view.playing = 0;
  view.icon.setAttribute("d", on ? ICONS.pause : ICONS.play);
  attributes(view.button, { "aria-label": on ? "Pause" : "Play the epochs" });
  const last = () => view.data.epochs.length - 1;
  if (!on) return view.emit("epoch", view.data.epochs[view.at]);
  if (view.at >= last()) show(view, 0);
  view.playing = setInterval(() => {
    show(view, Math.min(view.at + 1, last()));
    if (view.at >= last()) play(view, false);
  }, clamp(6000 / (last() + 1), 120, 500));
}

// ---- drawing ----------------------------------------------------------------------------------------------------

function paint(view) {
  const { data } = view;
  const given = JSON.stringify(data.selected ?? null);
  if (given !== view.given) view.pinned = data.selected ?? null;
  view.given = given;
  const within = (spot) => spot.channel < data.channels && spot.row < data.height && spot.col < data.width;
  if (view.pinned && !within(view.pinned)) view.pinned = null; // another map: the place that was pinned is not on it
  arrange(view);
  measure(view);
  legend(view);
  view.player.hidden = data.scrubber === false || data.epochs.length < 2;
  attributes(view.range, { max: Math.max(1, data.epochs.length - 1) });
  show(view, epochToShow(view));
}

// The reader's epoch stays while a run grows. A new choice of Python's is followed, and so is the newest epoch by a
// reader who was watching the newest.
function epochToShow(view) {
  const { epochs, epoch } = view.data;
  const last = epochs.length - 1;
  const given = epochs.indexOf(epoch) < 0 ? last : epochs.indexOf(epoch);
  const kept = epochs.indexOf(view.shown);
  const changed = epoch !== view.lastGiven;
  const follow = kept < 0 || (changed && (view.shown === view.lastGiven || given !== last));
  view.lastGiven = epoch;
  return follow ? given : kept;
}

function arrange(view) {
  const { data, width } = view;
  const count = data.panels.length;
  const stacked = width < 200 * count + BETWEEN * (count - 1);
  view.root.classList.toggle("stacked", stacked);
  const columns = data.channels <= 4 ? data.channels : data.channels <= 16 ? 4 : data.channels <= 64 ? 8 : 16;
  const rows = Math.ceil(data.channels / columns);
  const gap = 3;
  const dots = window.devicePixelRatio || 1;
  const room = Math.min(stacked ? width : (width - BETWEEN * (count - 1)) / count, columns * 116);
  // Whole device pixels for a value: all cells of a map are equally large.
  const exact = ((room - gap * (columns - 1)) * dots) / (columns * data.width);
  const cell = (exact >= 1 ? Math.floor(exact) : exact) / dots;
  view.layout = { columns, rows, gap, dots, cell, wide: data.width * cell, high: data.height * cell };
  const size = [columns * view.layout.wide + gap * (columns - 1), rows * view.layout.high + gap * (rows - 1)];

  const looks = data.panels.map((panel) => [panel.id, panel.title, panel.role, Boolean(panel.missing), panel.note]);
  const signature = JSON.stringify([looks, data.operators]);
  if (signature !== view.signature) {
    view.signature = signature;
    view.panels = data.panels.map((panel) => makePanel(view, panel));
    view.grid.replaceChildren(
      ...view.panels.flatMap((panel, i) => (i ? [html("div", { class: "operator" }, data.operators?.[i - 1] ?? ""), panel.root] : [panel.root])),
    );
  }
  view.grid.style.justifyContent = "space-between";
  for (const panel of view.panels) {
    Object.assign(panel.sheet.style, { width: `${size[0]}px`, height: `${size[1]}px` });
    panel.root.style.width = `${size[0]}px`;
    if (!panel.canvas) continue;
    const pixels = size.map((length) => Math.round(length * dots));
    if (panel.canvas.width !== pixels[0] || panel.canvas.height !== pixels[1]) Object.assign(panel.canvas, { width: pixels[0], height: pixels[1] });
  }
  for (const operator of view.grid.querySelectorAll(".operator"))
    operator.style.cssText = stacked ? `width:${size[0]}px;padding:6px 0 2px` : `flex:1;padding-top:${Math.round(26 + size[1] / 2 - 13)}px`;
}

function makePanel(view, content) {
  const name = html("div", { class: "name" }, content.title);
  name.style.color = wordInk(content.role);
  const panel = { id: content.id, text: null, values: null };
  if (content.missing) {
    panel.sheet = html("div", { class: "sheet" }, html("div", { class: "missing" }, content.note ?? "not recorded"));
  } else {
    panel.canvas = html("canvas", { role: "img" });
    panel.map = html("div", { class: "mark map" });
    panel.cell = html("div", { class: "mark cell" });
    const label = `${content.title}: arrow keys move over the maps, Enter pins a position`;
    const role = { class: "sheet", role: "application", tabindex: 0, "aria-label": label };
    panel.sheet = html("div", role, panel.canvas, panel.map, panel.cell);
    listen(view, panel);
  }
  panel.root = html("div", { class: "panel" }, name, panel.sheet);
  return panel;
}

function listen(view, panel) {
  const { sheet } = panel;
  const spotAt = (event) => {
    const { columns, gap, wide, high, cell } = view.layout;
    const box = sheet.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const [column, row] = [Math.floor(x / (wide + gap)), Math.floor(y / (high + gap))];
    const channel = row * columns + column;
    if (x < 0 || y < 0 || column >= columns || channel >= view.data.channels) return null;
    const inside = (offset, most) => clamp(Math.floor(offset / cell), 0, most - 1);
    return { channel, row: inside(y - row * (high + gap), view.data.height), col: inside(x - column * (wide + gap), view.data.width) };
  };
  const look = (spot) => {
    view.pointed = spot;
    explain(view);
  };
  const pin = (spot) => {
    view.pinned = spot;
    explain(view);
    if (spot) view.emit("select", spot);
  };
  sheet.addEventListener("pointermove", (event) => look(spotAt(event)));
  sheet.addEventListener("pointerleave", () => look(null));
  sheet.addEventListener("click", (event) => pin(spotAt(event)));
  sheet.addEventListener("blur", () => look(null));
  sheet.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (step) look(moved(view, view.pointed ?? view.pinned, step, event.shiftKey));
    else if (event.key === "Enter" || event.key === " ") pin(view.pointed);
    else if (event.key === "Escape") {
      view.pinned = null;
      look(null);
    } else return;
    event.preventDefault();
  });
}

// One value further, over the edge of a map into its neighbour; with shift a whole map further.
function moved(view, spot, [down, right], whole) {
  if (!spot) return { channel: 0, row: 0, col: 0 };
  const { columns } = view.layout;
  const { width, height, channels } = view.data;
  let { channel, row, col } = spot;
  if (!whole) [row, col] = [row + down, col + right];
  const over = whole ? [down, right] : [Math.sign(Math.floor(row / height)), Math.sign(Math.floor(col / width))];
  const next = channel + over[0] * columns + over[1];
  if (over[0] || over[1]) {
    if (next < 0 || next >= channels) return spot;
    channel = next;
  }
  return { channel, row: (row + height) % height, col: (col + width) % width };
}

// Decodes what is new and settles the scale: one for all panels, all channels and all epochs, unless asked otherwise.
function measure(view) {
  const { data } = view;
  let fresh = false;
  data.panels.forEach((content, i) => {
    const panel = view.panels[i];
    if (content.missing || panel.text === content.data) return;
    fresh = true;
    panel.text = content.data;
    panel.values = decode(content.data);
    panel.strip = Object.assign(document.createElement("canvas"), { width: data.width, height: data.height * data.channels });
    panel.image = new ImageData(data.width, data.height * data.channels);
    panel.words = new Uint32Array(panel.image.data.buffer);
  });
  const mode = `${data.scale} ${data.range} ${data.signed}`;
  const filled = view.panels.filter((panel) => panel.values);
  if (!fresh && mode === view.mode) return;
  view.mode = mode;
  view.signed = data.signed ?? filled.some((panel) => panel.values.some((value) => value < 0));
  view.colours = lookup(view.signed ? view.palette.diverging : view.palette.sequential);
  const shared = data.scale === "whole" && data.range ? { limit: data.range, beyond: false } : reach(filled.map((panel) => panel.values));
  view.shared = shared;
  const each = data.width * data.height;
  for (const panel of filled) {
    panel.limits = new Float32Array(data.channels).fill(shared.limit);
    if (data.scale !== "per map") continue;
    panel.limits.fill(0);
    panel.values.forEach((value, i) => {
      const channel = Math.floor(i / each) % data.channels;
      if (Math.abs(value) > panel.limits[channel] && Number.isFinite(value)) panel.limits[channel] = Math.abs(value);
    });
  }
}

function legend(view) {
  const { data, shared } = view;
  const [low, high] = [view.signed ? -shared.limit : 0, shared.limit];
  view.ramp.style.background = `linear-gradient(to right, ${view.signed ? view.palette.diverging : view.palette.sequential})`;
  const per = data.scale === "per map";
  const middle = view.signed ? "0" : per ? "" : number(high / 2);
  const words = per ? [view.signed ? "−max" : "0", middle, "max"] : [number(low), middle, number(high)];
  view.ends.replaceChildren(...words.map((word) => html("span", {}, word)));
  say(view.caption, per ? "each map on its own scale" : `one scale for all maps and epochs${shared.beyond ? ", rare values lie beyond" : ""}`);
}

function show(view, at) {
  const { data } = view;
  view.at = at;
  view.shown = data.epochs[at];
  view.range.value = at;
  view.range.style.setProperty("--done", `${(100 * at) / Math.max(1, data.epochs.length - 1)}%`);
  const word = `epoch ${data.epochs[at]} of ${data.epochs.at(-1)}`;
  say(view.epoch, word);
  attributes(view.range, { "aria-valuetext": word });
  data.panels.forEach((content, i) => view.panels[i].values && paintPanel(view, view.panels[i], content));
  explain(view);
}

function paintPanel(view, panel, content) {
  const { width, height, channels } = view.data;
  const { columns, gap, dots, wide, high } = view.layout;
  const { values, words, limits } = panel;
  const { colours, signed } = view;
  const each = width * height;
  const start = view.at * channels * each;
  let [least, most] = [Infinity, -Infinity];
  for (let channel = 0, i = 0; channel < channels; channel++) {
    const by = limits[channel] ? (signed ? 127 : 254) / limits[channel] : 0;
    const middle = signed ? 127 : 0;
    for (let k = 0; k < each; k++, i++) {
      const value = values[start + i];
      if (value < least) least = value;
      if (value > most) most = value;
      const colour = middle + value * by;
      words[i] = value !== value ? 0 : colours[colour <= 0 ? 0 : colour >= 254 ? 254 : Math.round(colour)];
    }
  }
  panel.strip.getContext("2d").putImageData(panel.image, 0, 0);
  const pen = panel.canvas.getContext("2d");
  pen.clearRect(0, 0, panel.canvas.width, panel.canvas.height);
  pen.imageSmoothingEnabled = false;
  const [w, h] = [Math.round(wide * dots), Math.round(high * dots)];
  for (let channel = 0; channel < channels; channel++) {
    const x = Math.round((channel % columns) * (wide + gap) * dots);
    const y = Math.round(Math.floor(channel / columns) * (high + gap) * dots);
    pen.drawImage(panel.strip, 0, channel * height, width, height, x, y, w, h);
  }
  const size = `${channels} maps of ${width} by ${height}, epoch ${view.shown}`;
  attributes(panel.canvas, { "aria-label": `${content.title}, ${size}: values from ${number(least)} to ${number(most)}` });
}

// ---- reading ----------------------------------------------------------------------------------------------------

function explain(view) {
  const spot = view.pointed ?? view.pinned;
  const { layout } = view;
  for (const panel of view.panels) {
    if (!panel.canvas) continue;
    for (const mark of [panel.map, panel.cell]) mark.style.visibility = spot ? "visible" : "hidden";
    if (!spot) continue;
    const x = (spot.channel % layout.columns) * (layout.wide + layout.gap);
    const y = Math.floor(spot.channel / layout.columns) * (layout.high + layout.gap);
    put(panel.map, x, y, layout.wide, layout.high);
    put(panel.cell, x + spot.col * layout.cell, y + spot.row * layout.cell, layout.cell, layout.cell);
  }
  view.sum.classList.toggle("muted", !spot);
  if (!spot) return say(view.sum, "Point at a value to see how it came about; click to pin it.");
  const title = html("b", {}, `channel ${spot.channel}, row ${spot.row}, column ${spot.col}`);
  view.sum.replaceChildren(title, ": ", ...arithmetic(view, spot));
}

function put({ style }, left, top, width, height) {
  Object.assign(style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
}

function valueOf(view, id, { channel, row, col }) {
  const at = view.data.panels.findIndex((panel) => panel.id === id);
  const values = view.panels[at]?.values;
  const { width, height, channels } = view.data;
  return values ? values[((view.at * channels + channel) * height + row) * width + col] : null;
}

// The very numbers: the value at every position of every map at the epoch on show.
function table(view) {
  const { width, height, panels } = view.data;
  const rows = panels.flatMap((content, at) => {
    const { values } = view.panels[at];
    if (!values) return [];
    const each = view.data.channels * height * width;
    return [...values.subarray(view.at * each, (view.at + 1) * each)].map((value, i) => {
      const [channel, row] = [Math.floor(i / (height * width)), Math.floor(i / width) % height];
      return [content.title, view.shown, channel, row, i % width, value];
    });
  });
  return [["map", "epoch", "channel", "row", "column", "value"], ...rows];
}

// The net's own sum with its own numbers: "0.82 + −0.31 = 0.51 → 0.51 after ReLU". What stands after "=" is computed
// from the terms, what stands last was recorded.
function arithmetic(view, spot) {
  const { data } = view;
  const sums = data.arithmetic;
  const terms = (sums?.terms ?? []).map((id) => ({ id, value: valueOf(view, id, spot) }));
  const result = sums && { id: sums.result, value: valueOf(view, sums.result, spot) };
  const coloured = (id, text) => {
    const word = html("span", {}, text);
    word.style.cssText = `color:${wordInk(data.panels.find((panel) => panel.id === id)?.role)};font-weight:600`;
    return word;
  };
  const join = { sum: sum, mean: (values) => sum(values) / values.length, max: (values) => Math.max(...values) }[sums?.join];
  if (!join || [...terms, result].some((term) => term.value === null)) {
    const known = data.panels.map((panel) => ({ ...panel, value: valueOf(view, panel.id, spot) })).filter((panel) => panel.value !== null);
    return known.flatMap((panel, i) => [i ? ", " : "", `${panel.title} `, coloured(panel.id, number(panel.value))]);
  }
  const values = terms.map((term) => term.value);
  const joined = join(values);
  const places = placesFor([...values, joined], join);
  const inner = terms.flatMap((term, i) => [i ? (sums.join === "max" ? ", " : " + ") : "", coloured(term.id, decimal(term.value, places))]);
  const left = { sum: inner, mean: ["(", ...inner, `) / ${values.length}`], max: ["max(", ...inner, ")"] }[sums.join];
  const recorded = coloured(result.id, decimal(result.value, places));
  return sums.relu ? [...left, ` = ${decimal(joined, places)} → `, recorded, " after ReLU"] : [...left, " = ", recorded];
}
