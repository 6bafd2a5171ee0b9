// Reading the maps: pointing at a value, pinning one or two places, and the sums that the net computed there.

const READING_STYLE = `
.dfn-view .mark { position: absolute; pointer-events: none; visibility: hidden; }
.dfn-view .mark.map { outline: 2px solid var(--dfn-text); outline-offset: 1px; border-radius: 1px;
  box-shadow: inset 0 0 0 1px var(--dfn-background), 0 0 0 5px var(--dfn-background); }
.dfn-view .mark.cell, .dfn-view .mark.pin { outline: 1.5px solid #111; box-shadow: 0 0 0 3px #fff; }
.dfn-view .mark.pin::after { content: attr(data-pin); position: absolute; left: 100%; bottom: 100%; margin: 1px; padding: 0 4px;
  font-size: 11px; line-height: 15px; font-weight: 600; color: #fff; background: #111; border-radius: 3px; }
.dfn-view .sum { flex: 1 1 340px; }
.dfn-view .sum b { font-weight: 600; }
.dfn-view .sum .change { border-top: 1px solid var(--dfn-line); }
.dfn-view.stacked .sum { flex-basis: 100%; }
`;

const LINE = 1.45;
const SHORT = { deep: N_("deep"), shallow: N_("shallow"), joined: N_("joined"), map: N_("map") };

function buildReading(view) {
  view.sum = html("div", { class: "sum", "aria-live": "polite" });
  view.pointed = null;
  view.lookedAt = null; // the panel that was pointed at last: its fields are drawn on the image
}

const within = ({ data }, spot) => spot.channel < data.channels && spot.row < data.height && spot.col < data.width;

// The pinned places that these maps have; on the maps of another fusion there may be none.
const placesOn = (view) => view.pins.places.filter((spot) => within(view, spot)).slice(0, 2);

const same = (a, b) => a && b && a.channel === b.channel && a.row === b.row && a.col === b.col;

function makeMarks() {
  return {
    map: html("div", { class: "mark map" }),
    pins: [1, 2].map((number) => html("div", { class: "mark pin", "data-pin": number })),
    cell: html("div", { class: "mark cell" }),
  };
}

function listen(view, sheet, panel) {
  const { root } = sheet;
  const spotAt = (event) => {
    const { columns, gap, wide, high, cell } = view.layout;
    const box = root.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const [column, row] = [Math.floor(x / (wide + gap)), Math.floor(y / (high + gap))];
    const channel = row * columns + column;
    if (x < 0 || y < 0 || column >= columns || channel >= view.data.channels) return null;
    const inside = (offset, most) => clamp(Math.floor(offset / cell), 0, most - 1);
    return { channel, row: inside(y - row * (high + gap), view.data.height), col: inside(x - column * (wide + gap), view.data.width) };
  };
  const look = (spot) => {
    if (same(spot, view.pointed) && view.lookedAt === panel.id) return;
    view.pointed = spot;
    view.lookedAt = panel.id;
    explain(view);
  };
  // The second place wants a first one.
  const pin = (spot, second) => {
    if (!spot) return;
    const [first] = placesOn(view);
    setPins(view, { places: second && first ? [first, spot] : [spot] });
  };
  root.addEventListener("pointermove", (event) => look(spotAt(event)));
  root.addEventListener("pointerleave", () => look(null));
  root.addEventListener("click", (event) => pin(spotAt(event), event.shiftKey));
  root.addEventListener("blur", () => look(null));
  root.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (step) look(moved(view, view.pointed ?? placesOn(view)[0], step, event.shiftKey));
    else if (event.key === "Enter") pin(view.pointed, event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
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

// ---- what is said about a place ---------------------------------------------------------------------------------

function explain(view) {
  const pins = placesOn(view);
  const spot = view.pointed ?? pins[0] ?? null;
  for (const sheet of view.sheets) {
    if (!sheet.canvas) continue;
    put(view, sheet.marks.map, spot, true);
    put(view, sheet.marks.cell, view.pointed);
    sheet.marks.pins.forEach((mark, i) => put(view, mark, pins[i]));
  }
  paintFields(view, spot);
  view.sum.classList.toggle("muted", !spot);
  if (!spot) return say(view.sum, _("Point at a value to see how it came about; click to pin it, and with Shift a second one to compare."));
  // Beside the pinned place stands the one that is pointed at, else the second pinned one.
  const other = view.pointed ?? pins[1];
  const spots = pins[0] && !same(pins[0], other) ? [pins[0], other].filter(Boolean) : [spot];
  view.sum.replaceChildren(...readings(view, spots));
}

function put({ layout }, { style }, spot, whole = false) {
  style.visibility = spot ? "visible" : "hidden";
  if (!spot) return;
  const { columns, gap, wide, high, cell } = layout;
  const [x, y] = [(spot.channel % columns) * (wide + gap), Math.floor(spot.channel / columns) * (high + gap)];
  const [left, top, width, height] = whole ? [x, y, wide, high] : [x + spot.col * cell, y + spot.row * cell, cell, cell];
  Object.assign(style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
}

// A line for every place, at A and at B where these are on show, and below each other what differs.
function readings(view, spots) {
  const rows = rowsOf(view).filter((row) => row.from === null);
  const names = ["1", same(spots[1], placesOn(view)[1]) ? "2" : _("here")];
  const lines = spots.flatMap((spot, i) => {
    const name = html("b", {}, `${spots.length > 1 ? `${names[i]}: ` : ""}${placeName(spot)}`);
    const told = rows.map((row) => html("div", {}, ...(row.name ? [`${row.name}: `] : [name, ": "]), ...arithmetic(view, spot, row.to)));
    if (rows.length === 1) return told;
    return [html("div", {}, name), ...told, changed(view, "B − A", [spot, rows[0].to], [spot, rows[1].to])];
  });
  if (rows.length === 1 && spots.length === 2) lines.push(changed(view, `${names[1]} − 1`, [spots[0], rows[0].to], [spots[1], rows[0].to]));
  return lines;
}

const placeName = ({ channel, row, col }) => _("channel {channel}, row {row}, column {column}", { channel, row, column: col });

// How much a place can take: the foot keeps its height while one points here and there.
const linesIn = (view) => (comparing(view) ? 8 : 3) * (view.root.classList.contains("stacked") ? 1.7 : 1);

function changed(view, name, [one, at], [other, then]) {
  const panels = view.data.panels.flatMap((panel) => {
    const [from, to] = [valueOf(view, panel.id, one, at), valueOf(view, panel.id, other, then)];
    return from === null || Number.isNaN(from - to) ? [] : [[panel, to - from]];
  });
  const signed = (value) => `${value > 0 ? "+" : ""}${number(value)}`;
  const words = panels.flatMap(([panel, value], i) => [i ? ", " : "", `${_(SHORT[panel.id] ?? panel.id)} `, coloured(view, panel.id, signed(value))]);
  return html("div", { class: "change" }, `${name}: `, ...words);
}

function valueOf(view, id, { channel, row, col }, at) {
  const index = view.data.panels.findIndex((panel) => panel.id === id);
  const values = view.panels[index]?.values;
  const { width, height, channels } = view.data;
  return values ? values[((at * channels + channel) * height + row) * width + col] : null;
}

function coloured(view, id, text) {
  const word = html("span", {}, text);
  word.style.cssText = `color:${wordInk(view.data.panels.find((panel) => panel.id === id)?.role)};font-weight:600`;
  return word;
}

// The net's own sum with its own numbers: "0.82 + −0.31 = 0.51 → 0.51 after ReLU". What stands after "=" is computed
// from the terms, what stands last was recorded.
function arithmetic(view, spot, at) {
  const { data } = view;
  const sums = data.arithmetic;
  const terms = (sums?.terms ?? []).map((id) => ({ id, value: valueOf(view, id, spot, at) }));
  const result = sums && { id: sums.result, value: valueOf(view, sums.result, spot, at) };
  const join = { sum: sum, mean: (values) => sum(values) / values.length, max: (values) => Math.max(...values) }[sums?.join];
  if (!join || [...terms, result].some((term) => term.value === null)) {
    const known = data.panels.map((panel) => ({ ...panel, value: valueOf(view, panel.id, spot, at) })).filter((panel) => panel.value !== null);
    return known.flatMap((panel, i) => [i ? ", " : "", `${panel.title} `, coloured(view, panel.id, number(panel.value))]);
  }
  const values = terms.map((term) => term.value);
  const joined = join(values);
  const places = placesFor([...values, joined], join);
  const inner = terms.flatMap((term, i) => [i ? (sums.join === "max" ? ", " : " + ") : "", coloured(view, term.id, decimal(term.value, places))]);
  const left = { sum: inner, mean: ["(", ...inner, `) / ${values.length}`], max: ["max(", ...inner, ")"] }[sums.join];
  const recorded = coloured(view, result.id, decimal(result.value, places));
  return sums.relu ? [...left, ` = ${decimal(joined, places)} → `, recorded, ` ${_("after ReLU")}`] : [...left, " = ", recorded];
}
