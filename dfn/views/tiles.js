// Small pictures to choose from, all cut out of one sheet; each is a button, and arrow keys walk over them.

const STYLE = `
.dfn-view .head { min-height: 22px; margin-bottom: 6px; }
.dfn-view .tiles { display: flex; flex-wrap: wrap; gap: 6px; max-height: 292px; min-height: 84px; overflow-y: auto;
  padding: 3px; align-content: flex-start; }
.dfn-view .tile { width: 76px; padding: 5px 4px 4px; display: flex; flex-direction: column; align-items: center;
  font-size: 12px; line-height: 1.3; }
.dfn-view .tile[aria-pressed=true] { border-color: var(--dfn-focus); box-shadow: 0 0 0 1px var(--dfn-focus); }
.dfn-view .tile i { display: block; width: 48px; height: 48px; margin-bottom: 3px; background-image: var(--sheet);
  background-repeat: no-repeat; image-rendering: pixelated; }
.dfn-view .tile span { max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
`;

const SIDE = 48;

export function draw(root, data, emit) {
  return update(mount(root, STYLE, build, data), data, emit);
}

function build(view) {
  view.head = html("div", { class: "head muted" });
  view.grid = html("div", { class: "tiles", role: "group" });
  view.root.append(view.head, view.grid);
  view.paint = () => paint(view);
  const tileOf = (event) => event.target.closest("button");
  view.grid.addEventListener("click", (event) => {
    const tile = tileOf(event);
    if (tile) view.emit("select", { id: Number(tile.dataset.id) });
  });
  view.grid.addEventListener("keydown", (event) => {
    const all = [...view.grid.children];
    const at = all.indexOf(tileOf(event));
    const row = all.filter((tile) => tile.offsetTop === all[0].offsetTop).length;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + row, ArrowUp: at - row, Home: 0, End: all.length - 1 };
    if (at < 0 || !(event.key in to)) return;
    walkTo(all, all[clamp(to[event.key], 0, all.length - 1)]).focus();
    event.preventDefault();
  });
}

// One tile is in the order of the Tab key, the one where the reader last was.
function walkTo(all, chosen) {
  for (const tile of all) tile.setAttribute("tabindex", tile === chosen ? 0 : -1);
  return chosen;
}

function paint(view) {
  const { tiles, sheet, columns, selected, title } = view.data;
  say(view.head, title);
  attributes(view.grid, { "aria-label": title });
  view.grid.style.setProperty("--sheet", `url("${sheet}")`);
  while (view.grid.children.length > tiles.length) view.grid.lastChild.remove();
  while (view.grid.children.length < tiles.length)
    view.grid.append(html("button", { type: "button", class: "tile" }, html("i"), html("span"), html("span", { class: "muted" })));
  const all = [...view.grid.children];
  tiles.forEach(({ id, label, more, alt }, index) => {
    const [picture, name, rest] = all[index].children;
    attributes(all[index], { "data-id": id, "aria-label": alt, title: alt, "aria-pressed": String(id === selected) });
    picture.style.backgroundSize = `${columns * SIDE}px auto`;
    picture.style.backgroundPosition = `${-(index % columns) * SIDE}px ${-Math.floor(index / columns) * SIDE}px`;
    say(name, label);
    say(rest, more);
  });
  const focused = all.find((tile) => tile === view.root.getRootNode().activeElement);
  if (all.length) walkTo(all, focused ?? all[Math.max(0, tiles.findIndex(({ id }) => id === selected))]);
}
