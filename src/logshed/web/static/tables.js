// Tables of what the API tells: cells by kind, a skeleton while it loads, the next page on demand. Values become text only.
import { api, brief, bytes, count, duration, element, path, percent, sound, timeElement } from "./base.js";

const NOTHING = "–";
const money = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const none = (value) => value === null || value === undefined || value === "";
const text = (value) => element("span", { class: "value", text: sound(value) });
const KINDS = {
  text,
  words: (value) => element("span", { class: "value words", text: sound(value) }),
  code: (value) => element("code", { class: "value", text: sound(value) }),
  count: (value) => count(value),
  brief: (value) => element("span", { title: count(value), text: brief(value) }),
  bytes: (value) => element("span", { title: `${count(value)} bytes`, text: bytes(value) }),
  seconds: (value) => duration(value * 1000),
  money: (value) => money.format(value),
  percent: (value) => percent(value * 100),
  time: (value) => timeElement(value),
  ago: (value) => timeElement(value, { ago: true }),
  list: (value) => (value.length ? element("span", { class: "value", text: value.map(sound).join(", ") }) : NOTHING),
};
const NUMBERS = new Set(["count", "brief", "bytes", "seconds", "percent", "money"]);

// How a value of a kind is shown.
export function cell(kind, value) {
  return none(value) ? element("span", { class: "soft", text: NOTHING }) : KINDS[kind ?? "text"](value);
}

export function badge(kind, told) {
  return element("span", { class: "badge", data: { kind }, text: told });
}

// A table. Columns: { title, key or value(row), kind, href(row), made(row) }; `made` gives an element of its own.
export function table(columns, rows) {
  const head = element("tr", {}, ...columns.map(({ title, kind, says }) =>
    element("th", { scope: "col", class: NUMBERS.has(kind) ? "number" : "", title: says, text: title })));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" },
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows.map((one) => row(columns, one)))));
}

function row(columns, one) {
  return element("tr", {}, ...columns.map((column) => {
    const value = column.value ? column.value(one) : one[column.key];
    const shown = column.made ? column.made(one) : cell(column.kind, value);
    const linked = column.href && !none(value) ? element("a", { href: column.href(one) }, shown) : shown;
    return element("td", { class: NUMBERS.has(column.kind) ? "number" : "" }, linked);
  }));
}

export function empty(title, ...told) {
  return element("div", { class: "empty" }, element("h2", { text: title }), ...told);
}

export function skeleton(box, rows = 5) {
  box.setAttribute("aria-busy", "true");
  box.replaceChildren(...Array.from({ length: rows }, () => element("p", { class: "skeleton skeleton-row" })));
}

// Put into a box what loading comes to; what went wrong is said there, with a way to try again.
export async function filled(box, load, show, rows) {
  skeleton(box, rows);
  try {
    const found = await load();
    box.replaceChildren(show(found));
  } catch (error) {
    if (error.name === "AbortError") return;
    box.replaceChildren(element("p", { class: "failure", role: "alert", text: error.message }),
      element("button", { type: "button", text: "Try again", on: { click: () => filled(box, load, show, rows) } }));
  } finally {
    box.removeAttribute("aria-busy");
  }
}

// A list of the API as a table, with a button for the next page.
export function listed(box, base, parameters, columns, nothing) {
  const next = (cursor) => api(path(base, { ...parameters, cursor }));
  return filled(box, () => next(null), (page) => {
    if (!page.items.length) return nothing();
    const made = element("div", {}, table(columns, page.items));
    if (page.next) made.append(more(made, page.next, next, columns));
    return made;
  });
}

function more(made, cursor, next, columns) {
  const button = element("button", { type: "button", class: "more", text: "More" });
  button.addEventListener("click", async () => {
    button.disabled = true;
    const page = await next(cursor);
    made.querySelector("tbody").append(...page.items.map((one) => row(columns, one)));
    cursor = page.next;
    button.disabled = false;
    if (!cursor) button.remove();
  });
  return button;
}

// Figures beside each other: [title, text, aside].
export function tiles(figures) {
  return element("dl", { class: "tiles" }, ...figures.map(([title, told, aside]) => element("div", { class: "tile" },
    element("dt", { text: title }), element("dd", { class: "figure" }, told), element("dd", { class: "aside", text: aside ?? "" }))));
}

// Bars of a list: [name, value, href]; the greatest fills the room.
export function bars(rows, shown = brief) {
  const most = Math.max(1, ...rows.map(([, value]) => value));
  return element("ol", { class: "bar-list" }, ...rows.map(([name, value, href]) => element("li", {},
    element("span", { class: "value name", title: sound(name) }, href ? element("a", { href, text: sound(name) }) : sound(name)),
    element("progress", { class: "bar", max: most, value, "aria-hidden": "true" }),
    element("span", { class: "number", title: count(value), text: shown(value) }))));
}

