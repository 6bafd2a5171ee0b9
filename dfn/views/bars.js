// Bars of several nets under one scale, so that rows can be compared by eye: the gradient norm of every block while a
// net learns, or (horizontal) how many layers lie on a way.

const STYLE = `
.dfn-view .head { min-height: 24px; margin-bottom: 4px; }
.dfn-view .head .muted { margin-left: 8px; font-size: 13px; }
.dfn-view .status { min-height: 1.5em; color: var(--dfn-muted); font-size: 13px; }
.dfn-view .status b { font-weight: 600; }
.dfn-view.narrow .status { min-height: 3em; }
.dfn-view svg text { font-size: 12.5px; fill: var(--dfn-muted); }
.dfn-view svg .group { font-weight: 600; }
.dfn-view .slot rect.hit { fill: transparent; }
.dfn-view .slot:hover rect.hit, .dfn-view .slot:focus-visible rect.hit { fill: var(--dfn-text); fill-opacity: .06; }
.dfn-view .slot:focus-visible rect.hit { stroke: var(--dfn-focus); stroke-width: 2; }
`;

const ROW = { title: 22, bars: 92, gap: 14 };
const FOOT = 24;
const LINE = 44; // a horizontal bar with its air

export function draw(root, data, emit) {
  return update(mount(root, STYLE, build, data), data, emit);
}

function build(view) {
  view.title = html("span", { class: "title" });
  view.subtitle = html("span", { class: "muted" });
  view.svg = svg("svg", { role: "group" });
  view.status = html("div", { class: "status", "aria-live": "polite" });
  const save = saving(() => view.root, () => ({ name: view.data.title ?? _("Bars"), rows: table(view.data) }));
  view.root.append(html("div", { class: "head" }, view.title, view.subtitle), view.svg, view.status, save);
  view.pointed = null;
  view.slots = new Map(); // key -> group of one bar, kept while the values change
  view.paint = () => paint(view);
  const point = (event) => {
    view.pointed = event.target.closest?.("[data-slot]")?.dataset.slot ?? null;
    speak(view);
  };
  view.svg.addEventListener("pointerover", point);
  view.svg.addEventListener("pointerleave", () => point({ target: view.svg }));
  view.svg.addEventListener("focusin", point);
  view.svg.addEventListener("focusout", () => point({ target: view.svg }));
  view.svg.addEventListener("keydown", (event) => {
    const all = [...view.svg.querySelectorAll("[data-slot]")];
    const at = all.indexOf(event.target.closest("[data-slot]"));
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
    if (!(event.key in to)) return;
    const next = all[clamp(to[event.key], 0, all.length - 1)];
    for (const slot of all) slot.setAttribute("tabindex", slot === next ? 0 : -1);
    next.focus();
    event.preventDefault();
  });
}

const good = (value, log) => Number.isFinite(value) && (!log || value > 0);

// One scale for every row. On a log scale whole decades: it stands still while the values move inside them.
function scaleOf({ groups, log }) {
  const values = groups
    .flatMap((group) => group.bars)
    .flatMap((bar) => [bar.value, ...(bar.parts ?? []).map((part) => part.value)])
    .filter((value) => good(value, log));
  const most = Math.max(...values, log ? 1e-12 : 0);
  if (!log) {
    const counts = values.every(Number.isInteger);
    const list = ticks(0, most || 1, 3).filter((value) => !counts || Number.isInteger(value));
    return { at: (value) => clamp(value / (most || 1), 0, 1), ticks: list.map((value) => ({ value, word: number(value) })) };
  }
  const high = values.length ? Math.ceil(Math.log10(most) + 1e-9) : 0;
  const low = values.length ? Math.min(high - 1, Math.floor(Math.log10(Math.min(...values)) - 0.02)) : -3;
  const every = Math.ceil((high - low) / 4);
  const list = [];
  for (let k = high; k >= low; k -= every) {
    const word = Math.abs(k) < 2 ? String(Number((10 ** k).toFixed(1))) : `10${raised(String(k))}`;
    list.unshift({ value: 10 ** k, word });
  }
  return { at: (value) => (good(value, true) ? clamp((Math.log10(value) - low) / (high - low), 0, 1) : 0), ticks: list };
}

function paint(view) {
  const { data, width } = view;
  view.root.classList.toggle("narrow", width < 480);
  say(view.title, data.title ?? "");
  say(view.subtitle, data.subtitle ?? "");
  view.used = new Set();
  view.order = 0;
  const scale = scaleOf(data);
  const said = (group) => `${group.label} ${group.bars.map((bar) => `${bar.label} ${number(bar.value)}`).join(", ")}`;
  attributes(view.svg, { width, "aria-label": `${data.title ?? _("Bars")}: ${data.groups.map(said).join("; ")}` });
  if (data.orientation === "horizontal") horizontal(view, scale);
  else vertical(view, scale);
  for (const [key, slot] of view.slots)
    if (!view.used.has(key)) {
      slot.remove();
      view.slots.delete(key);
    }
  if (view.pointed !== null && !view.slots.has(view.pointed)) view.pointed = null;
  speak(view);
}

function slot(view, key, label, children) {
  let group = view.slots.get(key);
  if (!group) view.slots.set(key, (group = svg("g", { class: "slot", role: "img", "data-slot": key, tabindex: view.slots.size ? -1 : 0 })));
  const there = view.svg.children[view.order++] ?? null;
  if (there !== group) view.svg.insertBefore(group, there);
  view.used.add(key);
  attributes(group, { "aria-label": label });
  group.replaceChildren(...children);
}

function frame(view, children) {
  slot(view, "frame", null, children);
  attributes(view.slots.get("frame"), { "data-slot": null, class: null, role: null, tabindex: null });
}

function rectangle(x, y, width, height, role, opacity = 1) {
  const rx = Math.min(3, width / 4, height / 2);
  const style = `fill:${ink(role)};fill-opacity:${opacity}`;
  return svg("rect", { class: "bar", x: round(x), y: round(y), width: round(width), height: round(height), rx: round(rx), style });
}

function vertical(view, scale) {
  const { data, width } = view;
  const { groups } = data;
  const left = 14 + Math.max(...scale.ticks.map((tick) => textWidth(tick.word, 12.5, 400, view.root)));
  const most = Math.max(1, ...groups.map((group) => group.bars.length));
  const step = (width - left) / most;
  const thick = clamp(step * 0.7, 1.5, 64);
  const pitch = ROW.title + ROW.bars + ROW.gap;
  const height = groups.length * pitch - ROW.gap + FOOT;
  attributes(view.svg, { height });
  const lines = [];
  groups.forEach((group, row) => {
    const base = row * pitch + ROW.title + ROW.bars;
    for (const tick of scale.ticks) {
      const y = round(base - scale.at(tick.value) * ROW.bars);
      lines.push(svg("line", { x1: left, x2: width, y1: y, y2: y, style: "stroke:var(--dfn-line);stroke-width:1" }));
      lines.push(svg("text", { x: left - 8, y: y + 4.5, "text-anchor": "end" }, tick.word));
    }
    const name = svg("text", { class: "group", x: left, y: row * pitch + 12 }, group.label);
    name.style.fill = wordInk(group.role);
    lines.push(name);
    if (row < groups.length - 1 && sameLabels(group, groups[row + 1])) return;
    const every = Math.ceil((Math.max(...group.bars.map((bar) => textWidth(bar.label, 12.5, 400, view.root))) + 6) / step);
    group.bars.forEach((bar, i) => {
      if (i % every === 0) lines.push(svg("text", { x: left + (i + 0.5) * step, y: base + 18, "text-anchor": "middle" }, bar.label));
    });
  });
  frame(view, lines);
  groups.forEach((group, row) => {
    const base = row * pitch + ROW.title + ROW.bars;
    group.bars.forEach((bar, i) => {
      const x = left + i * step;
      const tall = (value) => scale.at(value) * ROW.bars;
      const parts = bar.parts ?? [];
      const share = (thick - 4) / Math.max(1, parts.length);
      slot(view, `${row} ${i}`, reading(data, group, bar), [
        svg("rect", { class: "hit", x: round(x), y: base - ROW.bars - 4, width: round(step), height: ROW.bars + 4, rx: 4 }),
        rectangle(x + (step - thick) / 2, base - tall(bar.value), thick, tall(bar.value), group.role, parts.length ? 0.3 : 1),
        // A norm's parts do not add up on a log scale: they stand side by side in front of the whole.
        ...parts.map(({ role, value }, n) => rectangle(x + (step - thick) / 2 + 2.5 + n * share, base - tall(value), Math.max(0.5, share - 1), tall(value), role)),
      ]);
    });
  });
}

const sameLabels = (a, b) => a.bars.length === b.bars.length && a.bars.every((bar, i) => bar.label === b.bars[i].label);

function horizontal(view, scale) {
  const { data, width } = view;
  const named = (group, bar) => [data.groups.length > 1 || group.bars.length === 1 ? group.label : "", bar.label].filter(Boolean).join(", ");
  const rows = data.groups.flatMap((group) => group.bars.map((bar) => ({ group, bar, label: named(group, bar) })));
  const wanted = Math.max(...rows.map((row) => textWidth(row.label, 12.5, 400, view.root))) + 16;
  const stacked = wanted > width * 0.42;
  const left = stacked ? 0 : wanted;
  const value = (bar) => `${number(bar.value)}${data.unit ? ` ${data.unit}` : ""}`;
  const right = Math.max(...rows.map((row) => textWidth(value(row.bar), 12.5, 600, view.root))) + 12;
  const line = stacked ? LINE + 14 : LINE;
  attributes(view.svg, { height: rows.length * line });
  frame(view, []);
  rows.forEach(({ group, bar, label }, row) => {
    const y = row * line + (stacked ? 22 : 8);
    const long = scale.at(bar.value) * (width - left - right);
    let at = left;
    const parts = bar.parts?.length ? bar.parts : [{ role: group.role, value: bar.value }];
    const whole = parts.reduce((sum, part) => sum + part.value, 0) || 1;
    slot(view, `${row} 0`, reading(data, group, bar), [
      svg("rect", { class: "hit", x: 0, y: row * line, width, height: line, rx: 4 }),
      svg("text", { x: 0, y: stacked ? row * line + 14 : y + 18.5 }, label),
      ...parts.map((part) => {
        const width = (part.value / whole) * long;
        at += width;
        return rectangle(at - width, y, Math.max(width, 1.5), 28, part.role);
      }),
      svg("text", { x: round(left + long + 9), y: y + 18.5, style: "fill:var(--dfn-text)" }, value(bar)),
    ]);
  });
}

// The very numbers: a line for every bar, and one for each of its parts.
function table({ groups, unit }) {
  const rows = groups.flatMap((group) =>
    group.bars.flatMap((bar) => [
      [group.label, bar.label, "", bar.value, unit],
      ...(bar.parts ?? []).map((part) => [group.label, bar.label, part.label ?? part.role, part.value, unit]),
    ]),
  );
  return [[_("group"), _("bar"), _("part"), _("value"), _("unit")], ...rows];
}

function reading(data, group, bar) {
  const unit = data.unit ? ` ${data.unit}` : "";
  const parts = (bar.parts ?? []).map((part) => `${part.label ?? part.role} ${number(part.value)}`).join(", ");
  return `${[group.label, bar.label].filter(Boolean).join(", ")}: ${number(bar.value)}${unit}${parts ? ` (${parts})` : ""}`;
}

function speak(view) {
  const { data } = view;
  const label = view.pointed === null ? null : view.slots.get(view.pointed)?.getAttribute("aria-label");
  const hint = data.log ? _("Point at a bar to read its value; log scale, the same in every row.") : _("Point at a bar to read its value.");
  say(view.status, label ?? (data.orientation === "horizontal" ? "" : hint));
}
