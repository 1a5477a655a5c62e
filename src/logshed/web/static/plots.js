// Charts over time, drawn by uPlot: lines, and bars that are stacked. Dragging chooses a time; the arrow keys read values.

import { element, moment } from "./base.js";
import { column, figure, label } from "./figures.js";

const MOST_SERIES = 8;
const MOST_DAYS = 62;
const MOST_FILLED = 2000;
const KNOWN = {
  fatal: "--fatal", error: "--error", warn: "--warning", info: "--info", debug: "--s6", trace: "--s8", unset: "--debug",
  "5xx": "--error", "4xx": "--warning", "3xx": "--s7", "2xx": "--s3", "1xx": "--s8",
  security: "--s2", application: "--s1",
};
const ORDER = ["fatal", "error", "warn", "info", "debug", "trace", "unset", "5xx", "4xx", "3xx", "2xx", "1xx"];

const probe = element("span", { hidden: true });
document.body.append(probe);
function colour(name) {
  probe.style.setProperty("color", `var(${name})`);
  return getComputedStyle(probe).color;
}
const faint = (rgb, share) => rgb.replace(/^rgb\(/, "rgba(").replace(/\)$/, `, ${share})`);

// Seconds of a time or of a day, which begins where the viewer's does.
const seconds = (value, type) => (type === "date" ? new Date(`${value}T00:00:00`).getTime() : value) / 1000;

// The figures as columns of one time: `times`, and for each series its name and values. Counts that are not there are 0.
export function series(answer, panel) {
  const { x, y, by } = panel.chart;
  const [at, sizes, groups] = [column(answer, x), column(answer, y), by ? column(answer, by) : null];
  const names = groups ? ranked(groups.values, sizes.values) : [null];
  const moments = [...new Set(at.values.map((value) => seconds(value, at.type)))].sort((a, b) => a - b);
  const times = filled(moments, at.type === "date");
  const place = new Map(times.map((value, index) => [value, index]));
  const nothing = ["count", "bytes"].includes(sizes.unit) ? 0 : null;
  const values = new Map(names.map((name) => [name, new Array(times.length).fill(nothing)]));
  at.values.forEach((value, row) => {
    const name = groups ? (names.includes(groups.values[row]) ? groups.values[row] : "other") : null;
    const into = values.get(name);
    const index = place.get(seconds(value, at.type));
    into[index] = groups ? (into[index] ?? 0) + (sizes.values[row] ?? 0) : sizes.values[row];
  });
  return { times, unit: sizes.unit, title: sizes.label, list: names.map((name) => ({ name, values: values.get(name) })) };
}

function ranked(groups, sizes) {
  const sums = new Map();
  groups.forEach((name, row) => sums.set(name, (sums.get(name) ?? 0) + (sizes[row] ?? 0)));
  const names = [...sums.keys()];
  if (names.every((name) => ORDER.includes(name))) return names.sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  names.sort((a, b) => sums.get(b) - sums.get(a));
  return names.length > MOST_SERIES ? [...names.slice(0, MOST_SERIES - 1), "other"] : names;
}

function filled(moments, days) {
  if (moments.length < 2) return moments;
  let step = Infinity;
  for (let place = 1; place < moments.length; place += 1) step = Math.min(step, moments[place] - moments[place - 1]);
  const [first, last] = [moments[0], moments.at(-1)];
  if ((last - first) / step > MOST_FILLED) return moments;
  const all = new Set(moments);
  if (days) {
    for (const day = new Date(first * 1000); day.getTime() / 1000 < last; day.setDate(day.getDate() + 1)) all.add(day.getTime() / 1000);
  } else {
    for (let at = first; at < last; at += step) all.add(at);
  }
  return [...all].sort((a, b) => a - b);
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const month = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric" });
function ticks(_, splits, __, ___, step) {
  return splits.map((value) => {
    const at = new Date(value * 1000);
    if (step >= 28 * 86400) return month.format(at);
    if (step >= 86400 || (at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0)) return day.format(at);
    return step < 60 ? clockSeconds.format(at) : clock.format(at);
  });
}

// A chart over time in `body`. `zoom` is called with two moments, `pick` with a series' name.
export function plot(body, answer, panel, { earlier = null, zoom = null, pick = null } = {}) {
  const data = series(answer, panel);
  const ofDays = column(answer, panel.chart.x).type === "date" && data.list.length === 1 && data.unit !== "percent";
  const stacked = panel.chart.kind === "bar" || panel.chart.kind === "histogram" || (ofDays && data.times.length <= MOST_DAYS && !earlier);
  const hidden = new Set();
  const area = element("div", { class: "plot", tabindex: "0", role: "img", "aria-label": summary(panel, data) });
  const tip = element("div", { class: "tip", hidden: true, role: "status" });
  const names = element("ul", { class: "legend" });
  body.replaceChildren(...(data.list.length > 1 ? [names] : []), area);
  area.append(tip);
  let drawn = null;
  const colours = data.list.map(({ name }, place) => KNOWN[name] ?? (data.list.length === 1 ? "--s1" : `--s${(place % 8) + 1}`));
  const old = earlier ? shifted(earlier, panel, answer, data.times) : null;

  function draw() {
    drawn?.destroy();
    const width = Math.max(area.clientWidth, 120);
    const height = Math.max(area.clientHeight, 100);
    const seen = data.list.map((one, place) => ({ ...one, colour: colour(colours[place]), place })).filter((one) => !hidden.has(one.name));
    const { options, columns } = stacked ? barred(data, seen) : lined(data, seen, old);
    drawn = new window.uPlot({ ...options, ...common(width, height, answer, data, stacked), hooks: hooks(seen) }, columns, area);
  }

  function hooks(seen) {
    return {
      setCursor: [(chart) => show(chart, seen)],
      setSelect: [(chart) => {
        if (!zoom || chart.select.width < 8) return;
        const [from, to] = [chart.posToVal(chart.select.left, "x"), chart.posToVal(chart.select.left + chart.select.width, "x")];
        chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        zoom(from * 1000, to * 1000);
      }],
    };
  }

  function show(chart, seen) {
    const index = chart.cursor.idx;
    tip.hidden = index === null || index === undefined || chart.cursor.left < 0;
    if (tip.hidden) return;
    const rows = seen.filter((one) => one.values[index] !== null).map((one) => {
      const swatch = element("span", { class: "swatch" });
      swatch.style.setProperty("background", one.colour);
      return element("li", {}, swatch, element("span", { class: "value", text: one.name === null ? data.title : label(one.name) }),
        element("b", { text: figure(one.values[index], data.unit) }));
    });
    if (old) rows.push(element("li", { class: "soft" }, element("span", { text: "before" }), element("b", { text: figure(old[index], data.unit) })));
    tip.replaceChildren(element("time", { text: moment(data.times[index] * 1000, { seconds: false }) }), element("ul", {}, ...rows));
    const left = chart.valToPos(data.times[index], "x") + chart.over.offsetLeft;
    const flip = left > area.clientWidth / 2;
    tip.style.setProperty("left", flip ? "auto" : `${left + 14}px`);
    tip.style.setProperty("right", flip ? `${area.clientWidth - left + 14}px` : "auto");
  }

  for (const [place, { name }] of data.list.entries()) {
    const swatch = element("span", { class: "swatch" });
    swatch.style.setProperty("background", `var(${colours[place]})`);
    const toggle = (event) => {
      if (pick && !event.altKey && !event.shiftKey) { pick(name); return; }
      if (hidden.has(name)) hidden.delete(name); else hidden.add(name);
      event.currentTarget.setAttribute("aria-pressed", String(!hidden.has(name)));
      draw();
    };
    names.append(element("li", {}, element("button", {
      type: "button", class: "plain", "aria-pressed": "true", on: { click: toggle },
      title: pick ? "Click: filter by it. Shift and click: hide it" : "Click: hide it or show it",
    }, swatch, element("span", { class: "value", text: label(name) }))));
  }

  area.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    if (!drawn || !(event.key in steps)) return;
    event.preventDefault();
    const now = drawn.cursor.idx ?? (event.key === "ArrowLeft" ? data.times.length : -1);
    const next = Math.min(Math.max(now + steps[event.key], 0), data.times.length - 1);
    drawn.setCursor({ left: drawn.valToPos(data.times[next], "x"), top: 10 });
  });
  area.addEventListener("blur", () => { tip.hidden = true; });
  let width = 0;
  const watch = new ResizeObserver(() => {
    if (area.clientWidth === width || !area.isConnected) return;
    width = area.clientWidth;
    draw();
  });
  watch.observe(area);
  document.addEventListener("logshed:theme", draw);
  return () => {
    watch.disconnect();
    document.removeEventListener("logshed:theme", draw);
    drawn?.destroy();
  };
}

function summary(panel, data) {
  const sums = data.list.map(({ name, values }) => `${name === null ? data.title : label(name)} at most ${figure(Math.max(...values.map((one) => one ?? 0)), data.unit)}`);
  const [first, last] = [data.times[0], data.times.at(-1)].map((one) => moment(one * 1000, { seconds: false }));
  return `${panel.title}, ${first} to ${last}: ${sums.join(", ")}. Arrow keys read values; the menu shows a table.`;
}

function common(width, height, answer, data, stacked) {
  const step = data.times.length > 1 ? data.times[1] - data.times[0] : 60;
  const [since, until] = [answer.since, answer.until].map((one) => (one ? new Date(one).getTime() / 1000 : null));
  const [first, last, now] = [data.times[0], data.times.at(-1), Date.now() / 1000];
  // Times of another kind than the window's, such as when records were read, have a range of their own.
  const own = (since === null && until === null) || (until !== null && last >= until) || (since !== null && last < since);
  const left = own ? first : (since ?? first);
  const right = own ? last + step : Math.max(Math.min(until ?? now, now), last + (stacked ? step : 0));
  const soft = colour("--soft");
  const grid = { stroke: colour("--line"), width: 1 };
  return {
    width, height, padding: [8, 22, 0, 0], legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
    scales: { x: { time: true, range: () => [left, Math.max(right, left + 1)] }, y: { range: (_, __, top) => [0, top > 0 ? top * 1.06 : 1] } },
    axes: [
      { stroke: soft, grid: { show: false }, ticks: { stroke: grid.stroke, size: 4 }, values: ticks, space: 64, size: 28, font: "12px system-ui, sans-serif" },
      { stroke: soft, grid, ticks: { show: false }, size: 54, gap: 6, font: "12px system-ui, sans-serif", values: (_, splits) => splits.map((value) => figure(value, data.unit)) },
    ],
  };
}

function lined(data, seen, old) {
  const columns = [data.times, ...seen.map((one) => one.values), ...(old ? [old] : [])];
  const drawn = seen.map((one) => ({
    label: String(one.name ?? data.title), stroke: one.colour, width: 2, points: { show: data.times.length < 3 },
    fill: seen.length === 1 ? faint(one.colour, 0.12) : undefined,
  }));
  const before = old ? [{ label: "before", stroke: colour("--soft"), width: 1.5, dash: [5, 4], points: { show: false } }] : [];
  return { options: { series: [{}, ...drawn, ...before] }, columns };
}

// The sum of all is drawn first, and the rest in front of it: what is left of each to be seen is its own part.
function barred(data, seen) {
  const sums = new Array(data.times.length).fill(0);
  const piled = [...seen].reverse().map((one) => {
    one.values.forEach((value, place) => { sums[place] += value ?? 0; });
    return { colour: one.colour, name: one.name, values: [...sums] };
  }).reverse();
  const paths = window.uPlot.paths.bars({ size: [0.84, 64, 2], align: 1, radius: 0 });
  return {
    options: { series: [{}, ...piled.map((one) => ({ label: String(one.name ?? data.title), fill: one.colour, stroke: one.colour, width: 0, paths, points: { show: false } }))] },
    columns: [data.times, ...piled.map((one) => one.values)],
  };
}

// The figures of the time before, each at the moment that it is compared with.
function shifted(earlier, panel, answer, times) {
  const data = series(earlier, panel);
  if (data.list.length !== 1 || !answer.since || !earlier.since || !data.times.length) return null;
  const by = (new Date(answer.since) - new Date(earlier.since)) / 1000;
  const step = times.length > 1 ? times[1] - times[0] : 60;
  const found = new Map(data.times.map((at, place) => [Math.round((at + by) / step), data.list[0].values[place]]));
  return times.map((at) => found.get(Math.round(at / step)) ?? (["count", "bytes"].includes(data.unit) ? 0 : null));
}
