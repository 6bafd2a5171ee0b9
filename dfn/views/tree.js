// Methods as a family tree: the root in the middle, families on both sides, their members at the ends. Each is a
// button; arrow keys walk over them. On a narrow page the tree becomes a list of cards that scrolls by itself.

const STYLE = `
.dfn-view .status { min-height: 3em; color: var(--dfn-muted); margin: 2px 70px -28px; text-align: center; }
.dfn-view .status b { color: var(--dfn-text); font-weight: 600; }
.dfn-view svg text { font-size: 13px; fill: var(--dfn-text); dominant-baseline: central; }
.dfn-view svg .says { font-size: 12px; fill: var(--dfn-muted); }
.dfn-view svg .family { font-weight: 600; }
.dfn-view svg .side { font-size: 12px; font-weight: 600; fill: var(--dfn-muted); }
.dfn-view .twig { fill: none; stroke: var(--dfn-line); stroke-width: 1.6; stroke-linecap: round; }
.dfn-view .twig.lit { stroke: var(--dfn-fused); stroke-width: 2.6; }
.dfn-view .node { cursor: pointer; }
.dfn-view .node.out { opacity: .28; }
.dfn-view .hit { fill: transparent; stroke: none; }
.dfn-view .node:hover .hit { fill: var(--dfn-text); fill-opacity: .06; }
.dfn-view .node[aria-pressed=true] .hit { fill: var(--dfn-fused); fill-opacity: .16; }
.dfn-view .node[aria-pressed=true] text { font-weight: 600; }
.dfn-view .node:focus-visible .hit { stroke: var(--dfn-focus); stroke-width: 2; }
.dfn-view .list { max-height: 320px; min-height: 320px; overflow-y: auto; scrollbar-width: thin; padding: 3px; }
.dfn-view .list .title { margin: 10px 0 4px; }
.dfn-view .list .title:first-child { margin-top: 0; }
.dfn-view .list button { display: block; width: 100%; text-align: left; padding: 8px 12px; margin-bottom: 6px; }
.dfn-view .list button[aria-pressed=true] { border-color: var(--dfn-fused); box-shadow: 0 0 0 1px var(--dfn-fused); }
.dfn-view .list button b { font-weight: 600; }
.dfn-view .list button span { display: block; font-size: 13px; }
`;

const ROW = 20;
const BREAK = 10; // between families
const HEAD = 30; // the words over each side
const [ROOT_HALF, TO_FAMILY, FAMILY, TO_METHOD] = [62, 40, 92, 34];
const NARROW = 760;

export function draw(root, data, emit) {
  return update(mount(root, STYLE, build, data), data, emit);
}

function build(view) {
  view.svg = svg("svg", { role: "group" });
  view.list = html("div", { class: "list", role: "group" });
  view.status = html("p", { class: "status", "aria-live": "polite" });
  view.save = saving(() => view.root, () => ({ name: "methods", rows: rows(view.data) }));
  view.root.append(view.svg, view.list, view.status, view.save);
  view.paint = () => paint(view);
  const nodeOf = (event) => event.target.closest("[data-method]");
  const choose = (node) => {
    if (!node) return;
    view.emit("select", { name: node.dataset.method });
    // what follows from the choice may stand below the edge of the window
    if (view.data.reveals) document.querySelector(view.data.reveals)?.scrollIntoView({ block: "nearest", behavior: still() ? "auto" : "smooth" });
  };
  const point = (event) => tell(view, nodeOf(event)?.dataset.method);
  view.root.addEventListener("click", (event) => choose(nodeOf(event)));
  view.root.addEventListener("pointerover", point);
  view.root.addEventListener("pointerleave", () => tell(view));
  view.root.addEventListener("focusin", point);
  view.root.addEventListener("focusout", () => tell(view));
  view.root.addEventListener("keydown", (event) => {
    const here = nodeOf(event);
    if (!here) return;
    const all = [...view.root.querySelectorAll("[data-method][tabindex]")];
    const at = all.indexOf(here);
    const steps = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 };
    if (event.key in steps) {
      const next = all[clamp(steps[event.key], 0, all.length - 1)];
      for (const node of all) node.setAttribute("tabindex", node === next ? 0 : -1);
      next.focus();
    } else if ((event.key === "Enter" || event.key === " ") && here instanceof SVGElement) choose(here);
    else return; // a button of the list presses itself
    event.preventDefault();
  });
}

const families = (data) => data.sides.flatMap((side) => side.families);
const everyMethod = (data) => [data.root, ...families(data).flatMap((family) => family.methods)];

const rows = (data) => [
  [_("family"), _("method"), _("title"), _("relation")],
  ["", data.root.name, data.root.title, data.root.says],
  ...families(data).flatMap((family) => family.methods.map((method) => [family.name, method.name, method.title, method.says])),
];

// What the method is that the reader points at.
function tell(view, name) {
  const method = everyMethod(view.data).find((other) => other.name === name);
  if (method) view.status.replaceChildren(html("b", {}, `${method.title}. `), method.says);
  else say(view.status, _("Point at a method to read how it stands to deep fusion; choose it to open its card."));
}

function paint(view) {
  const { data, width } = view;
  const narrow = width < NARROW;
  const focused = view.root.getRootNode().activeElement?.dataset?.method;
  view.svg.style.display = narrow ? "none" : "";
  view.list.hidden = !narrow;
  view.status.hidden = view.save.hidden = narrow;
  for (const place of [view.svg, view.list]) attributes(place, { "aria-label": data.alt });
  if (narrow) drawList(view);
  else drawTree(view);
  const open = [...view.root.querySelectorAll("[data-method]:not(.out)")];
  const stop = open.find((node) => node.dataset.method === (focused ?? data.selected)) ?? open[0];
  for (const node of open) attributes(node, { tabindex: node === stop ? 0 : -1 });
  if (focused) open.find((node) => node.dataset.method === focused)?.focus();
  tell(view, focused);
}

// ---- narrow: a list of cards --------------------------------------------------------------------------------------

function drawList(view) {
  const { data } = view;
  const card = ({ name, title, role, says }) => {
    const head = html("b", {}, title);
    if (role) head.style.color = wordInk(role);
    const pressed = String(name === data.selected);
    return html("button", { type: "button", "data-method": name, "aria-pressed": pressed }, head, html("span", { class: "muted" }, says));
  };
  const shown = ({ methods }) => methods.filter((method) => method.shown);
  const group = (family) => [html("div", { class: "title" }, `${family.name}: `, html("span", { class: "muted" }, family.says)), ...shown(family).map(card)];
  const top = view.list.scrollTop;
  const cards = families(data).filter((family) => shown(family).length).flatMap(group);
  view.svg.replaceChildren();
  view.list.replaceChildren(...(data.root.shown ? [card(data.root)] : []), ...cards);
  view.list.scrollTop = top;
  if (view.listed === data.selected) return;
  view.listed = data.selected; // whoever comes by a link sees the card that is open
  const chosen = view.list.querySelector("[aria-pressed=true]");
  const at = chosen ? chosen.offsetTop - view.list.offsetTop : top;
  if (at < top || at + (chosen?.offsetHeight ?? 0) > top + view.list.clientHeight) view.list.scrollTop = at - 3;
}

// ---- wide: the tree -----------------------------------------------------------------------------------------------

const heightOf = ({ families }) => sum(families.map(({ methods }) => (methods.length + 1) * ROW)) + BREAK * (families.length - 1);
const sum = (values) => values.reduce((a, b) => a + b, 0);

function drawTree(view) {
  const { data, width } = view;
  const tallest = Math.max(...data.sides.map(heightOf));
  const height = tallest + HEAD + 8;
  const middle = { x: width / 2, y: HEAD + tallest / 2 };
  const [twigs, words] = [[], []];
  data.sides.forEach((side, index) => {
    const away = index ? -1 : 1; // the first side grows to the right
    const anchor = index ? "end" : "start";
    const familyAt = middle.x + away * (ROOT_HALF + TO_FAMILY);
    const methodAt = familyAt + away * (FAMILY + TO_METHOD);
    let y = HEAD + (tallest - heightOf(side)) / 2;
    words.push(svg("text", { class: "side", x: methodAt + away * 12, y: HEAD / 2 - 2, "text-anchor": anchor }, side.title));
    for (const family of side.families) {
      const centre = y + ((family.methods.length + 1) * ROW) / 2;
      const within = family.methods.some(({ name }) => name === data.selected);
      twigs.push(twig(middle.x + away * ROOT_HALF, middle.y, familyAt, centre, within));
      words.push(svg("text", { class: "family", x: familyAt + away * (FAMILY / 2), y: centre, "text-anchor": "middle" }, family.name));
      words.push(svg("text", { class: "says", x: methodAt + away * 12, y: y + ROW / 2, "text-anchor": anchor }, family.says));
      family.methods.forEach((method, place) => {
        const at = y + (place + 1.5) * ROW;
        twigs.push(twig(familyAt + away * FAMILY, centre, methodAt, at, method.name === data.selected));
        words.push(node(view, method, family.name, methodAt, at, away));
      });
      y += (family.methods.length + 1) * ROW + BREAK;
    }
  });
  words.push(rootNode(view, middle));
  view.list.replaceChildren();
  attributes(view.svg, { width, height, viewBox: `0 0 ${width} ${height}` });
  view.svg.replaceChildren(...twigs.sort((a, b) => a.classList.contains("lit") - b.classList.contains("lit")), ...words);
}

function twig(x0, y0, x1, y1, lit) {
  const bend = (x0 + x1) / 2;
  return svg("path", { class: lit ? "twig lit" : "twig", d: `M${round(x0)} ${round(y0)}C${round(bend)} ${round(y0)} ${round(bend)} ${round(y1)} ${round(x1)} ${round(y1)}` });
}

function node(view, method, family, x, y, away) {
  const wide = textWidth(method.title, 13, 600, view.root) + 30;
  const dot = svg("circle", { cx: x, cy: y, r: 5, "stroke-width": 1.8 });
  dot.style.cssText = method.role
    ? `fill:${ink(method.role)};stroke:${ink(method.role)}`
    : "fill:var(--dfn-card);stroke:var(--dfn-muted)";
  const words = svg("text", { x: x + away * 12, y, "text-anchor": away > 0 ? "start" : "end" }, method.title);
  if (method.role) words.style.fill = wordInk(method.role);
  const hit = svg("rect", { class: "hit", x: away > 0 ? x - 10 : x + 10 - wide, y: y - ROW / 2 + 1, width: wide, height: ROW - 2, rx: 7 });
  return button(view, method, `${method.title}, ${family}`, [hit, dot, words]);
}

function rootNode(view, { x, y }) {
  const { root } = view.data;
  const [wide, high] = [2 * ROOT_HALF, 44];
  const box = svg("rect", { x: x - ROOT_HALF, y: y - high / 2, width: wide, height: high, rx: high / 2, "stroke-width": 2.4 });
  box.style.cssText = `fill:var(--dfn-card);stroke:${ink(root.role)}`;
  const hit = svg("rect", { class: "hit", x: x - ROOT_HALF, y: y - high / 2, width: wide, height: high, rx: high / 2 });
  const words = svg("text", { x, y, "text-anchor": "middle" }, root.title);
  words.style.cssText = `fill:${wordInk(root.role)};font-weight:600;font-size:15px`;
  return button(view, root, root.title, [box, hit, words]);
}

function button(view, method, label, children) {
  const pressed = String(method.name === view.data.selected);
  const kind = method.shown ? "node" : "node out";
  return svg("g", { class: kind, role: "button", "data-method": method.name, "aria-label": label, "aria-pressed": pressed }, ...children);
}
