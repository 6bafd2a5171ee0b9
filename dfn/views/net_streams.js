// Streams that run side by side (merge-and-run): at every step a block on each of them, and between them the mean of
// all, which every stream adds to its own block.

const isMerge = (element) => element.kind === "merge";
const stepWidth = (step, fit) => slotWidth({ branches: step.blocks }, fit);
const union = (sets) => new Set(sets.flatMap((set) => [...set]));

function mergeWidth(element, fit) {
  const steps = sum(element.steps.map((step) => stepWidth(step, fit) + 2 * fit.nested));
  return steps + (element.end === "concat" ? 2 * fit.curve + 2 * fit.nested : 0);
}

// Every depth of a path through streams: on through a block of one's own, or over the mean to any stream.
function mergeDepths(element, path, dimmed) {
  let streams = element.steps[0].blocks.map(() => new Set([0]));
  let own = streams;
  let mean = streams[0];
  element.steps.forEach(({ blocks }, at) => {
    mean = union(streams);
    own = blocks.map((block, k) => {
      const inside = depthsOf(block.elements, join(path, `${at}/${k}`), dimmed);
      return union([...streams[k]].map((depth) => new Set([...inside].map((more) => depth + more))));
    });
    streams = own.map((set) => union([set, mean]));
  });
  return union(element.end === "merge" ? [...own, mean] : streams);
}

function merge(view, parent, element, key, x, context) {
  const { fit, pitch } = view;
  const group = part(view, parent, key, "g");
  const rows = context.top ? view.rows : laneRows([element]);
  const heights = element.steps[0].blocks.map((_, k) => (sum(rows.slice(0, k)) + rows[k] / 2 - sum(rows) / 2) * pitch);
  const between = Math.floor((heights.length - 1) / 2);
  const middle = (heights[between] + heights[between + 1]) / 2;
  const radius = fit.nested;
  let sources = heights.map(() => [x, 0]);

  element.steps.forEach((step, at) => {
    const merges = at === element.steps.length - 1 && element.end === "merge";
    const inner = stepWidth(step, fit);
    const left = sources[0][0];
    const right = left + inner;
    const ends = heights.map((y) => [right, merges ? 0 : y]);
    const crossing = [left + inner / 2, middle];
    step.blocks.forEach((block, k) => {
      const home = join(key, `${at}/${k}`);
      const role = `base${k + 1}`;
      const [from, y, end] = [sources[k], heights[k], ends[k]];
      const width = seriesWidth(block.elements, fit);
      const start = left + (inner - width) / 2;
      wire(view, group, `${home} in`, role, curve(...from, start, y));
      wire(view, group, `${home} out`, role, curve(start + width, y, ...end));
      wire(view, group, `${home} to mean`, role, curve(...from, crossing[0] - radius, middle));
      if (step.projected) square(view, group, `${home} line`, role, (from[0] + crossing[0] - radius) / 2, (from[1] + middle) / 2);
      if (!merges || k === 0) wire(view, group, `${home} of mean`, "fused", curve(crossing[0] + radius, middle, ...end));
      const box = part(view, group, `${home} branch`, "g");
      box.style.transform = `translate(0px, ${round(y)}px)`;
      attributes(box, { class: "branch" });
      const name = _("step {step}, stream {stream}", { step: at + 1, stream: k + 1 });
      if (!block.elements.some((e) => isFusion(e) || isMerge(e))) streamButton(view, box, block, element, home, start, width, name);
      series(view, part(view, box, `${home} inside`, "g"), block.elements, home, start, { role, inBranch: true });
      if (!merges) mark(view, group, `${home} sum`, "sum", right + radius, y, radius);
    });
    mark(view, group, `${join(key, at)} mean`, "mean", ...crossing, radius);
    sources = heights.map((y) => [right + 2 * radius, merges ? 0 : y]);
  });

  const end = sources[0][0];
  if (element.end === "merge") {
    mark(view, group, `${key} end`, "sum", end - radius, 0, radius);
    return end;
  }
  const right = end + 2 * fit.curve;
  sources.forEach(([from, y], k) => wire(view, group, `${join(key, k)} end`, `base${k + 1}`, curve(from, y, right, 0)));
  mark(view, group, `${key} end`, "concat", right + radius, 0, radius);
  return right + 2 * radius;
}

function streamButton(view, box, block, element, key, x, width, name) {
  const convs = sum(block.elements.map((e) => (e.kind === "convs" ? e.convs : 0)));
  const maps = block.elements.findLast((e) => e.size) ?? element;
  const what = [convs ? convCount(convs) : _("no conv"), maps.channels && channelCount(maps.channels), mapSize(maps)];
  const strong = _("Streams, {name}: {what}", { name, what: what.filter(Boolean).join(", ") });
  spot(view, box, key, {
    label: strong,
    select: element.selectable === false ? null : block.id,
    dimmed: () => siblings(view, key),
    says: () => [`${strong}. `, _("Its map and the mean of all streams make this stream's next map.")],
  });
  const half = Math.max(10, view.bar / 2 + (view.data.compact ? 2 : 6));
  hitArea(view, box, key, x - 6, -half, width + 12, 2 * half);
}

function mark(view, parent, key, kind, x, y, radius) {
  const group = part(view, parent, key, "g");
  group.style.transform = `translate(${round(x)}px, ${round(y)}px)`;
  fill(group, `${kind} ${round(radius)} ${view.data.compact}`, () => [
    svg("circle", { class: "ring", r: radius }),
    ...(view.data.compact ? [] : [sign(kind, radius)]),
  ]);
}

function square(view, parent, key, role, x, y) {
  const side = view.data.compact ? 4 : 9;
  const element = part(view, parent, key, "rect");
  attributes(element, { class: "projection", x: round(x - side / 2), y: round(y - side / 2), width: side, height: side, rx: 2 });
  element.style.cssText = `fill:var(--dfn-card);stroke:${ink(role)};stroke-width:1.8`;
}
