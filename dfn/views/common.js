// What every view stands on: its memory, the theme, elements and numbers. Python puts this text in front of a view,
// so that the two are one module without imports.

// A view's memory lies on its root: a host may evaluate the module again, and zoom or focus must outlive that.
const MEMORY = Symbol.for("dfn.view");
const SVG = "http://www.w3.org/2000/svg";

const BASE_STYLE = `
.dfn-view { color: var(--dfn-text); font-family: var(--st-font, inherit); font-size: 14px; line-height: 1.45;
  font-variant-numeric: tabular-nums; position: relative; box-sizing: border-box; text-align: left; }
.dfn-view *, .dfn-view *::before { box-sizing: border-box; }
.dfn-view svg { display: block; overflow: visible; font-variant-numeric: tabular-nums; }
.dfn-view :focus { outline: none; }
.dfn-view :focus-visible { outline: 2px solid var(--dfn-focus); outline-offset: 2px; border-radius: 4px; }
.dfn-view svg :focus-visible { outline: none; }
.dfn-view [hidden] { display: none !important; }
.dfn-view .muted { color: var(--dfn-muted); }
.dfn-view .title { font-weight: 600; }
.dfn-view .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.dfn-view button { font: inherit; color: var(--dfn-text); background: transparent; border: 1px solid var(--dfn-line);
  border-radius: 8px; padding: 2px 10px; cursor: pointer; }
.dfn-view button:hover { border-color: var(--dfn-muted); }
`;

// What is said, in the reader's language: Python passes its forms by the English text, and none in English. A page
// speaks one language, so the views of a page may share this.
let spoken = {};
const N_ = (text) => text; // marks a constant, which is translated where it is shown
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
const _ = (text, values = {}) => filled(spoken[text]?.[0] ?? text, values);
function ngettext(one, many, n, values = {}) {
  const forms = spoken[one] ?? [one, many];
  return filled(forms[n === 1 ? 0 : forms.length - 1], { count: n, ...values });
}
const epochName = (number) => _("epoch {number}", { number });

// Calls build(view) once for a root; later calls give back the same view with its state.
function mount(root, style, build, data) {
  spoken = data.words ?? {};
  if (data.language) root.lang = data.language;
  if (root[MEMORY]) return root[MEMORY];
  const view = { root, width: 0, theme: null, palette: {}, data: null, emit: () => {}, paint: () => {} };
  root.classList.add("dfn-view");
  root.replaceChildren(html("style", {}, BASE_STYLE + SAVE_STYLE + style));
  build(view);

  const size = new ResizeObserver(() => {
    if (root.clientWidth && root.clientWidth !== view.width) refresh(view);
  });
  size.observe(root);
  // Streamlit calls draw again when its theme changes; JupyterLab, a page of one's own and the system do not.
  const retheme = () => view.data && applyTheme(view) && view.paint();
  const theme = new MutationObserver(retheme);
  for (const node of [document.documentElement, document.body, root.getRootNode().host])
    if (node) theme.observe(node, { attributes: true });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", retheme);

  view.dispose = () => {
    size.disconnect();
    theme.disconnect();
    system.removeEventListener("change", retheme);
    view.stop?.();
    delete root[MEMORY];
  };
  root[MEMORY] = view;
  return view;
}

function update(view, data, emit) {
  view.data = data;
  view.emit = emit;
  refresh(view);
  return view.dispose;
}

function refresh(view) {
  // A root that is not in the page yet has no width: draw for an ordinary one, the observer corrects it.
  view.width = view.root.clientWidth || 720;
  applyTheme(view);
  view.paint();
}

function applyTheme(view) {
  const theme = isDark(view.root) ? "dark" : "light";
  const palette = view.data.palette[theme];
  const changed = view.theme !== theme;
  for (const [name, colour] of Object.entries(palette))
    if (view.palette[name] !== colour) view.root.style.setProperty(`--dfn-${name}`, colour);
  view.theme = theme;
  view.palette = palette;
  view.root.dataset.theme = theme;
  return changed;
}

function isDark(root) {
  const background = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  if (background && background !== "unset") return luminance(background) < 0.4;
  const jupyter = document.body.dataset.jpThemeLight;
  if (jupyter) return jupyter === "false";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

// The canvas reads every notation of a colour that CSS knows.
function luminance(colour) {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

const ink = (role) => `var(--dfn-${role}, var(--dfn-plain))`;
const wordInk = (role) => `var(--dfn-${role}_text, var(--dfn-text))`;
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// Labels come from people: children are text nodes, never markup.
function html(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
  if (children.length) element.append(...children);
  return element;
}

const attributes = (element, values) => furnish(element, values, []);

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const round = (value) => Math.round(value * 100) / 100;

const measuring = document.createElement("canvas").getContext("2d");
function textWidth(text, size, weight, element) {
  measuring.font = `${weight} ${size}px ${getComputedStyle(element).fontFamily}`;
  return measuring.measureText(text).width;
}

const raised = (text) => [...text].map((c) => ({ "-": "⁻" })[c] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "").join("");

// 0.412, 12.4, 1,437, 2.1 × 10⁻⁵; a real minus sign; a dash where there is no number.
function number(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const [mantissa, exponent] = value.toExponential(digits - 2).split("e");
    return `${mantissa} × 10${raised(exponent.replace("+", ""))}`.replace("-", "−");
  }
  const places = Number.isInteger(value) ? 0 : clamp(digits - 1 - Math.floor(Math.log10(size)), 0, 6);
  return decimal(value, places);
}

function decimal(value, places) {
  const text = value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
  return text.replace(/^-(?=[0.,]*$)/, "").replace("-", "−");
}

// Counts arrive as text: 4 bases and 64 fusions make more paths than a double can hold.
function count(text) {
  const digits = String(text);
  if (digits.length <= 7) return Number(digits).toLocaleString("en-US");
  const exponent = digits.length - 1;
  return `${digits[0]}.${digits.slice(1, 3)} × 10${raised(String(exponent))}`;
}

// Frames from 0 to 1, eased; one frame at once for people who asked for stillness. Gives back a way to stop.
function animate(milliseconds, frame, done = () => {}) {
  if (still()) {
    frame(1);
    done();
    return () => {};
  }
  frame(0);
  const start = performance.now();
  let request = requestAnimationFrame(function step(now) {
    const t = clamp((now - start) / milliseconds, 0, 1);
    frame(t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2);
    if (t < 1) request = requestAnimationFrame(step);
    else done();
  });
  return () => cancelAnimationFrame(request);
}

// Round tick values inside [low, high], about `wanted` of them.
function ticks(low, high, wanted) {
  const raw = (high - low) / Math.max(1, wanted);
  if (!(raw > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 2.5, 5, 10].find((m) => m * power >= raw * 0.999);
  const values = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) values.push(k * step);
  return values;
}
