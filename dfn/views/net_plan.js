// The net as numbers: which elements there are, how deep paths are, how wide and how high the picture gets.

// Lengths in pixels. `span` is the distance between the outermost lanes: the same for 2 lanes and for 6, so that the
// picture keeps its height while bases are added.
const LARGE = { span: 128, bar: 46, tightest: 24, image: 50, above: 140, below: 130, pad: 8, ring: 13 };
const SMALL = { span: 34, bar: 15, tightest: 5, image: 15, above: 30, below: 30, pad: 3, ring: 3.6 };
const isFusion = (element) => element.kind === "fusion";
const laneOf = (branch, index) => branch.lane ?? index;
const originOf = (branch, index) => branch.origin ?? index;
const join = (path, part) => (path ? `${path}/${part}` : String(part));
const layers = (element) => (element.kind === "convs" ? element.convs : element.kind === "head" ? 1 : 0);

// Every depth of a path through a series that avoids the dimmed branches.
function depthsOf(elements, path, dimmed) {
  let depths = new Set([0]);
  elements.forEach((element, at) => {
    let choices = isMerge(element) ? mergeDepths(element, join(path, at), dimmed) : [layers(element)];
    if (isFusion(element)) {
      choices = new Set();
      element.branches.forEach((branch, index) => {
        const key = join(join(path, at), originOf(branch, index));
        if (!dimmed.has(key)) for (const depth of depthsOf(branch.elements, key, dimmed)) choices.add(depth);
      });
    }
    const longer = new Set();
    for (const depth of depths) for (const choice of choices) longer.add(depth + choice);
    depths = longer;
  });
  return depths;
}

// The branches that a path through `key` cannot take: the other branches of every fusion it lies in.
function siblings(view, key) {
  const dimmed = new Set();
  for (const [other, branch] of view.branches)
    if (key.startsWith(`${branch.fusion}/`) && !`${key}/`.startsWith(`${other}/`)) dimmed.add(other);
  return dimmed;
}

function pathsThrough(depths) {
  const low = Math.min(...depths);
  const high = Math.max(...depths);
  if (low === high) return _("Paths through it are {depth} layers deep.", { depth: low });
  return _("Paths through it are {low} to {high} layers deep.", { low, high });
}

const convCount = (n) => ngettext("{count} conv", "{count} convs", n);
const channelCount = (n) => ngettext("{count} channel", "{count} channels", n);
const classCount = (n) => ngettext("{count} class", "{count} classes", n);
const KINDS = { pool: N_("pool"), view: N_("view"), tap: N_("tap"), projection: N_("projection") };
// A base network's own name, or the name that a design gives it: deep, shallow, base 3.
const LANES = { deep: N_("deep"), shallow: N_("shallow"), plain: N_("plain") };
const laneName = (name) => _(LANES[name] ?? name);
const mapSize = (element) => (element.size ? `${element.size[0]}×${element.size[1]}` : "");

// One number s says how roomy the picture is: 0 as tight as can be read, 1 as in a book, more where there is space.
function fitting(s, limit, size, pitch) {
  const t = Math.min(1, s);
  const extra = Math.max(0, s - 1);
  const small = size === SMALL;
  return {
    size,
    limit, // blocks of more convs than this are one bar with their count
    bar: (small ? 1.6 + 1.6 * t : 3 + 8.5 * t) + Math.min(2, 1.5 * extra),
    curve: (small ? 3 + 4 * t : 10 + 16 * t) + (small ? 8 : 26) * extra,
    gap: (small ? 3 + 4 * t : 10 + 14 * t) + (small ? 5 : 20) * extra,
    ring: size.ring * (0.7 + 0.3 * t),
    nested: clamp(pitch * 0.3, 2, size.ring * 0.8),
  };
}

function leafWidth(element, fit) {
  const small = fit.size === SMALL;
  switch (element.kind) {
    case "image":
      return fit.size.image;
    case "convs":
      if (element.convs > fit.limit) return small ? 10 : 34;
      return Math.max(small ? 2 : 5, element.convs * fit.bar - fit.bar * 0.24);
    case "head":
      return small ? 3 : 11;
    case "projection":
      return small ? 4 : 11;
    default:
      return small ? 5 : 15;
  }
}

function seriesWidth(elements, fit, top = false) {
  let width = 0;
  elements.forEach((element, at) => {
    if (isMerge(element)) width += mergeWidth(element, fit);
    else if (isFusion(element)) width += slotWidth(element, fit) + 2 * (top ? fit.ring : fit.nested);
    else width += leafWidth(element, fit);
    width += gapBefore(elements, at, fit, top);
  });
  return width;
}

// Fusions follow one another without a gap: the curves are the way between them. A caption needs room.
function gapBefore(elements, at, fit, top) {
  if (at === 0) return 0;
  const words = top && fit.size === LARGE;
  if (!isFusion(elements[at])) return Math.max(fit.gap, words ? (elements[at].kind === "head" ? 40 : 24) : 0);
  return words && !isFusion(elements[at - 1]) ? 20 : 0;
}

const slotWidth = (fusion, fit) => 2 * fit.curve + Math.max(fit.curve, ...fusion.branches.map((b) => seriesWidth(b.elements, fit)));

function fitTo(elements, width, size, pitch) {
  const taken = (fit) => 2 * size.pad + 40 * (size === LARGE) + seriesWidth(elements, fit, true);
  for (const limit of [Infinity, 6, 2]) {
    if (taken(fitting(0, limit, size, pitch)) > width) continue;
    let low = 0;
    let high = 3.2;
    for (let i = 0; i < 12; i++) {
      const middle = (low + high) / 2;
      if (taken(fitting(middle, limit, size, pitch)) <= width) low = middle;
      else high = middle;
    }
    const fit = fitting(low, limit, size, pitch);
    return { fit, total: width, left: (width - taken(fit)) / 2 };
  }
  const fit = size === LARGE ? fitting(0.35, 16, size, pitch) : fitting(0, 2, size, pitch);
  return { fit, total: taken(fit), left: 0 };
}

const sum = (values) => values.reduce((a, b) => a + b, 0);
const rowsOf = (elements) => Math.max(1, ...elements.map((e) => sum(laneRows([e]))));

// Rows that each lane needs, so that lanes run straight through all fusions and all steps of streams.
function laneRows(elements) {
  const rows = [];
  for (const branches of elements.flatMap((e) => (isMerge(e) ? e.steps.map((step) => step.blocks) : isFusion(e) ? [e.branches] : [])))
    branches.forEach((branch, index) => {
      const lane = laneOf(branch, index);
      rows[lane] = Math.max(rows[lane] ?? 1, rowsOf(branch.elements));
    });
  return rows.length ? rows : [1];
}
