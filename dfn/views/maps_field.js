// The image as the net sees it, and on it what the place that is pointed at can see: one box for every size of path.

const FIELD_STYLE = `
.dfn-view .field { flex: none; display: flex; gap: 16px; align-items: flex-start; }
.dfn-view .scene { position: relative; flex: none; background: var(--dfn-band); }
.dfn-view .scene canvas { position: absolute; }
.dfn-view .scene svg { position: absolute; inset: 0; overflow: hidden; }
.dfn-view .seen { font-size: 13px; width: 15em; }
.dfn-view.stacked .field { width: 100%; }
.dfn-view.stacked .seen { width: auto; min-width: 0; flex: 1; }
`;

const SCENE = 168;
const AROUND = 0.25; // how much of the padding round the image is shown, in sides of the image

function buildField(view) {
  view.photo = html("canvas", { role: "img" });
  view.boxes = svg("svg", { width: SCENE, height: SCENE, role: "img" });
  view.seen = html("div", { class: "seen" });
  view.field = html("div", { class: "field" }, html("div", { class: "scene" }, view.photo, view.boxes), view.seen);
}

// Places the image in the middle of the scene; `unit` is the length of a pixel there.
function paintPhoto(view) {
  const { image } = view.data;
  view.field.hidden = !image;
  if (!image) return;
  const unit = SCENE / (Math.max(image.height, image.width) * (1 + 2 * AROUND));
  const [left, top] = [image.width, image.height].map((length) => (SCENE - length * unit) / 2);
  view.scene = { unit, left, top };
  Object.assign(view.photo.parentElement.style, { width: `${SCENE}px`, height: `${SCENE}px` });
  Object.assign(view.photo.style, { left: `${left}px`, top: `${top}px`, width: `${image.width * unit}px`, height: `${image.height * unit}px` });
  attributes(view.photo, { "aria-label": image.alt });
  if (image.pixels === view.pixels) return;
  view.pixels = image.pixels;
  Object.assign(view.photo, { width: image.width, height: image.height });
  const bytes = atob(image.pixels);
  const colours = bytes.length / (image.width * image.height);
  const picture = new ImageData(image.width, image.height);
  picture.data.forEach((_, i) => {
    const channel = i % 4;
    picture.data[i] = channel === 3 ? 255 : bytes.charCodeAt(Math.floor(i / 4) * colours + Math.min(channel, colours - 1));
  });
  view.photo.getContext("2d").putImageData(picture, 0, 0);
}

// Rows and columns (all inside) that a place sees by paths whose field has this many pixels before and behind.
function boxOf({ step }, [before, behind], { row, col }) {
  return [row * step - before, col * step - before, row * step + behind, col * step + behind];
}

// The channels of a concat are those of one of its branches, and so are their fields.
function fieldsOf(view, id, spot) {
  const { panels, arithmetic: sums } = view.data;
  const own = sums?.join === "concat" && id === sums.result ? sums.terms.find((term) => !Number.isNaN(valueOf(view, term, spot, view.at))) : null;
  return panels.find((panel) => panel.id === (own ?? id))?.fields;
}

function paintFields(view, spot) {
  const { image, panels } = view.data;
  if (!image) return;
  const panel = panels.find((panel) => panel.id === view.lookedAt && !panel.missing) ?? panels.at(-1);
  const fields = spot && fieldsOf(view, panel.id, spot);
  if (!fields) {
    view.boxes.replaceChildren();
    attributes(view.boxes, { "aria-label": _("No place is pointed at") });
    say(view.seen, _("The image as the net sees it. Point at a value: what it can see of the image is drawn here, one box for every size of path."));
    return;
  }
  const { unit, left, top } = view.scene;
  const inFrame = (value) => clamp(value, 1.5, SCENE - 1.5);
  const most = Math.max(...fields.paths.map(([, , paths]) => Number(paths)));
  const boxes = [...fields.paths].reverse().map(([before, behind, paths]) => {
    const box = boxOf(fields, [before, behind], spot);
    const [y1, x1, y2, x2] = [top + box[0] * unit, left + box[1] * unit, top + (box[2] + 1) * unit, left + (box[3] + 1) * unit].map(inFrame);
    const strong = 0.35 + (0.65 * Number(paths)) / most; // the commonest size stands out
    const style = `fill:${ink(panel.role)};fill-opacity:.07;stroke:${ink(panel.role)};stroke-width:2;stroke-opacity:${round(strong)}`;
    return svg("rect", { class: "box", "data-box": box, "data-paths": paths, x: round(x1), y: round(y1), width: round(x2 - x1), height: round(y2 - y1), style });
  });
  const [x, y] = [left + spot.col * fields.step * unit, top + spot.row * fields.step * unit];
  const centre = svg("rect", { class: "centre", x: round(x), y: round(y), width: round(unit), height: round(unit), style: "fill:none;stroke:#fff;stroke-width:2.5" });
  const ring = svg("rect", { x: round(x), y: round(y), width: round(unit), height: round(unit), style: "fill:none;stroke:#111;stroke-width:1" });
  view.boxes.replaceChildren(...boxes, centre, ring);
  const words = inWords(fields, spot, image);
  const where = _("row {row}, column {column}", { row: spot.row, column: spot.col });
  attributes(view.boxes, { "aria-label": `${panel.title}, ${where}: ${words}` });
  const name = html("b", {}, panel.title);
  name.style.color = wordInk(panel.role);
  view.seen.replaceChildren(name, `, ${where}: ${words}`);
}

function inWords(fields, spot, image) {
  const several = (paths) => ngettext("{count} path", "{count} paths", Number(paths), { count: count(paths) });
  const size = ([before, behind]) => before + behind + 1;
  const told = ([before, behind, paths]) => `${size([before, behind])} × ${size([before, behind])} (${several(paths)})`;
  const { paths } = fields;
  const commonest = paths.reduce((best, path) => (Number(path[2]) > Number(best[2]) ? path : best));
  const ends = { count: paths.length, first: told(paths[0]), last: told(paths.at(-1)), most: told(commonest) };
  const from = () => (Number(commonest[2]) > 1 ? _("{count} sizes, from {first} to {last}, most often {most}", ends) : _("{count} sizes, from {first} to {last}", ends));
  const sizes = paths.length < 4 ? paths.map(told).join(", ") : from();
  const outside = paths.filter((path) => {
    const [y1, x1, y2, x2] = boxOf(fields, path, spot);
    return y1 < 0 || x1 < 0 || y2 >= image.height || x2 >= image.width;
  }).length;
  const seen = _("sees {sizes} pixels.", { sizes });
  if (!outside) return seen;
  const some = () => ngettext("{count} of them reaches past the edge, where there is only padding.", "{count} of them reach past the edge, where there is only padding.", outside);
  const all = () => (outside === 1 ? _("It reaches past the edge, where there is only padding.") : _("All reach past the edge, where there is only padding."));
  return `${seen} ${outside === paths.length ? all() : some()}`;
}
