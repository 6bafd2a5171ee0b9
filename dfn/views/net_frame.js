// What stands around the net: stage bands behind it, the depths of its lanes above, the path spectrum below.

function bands(view, slots, grown) {
  const { data } = view;
  if (data.compact) return;
  const top = -LARGE.above - grown;
  (data.stages ?? []).forEach((stage, at) => {
    const [first, last] = [stage.elements[0], stage.elements.at(-1)];
    const x = slots[first].left + (isFusion(data.elements[first]) ? 7 : -9);
    const width = slots[last].right + (isFusion(data.elements[last]) ? 3 : 9) - x;
    const group = part(view, view.bands, `stage ${at}`, "g");
    const label = (word) => {
      const [start, end] = stage.shapes.map(([high, wide, channels]) => `${high}×${wide}${word(channels)}`);
      return end ? _("{start} to {end}", { start, end }) : start;
    };
    const words = [label((channels) => ` · ${channelCount(channels)}`), label((channels) => ` · ${channels}`), stage.shapes[0].slice(0, 2).join("×")];
    const word = words.find((text) => textWidth(text, 12.5, 400, view.root) < width - 18) ?? "";
    fill(group, JSON.stringify([round(x), round(width), grown, word]), () => [
      svg("rect", { x, y: top, width, height: LARGE.above + LARGE.below + 2 * grown, rx: 10, style: "fill:var(--dfn-band)" }),
      svg("text", { x: x + 11, y: top + 19 }, word),
    ]);
  });
  const at = data.elements.findIndex(isFusion);
  if (at < 0) return;
  const { branches } = data.elements[at];
  const edge = LARGE.span / 2 + grown + view.bar / 2;
  for (const [index, branch] of branches.entries()) {
    const lane = laneOf(branch, index);
    if (lane !== 0 && lane !== branches.length - 1) continue;
    const home = view.branches.get(join(at, originOf(branch, index)));
    const base = data.lanes?.[originOf(branch, index)];
    if (!base) continue;
    const convs = branch.elements.reduce((n, e) => n + (e.kind === "convs" ? e.convs : 0), 0);
    const net = branch.elements.some((e) => e.kind === "head");
    const name = laneName(base.name);
    const whole = net ? _("{name} net", { name }) : _("{name} block", { name });
    const word = `${whole}, ${branch.elements.some(isFusion) ? _("nested") : convCount(convs)}`;
    const label = part(view, view.bands, `label ${lane}`, "text");
    const x = Math.max(slots[at].left + (data.stages?.length ? 18 : 4), Math.min(home.start, slots[at].left + 30));
    attributes(label, { class: "strong", x, y: lane ? edge + 21 : -edge - 9 });
    label.style.fill = wordInk(base.role);
    say(label, word);
  }
}

function drawLanes(view) {
  const { lanes = [], essential_depth: essential, essential_exact: exact = true } = view.data;
  const rows = lanes.map((lane) => ({ ...lane, name: laneName(lane.name), after: _("layers") }));
  if (typeof essential === "number" && lanes.length > 1)
    rows.push({ name: exact ? _("essential depth") : _("essential depth at most"), role: "fused", depth: essential, after: "" });
  const signature = JSON.stringify(rows.map((row) => [row.name, row.role]));
  if (view.lanes.signature !== signature) {
    view.lanes.signature = signature;
    view.numbers = rows.map((row) => ({ node: html("b"), at: row.depth }));
    view.lanes.replaceChildren(
      ...rows.map((row, i) => {
        const mark = html("span", { class: "swatch" });
        mark.style.background = ink(row.role);
        view.numbers[i].node.style.color = wordInk(row.role);
        return html("span", {}, mark, `${row.name} `, view.numbers[i].node, row.after && html("span", { class: "muted" }, ` ${row.after}`));
      }),
    );
  }
  view.numbers.forEach((number, i) => Object.assign(number, { from: number.at, to: rows[i].depth }));
}

function drawSpectrum(view) {
  const { spectrum, essential_depth: essential, elements } = view.data;
  view.depths = [];
  if (!spectrum?.length) return;
  const counts = spectrum.map((entry) => BigInt(entry.count));
  const total = counts.reduce((a, b) => a + b, 0n);
  const most = counts.reduce((a, b) => (a > b ? a : b));
  say(view.question, total === 1n ? _("How deep is its only path?") : _("How deep are its {count} paths?", { count: count(total) }));

  const [high, foot, head] = [168, 40, 20];
  const depths = spectrum.map((entry) => entry.depth);
  const low = Math.min(...depths);
  const reach = Math.max(...depths) - low;
  const nearest = Math.min(...depths.slice(1).map((depth, i) => Math.abs(depth - depths[i])), Math.max(1, reach));
  const step = Math.min(76, (view.width - 8) / (reach / nearest + 1)); // pixels between neighbours
  const wide = Math.max(2, step * 0.7);
  const left = (view.width - step * (reach / nearest)) / 2;
  const widest = Math.max(...spectrum.map((entry) => textWidth(count(entry.count), 12.5, 400, view.root)));
  const every = Math.ceil(30 / step);
  const told = spectrum.map((entry) => _("{depth} layers, {count}", { depth: entry.depth, count: count(entry.count) }));
  const label = _("Paths by depth: {list}", { list: told.join("; ") });
  attributes(view.bins, { width: view.width, height: high, "aria-label": label });

  spectrum.forEach((entry, i) => {
    const x = left + ((entry.depth - low) / nearest) * step;
    const tall = Math.max(2, (Number((counts[i] * 100000n) / most) / 100000) * (high - foot - head));
    const chosen = entry.depth === essential;
    const key = `depth ${entry.depth}`;
    const group = part(view, view.bins, key, "g");
    attributes(group, { class: "count" });
    const shown = i % every === 0 || chosen;
    const crowded = every > 1 && !chosen && spectrum.some((other, j) => other.depth === essential && Math.abs(j - i) < every);
    fill(group, JSON.stringify([round(x), round(tall), entry, chosen, every, widest < step - 4]), () => [
      svg("rect", { class: "hit", x: x - step / 2, y: 0, width: step, height: high - 14 }),
      svg("rect", {
        class: chosen ? "bin essential" : "bin",
        x: x - wide / 2,
        y: high - foot - tall,
        width: wide,
        height: tall,
        rx: Math.min(3, wide / 4),
      }),
      ...(widest < step - 4 ? [svg("text", { x, y: high - foot - tall - 7, "text-anchor": "middle" }, count(entry.count))] : []),
      ...(shown && !crowded
        ? [svg("text", { class: chosen ? "strong" : "", x, y: high - foot + 17, "text-anchor": "middle" }, String(entry.depth))]
        : []),
    ]);
    const values = { count: count(entry.count), all: count(total), depth: entry.depth };
    const strong = ngettext("{count} of {all} paths is {depth} layers deep", "{count} of {all} paths are {depth} layers deep", Number(entry.count), values);
    const note = chosen ? `, ${_("the essential depth.")} ` : ". ";
    const dimmed = () => {
      const others = new Set();
      if (!entry.example) return others;
      let at = 0;
      elements.forEach((element, place) => {
        if (!isFusion(element)) return;
        const taken = entry.example[at++];
        element.branches.forEach((branch, index) => index !== taken && others.add(join(place, originOf(branch, index))));
      });
      return others;
    };
    spot(view, group, key, { label: strong, dimmed, says: () => [strong, note + (counts[i] === 1n || !entry.example ? "" : _("One of them is lit."))], reaches: [entry.depth] });
    attributes(group, { tabindex: i ? -1 : 0 });
    view.depths.push([entry.depth, group]);
  });
  const axis = part(view, view.bins, "axis", "text");
  attributes(axis, { x: view.width / 2, y: high - 4, "text-anchor": "middle" });
  say(axis, _("layers on the path"));
}
