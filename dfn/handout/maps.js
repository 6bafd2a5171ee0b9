
// The maps of the page: which image, place and scale, chosen above them; the choice stands behind the # of the address.
const chosen = { image: null, place: null, scale: null };
for (const name of Object.keys(chosen)) {
  chosen[name] = document.getElementById(name);
  chosen[name].addEventListener("change", drawChosen);
}
let epoch;

function drawChosen() {
  const data = told.shown[chosen.image.value][chosen.place.value];
  const start = data.epochs.includes(epoch) ? { epoch } : {};
  draw(stage, { ...data, ...start, scale: chosen.scale.value, palette: told.palette }, heard);
  const said = Object.entries(chosen).map(([name, { value }]) => [name, value]);
  history.replaceState(null, "", `#${new URLSearchParams([...said, ...(epoch === undefined ? [] : [["epoch", epoch]])])}`);
}

function heard(name, value) {
  if (name === "epoch") epoch = value;
  if (name === "fusion") chosen.place.value = value - 1;
  if (name !== "pin") drawChosen();
}

document.addEventListener("place", ({ detail }) => {
  const at = told.shown[0].findIndex(({ names }) => names.includes(detail));
  if (at < 0) return;
  chosen.place.value = at;
  drawChosen();
  document.getElementById("maps-title").scrollIntoView({ behavior: still() ? "auto" : "smooth" });
});

function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  for (const [name, choice] of Object.entries(chosen))
    if ([...choice.options].some(({ value }) => value === said.get(name))) choice.value = said.get(name);
  if (said.has("epoch")) epoch = Number(said.get("epoch"));
  drawChosen();
}
window.addEventListener("hashchange", readAddress);
readAddress();
