// Keys of the maps, wherever in the view the focus is. On the maps the arrows go from value to value; elsewhere they
// go from epoch to epoch.

const KEYS_STYLE = `
.dfn-view .keys { position: relative; }
.dfn-view .keys dl { position: absolute; right: 0; top: calc(100% + 6px); z-index: 5; margin: 0; padding: 12px 16px; width: max-content;
  max-width: min(30em, calc(100vw - 60px)); background: var(--dfn-card); border: 1px solid var(--dfn-line); border-radius: 8px;
  box-shadow: 0 4px 18px #0003; display: grid; grid-template-columns: auto 1fr; gap: 4px 14px; font-size: 13px; }
.dfn-view .keys dt { font-weight: 600; white-space: nowrap; }
.dfn-view .keys dd { margin: 0; color: var(--dfn-muted); }
`;

const KEYS = [
  ["← →", N_("an epoch back, an epoch on")],
  [", .", N_("the same, also while on the maps")],
  [N_("Space"), N_("play or pause")],
  ["A B", N_("pin the epoch on show as A, as B; once more lets it go")],
  ["D", N_("A, B and their difference")],
  [N_("Arrows on the maps"), N_("the next value; with Shift the next map")],
  [N_("Enter on the maps"), N_("pin a place; with Shift a second one")],
  ["Esc", N_("let the pinned places go")],
  ["?", N_("these keys")],
];

function buildKeys(view) {
  view.help = html("dl", { hidden: "" });
  view.keysButton = html("button", { type: "button", "aria-expanded": "false", title: _("The keys of this view") }, _("Keys ?"));
  view.tools.append(html("div", { class: "keys" }, view.keysButton, view.help));
  view.keysButton.addEventListener("click", () => showKeys(view, view.help.hidden));
  view.root.tabIndex = -1; // a click between the maps brings the keys here as well
  view.root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !pressed(view, event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

function showKeys(view, open) {
  const fusions = view.data.fusions > 1 ? [[_("1 to {last}", { last: Math.min(9, view.data.fusions) }), N_("the fusion")]] : [];
  view.help.replaceChildren(...[...KEYS, ...fusions].flatMap(([key, meaning]) => [html("dt", {}, _(key)), html("dd", {}, _(meaning))]));
  view.help.hidden = !open;
  attributes(view.keysButton, { "aria-expanded": String(open) });
}

function letGo(view) {
  view.pointed = null;
  setPins(view, { places: [] });
}

// Whether the key meant something.
function pressed(view, event) {
  const { key, target } = event;
  const held = (selector) => Boolean(target.closest?.(selector));
  const epochs = !view.tools.hidden;
  const steps = held("input") ? {} : { ArrowLeft: -1, ArrowRight: 1 }; // the slider steps by itself
  const by = { ",": -1, ".": 1, ...steps }[key];
  if (key === "?") showKeys(view, view.help.hidden);
  else if (key === "Escape" && !view.help.hidden) showKeys(view, false);
  else if (key === "Escape") letGo(view);
  else if (/^[1-9]$/.test(key) && Number(key) <= (view.data.fusions ?? 0)) view.emit("fusion", Number(key));
  else if (!epochs) return false;
  else if (by) stepEpoch(view, by);
  else if (key === " " && !held("button")) play(view, !view.playing);
  else if ("ab".includes(key.toLowerCase())) pinEpoch(view, "ab".indexOf(key.toLowerCase()));
  else if (key.toLowerCase() === "d") setPins(view, { compare: !view.pins.compare });
  else return false;
  return true;
}
