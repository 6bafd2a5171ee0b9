// The net as a picture: image, stem, lanes of blocks, joins, classifier, left to right, and below it how deep its
// paths are. A block is as many thin bars as it has convs. Pointing at a block, a join or a bar of the spectrum dims
// every branch that its paths do not take.

const STYLE = `
.dfn-view .lanes { display: flex; flex-wrap: wrap; gap: 0 20px; min-height: 24px; align-items: baseline;
  margin-bottom: 6px; }
.dfn-view .lanes > span { white-space: nowrap; }
.dfn-view .lanes b { display: inline-block; min-width: 2ch; font-size: 16px; text-align: right; }
.dfn-view .swatch { display: inline-block; width: 14px; height: 4px; border-radius: 2px; margin-right: 7px;
  vertical-align: middle; position: relative; top: -1px; }
.dfn-view .scroll { overflow-x: auto; overflow-y: hidden; scrollbar-width: thin;
  scrollbar-color: var(--dfn-line) transparent; }
.dfn-view .scroll.more-right { mask-image: linear-gradient(to left, transparent, #000 36px); }
.dfn-view .scroll.more-left { mask-image: linear-gradient(to right, transparent, #000 36px); }
.dfn-view .scroll.more-left.more-right { mask-image: linear-gradient(to right, transparent, #000 36px,
  #000 calc(100% - 36px), transparent); }
.dfn-view .status { min-height: 1.5em; color: var(--dfn-muted); }
.dfn-view .status b { color: var(--dfn-text); font-weight: 600; }
.dfn-view.narrow .status { min-height: 4.4em; }
.dfn-view .spectrum { margin-top: 10px; }
.dfn-view .spectrum .title { margin-bottom: 6px; }
.dfn-view svg text { font-size: 12.5px; fill: var(--dfn-muted); }
.dfn-view svg .strong { font-weight: 600; }
.dfn-view .wire { fill: none; stroke-width: 2; stroke-linecap: round; }
.dfn-view .branch, .dfn-view .wire, .dfn-view .count { transition: opacity .14s; }
.dfn-view .dim { opacity: .16; }
.dfn-view .lit .wire:not(.dim) { stroke-width: 2.6; }
.dfn-view .hit { fill: transparent; stroke: none; rx: 7px; }
.dfn-view [role=button] { cursor: pointer; }
.dfn-view [role=button]:hover > .hit { fill: var(--dfn-text); fill-opacity: .05; }
.dfn-view :focus-visible > .hit { stroke: var(--dfn-focus); stroke-width: 2; }
.dfn-view .selected > .hit { stroke: var(--dfn-text); stroke-width: 1.6; }
.dfn-view .ring { fill: var(--dfn-card); stroke: var(--dfn-fused); stroke-width: 2.4; }
.dfn-view .sign { fill: none; stroke: var(--dfn-fused_text); stroke-width: 2; stroke-linecap: round; }
.dfn-view svg .word { fill: var(--dfn-fused_text); text-anchor: middle; dominant-baseline: central; font-weight: 600; }
.dfn-view .join:hover .ring, .dfn-view .join:focus-visible .ring { stroke-width: 3.4; }
.dfn-view .bin { fill: var(--dfn-fused); opacity: .55; }
.dfn-view .bin.essential { opacity: 1; }
.dfn-view .count { outline: none; }
.dfn-view .count:hover .bin, .dfn-view .count:focus-visible .bin { opacity: 1; }
@media (prefers-reduced-motion: reduce) { .dfn-view * { transition: none !important; } }
`;

export function draw(root, data, emit) {
  return update(mount(root, STYLE, build, data), data, emit);
}

function build(view) {
  view.lanes = html("div", { class: "lanes" });
  view.picture = svg("g", { role: "img" });
  view.bands = svg("g");
  view.trunk = svg("g");
  view.picture.append(view.bands);
  view.svg = svg("svg", { role: "group" }, view.picture, view.trunk);
  view.scroll = html("div", { class: "scroll" }, view.svg);
  view.status = html("div", { class: "status", "aria-live": "polite" });
  view.question = html("div", { class: "title" });
  view.bins = svg("svg", { role: "group" });
  view.spectrum = html("div", { class: "spectrum" }, view.question, view.bins);
  const rows = () => [[_("layers on the path"), _("paths")], ...view.data.spectrum.map((entry) => [entry.depth, String(entry.count)])];
  view.save = saving(() => view.root, () => ({ name: summary(view.data), rows: rows() }));
  view.root.append(view.lanes, view.scroll, view.status, view.spectrum, view.save);

  view.parts = new Map(); // key -> element, kept from one data to the next
  view.branches = new Map(); // key -> where a branch stands and which elements belong to it
  view.spots = new Map(); // key -> what pointing there means
  view.pointed = null;
  view.depths = [];
  view.stop = () => view.glide?.();
  view.paint = () => paint(view);

  const spotOf = (event) => event.target.closest("[data-spot]")?.dataset.spot ?? null;
  const point = (key) => {
    if (view.pointed === key) return;
    view.pointed = key;
    light(view);
  };
  view.root.addEventListener("pointerover", (event) => point(spotOf(event)));
  view.root.addEventListener("pointerleave", () => point(null));
  view.root.addEventListener("focusin", (event) => point(spotOf(event)));
  view.root.addEventListener("focusout", () => point(null));
  view.root.addEventListener("click", (event) => act(view, spotOf(event)));
  view.root.addEventListener("keydown", (event) => onKey(view, event, spotOf(event)));
  view.scroll.addEventListener("scroll", () => showEdges(view), { passive: true });
}

function act(view, key) {
  const spot = view.spots.get(key);
  if (spot?.exchange !== undefined) view.emit("exchange", { fusion: spot.exchange });
  else if (spot?.select) view.emit("select", { id: spot.select });
}

function onKey(view, event, key) {
  if (key === null) return;
  if (event.key === "Enter" || event.key === " ") act(view, key);
  else if (event.key === "Escape") {
    view.pointed = null;
    light(view);
  } else {
    const here = event.target.closest("[data-spot]");
    const all = [...here.ownerSVGElement.querySelectorAll("[data-spot]")];
    const at = all.indexOf(here);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
    if (!(event.key in to)) return;
    all[clamp(to[event.key], 0, all.length - 1)].focus();
  }
  event.preventDefault();
}

function light(view) {
  const spot = view.spots.get(view.pointed);
  const dimmed = spot ? spot.dimmed() : new Set();
  for (const [key, branch] of view.branches)
    for (const element of branch.shown) element.classList.toggle("dim", dimmed.has(key));
  view.trunk.classList.toggle("lit", Boolean(spot));
  const reached = spot && new Set(spot.reaches ?? depthsOf(view.data.elements, "", dimmed));
  for (const [depth, bin] of view.depths) bin.classList.toggle("dim", Boolean(spot) && !reached.has(depth));
  if (!spot) return say(view.status, hint(view.data));
  const [strong, rest] = spot.says(reached);
  view.status.replaceChildren(html("b", {}, strong), rest);
}

function hint(data) {
  const exchange = data.elements.some((element) => isFusion(element) && element.exchangeable);
  const more = exchange ? ` ${_("Click a join to exchange the blocks before it.")}` : "";
  const point = data.spectrum?.length
    ? _("Point at a block, a join or a bar to see its paths.")
    : _("Point at a block or a join to see its paths.");
  return `${point}${more}`;
}

// ---- drawing --------------------------------------------------------------------------------------------------

function paint(view) {
  const { data, width } = view;
  const size = data.compact ? SMALL : LARGE;
  const rows = laneRows(data.elements);
  const all = sum(rows);
  const reach = Math.max(size.span, (all - 1) * size.tightest);
  const pitch = reach / Math.max(1, all - 1);
  const grown = (reach - size.span) / 2;
  const { fit, total, left } = fitTo(data.elements, width, size, pitch);
  Object.assign(view, { fit, pitch, rows, bar: Math.min(size.bar, pitch - Math.min(14, pitch * 0.34)) });

  view.root.classList.toggle("narrow", width < 700);
  view.lanes.hidden = view.status.hidden = view.save.hidden = data.compact;
  view.spectrum.hidden = data.compact || !data.spectrum?.length;
  const height = size.above + size.below + 2 * grown;
  attributes(view.svg, { width: total, height, "aria-label": summary(data) });
  attributes(view.picture, { "aria-label": summary(data) });
  if (data.compact) attributes(view.svg, { viewBox: `0 0 ${total} ${height}`, width: Math.min(total, width) });
  else view.svg.removeAttribute("viewBox");
  view.scroll.style.height = `${height + (data.compact ? 0 : 14)}px`;
  view.trunk.style.transform = view.bands.style.transform = `translate(0px, ${size.above + grown}px)`;

  const before = new Map([...view.branches].map(([key, branch]) => [key, { y: branch.y, lane: branch.lane }]));
  const gliding = Boolean(view.glide);
  view.glide?.();
  view.glide = null;
  view.branches.clear();
  view.spots.clear();
  view.used = new Set();
  view.filled = new Map();
  view.stops = 0; // a thumbnail is one stop of the Tab key, arrows go on from there
  const slots = [];
  const role = data.lanes?.length === 1 ? data.lanes[0].role : "plain";
  series(view, view.trunk, data.elements, "", left + size.pad + (size === LARGE ? 8 : 0), { role, top: true, slots });
  bands(view, slots, grown);
  if (!data.compact) {
    drawLanes(view);
    drawSpectrum(view);
  }
  for (const [key, element] of view.parts)
    if (!view.used.has(key)) {
      element.remove();
      view.parts.delete(key);
    }
  if (view.pointed !== null && !view.spots.has(view.pointed)) view.pointed = null;
  light(view);
  showEdges(view);
  slide(view, before, gliding);
}

const parts = (elements) => {
  const merges = elements.filter(isMerge);
  const count = sum(merges.map((element) => element.steps.length));
  const steps = ngettext("{count} step", "{count} steps", count);
  const streams = merges.length ? _("{count} streams that meet in {steps}", { count: merges[0].steps[0].blocks.length, steps }) : "";
  const fusions = elements.filter(isFusion).length;
  return [fusions || !streams ? ngettext("{count} fusion", "{count} fusions", fusions) : "", streams].filter(Boolean).join(", ");
};

const summary = (data) =>
  data.alt ??
  [
    _("A net of {parts}", { parts: parts(data.elements) }),
    ...(data.lanes ?? []).map((lane) => _("base network {name}, {depth} layers", { name: laneName(lane.name), depth: lane.depth })),
    ...(data.essential_depth ? [_("essential depth {depth}", { depth: data.essential_depth })] : []),
  ].join("; ");

function showEdges({ scroll }) {
  scroll.classList.toggle("more-left", scroll.scrollLeft > 2);
  scroll.classList.toggle("more-right", scroll.scrollLeft + scroll.clientWidth < scroll.scrollWidth - 2);
}

// The element of a key, made once, in its place among its siblings: nodes that stay where they are keep their focus.
function part(view, parent, key, tag) {
  let element = view.parts.get(key);
  if (!element) view.parts.set(key, (element = svg(tag)));
  view.used.add(key);
  const at = view.filled.get(parent) ?? 0;
  const there = parent.children[at] ?? null;
  if (there !== element) parent.insertBefore(element, there);
  view.filled.set(parent, at + 1);
  return element;
}

function fill(element, signature, make) {
  if (element.signature === signature) return;
  element.signature = signature;
  element.replaceChildren(...make());
}

// Draws elements from x on along y = 0 and gives back where they end.
function series(view, parent, elements, path, x, context) {
  elements.forEach((element, at) => {
    const key = join(path, at);
    const gap = gapBefore(elements, at, view.fit, context.top);
    if (gap) wire(view, parent, `${key} wire`, context.role, `M${round(x)} 0H${round(x + gap)}`);
    const left = x + gap;
    if (isFusion(element)) x = fusion(view, parent, element, key, left, context);
    else if (isMerge(element)) x = merge(view, parent, element, key, left, context);
    else {
      const width = leafWidth(element, view.fit);
      leaf(view, parent, element, key, left, width, context);
      x = left + width;
    }
    if (context.top) context.slots.push({ left, right: x });
  });
  return x;
}

function wire(view, parent, key, role, d) {
  const line = part(view, parent, key, "path");
  attributes(line, { class: "wire", d });
  line.style.stroke = ink(role);
  return line;
}

function fusion(view, parent, element, key, x, context) {
  const { fit, pitch } = view;
  const inner = slotWidth(element, fit);
  const rows = context.top ? view.rows : laneRows([element]);
  const radius = context.top ? fit.ring : fit.nested;
  const group = part(view, parent, key, "g");

  // In the order of origin: an exchange then moves no node of the page.
  const order = element.branches.map((branch, index) => ({ branch, lane: laneOf(branch, index), origin: originOf(branch, index) }));
  order.sort((a, b) => a.origin - b.origin);
  for (const { branch, lane, origin } of order) {
    const home = join(key, origin);
    const role = context.top ? (view.data.lanes?.[origin]?.role ?? `base${origin + 1}`) : context.role;
    const width = seriesWidth(branch.elements, fit);
    const y = (sum(rows.slice(0, lane)) + rows[lane] / 2 - sum(rows) / 2) * pitch;
    const empty = branch.elements.length === 0;
    const body = empty ? Math.max(fit.curve, inner * 0.42) : width;
    const start = x + (inner - body) / 2;
    const fan = part(view, group, `${home} in`, "path");
    const back = part(view, group, `${home} out`, "path");
    const box = part(view, group, `${home} branch`, "g");
    for (const line of [fan, back]) {
      line.setAttribute("class", "wire");
      line.style.stroke = ink(role);
    }
    attributes(box, { class: "branch" });
    const record = { y, lane, start, fusion: key, shown: [fan, back, box] };
    record.move = (dy, bow = 0) => {
      record.y = dy;
      const [from, to] = [start + bow, start + body + bow];
      const end = x + inner;
      box.style.transform = `translate(${round(bow)}px, ${round(dy)}px)`;
      fan.setAttribute("d", curve(x, 0, from, dy));
      back.setAttribute("d", curve(to, dy, end, 0));
    };
    view.branches.set(home, record);
    record.move(y);
    const whole = branch.elements.some((e) => isFusion(e) || isMerge(e));
    const own = context.top ? view.data.lanes?.[lane]?.name : null;
    const name = own ? _("{name} lane", { name: laneName(own) }) : _("branch {number} of {all}", { number: lane + 1, all: order.length });
    if (!whole) button(view, box, branch, element, home, start, body, name);
    const inside = part(view, box, `${home} inside`, "g");
    if (empty) wire(view, inside, `${home} line`, role, `M${round(start)} 0H${round(start + body)}`);
    series(view, inside, branch.elements, home, start, { role, inBranch: !whole });
  }
  ring(view, group, element, key, x + inner + radius, radius, context);
  return x + inner + 2 * radius;
}

function button(view, box, branch, fusion, key, x, width, name) {
  const convs = branch.elements.reduce((n, e) => n + (e.kind === "convs" ? e.convs : 0), 0);
  const maps = branch.elements.findLast((e) => e.size) ?? fusion;
  const where = fusion.index === undefined ? "" : `${fusionName(fusion)}, `;
  const what = [
    convs ? convCount(convs) : branch.elements.some((e) => e.kind === "projection") ? _("a projection") : _("identity"),
    maps.channels && channelCount(maps.channels),
    mapSize(maps),
  ].filter(Boolean);
  const strong = `${where}${name}: ${what.join(", ")}`;
  spot(view, box, key, {
    label: strong,
    select: fusion.selectable === false ? null : branch.id,
    dimmed: () => siblings(view, key),
    says: (depths) => [`${strong}. `, pathsThrough(depths)],
  });
  const half = Math.max(10, view.bar / 2 + (view.data.compact ? 2 : 6));
  hitArea(view, box, key, x - 6, -half, width + 12, 2 * half);
}

function hitArea(view, parent, key, x, y, width, height) {
  const hit = part(view, parent, `${key} hit`, "rect");
  attributes(hit, { class: "hit", x: round(x), y: round(y), width: round(width), height: round(height) });
}

// Makes an element a place to point at, to focus and to press.
function spot(view, element, key, { label, ...meaning }) {
  view.spots.set(key, meaning);
  const active = !view.data.compact || meaning.select;
  attributes(element, {
    "data-spot": key,
    role: active && (meaning.select || meaning.exchange !== undefined) ? "button" : "img",
    tabindex: !active ? null : view.data.compact && view.stops++ ? -1 : 0,
    "aria-label": label,
    "aria-pressed": meaning.select && meaning.select === view.data.selected ? "true" : null,
  });
  const selected = Boolean(meaning.select) && meaning.select === view.data.selected;
  element.classList.toggle("selected", selected || Boolean(meaning.marked));
}

const fusionName = ({ index }) => (index === undefined ? _("Join") : _("Fusion {number}", { number: index }));

function ring(view, parent, element, key, x, radius, context) {
  const group = part(view, parent, `${key} join`, "g");
  group.style.transform = `translate(${round(x)}px, 0px)`;
  attributes(group, { class: "join" });
  const exchange = element.exchangeable && !view.data.compact;
  const of = ngettext("{join} of {count} block", "{join} of {count} blocks", element.branches.length, { join: element.join });
  const scaled = element.scales ? _("times {scales}", { scales: element.scales.join(", ") }) : "";
  const name = `${fusionName(element)}: ${[of, scaled].filter(Boolean).join(", ")}`;
  const maps = [element.channels && channelCount(element.channels), mapSize(element)].filter(Boolean).join(", ");
  const invite = exchange ? ` ${_("Press to exchange the blocks before it.")}` : "";
  spot(view, group, key, {
    label: name + invite,
    exchange: exchange ? element.index : undefined,
    select: element.selectable === false ? null : element.id,
    dimmed: () => siblings(view, key),
    says: (depths) => [`${name}${maps ? `, ${maps}` : ""}. `, `${pathsThrough(depths)}${invite}`],
  });
  const index = view.data.compact || !context.top ? "" : (element.index ?? "");
  fill(group, `${radius} ${element.join} ${index}`, () => [
    svg("circle", { class: "hit", r: radius + 5, cx: 0, cy: 0 }),
    svg("circle", { class: "ring", r: radius }),
    ...(view.data.compact ? [] : [sign(element.join, radius)]),
    ...(index === "" ? [] : [svg("text", { class: "word", y: radius + 14 }, String(index))]),
  ]);
}

function leaf(view, parent, element, key, x, width, context) {
  const { data, fit } = view;
  const role = element.kind === "convs" && context.top && !isFirst(data, element) && data.lanes?.length > 1 ? "fused" : context.role;
  const bar = context.top ? fit.size.bar : view.bar;
  const high = isFirst(data, element) || element.kind === "head" ? bar * 0.74 : bar;
  const group = part(view, parent, `${key} leaf`, "g");
  group.style.transform = `translate(${round(x)}px, 0px)`;
  const words = context.top && !data.compact;
  fill(group, JSON.stringify([element, round(width), high, role, words, view.fit.limit]), () => [
    ...shape(element, width, high, role, view),
    ...(words ? caption(element, width, high) : []),
  ]);
  if (context.inBranch || element.kind === "image" || !element.id) return;
  const maps = [element.channels && channelCount(element.channels), mapSize(element)].filter(Boolean);
  const what = { convs: () => convCount(element.convs), head: () => classCount(element.classes) }[element.kind];
  const strong = `${element.id}: ${[what ? what() : _(KINDS[element.kind] ?? element.kind), ...maps].join(", ")}`;
  spot(view, group, key, {
    label: strong,
    select: element.selectable === false ? null : element.id,
    marked: element.marked,
    dimmed: () => siblings(view, key),
    says: (depths) => [`${strong}. `, pathsThrough(depths)],
  });
}

// Blocks that changed their lane glide there, and the depths of the lanes count over with them.
function slide(view, before, gliding) {
  const moves = [...view.branches]
    .map(([key, branch]) => ({ branch, from: before.get(key)?.y, to: branch.y, changed: before.get(key)?.lane !== branch.lane }))
    .filter(({ from, to, changed }) => from !== undefined && from !== to && (changed || gliding));
  const numbers = view.data.compact ? [] : view.numbers;
  const show = (t) => {
    for (const { branch, from, to } of moves) branch.move(from + (to - from) * t, Math.sin(Math.PI * t) * Math.sign(from - to) * 12);
    for (const number of numbers) say(number.node, String((number.at = Math.round(number.from + (number.to - number.from) * t))));
  };
  if (moves.length) view.glide = animate(650, show, () => (view.glide = null));
  else show(1);
}
