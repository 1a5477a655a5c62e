// Charts that are elements of the page: bars, heat maps, tables. What can be filtered by is a button.

import { element } from "./base.js";
import { cell, column, figure, label } from "./figures.js";

const MOST_BARS = 40;
const MOST_LINES = 200;
const WEEKDAYS = ["", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

// A bar for each row. `earlier` has the figures of the time before, by label; `pick` is called with what a click means.
export function bars(answer, panel, { earlier = null, pick = null } = {}) {
  const { x, y, by, kind } = panel.chart;
  const [labels, sizes, others] = [column(answer, x), column(answer, y), by ? column(answer, by) : null];
  const steps = !panel.sorted;
  const tell = apart(answer, panel, labels);
  let rows = labels.values.map((value, place) => ({
    value, size: sizes.values[place] ?? 0, also: others?.values[place], place,
  }));
  if (!steps && kind !== "histogram") rows.sort((a, b) => b.size - a.size);
  rows = rows.slice(0, MOST_BARS);
  const before = earlier ? byLabel(earlier, x, y, by) : null;
  const most = Math.max(...rows.map((row) => row.size), ...rows.map((row) => before?.get(key(row.value, row.also)) ?? 0), 0);
  const first = rows[0]?.size || 0;
  return element("ul", { class: "bars" }, ...rows.map((row) => {
    const name = others ? `${label(row.value, labels.type)} ${kind === "sankey" ? "→" : "·"} ${label(row.also)}` : label(row.value, labels.type) + tell(row.place);
    const old = before?.get(key(row.value, row.also));
    const share = steps && first ? ` · ${Math.round((row.size / first) * 1000) / 10} %` : "";
    const inner = [
      sized(element("span", { class: "bar-fill", "aria-hidden": "true" }), row.size, most),
      old === undefined ? null : sized(element("span", { class: "bar-old", "aria-hidden": "true" }), old, most),
      element("span", { class: "bar-label value", text: name, title: name }),
      element("span", { class: "bar-figure", text: figure(row.size, sizes.unit) + share, title: told(row.size, old, sizes.unit) }),
    ];
    if (!pick) return element("li", {}, element("div", { class: "bar-row" }, ...inner.filter(Boolean)));
    const click = () => pick(row.value, others ? row.also : undefined);
    return element("li", {}, element("button", {
      type: "button", class: "bar-row", on: { click }, "aria-label": `${name}: ${told(row.size, old, sizes.unit)}. Filter by it`,
    }, ...inner));
  }));
}

// What tells rows with the same label apart: the other keys of the question.
function apart(answer, panel, labels) {
  const more = panel.keys.filter((name) => ![panel.chart.x, panel.chart.by].includes(name)).map((name) => column(answer, name)).filter(Boolean);
  if (!more.length || new Set(labels.values).size === labels.values.length) return () => "";
  return (place) => more.map((one) => ` · ${label(one.values[place], one.type)}`).join("");
}

function sized(made, size, most) {
  made.style.setProperty("--share", most > 0 ? String(Math.max(0, size) / most) : "0");
  return made;
}

const key = (value, also) => JSON.stringify([value, also ?? null]);

function byLabel(answer, x, y, by) {
  const [labels, sizes, others] = [column(answer, x), column(answer, y), by ? column(answer, by) : null];
  return new Map(labels.values.map((value, place) => [key(value, others?.values[place]), sizes.values[place] ?? 0]));
}

function told(size, old, unit) {
  const now = figure(size, unit, { exact: true });
  return old === undefined ? now : `${now}, before ${figure(old, unit, { exact: true })}`;
}

// A cell for each pair of labels, darker the greater its figure.
export function heat(answer, panel) {
  const { x, y, by } = panel.chart;
  const [across, sizes, down] = [column(answer, x), column(answer, y), column(answer, by)];
  const [columns, lines] = [ordered(across.values), ordered(down.values)];
  const found = new Map(across.values.map((value, place) => [key(value, down.values[place]), sizes.values[place]]));
  const most = Math.max(...sizes.values.map((value) => value ?? 0), 0);
  const weekday = (value) => (by === "weekday" ? WEEKDAYS[value] ?? value : label(value, down.type));
  return element("table", { class: by === "weekday" ? "heat days" : "heat" },
    element("thead", {}, element("tr", {}, element("td"), ...columns.map((one, place) =>
      element("th", { scope: "col", text: columns.length > 14 && place % 3 ? "" : label(one, across.type), "aria-label": label(one, across.type) })))),
    element("tbody", {}, ...lines.map((line) => element("tr", {}, element("th", { scope: "row", text: weekday(line) }),
      ...columns.map((one) => {
        const value = found.get(key(one, line));
        const said = value === undefined ? "none" : figure(value, sizes.unit, { exact: true });
        const made = element("td", { title: `${weekday(line)}, ${label(one, across.type)}: ${said}` }, element("span", { class: "visually-hidden", text: said }));
        made.style.setProperty("--heat", value && most ? String(0.08 + 0.92 * Math.sqrt(value / most)) : "0");
        return made;
      })))));
}

function ordered(values) {
  return [...new Set(values)].sort((a, b) => (typeof a === "number" ? a - b : String(a).localeCompare(String(b))));
}

// A table of an answer. Values of columns that are fields of records are buttons.
export function table(answer, panel, { pick = null } = {}) {
  const shown = panel.columns.map((name) => column(answer, name)).filter(Boolean);
  const height = Math.min(shown[0]?.values.length ?? 0, MOST_LINES);
  const head = shown.map((one) => element("th", { scope: "col", class: one.type === "number" ? "number" : null, text: one.label, title: one.meaning }));
  const lines = Array.from({ length: height }, (_, line) => element("tr", {}, ...shown.map((one) => {
    const value = one.values[line];
    const field = panel.fields[one.name];
    const inner = cell(value, one);
    const click = () => pick(field, value);
    return element("td", { class: one.type === "number" ? "number" : one.type === "time" ? "moment" : null },
      field && pick ? element("button", { type: "button", class: "pick", title: "Filter by it", on: { click } }, inner) : inner);
  })));
  const made = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...lines));
  const left = (shown[0]?.values.length ?? 0) - height;
  return left > 0 ? element("div", {}, made, element("p", { class: "note more", text: `${left} more: the CSV has them all.` })) : made;
}
