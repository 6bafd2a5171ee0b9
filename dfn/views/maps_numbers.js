// Maps as numbers: decoding, the reach of a scale, colours, and how many decimals an addition needs.

// Every float16 there is, as a float32: decoding is then a look-up.
let halves = null;
function allHalves() {
  halves = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) halves[bits] = fraction ? NaN : sign * Infinity;
    else halves[bits] = sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
  }
}

function decode(text) {
  if (!halves) allHalves();
  const bytes = atob(text);
  const values = new Float32Array(bytes.length >> 1);
  for (let i = 0; i < values.length; i++) values[i] = halves[bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8)];
  return values;
}

// Greatest |value| for the shared scale. A few outliers would pale all the rest, so when the greatest lies far out the
// scale ends where all but one in 200 values do, and its ends say "and beyond".
function reach(arrays) {
  let most = 0;
  let total = 0;
  for (const values of arrays)
    for (const value of values) if (Math.abs(value) > most && Number.isFinite(value)) most = Math.abs(value);
  if (!most) return { limit: 1, beyond: false };
  const bins = new Uint32Array(4096);
  for (const values of arrays)
    for (const value of values)
      if (value === value && value !== 0) {
        bins[Math.min(4095, (Math.abs(value) / most) * 4096) | 0]++;
        total++;
      }
  let kept = 0;
  let bin = 0;
  while (bin < 4095 && kept + bins[bin] < total * 0.995) kept += bins[bin++];
  const usual = ((bin + 1) / 4096) * most;
  return usual * 1.3 < most ? { limit: usual, beyond: true } : { limit: most, beyond: false };
}

// By how much every epoch differs from one of them; `frame` is how many values an epoch has.
function since(values, epoch, frame) {
  const from = epoch * frame;
  return values.map((value, i) => value - values[from + (i % frame)]);
}

const widest = (a, b) => ({ limit: Math.max(a.limit, b.limit), beyond: a.beyond || b.beyond });

// 255 colours, so that 0 has the middle one for itself, as 32-bit words as the canvas stores them (little-endian, as
// every machine with a browser is).
function lookup(stops) {
  const colours = stops.split(",").map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  return Uint32Array.from({ length: 255 }, (_, i) => {
    const place = (i / 254) * (colours.length - 1);
    const low = Math.min(Math.floor(place), colours.length - 2);
    const [r, g, b] = colours[low].map((c, k) => Math.round(c + (colours[low + 1][k] - c) * (place - low)));
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

const sum = (values) => values.reduce((a, b) => a + b, 0);

// Two significant decimals, one or two more where rounded terms would not give the rounded result.
function placesFor(values, join) {
  const most = Math.max(...values.map(Math.abs));
  const first = most >= 10 || most === 0 ? 1 : most >= 0.1 ? 2 : 1 - Math.floor(Math.log10(most));
  const rounded = (value, places) => Number(value.toFixed(places));
  const adds = (places) => {
    const shown = values.map((value) => rounded(value, places));
    return Math.abs(rounded(join(shown.slice(0, -1)), places) - shown.at(-1)) < 10 ** -places / 2;
  };
  return [first, first + 1, first + 2].find(adds) ?? first;
}
