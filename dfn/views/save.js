// Every view can be taken away: as a picture (PNG, or SVG as far as it is vector) and as its very numbers (CSV).

const SAVE_STYLE = `
.dfn-view .save { display: flex; justify-content: flex-end; gap: 2px; min-height: 28px; font-size: 12.5px; }
.dfn-view .save button { border: 0; color: var(--dfn-muted); padding: 3px 8px; min-height: 26px; }
.dfn-view .save button:hover, .dfn-view .save button[aria-expanded=true] { color: var(--dfn-text);
  text-decoration: underline; text-underline-offset: 3px; }
`;

// A quiet row: "Save", which opens to the three kinds. `subject()` is the element to be drawn, `what()` the name of the
// file and the table of numbers, the names of its columns first.
function saving(subject, what) {
  const kinds = {
    PNG: async () => [await toPng(subject()), "png"],
    SVG: async () => [new Blob([toSvg(subject()).text], { type: "image/svg+xml" }), "svg"],
    CSV: async () => [new Blob([toCsv(what().rows)], { type: "text/csv" }), "csv"],
  };
  const choices = html("span", { role: "group", "aria-label": _("Save as"), hidden: "" });
  const opener = html("button", { type: "button", "aria-expanded": "false", "aria-label": _("Save this figure") }, _("Save"));
  const open = (on) => {
    choices.hidden = !on;
    attributes(opener, { "aria-expanded": String(on) });
  };
  for (const [kind, make] of Object.entries(kinds)) {
    const button = html("button", { type: "button" }, kind);
    button.addEventListener("click", async () => download(...(await make()), fileName(what().name)));
    choices.append(button);
  }
  opener.addEventListener("click", () => open(choices.hidden));
  const row = html("div", { class: "save" }, choices, opener);
  row.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || choices.hidden) return;
    open(false);
    opener.focus();
    event.stopPropagation();
  });
  return row;
}

const fileName = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 80) || "figure";

function download(blob, ending, name) {
  const link = html("a", { href: URL.createObjectURL(blob), download: `${name}.${ending}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Text that a spreadsheet would take for a formula is made text again.
function toCsv(rows) {
  const cell = (value) => {
    if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
    const text = String(value ?? "").replace(/^(?=[=+\-@\t\r])/, "'");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
}

async function toPng(root) {
  const { text, width, height } = toSvg(root);
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await picture.decode();
  const canvas = html("canvas", { width: width * 2, height: height * 2 });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

// ---- what stands in the page as one SVG that needs no page -------------------------------------------------------

const LEFT_OUT =
  "[data-testid=stElementToolbar], .save, .hidden, .play, .reset, .tip, .status, .sum.muted, .modebar-container, style, input";
const MARGIN = 16;
const KEPT = `fill fill-opacity stroke stroke-width stroke-opacity stroke-dasharray stroke-linecap stroke-linejoin opacity
  font-family font-size font-weight text-anchor dominant-baseline display visibility`.split(/\s+/);

function toSvg(root) {
  const { left, top, width } = root.getBoundingClientRect();
  const parts = [];
  let [first, last] = [Infinity, 0];
  const gather = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return parts.push(...lines(node, left, top));
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches(LEFT_OUT)) return;
    const style = getComputedStyle(node);
    if (style.display === "none" || style.visibility === "hidden") return;
    const box = node.getBoundingClientRect();
    const place = { x: round(box.left - left), y: round(box.top - top), width: round(box.width), height: round(box.height) };
    if (!node.querySelector(LEFT_OUT)) [first, last] = [Math.min(first, place.y), Math.max(last, place.y + place.height)];
    if (node instanceof SVGSVGElement) return parts.push(attributes(standing(node), place));
    if (node instanceof HTMLCanvasElement || node instanceof HTMLImageElement)
      return parts.push(svg("image", { ...place, href: pixels(node), style: "image-rendering:pixelated", preserveAspectRatio: "none" }));
    parts.push(...ground(style, place, parts.length));
    for (const child of node.childNodes) gather(child);
  };
  for (const child of root.childNodes) gather(child);
  const size = { width: Math.ceil(width + 2 * MARGIN), height: Math.ceil(last - first + 2 * MARGIN) };
  const start = { x: -MARGIN, y: first - MARGIN };
  const view = `${start.x} ${start.y} ${size.width} ${size.height}`;
  const whole = svg("svg", { xmlns: SVG, ...size, viewBox: view }, svg("rect", { ...start, ...size, fill: paper(root) }), ...parts);
  return { text: new XMLSerializer().serializeToString(whole), ...size };
}

function pixels(picture) {
  if (picture instanceof HTMLCanvasElement) return picture.toDataURL();
  const canvas = html("canvas", { width: picture.naturalWidth, height: picture.naturalHeight });
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL();
}

// A copy of an SVG with its style written into it.
function standing(source) {
  const copy = source.cloneNode(true);
  const copies = [copy, ...copy.querySelectorAll("*")];
  [source, ...source.querySelectorAll("*")].forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const name of KEPT) copies[i].style.setProperty(name, style.getPropertyValue(name));
    if (i && style.transform !== "none") {
      copies[i].style.removeProperty("transform");
      copies[i].setAttribute("transform", style.transform);
    }
  });
  copy.style.overflow = "visible";
  return copy;
}

// The words of a text node, one element for each line on which they stand.
function lines(node, left, top) {
  if (!node.data.trim()) return [];
  const style = getComputedStyle(node.parentElement);
  if (style.opacity === "0") return [];
  const range = document.createRange();
  const rows = [];
  for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const box = range.getBoundingClientRect();
    const row = rows.at(-1);
    if (row && Math.abs(row.box.top - box.top) < 2) row.words += ` ${word}`;
    else rows.push({ box, words: word });
  }
  measuring.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const rise = measuring.measureText("x").fontBoundingBoxAscent;
  return rows.map(({ box, words }) => {
    const text = svg("text", { x: round(box.left - left), y: round(box.top - top + rise), fill: style.color }, words);
    for (const name of ["font-family", "font-size", "font-weight"]) text.style.setProperty(name, style.getPropertyValue(name));
    return text;
  });
}

// The ground of an element: a colour, or a ramp of colours from left to right.
function ground(style, place, number) {
  const rx = parseFloat(style.borderTopLeftRadius) || 0;
  const stops = style.backgroundImage.startsWith("linear-gradient(to right") ? style.backgroundImage.match(/rgba?\([^)]*\)/g) : null;
  if (stops) {
    const id = `ramp${number}`;
    const ramp = stops.map((colour, i) => svg("stop", { offset: i / (stops.length - 1), "stop-color": colour }));
    return [svg("linearGradient", { id }, ...ramp), svg("rect", { ...place, rx, fill: `url(#${id})` })];
  }
  return clear(style.backgroundColor) ? [] : [svg("rect", { ...place, rx, fill: style.backgroundColor })];
}

const clear = (colour) => colour === "transparent" || /^rgba\(.*,\s*0\)$/.test(colour);

// What lies behind the view: the first ancestor that has a colour.
function paper(element) {
  for (let node = element; node; node = node.parentElement ?? node.getRootNode().host) {
    const colour = getComputedStyle(node).backgroundColor;
    if (!clear(colour)) return colour;
  }
  return "#fff";
}
