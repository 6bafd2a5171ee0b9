// Epochs of the maps: play, scrub, what the net said of the image after each of them, and the two pinned ones, A and B.

const EPOCHS_STYLE = `
.dfn-view .player { display: flex; align-items: center; gap: 12px; min-height: 44px; }
.dfn-view .play { width: 38px; height: 36px; padding: 0; display: grid; place-items: center; flex: none; }
.dfn-view .play path { fill: var(--dfn-text); }
.dfn-view .player output { min-width: 9.5em; text-align: right; flex: none; }
.dfn-view input[type=range] { appearance: none; flex: 1; min-width: 60px; height: 24px; margin: 0; background: transparent; cursor: pointer; }
.dfn-view input[type=range]::-webkit-slider-runnable-track { height: 4px; border-radius: 2px;
  background: linear-gradient(to right, var(--dfn-text) var(--done), var(--dfn-line) var(--done)); }
.dfn-view input[type=range]::-moz-range-track { height: 4px; border-radius: 2px;
  background: linear-gradient(to right, var(--dfn-text) var(--done), var(--dfn-line) var(--done)); }
.dfn-view input[type=range]::-webkit-slider-thumb { appearance: none; width: 16px; height: 16px; margin-top: -6px;
  border-radius: 50%; background: var(--dfn-text); }
.dfn-view input[type=range]::-moz-range-thumb { width: 16px; height: 16px; border: 0; border-radius: 50%; background: var(--dfn-text); }
.dfn-view .course svg { cursor: pointer; touch-action: pan-y; }
.dfn-view .course text { font-size: 12px; fill: var(--dfn-muted); }
.dfn-view .course .flag { font-weight: 600; fill: var(--dfn-text); }
.dfn-view .tools { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 8px; margin-bottom: 14px; min-height: 34px; }
.dfn-view .tools button { min-height: 32px; }
.dfn-view .tools button[aria-pressed=true] { border-color: var(--dfn-text); background: var(--dfn-band); font-weight: 600; }
.dfn-view .answer { flex: 1 1 260px; min-height: 1.5em; }
.dfn-view.stacked .answer { flex-basis: 100%; min-height: 3em; }
`;

const ICONS = { play: "M4 2.5v11l9-5.5z", pause: "M3.5 2.5h3.2v11H3.5zM9.3 2.5h3.2v11H9.3z" };
const CURVE = { top: 18, high: 54, foot: 4, ends: 8 }; // ends: half a thumb of the slider
const NAMES = ["A", "B"];

function buildEpochs(view) {
  view.icon = svg("path", { d: ICONS.play });
  const face = svg("svg", { width: 16, height: 16, "aria-hidden": "true" }, view.icon);
  view.button = html("button", { class: "play", type: "button", "aria-label": _("Play the epochs") }, face);
  view.range = html("input", { type: "range", min: 0, step: 1, "aria-label": _("Epoch") });
  view.epoch = html("output");
  view.player = html("div", { class: "player" }, view.button, view.range, view.epoch);
  view.curve = svg("svg", { role: "img" });
  view.course = html("div", { class: "course" }, view.curve);
  view.answer = html("span", { class: "answer" });
  view.pinners = NAMES.map((name) => html("button", { type: "button" }, _("Pin {name}", { name })));
  view.compare = html("button", { type: "button" }, _("A, B and B − A"));
  view.tools = html("div", { class: "tools" }, view.answer, ...view.pinners, view.compare);
  view.pins = null;
  view.at = null; // index of the epoch on show
  view.playing = 0;
  view.stop = () => clearInterval(view.playing);

  view.range.addEventListener("input", () => show(view, Number(view.range.value)));
  view.range.addEventListener("change", () => released(view));
  view.button.addEventListener("click", () => play(view, !view.playing));
  view.pinners.forEach((button, i) => button.addEventListener("click", () => pinEpoch(view, i)));
  view.compare.addEventListener("click", () => setPins(view, { compare: !view.pins.compare }));
  const toEpoch = (event) => event.buttons && show(view, epochUnder(view, event));
  view.curve.addEventListener("pointerdown", (event) => {
    view.curve.setPointerCapture(event.pointerId);
    toEpoch(event);
  });
  view.curve.addEventListener("pointermove", toEpoch);
  view.curve.addEventListener("pointerup", () => released(view));
}

const released = (view) => view.emit("epoch", view.data.epochs[view.at]);

function play(view, on) {
  clearInterval(view.playing);
  view.playing = 0;
  view.icon.setAttribute("d", on ? ICONS.pause : ICONS.play);
  attributes(view.button, { "aria-label": on ? _("Pause") : _("Play the epochs") });
  const last = () => view.data.epochs.length - 1;
  if (!on) return released(view);
  if (view.at >= last()) show(view, 0);
  view.playing = setInterval(() => {
    show(view, Math.min(view.at + 1, last()));
    if (view.at >= last()) play(view, false);
  }, clamp(6000 / (last() + 1), 120, 500));
}

function stepEpoch(view, by) {
  show(view, clamp(view.at + by, 0, view.data.epochs.length - 1));
  released(view);
}

// The reader's epoch stays while a run grows. A new choice of Python's is followed, and so is the newest epoch by a
// reader who was watching the newest.
function epochToShow(view) {
  const { epochs, epoch } = view.data;
  const last = epochs.length - 1;
  const given = epochs.indexOf(epoch) < 0 ? last : epochs.indexOf(epoch);
  const kept = epochs.indexOf(view.shown);
  const changed = epoch !== view.lastGiven;
  const follow = kept < 0 || (changed && (view.shown === view.lastGiven || given !== last));
  view.lastGiven = epoch;
  return follow ? given : kept;
}

// ---- pins: epochs A and B, up to two places, and whether A and B are on show -------------------------------------

// What Python gives is taken when it changes; in between the pins are the reader's.
function takePins(view) {
  const given = JSON.stringify(view.data.pins ?? {});
  if (given === view.given) return;
  view.given = given;
  view.pins = { places: [], a: null, b: null, compare: false, ...view.data.pins };
}

function setPins(view, changes) {
  view.pins = { ...view.pins, ...changes };
  if (view.pins.compare && pinnedAt(view, 0) < 0) view.pins.a = view.data.epochs[0];
  view.paint();
  view.emit("pin", view.pins);
}

// Pins the epoch on show; once more lets it go.
function pinEpoch(view, which) {
  const name = ["a", "b"][which];
  const epoch = view.data.epochs[view.at];
  const taken = view.pins[name] === epoch;
  setPins(view, { [name]: taken ? null : epoch, ...(taken && which === 0 ? { compare: false } : {}) });
}

const pinnedAt = (view, which) => view.data.epochs.indexOf(view.pins[["a", "b"][which]]);
const comparing = (view) => view.pins.compare && pinnedAt(view, 0) >= 0;

// The rows of maps: the epoch on show, or A, B and their difference; while B is not pinned, the epoch on show is B.
function rowsOf(view) {
  if (!comparing(view)) return [{ name: "", title: "", from: null, to: view.at }];
  const { epochs } = view.data;
  const [a, pinned] = [pinnedAt(view, 0), pinnedAt(view, 1)];
  const b = pinned < 0 ? view.at : pinned;
  return [
    { name: "A", title: _("{name}: epoch {number}", { name: "A", number: epochs[a] }), from: null, to: a },
    { name: "B", title: pinned < 0 ? _("B: epoch {number}, the one on show", { number: epochs[b] }) : _("{name}: epoch {number}", { name: "B", number: epochs[b] }), from: null, to: b },
    { name: "B − A", title: _("B − A: what changed from epoch {first} to {last}", { first: epochs[a], last: epochs[b] }), from: a, to: b },
  ];
}

// ---- drawing ----------------------------------------------------------------------------------------------------

function paintEpochs(view) {
  const { data } = view;
  const hidden = data.scrubber === false || data.epochs.length < 2;
  for (const part of [view.player, view.course, view.tools]) part.hidden = hidden;
  attributes(view.range, { max: Math.max(1, data.epochs.length - 1) });
}

function showEpoch(view) {
  const { epochs } = view.data;
  view.range.value = view.at;
  view.range.style.setProperty("--done", `${(100 * view.at) / Math.max(1, epochs.length - 1)}%`);
  const word = _("epoch {number} of {last}", { number: epochs[view.at], last: epochs.at(-1) });
  say(view.epoch, word);
  attributes(view.range, { "aria-valuetext": word });
  view.pinners.forEach((button, i) => {
    const pinned = pinnedAt(view, i);
    attributes(button, { "aria-pressed": String(pinned === view.at), title: _("Pin the epoch on show as {name}", { name: NAMES[i] }) });
    say(button, pinned < 0 ? _("Pin {name}", { name: NAMES[i] }) : _("{name}: epoch {number}", { name: NAMES[i], number: epochs[pinned] }));
  });
  attributes(view.compare, { "aria-pressed": String(comparing(view)), title: _("Two pinned epochs and their difference, on one scale") });
  say(view.answer, answerAfter(view, view.at));
  if (!view.course.hidden) paintCourse(view);
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function answerAfter({ data: { answers, epochs } }, at) {
  if (!answers) return "";
  const called = answers.called[at];
  const right = !answers.labelled || called === answers.followed;
  const told = { number: epochs[at], called, sure: percent(answers.sure[at]) };
  if (right) return _("After epoch {number} the net calls it {called} ({sure}).", told);
  const missed = { followed: answers.followed, share: percent(answers.of_followed[at]) };
  return _("After epoch {number} the net calls it {called} ({sure}), wrong; {followed} gets {share}.", { ...told, ...missed });
}

function placeOf(view, at) {
  const room = Math.max(0, view.range.offsetWidth - 2 * CURVE.ends);
  return round(view.range.offsetLeft + CURVE.ends + (room * at) / Math.max(1, view.data.epochs.length - 1));
}

function epochUnder(view, event) {
  const x = event.clientX - view.curve.getBoundingClientRect().left;
  const [first, last] = [placeOf(view, 0), placeOf(view, view.data.epochs.length - 1)];
  return Math.round(clamp((x - first) / Math.max(1, last - first), 0, 1) * (view.data.epochs.length - 1));
}

// Straight below the slider and on its axis: the probability of the true class (called last, where none is known)
// and of the best other one.
function paintCourse(view) {
  const { answers, epochs } = view.data;
  const high = answers ? CURVE.high : 0;
  const followed = answers && `${answers.followed}, ${answers.labelled ? _("the true class") : _("called last")}`;
  const [top, base] = [CURVE.top, CURVE.top + high];
  attributes(view.curve, { width: view.width, height: base + CURVE.foot });
  const across = epochs.map((_, at) => placeOf(view, at));
  const [left, right] = [across[0], across.at(-1)];
  const y = (share) => round(base - share * high);
  const parts = [];
  if (answers) {
    for (const level of [0, 1]) {
      parts.push(svg("line", { x1: left, x2: right, y1: y(level), y2: y(level), style: "stroke:var(--dfn-line)" }));
      parts.push(svg("text", { x: left - 8, y: y(level) + 4, "text-anchor": "end" }, level ? "100 %" : "0"));
    }
    const line = (name, values, style) =>
      svg("polyline", { class: name, points: values.map((value, at) => `${across[at]},${y(value)}`).join(" "), style: `fill:none;${style}` });
    parts.push(line("other", answers.other, "stroke:var(--dfn-muted);stroke-width:1.5;stroke-dasharray:3 3"));
    parts.push(line("right", answers.of_followed, "stroke:var(--dfn-text);stroke-width:2"));
    // Labels at the ends of the lines, apart from each other and inside the drawing.
    const [own, best] = [y(answers.of_followed.at(-1)), y(answers.other.at(-1))];
    const lower = clamp(Math.max(own, best), top + 14, base - 2);
    const upper = clamp(Math.min(own, best), top, lower - 14);
    const label = (height, text, style = "") => svg("text", { x: right + 12, y: height + 4, style }, text);
    parts.push(label(own <= best ? upper : lower, followed, "fill:var(--dfn-text);font-weight:600"));
    parts.push(label(own <= best ? lower : upper, _("the best other class")));
    parts.push(svg("circle", { cx: across[view.at], cy: y(answers.of_followed[view.at]), r: 4, style: "fill:var(--dfn-text)" }));
  }
  parts.push(svg("line", { x1: across[view.at], x2: across[view.at], y1: top - 4, y2: base, style: "stroke:var(--dfn-text);stroke-opacity:.5" }));
  NAMES.forEach((name, i) => {
    const at = pinnedAt(view, i);
    if (at < 0) return;
    const x = across[at];
    const beside = pinnedAt(view, 0) === pinnedAt(view, 1) ? (i ? 7 : -7) : 0;
    parts.push(svg("line", { x1: x, x2: x, y1: top - 3, y2: base, style: "stroke:var(--dfn-text);stroke-dasharray:2 3" }));
    parts.push(svg("text", { class: "flag", "data-pin": name, x: x + beside, y: top - 6, "text-anchor": "middle" }, name));
  });
  view.curve.replaceChildren(...parts);
  const pinned = NAMES.flatMap((name, i) => (pinnedAt(view, i) < 0 ? [] : [_("{name} is epoch {number}", { name, number: epochs[pinnedAt(view, i)] })]));
  const shares = () => epochs.map((epoch, at) => `${epochName(epoch)} ${percent(answers.of_followed[at])}`).join(", ");
  const told = answers ? _("Probability of {followed}: {shares}", { followed, shares: shares() }) : _("Epochs {first} to {last}", { first: epochs[0], last: epochs.at(-1) });
  attributes(view.curve, { "aria-label": [told, ...pinned].join("; ") });
}
