// A chart of a result: numbers over time as lines, numbers by a text as bars.

import { brief, element, sound } from "./base.js";
import { clock } from "./time_range.js";

const MOST_BARS = 50;
const MOST_SERIES = 7;
const HEIGHT = 340;

function colours() {
  const probe = element("span", { hidden: true });
  document.body.append(probe);
  const found = Array.from({ length: MOST_SERIES }, (_, place) => {
    probe.style.setProperty("color", `var(--s${place + 1})`);
    return getComputedStyle(probe).color;
  });
  probe.style.setProperty("color", "var(--soft)");
  const soft = getComputedStyle(probe).color;
  probe.style.setProperty("color", "var(--line)");
  const line = getComputedStyle(probe).color;
  probe.remove();
  return { found, soft, line };
}

const figure = (value) => (value === null || value === undefined ? null : Number(value));

function lines(place, columns, rows, time, numbers) {
  const sorted = rows.filter((row) => row[time] !== null).sort((a, b) => Date.parse(a[time]) - Date.parse(b[time]));
  const data = [sorted.map((row) => Date.parse(row[time]) / 1000), ...numbers.map((number) => sorted.map((row) => figure(row[number])))];
  const { found, soft, line } = colours();
  const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  const plot = new uPlot({
    width: Math.max(240, place.clientWidth - 24), height: HEIGHT, scales: { x: { time: true } },
    series: [{ value: (_, at) => (at === null ? "–" : clock(at * 1000)) }, ...numbers.map((number, turn) => ({ label: sound(columns[number].name), stroke: found[turn % MOST_SERIES], width: 2, points: { show: sorted.length < 60 } }))],
    axes: [axis, { ...axis, size: 56, values: (_, ticks) => ticks.map((value) => brief(value)) }],
  }, data, place);
  new ResizeObserver(() => plot.setSize({ width: Math.max(240, place.clientWidth - 24), height: HEIGHT })).observe(place);
}

function bars(place, columns, rows, label, number) {
  const shown = rows.slice(0, MOST_BARS);
  const most = Math.max(...shown.map((row) => figure(row[number]) ?? 0), 0);
  const list = element("ol", { class: "bar-list", "aria-label": `${columns[number].name} by ${label === null ? "row" : columns[label].name}` });
  for (const [turn, row] of shown.entries()) {
    const value = figure(row[number]);
    const fill = element("span", { class: "bar-fill", "aria-hidden": "true" });
    fill.style.setProperty("width", `${most > 0 ? Math.max(0, (100 * (value ?? 0)) / most) : 0}%`);
    list.append(element("li", {},
      element("span", { class: "bar-label value", text: label === null ? `row ${turn + 1}` : sound(row[label] ?? "–") }),
      element("span", { class: "bar-track" }, fill), element("span", { class: "number", text: value === null ? "–" : brief(value) })));
  }
  place.append(list);
  if (rows.length > shown.length) place.append(element("p", { class: "note", text: `The first ${MOST_BARS} of ${brief(rows.length)} rows.` }));
}

// Draw rows into a place; what can be drawn is told by the types of the columns.
export function draw(place, columns, rows) {
  place.replaceChildren();
  const kinds = columns.map((column) => column.type);
  const numbers = kinds.flatMap((kind, at) => (kind === "number" ? [at] : [])).slice(0, MOST_SERIES);
  const time = kinds.indexOf("time");
  if (!rows.length || !numbers.length) {
    place.append(element("div", { class: "empty" }, element("h2", { text: "Nothing to draw" }), element("p", { text: "A chart needs a column of numbers, with one of times or of texts beside it: SELECT service_name, count(*) …" })));
  } else if (time >= 0 && rows.length > 1) lines(place, columns, rows, time, numbers);
  else {
    const label = kinds.findIndex((kind, at) => kind !== "number" || at < numbers.at(-1));
    bars(place, columns, rows, label < 0 || label === numbers.at(-1) ? null : label, numbers.at(-1));
  }
}
