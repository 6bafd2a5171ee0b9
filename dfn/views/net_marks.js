// The signs of the net diagram: bars for convs, rings' signs, squares, trapezoids, flags, and their captions.

function curve(x0, y0, x1, y1) {
  const middle = (x0 + x1) / 2;
  return `M${round(x0)} ${round(y0)}C${round(middle)} ${round(y0)} ${round(middle)} ${round(y1)} ${round(x1)} ${round(y1)}`;
}

// Plus signs are drawn, so that no font can shift them; the other joins are words.
function sign(kind, radius) {
  const a = radius * 0.42;
  if (kind === "sum") return svg("path", { class: "sign", d: `M${-a} 0H${a}M0 ${-a}V${a}` });
  if (kind === "concat") return svg("path", { class: "sign", d: `M${-a * 1.25} 0H${a * 1.25}M${-a * 0.45} ${-a}V${a}M${a * 0.45} ${-a}V${a}` });
  const word = { mean: "x̄", gate: "σ", weighted: "w", adaptive: "w(x)", "inverse-variance": "1/σ²" }[kind] ?? kind;
  const text = svg("text", { class: "word" }, word);
  text.style.fontSize = `${round(radius * (word.length > 2 ? 0.74 : 1.15))}px`;
  return text;
}

const isFirst = (data, element) => element === data.elements.find((e) => e.kind === "convs");

const centred = (width) => ({ x: width / 2, "text-anchor": "middle", "dominant-baseline": "central" });

function shape(element, width, high, role, view) {
  const fillStyle = `fill:${ink(role)}`;
  const outline = `fill:var(--dfn-card);stroke:${ink(role)};stroke-width:1.8`;
  const small = view.data.compact;
  const hit = svg("rect", { class: "hit", x: -6, y: -high / 2 - 6, width: width + 12, height: high + 12 });
  switch (element.kind) {
    case "image":
      return [
        svg("rect", {
          y: -width / 2,
          width,
          height: width,
          rx: small ? 3 : 8,
          style: "fill:var(--dfn-card);stroke:var(--dfn-line);stroke-width:1.4",
        }),
        ...(small ? [] : [svg("text", centred(width), _("image"))]),
      ];
    case "convs": {
      if (element.convs > view.fit.limit)
        return [
          hit,
          svg("rect", {
            class: "stack",
            "data-convs": element.convs,
            y: -high / 2,
            width,
            height: high,
            rx: 3,
            style: `${fillStyle};fill-opacity:.2`,
          }),
          svg("rect", { y: -high / 2, width: 3, height: high, rx: 1, style: fillStyle }),
          svg("rect", { x: width - 3, y: -high / 2, width: 3, height: high, rx: 1, style: fillStyle }),
          ...(small ? [] : [svg("text", { class: "strong", ...centred(width), style: `fill:${wordInk(role)}` }, String(element.convs))]),
        ];
      const pitch = element.convs > 1 ? (width + view.fit.bar * 0.24) / element.convs : width;
      const thick = element.convs > 1 ? pitch * 0.76 : width;
      return [
        hit,
        ...Array.from({ length: element.convs }, (_, i) =>
          svg("rect", {
            class: "bar",
            x: round(i * pitch),
            y: -high / 2,
            width: round(thick),
            height: high,
            rx: Math.min(2, thick / 4),
            style: `${fillStyle};fill-opacity:${round(0.62 + (0.38 * (i + 1)) / element.convs)}`,
          }),
        ),
      ];
    }
    case "head":
      return [hit, svg("rect", { y: -high / 2, width, height: high, rx: small ? 1 : 2, style: fillStyle })];
    case "projection":
      return [hit, svg("rect", { class: "projection", y: -width / 2, width, height: width, rx: 2, style: outline })];
    case "pool": {
      const d = `M0 ${-high * 0.34}L${width} ${-high * 0.16}V${high * 0.16}L0 ${high * 0.34}Z`;
      return [hit, svg("path", { class: "pool", d, style: `${fillStyle};fill-opacity:.75` })];
    }
    case "tap": {
      const d = `M1 0V${-width * 1.7}L${width} ${-width * 1.25}L1 ${-width * 0.8}`;
      const style = `stroke:${ink(role)}`;
      return [
        hit,
        svg("path", { class: "wire", d: `M0 0H${width}`, style }),
        svg("path", { class: "tap", d, style: `${fillStyle};${style};stroke-width:1.8;stroke-linejoin:round` }),
      ];
    }
    default: // a view of the input: a smaller frame inside a frame
      return [
        hit,
        svg("rect", { y: -width / 2, width, height: width, rx: 3, style: outline }),
        svg("rect", { x: width * 0.28, y: -width * 0.22, width: width * 0.44, height: width * 0.44, rx: 1, style: fillStyle }),
      ];
  }
}

function caption(element, width, high) {
  const word = {
    image: element.size && `${element.channels ?? ""} × ${mapSize(element)}`.replace(/^ × /, ""),
    convs: element.id === "stem" ? _("stem") : convCount(element.convs),
    head: classCount(element.classes),
    pool: _(KINDS.pool),
    view: _(KINDS.view),
  }[element.kind];
  const y = element.kind === "image" ? -width / 2 - 9 : high / 2 + 17;
  return word ? [svg("text", { x: width / 2, y, "text-anchor": "middle" }, word)] : [];
}

// What the line below the drawing says before anything is pointed at.
function hint(data) {
  const exchange = data.elements.some((element) => isFusion(element) && element.exchangeable);
  const more = exchange ? ` ${_("Click a join to exchange the blocks before it.")}` : "";
  const point = data.spectrum?.length
    ? _("Point at a block, a join or a bar to see its paths.")
    : _("Point at a block or a join to see its paths.");
  return `${point}${more}`;
}
