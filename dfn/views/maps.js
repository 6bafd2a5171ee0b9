// Feature maps of a run, all channels at once, scrubbed through the epochs in the browser. A channel has the same
// place in every panel; the panels share one scale, which holds for all epochs. Two pinned epochs stand below each
// other with their difference, on one scale as well.

const STYLE = `
.dfn-view .grid { display: flex; align-items: flex-start; justify-content: space-between; }
.dfn-view.stacked .grid { flex-direction: column; }
.dfn-view .name { font-weight: 600; min-height: 26px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.dfn-view .rowname { font-weight: 600; border-top: 1px solid var(--dfn-line); padding: 8px 0 4px; margin-top: 10px; }
.dfn-view .sheet { position: relative; cursor: crosshair; touch-action: manipulation; }
.dfn-view .sheet canvas { display: block; width: 100%; height: 100%; image-rendering: pixelated; }
.dfn-view .scene canvas { image-rendering: pixelated; }
.dfn-view .missing { display: grid; place-items: center; border: 1px dashed var(--dfn-line); border-radius: 8px;
  color: var(--dfn-muted); width: 100%; height: 100%; }
.dfn-view .operator { flex: none; text-align: center; font-size: 26px; line-height: 1; color: var(--dfn-muted); }
.dfn-view .foot { display: flex; flex-wrap: wrap; gap: 14px 28px; align-items: flex-start; margin-top: 14px; }
.dfn-view .told { flex: 1 1 340px; display: flex; flex-wrap: wrap; gap: 10px 28px; }
.dfn-view.stacked .told { flex-basis: 100%; }
.dfn-view.stacked .key { min-height: 5.4em; }
.dfn-view .key { max-width: 100%; font-size: 12.5px; color: var(--dfn-muted); }
.dfn-view .ramp { width: 240px; height: 10px; border-radius: 3px; border: 1px solid var(--dfn-line); margin-bottom: 2px; }
.dfn-view .ends { display: flex; width: 240px; justify-content: space-between; }
${EPOCHS_STYLE}${READING_STYLE}${FIELD_STYLE}${KEYS_STYLE}`;

const BETWEEN = 40; // room of an operator between two panels

export function draw(root, data, emit) {
  return update(mount(root, STYLE, build, data), data, emit);
}

function build(view) {
  buildEpochs(view);
  buildKeys(view);
  buildReading(view);
  buildField(view);
  view.grids = html("div");
  view.ramp = html("div", { class: "ramp" });
  view.ends = html("div", { class: "ends" });
  view.caption = html("div");
  view.key = html("div", { class: "key" }, view.ramp, view.ends, view.caption);
  view.root.append(view.player, view.course, view.tools, view.grids, html("div", { class: "foot" }, view.field, html("div", { class: "told" }, view.sum, view.key)));
  view.root.append(saving(() => view.root, () => ({ name: _("maps, epoch {number}", { number: view.shown }), rows: table(view) })));
  view.panels = [];
  view.sheets = [];
  view.paint = () => paint(view);
}

// ---- drawing ----------------------------------------------------------------------------------------------------

function paint(view) {
  takePins(view);
  view.at = epochToShow(view);
  arrange(view);
  measure(view);
  legend(view);
  paintEpochs(view);
  paintPhoto(view);
  view.sum.style.minHeight = `${linesIn(view) * LINE}em`;
  show(view, view.at);
}

function arrange(view) {
  const { data, width } = view;
  const many = data.panels.length;
  const stacked = width < 200 * many + BETWEEN * (many - 1);
  view.root.classList.toggle("stacked", stacked);
  const columns = data.channels <= 4 ? data.channels : data.channels <= 16 ? 4 : data.channels <= 64 ? 8 : 16;
  const rows = Math.ceil(data.channels / columns);
  const gap = 3;
  const dots = window.devicePixelRatio || 1;
  const room = Math.min(stacked ? width : (width - BETWEEN * (many - 1)) / many, columns * 116);
  // Whole device pixels for a value: all cells of a map are equally large.
  const exact = ((room - gap * (columns - 1)) * dots) / (columns * data.width);
  const cell = (exact >= 1 ? Math.floor(exact) : exact) / dots;
  view.layout = { columns, rows, gap, dots, cell, wide: data.width * cell, high: data.height * cell };
  const size = [columns * view.layout.wide + gap * (columns - 1), rows * view.layout.high + gap * (rows - 1)];

  const looks = data.panels.map((panel) => [panel.id, panel.title, panel.role, Boolean(panel.missing), panel.note]);
  const signature = JSON.stringify([looks, data.operators, comparing(view)]);
  if (signature !== view.signature) {
    view.signature = signature;
    rebuild(view);
  }
  for (const { root, canvas } of view.sheets) {
    Object.assign(root.style, { width: `${size[0]}px`, height: `${size[1]}px` });
    root.parentElement.style.width = `${size[0]}px`;
    if (!canvas) continue;
    const pixels = size.map((length) => Math.round(length * dots));
    if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) Object.assign(canvas, { width: pixels[0], height: pixels[1] });
  }
  for (const operator of view.grids.querySelectorAll(".operator"))
    operator.style.cssText = stacked ? `width:${size[0]}px;padding:6px 0 2px` : `flex:1;padding-top:${Math.round(26 + size[1] / 2 - 13)}px`;
}

// New sheets; whoever stood on one of the old ones with the keyboard stands on the new one in its place.
function rebuild(view) {
  const { data } = view;
  const focused = view.root.getRootNode().activeElement;
  const stood = view.sheets.findIndex((sheet) => sheet.root === focused);
  view.panels = data.panels.map((panel) => ({ id: panel.id, text: null, values: null }));
  const rows = rowsOf(view);
  view.sheets = rows.flatMap((row, at) => view.panels.map((panel, i) => makeSheet(view, panel, data.panels[i], row, at)));
  const grids = rows.map((row, at) => {
    const sheets = view.sheets.slice(at * view.panels.length, (at + 1) * view.panels.length);
    // ReLU, max and the like do not hand on a difference as it is: nothing stands between the maps there.
    const between = (i) => (row.from === null ? (data.operators?.[i - 1] ?? "") : "");
    return html("div", { class: "grid" }, ...sheets.flatMap(({ root }, i) => (i ? [html("div", { class: "operator" }, between(i)), root.parentElement] : [root.parentElement])));
  });
  view.rownames = rows.map((row) => html("div", { class: "rowname" }, row.title));
  view.grids.replaceChildren(...grids.flatMap((grid, at) => (rows.length > 1 ? [view.rownames[at], grid] : [grid])));
  if (stood >= 0) (view.sheets[Math.min(stood, view.sheets.length - 1)]?.root ?? view.root).focus();
}

function makeSheet(view, panel, content, row, at) {
  const name = html("div", { class: "name" }, content.title);
  name.style.color = wordInk(content.role);
  const sheet = { panel, row: at };
  if (content.missing) {
    sheet.root = html("div", { class: "sheet" }, html("div", { class: "missing" }, content.note ?? _("not recorded")));
  } else {
    sheet.canvas = html("canvas", { role: "img" });
    sheet.marks = makeMarks();
    const name = `${row.name ? `${row.name}, ` : ""}${content.title}`;
    const label = _("{name}: arrow keys move over the maps, Enter pins a position", { name });
    const role = { class: "sheet", role: "application", tabindex: 0, "aria-label": label };
    sheet.root = html("div", role, sheet.canvas, sheet.marks.map, ...sheet.marks.pins, sheet.marks.cell);
    listen(view, sheet, panel);
  }
  html("div", { class: "panel" }, name, sheet.root);
  return sheet;
}

// Decodes what is new and settles the scale: one for all panels, all channels and all epochs, unless asked otherwise.
// With A and B on show it also holds what any epoch differs from A, so that it stands still while B is scrubbed.
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
  const from = comparing(view) ? pinnedAt(view, 0) : null;
  const mode = `${data.scale} ${data.range} ${data.signed} ${from}`;
  if (!fresh && mode === view.mode) return;
  view.mode = mode;
  const filled = view.panels.filter((panel) => panel.values);
  const each = data.width * data.height;
  const arrays = filled.map((panel) => panel.values);
  const changes = from === null ? [] : arrays.map((values) => since(values, from, data.channels * each));
  view.signed = from !== null || (data.signed ?? arrays.some((values) => values.some((value) => value < 0)));
  view.colours = lookup(view.signed ? view.palette.diverging : view.palette.sequential);
  view.shared = data.scale === "whole" && data.range ? { limit: data.range, beyond: false } : reach(arrays);
  if (changes.length) view.shared = widest(view.shared, reach(changes));
  filled.forEach((panel, i) => {
    panel.limits = new Float32Array(data.channels).fill(view.shared.limit);
    if (data.scale !== "per map") return;
    panel.limits.fill(0);
    for (const values of [panel.values, ...(changes.length ? [changes[i]] : [])])
      values.forEach((value, k) => {
        const channel = Math.floor(k / each) % data.channels;
        if (Math.abs(value) > panel.limits[channel] && Number.isFinite(value)) panel.limits[channel] = Math.abs(value);
      });
  });
}

function legend(view) {
  const { data, shared } = view;
  const [low, high] = [view.signed ? -shared.limit : 0, shared.limit];
  view.ramp.style.background = `linear-gradient(to right, ${view.signed ? view.palette.diverging : view.palette.sequential})`;
  const per = data.scale === "per map";
  const middle = view.signed ? "0" : per ? "" : number(high / 2);
  const words = per ? [view.signed ? `−${_("max")}` : "0", middle, _("max")] : [number(low), middle, number(high)];
  view.ends.replaceChildren(...words.map((word) => html("span", {}, word)));
  const own = () => (comparing(view) ? _("each map on its own scale, the same in A, B and B − A") : _("each map on its own scale"));
  const one = () => (comparing(view) ? _("one scale for A, B and B − A") : _("one scale for all maps and epochs"));
  say(view.caption, per ? own() : shared.beyond ? `${one()}, ${_("rare values lie beyond")}` : one());
}

function show(view, at) {
  const { data } = view;
  view.at = at;
  view.shown = data.epochs[at];
  showEpoch(view);
  const rows = rowsOf(view);
  rows.forEach((row, i) => say(view.rownames[i], row.title));
  for (const sheet of view.sheets) if (sheet.canvas) paintSheet(view, sheet, rows[sheet.row]);
  explain(view);
}

function paintSheet(view, { panel, canvas }, row) {
  const { width, height, channels, panels, epochs } = view.data;
  const { columns, gap, dots, wide, high } = view.layout;
  const { values, words, limits } = panel;
  const { colours, signed } = view;
  const each = width * height;
  const [to, from] = [row.to * channels * each, row.from === null ? -1 : row.from * channels * each];
  let [least, most] = [Infinity, -Infinity];
  for (let channel = 0, i = 0; channel < channels; channel++) {
    const by = limits[channel] ? (signed ? 127 : 254) / limits[channel] : 0;
    const middle = signed ? 127 : 0;
    for (let k = 0; k < each; k++, i++) {
      const value = from < 0 ? values[to + i] : values[to + i] - values[from + i];
      if (value < least) least = value;
      if (value > most) most = value;
      const colour = middle + value * by;
      words[i] = value !== value ? 0 : colours[colour <= 0 ? 0 : colour >= 254 ? 254 : Math.round(colour)];
    }
  }
  panel.strip.getContext("2d").putImageData(panel.image, 0, 0);
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingEnabled = false;
  const [w, h] = [Math.round(wide * dots), Math.round(high * dots)];
  for (let channel = 0; channel < channels; channel++) {
    const x = Math.round((channel % columns) * (wide + gap) * dots);
    const y = Math.round(Math.floor(channel / columns) * (high + gap) * dots);
    pen.drawImage(panel.strip, 0, channel * height, width, height, x, y, w, h);
  }
  const { title } = panels.find(({ id }) => id === panel.id);
  const [shown, before] = [row.to, row.from].map((at) => (at === null ? "" : epochName(epochs[at])));
  const when = row.from === null ? shown : _("{one} minus {other}", { one: shown, other: before });
  const told = { title, channels, width, height, when, least: number(least), most: number(most) };
  attributes(canvas, { "aria-label": _("{title}, {channels} maps of {width} by {height}, {when}: values from {least} to {most}", told) });
}

// The very numbers: the value at every position of every map, at the epochs on show; differences follow from them.
function table(view) {
  const { width, height, channels, panels, epochs } = view.data;
  const each = channels * height * width;
  const kept = rowsOf(view).filter((row) => row.from === null);
  const rows = kept.flatMap(({ to }) =>
    panels.flatMap(({ title }, at) =>
      [...(view.panels[at].values?.subarray(to * each, (to + 1) * each) ?? [])].map((value, i) => {
        const [channel, row] = [Math.floor(i / (height * width)), Math.floor(i / width) % height];
        return [title, epochs[to], channel, row, i % width, value];
      }),
    ),
  );
  return [[_("map"), _("epoch"), _("channel"), _("row"), _("column"), _("value")], ...rows];
}
