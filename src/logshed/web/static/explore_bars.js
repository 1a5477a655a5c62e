// The bars over time: stacked by severity or a field, dragged over to zoom, and the legend that filters.

import { brief, byId, count, element, sound } from "./base.js";
import { clock } from "./time_range.js";

const HEIGHT = 120;
const SEVERITIES = { fatal: "--fatal", error: "--error", warn: "--warning", info: "--info", debug: "--debug", trace: "--s7" };
const WHOLE = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((one) => one * 10 ** power)).flat();
const STEPS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

// A colour as the canvas takes it, which knows no variables.
function resolved(colour) {
  const probe = element("span", { hidden: true });
  document.body.append(probe);
  probe.style.setProperty("color", colour);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export function nameOf(series, by) {
  if (series.rest) return "all others";
  if (series.value !== null) return sound(series.value);
  return by === "severity" ? "without a level" : "without it";
}

const PALE = "color-mix(in srgb, var(--s8) 55%, var(--card))";
const colourOf = (series, by, place) => {
  if (series.rest || series.value === null) return PALE;
  return `var(${by === "severity" ? (SEVERITIES[series.value] ?? "--s8") : `--s${(place % 7) + 1}`})`;
};

const stepText = (step) => {
  const [size, unit] = STEPS.find(([seconds]) => step % seconds === 0);
  return `${step / size} ${unit}`;
};

// Draw into #bars and #legend. `zoom(since, until)`, `filter(search, out)` are called with what was chosen.
export function barsChart({ zoom, filter }) {
  const place = byId("bars");
  const legend = byId("legend");
  let plot = null;
  let told = null;

  function stacked(bars) {
    const times = Array.from({ length: bars.steps }, (_, step) => Date.parse(bars.begin) / 1000 + step * bars.step);
    const sums = [];
    const below = new Array(bars.steps).fill(0);
    for (const series of [...bars.series].reverse()) {
      series.counts.forEach((value, step) => { below[step] += value; });
      sums.unshift([...below]);
    }
    return [times, ...sums];
  }

  function tip(u) {
    const step = u.cursor.idx;
    const note = byId("bars-note");
    if (step === null || step === undefined || !told) { note.hidden = true; return; }
    const begin = new Date(Date.parse(told.bars.begin) + step * told.bars.step * 1000);
    const parts = told.bars.series.filter((one) => one.counts[step]).map((one) => `${nameOf(one, told.by)} ${count(one.counts[step])}`);
    note.textContent = `${clock(begin)} + ${stepText(told.bars.step)}: ${parts.join(" · ") || "none"}`;
    note.hidden = false;
  }

  function picked(u) {
    const { left, width } = u.select;
    if (width < 3) return;
    const from = u.posToVal(left, "x") * 1000;
    const to = u.posToVal(left + width, "x") * 1000;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    zoom(new Date(from).toISOString(), new Date(to).toISOString());
  }

  function draw() {
    plot?.destroy();
    plot = null;
    const { bars, by } = told;
    place.replaceChildren();
    if (!bars.steps || !bars.total) { place.append(element("p", { class: "note no-bars", text: "No records to draw." })); return; }
    const data = stacked(bars);
    const axis = { stroke: resolved("var(--soft)"), grid: { stroke: resolved("var(--line)"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const bar = uPlot.paths.bars({ size: [0.9, 40, 1], align: 1, gap: 0 });
    const series = bars.series.map((one, number) => ({
      label: nameOf(one, by), fill: resolved(colourOf(one, by, number)), stroke: "transparent", width: 0, paths: bar, points: { show: false },
    }));
    const start = Date.parse(bars.begin) / 1000;
    plot = new uPlot({
      width: Math.max(200, place.clientWidth), height: HEIGHT,
      series: [{}, ...series],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: true, range: () => [start, start + bars.steps * bars.step] }, y: { range: (_, __, most) => [0, most || 1] } },
      axes: [
        { ...axis, grid: { show: false }, size: 24, values: (_, ticks) => ticks.map((at) => tick(at, ticks)) },
        { ...axis, size: 46, values: (_, ticks) => ticks.map((value) => brief(value)), incrs: WHOLE, space: 28 },
      ],
      hooks: { setSelect: [picked], setCursor: [tip] },
    }, data, place);
    const canvas = place.querySelector("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${count(bars.total)} records over time, by steps of ${stepText(bars.step)}; the legend has the numbers.`);
  }

  function tick(at, ticks) {
    const span = ticks.length > 1 ? ticks[1] - ticks[0] : told.bars.step;
    const text = clock(at * 1000);
    if (span >= 28 * 86400) return span >= 360 * 86400 ? text.slice(0, 4) : text.slice(0, 7);
    if (span >= 86400) return text.slice(5, 10);
    const midnight = text.slice(11, 16) === "00:00";
    return span >= 60 ? (midnight ? text.slice(5, 10) : text.slice(11, 16)) : text.slice(11, 19);
  }

  function drawLegend() {
    const { bars, by } = told;
    legend.replaceChildren(...bars.series.map((one, number) => {
      const dot = element("span", { class: "dot", "aria-hidden": "true" });
      dot.style.setProperty("background", colourOf(one, by, number));
      return element("li", {},
        element("button", { type: "button", class: "plain chip", title: `Only these: ${one.search}`, on: { click: (event) => filter(one.search, event.altKey) } },
          dot, element("span", { class: "value", text: nameOf(one, by) }), element("span", { class: "soft", text: count(one.total) })),
        element("button", { type: "button", class: "plain chip out", "aria-label": `Leave out ${nameOf(one, by)}`, title: "Leave these out", text: "−", on: { click: () => filter(one.search, true) } }));
    }));
  }

  const resize = new ResizeObserver(() => {
    if (plot && Math.abs(plot.width - place.clientWidth) > 2) plot.setSize({ width: place.clientWidth, height: HEIGHT });
  });
  resize.observe(place);
  document.addEventListener("logshed:theme", () => told && draw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => told && draw());

  return {
    show(bars, by) {
      told = { bars, by };
      draw();
      drawLegend();
    },
    clear() {
      plot?.destroy();
      plot = null;
      place.replaceChildren();
      legend.replaceChildren();
    },
    redraw() { if (told) draw(); },
    waiting() {
      plot?.destroy();
      plot = null;
      place.replaceChildren(element("div", { class: "skeleton bars-skeleton" }));
    },
  };
}

// Where in the order of records the one at a place lies: the end of its bar, how many of the bar to pass over, and the
// far end of the bars that the next `size` records lie in.
export function placeOf(bars, row, oldestFirst, size) {
  const totals = Array.from({ length: bars.steps }, (_, step) => bars.series.reduce((sum, one) => sum + one.counts[step], 0));
  const begin = Date.parse(bars.begin);
  let before = 0;
  for (let turn = 0; turn < bars.steps; turn += 1) {
    const step = oldestFirst ? turn : bars.steps - 1 - turn;
    if (before + totals[step] > row) {
      const edge = new Date(begin + (oldestFirst ? step : step + 1) * bars.step * 1000).toISOString();
      let left = size + 1 - (totals[step] - (row - before));
      let far = step;
      while (left > 0 && (oldestFirst ? far < bars.steps - 1 : far > 0)) {
        far += oldestFirst ? 1 : -1;
        left -= totals[far];
      }
      return { edge, skip: row - before, far: new Date(begin + (oldestFirst ? far + 1 : far) * bars.step * 1000).toISOString() };
    }
    before += totals[step];
  }
  return null;
}
