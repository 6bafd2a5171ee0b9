// Numbers to pixels: ticks of both axes, the scale of values, and the path of one curve.

const shownSeries = (view, panel) => panel.data.series.filter((series) => !view.hiddenSeries.has(series.id));
const stepsOf = (panel) => [...new Set(panel.data.series.flatMap((series) => series.x))].sort((a, b) => a - b);

// Where in a sorted list the value nearest to x stands.
function nearest(values, x) {
  let [low, high] = [0, values.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle;
    else high = middle;
  }
  return values[high] - x < x - values[low] ? high : low;
}

function xTicks({ data, from, to, wide }) {
  const epoch = data.epoch_steps;
  const room = (step) => (step / (to - from)) * wide;
  if (epoch && (to - from) / epoch >= 1.5) {
    const words = room(epoch) >= 62;
    const every = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((n) => room(epoch * n) >= 40) ?? 1000;
    const list = [];
    for (let k = Math.max(1, Math.ceil(from / epoch)); k * epoch <= to * 1.0001; k++)
      if (k % every === 0) list.push({ value: k * epoch, word: words || !list.length ? epochName(k) : String(k) });
    return list;
  }
  const values = ticks(from, to, Math.max(2, wide / 58)).filter((value) => data.x_label !== _("epoch") || Number.isInteger(value));
  return values.map((value, i) => ({ value, word: i === 0 || values.length < 3 ? `${data.x_label ?? ""} ${number(value)}`.trim() : number(value) }));
}

// A lone spike must not press all curves flat: the scale holds 99 of 100 values with room above, and the panel says
// how many values it leaves out.
function yScale(view, panel, from, to, high) {
  const { data } = panel;
  const values = [];
  for (const series of shownSeries(view, panel))
    series.x.forEach((x, i) => x >= from && x <= to && Number.isFinite(series.y[i]) && (!data.log || series.y[i] > 0) && values.push(series.y[i]));
  values.sort((a, b) => a - b);
  const fixedLow = data.y_min ?? null;
  const fixedHigh = data.y_max ?? null;
  let low = fixedLow ?? values[0] ?? 0;
  let top = fixedHigh ?? values.at(-1) ?? 1;
  if (fixedHigh === null && values.length > 20) {
    const usual = values[Math.floor(values.length * 0.99) - 1];
    const room = usual + 0.6 * (usual - low);
    if (top > room && !data.log) top = usual + 0.08 * (usual - low);
  }
  const beyond = values.filter((value) => value > top).length;
  if (data.log) {
    low = 10 ** Math.floor(Math.log10(low > 0 ? low : (values[0] ?? 0.1)) + 1e-9);
    top = 10 ** Math.ceil(Math.log10(top) - 1e-9);
    if (!(top > low)) top = low * 10;
    const span = Math.log10(top / low);
    const every = Math.ceil(span / Math.max(2, high / 40));
    const list = [];
    for (let k = 0; k <= span + 1e-9; k += every) list.push({ value: low * 10 ** k, word: `10${raised(String(Math.round(Math.log10(low)) + k))}` });
    return { at: (value) => 1 - Math.log10(Math.max(value, low) / low) / span, ticks: list, beyond };
  }
  if (!(top > low)) top = low + (Math.abs(low) || 1);
  const steps = ticks(low, top, high / 62);
  const step = steps[1] - steps[0] || top - low;
  if (fixedLow === null) low = Math.floor(low / step + 1e-9) * step;
  if (fixedHigh === null) top = Math.ceil(top / step - 1e-9) * step;
  const places = clamp(-Math.floor(Math.log10(step) + 1e-9) + (step / 10 ** Math.floor(Math.log10(step) + 1e-9) === 2.5 ? 1 : 0), 0, 6);
  return {
    at: (value) => 1 - (value - low) / (top - low),
    ticks: ticks(low, top, high / 62).map((value) => ({ value, word: decimal(value, places) })),
    beyond,
  };
}

// More points than pixels: the lowest and the highest of each column say the same and cost less.
function pathOf(panel, { x, y }) {
  let first = Math.max(0, x.findIndex((step) => step >= panel.from) - 1);
  if (x.length && x.at(-1) < panel.from) first = x.length;
  let last = x.length - 1;
  while (last > 0 && x[last - 1] > panel.to) last--;
  const columns = (last - first) / panel.wide > 2;
  const usable = (i) => Number.isFinite(y[i]) && (!panel.data.log || y[i] > 0);
  let d = "";
  let drawing = false;
  for (let i = first; i <= last; i++) {
    if (!usable(i)) {
      drawing = false;
      continue;
    }
    const column = Math.floor(panel.x(x[i]));
    const points = [i];
    if (columns) {
      let [least, most] = [i, i];
      while (i < last && usable(i + 1) && Math.floor(panel.x(x[i + 1])) === column) {
        i++;
        if (y[i] < y[least]) least = i;
        if (y[i] > y[most]) most = i;
      }
      points.splice(0, 1, ...[...new Set([least, most])].sort((a, b) => a - b));
    }
    for (const at of points) {
      d += `${drawing ? "L" : "M"}${round(panel.x(x[at]))} ${round(panel.y(y[at]))}`;
      drawing = true;
    }
  }
  return d;
}

const lastGood = ({ y }) => y.findLastIndex((value) => Number.isFinite(value));
