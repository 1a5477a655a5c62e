// A histogram of records in time, the worst at the bottom; an SVG that is described, and a table for those who do not see.
import { count, element, moment } from "./base.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000, HEIGHT = 120;
const PARTS = [["errors", "Errors"], ["warnings", "Warnings"], ["others", "Others"]];

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function bar(row, place, most, href) {
  const others = row.records - row.errors - row.warnings;
  const group = document.createElementNS(SVG, href ? "a" : "g");
  if (href) group.setAttribute("href", href(row));
  const title = document.createElementNS(SVG, "title");
  title.textContent = `${moment(row.begin)}: ${count(row.records)} records, ${count(row.errors)} errors, ${count(row.warnings)} warnings`;
  group.append(title, shape("rect", { class: "room", x: place.x, y: 0, width: place.width, height: HEIGHT }));
  let y = HEIGHT;
  for (const [part, value] of [["errors", row.errors], ["warnings", row.warnings], ["others", others]]) {
    const tall = value ? Math.max(1.5, value / most * (HEIGHT - 4)) : 0;
    y -= tall;
    if (tall) group.append(shape("rect", { class: part, x: place.x + 0.5, y, width: Math.max(1, place.width - 1), height: tall }));
  }
  return group;
}

// Rows: { begin, records, errors, warnings }, steps apart by so many seconds; `href` makes a bar a link.
export function histogram(rows, step, href) {
  if (!rows.length) return element("p", { class: "soft", text: "No record tells its time." });
  const times = rows.map(({ begin }) => new Date(begin).getTime() / 1000);
  const [first, last] = [times[0], times.at(-1) + step];
  const scale = WIDTH / (last - first);
  const most = Math.max(1, ...rows.map(({ records }) => records));
  const drawn = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: href ? "group" : "img", class: "histogram-bars",
    "aria-label": `Records from ${moment(rows[0].begin)} on, the most in one bar are ${count(most)}` });
  rows.forEach((row, number) => drawn.append(bar(row, { x: (times[number] - first) * scale, width: step * scale }, most, href)));
  return element("figure", { class: "histogram" },
    element("p", { class: "histogram-most soft", text: `${count(most)} at most` }), drawn,
    element("p", { class: "histogram-ends soft" }, element("span", { text: moment(new Date(first * 1000), { seconds: false }) }),
      element("span", { text: moment(new Date(last * 1000), { seconds: false }) })),
    element("figcaption", { class: "legend" }, ...PARTS.map(([part, name]) => element("span", { class: part, text: name }))));
}
