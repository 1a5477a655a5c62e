// The timeline of an incident as SVG: how many records when, and under it a lane for each rule with its findings.
import { moment } from "./base.js";

const NS = "http://www.w3.org/2000/svg";
const FIRST = 12; // lanes that are shown at first, of the rules that weigh most
const LEAST_MS = 60000; // what is seen of time at least
const TOP = 74, LANE = 22, FOOT = 22, LABEL = 190, NARROW = 560, LEAST = 5;

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== undefined) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const titled = (made, text) => { made.append(svg("title", {}, text)); return made; };

// Moments at which the axis has a mark, a round number of seconds apart.
function ticks(begin, end, most) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];
  const step = 1000 * (steps.find((one) => (end - begin) / 1000 / one <= most) ?? 31536000);
  const shift = new Date(begin).getTimezoneOffset() * 60000;
  const found = [];
  for (let at = Math.ceil((begin - shift) / step) * step + shift; at <= end; at += step) found.push([at, step]);
  return found;
}

const tickText = (at, step) => (step >= 86400000 ? moment(new Date(at)).slice(5, 10) : moment(new Date(at), { seconds: step < 60000 }).slice(11));

function lanesOf(findings, order) {
  const lanes = new Map(order.map((name) => [name, []]));
  for (const one of findings) lanes.set(one.rule_name, [...(lanes.get(one.rule_name) ?? []), one]);
  return [...lanes];
}

export function timeline(box, findings, actor, order, chosen) {
  const every = lanesOf(findings, order);
  let lanes = every.slice(0, FIRST);
  const times = findings.flatMap((one) => [Date.parse(one.timestamp), Date.parse(one.end_timestamp)]);
  let begin = Math.min(...times, actor.begin ? Date.parse(actor.begin) : Infinity);
  let end = Math.max(...times, actor.end ? Date.parse(actor.end) : -Infinity);
  if (end - begin < LEAST_MS) [begin, end] = [begin - (LEAST_MS - end + begin) / 2, end + (LEAST_MS - end + begin) / 2];
  const most = Math.max(1, ...actor.activity.map((one) => one.records));

  function draw() {
    const width = Math.max(280, box.clientWidth), left = width < NARROW ? 4 : LABEL, right = width - 8;
    const head = width < NARROW ? LANE + 14 : LANE;
    const height = TOP + lanes.length * head + FOOT;
    const x = (at) => left + (right - left) * (at - begin) / (end - begin);
    const made = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", class: "timeline",
      "aria-label": `${findings.length} findings of ${lanes.length} rules from ${moment(new Date(begin))} to ${moment(new Date(end))}` });
    for (const [at, step] of ticks(begin, end, Math.max(2, Math.floor((right - left) / 90)))) {
      made.append(svg("line", { class: "grid-line", x1: x(at), x2: x(at), y1: 8, y2: height - FOOT }),
        svg("text", { class: "axis", x: Math.min(right - 22, Math.max(left + 22, x(at))), y: height - 6, "text-anchor": "middle" }, tickText(at, step)));
    }
    for (const one of actor.activity) {
      const at = Date.parse(one.bucket), wide = Math.max(2, x(at + actor.step * 1000) - x(at) - 1);
      const tall = (TOP - 20) * one.records / most, bad = (TOP - 20) * one.failed / most;
      const told = `${moment(one.bucket)}: ${one.records} records${one.failed ? `, ${one.failed} failed` : ""}`;
      made.append(titled(svg("rect", { class: "activity", x: x(at), y: TOP - 8 - tall, width: wide, height: Math.max(1, tall) }), told));
      if (one.failed) made.append(titled(svg("rect", { class: "failed", x: x(at), y: TOP - 8 - bad, width: wide, height: Math.max(1, bad) }), told));
    }
    if (left === LABEL) made.append(svg("text", { class: "label", x: 0, y: 18 }, "Records of the actor"), svg("text", { class: "axis", x: 0, y: 34 }, `at most ${most}`));
    lanes.forEach(([name, found], number) => {
      const y = TOP + number * head, bar = y + head - 17;
      made.append(svg("line", { class: "lane", x1: 0, x2: right, y1: y, y2: y }),
        titled(svg("text", { class: "label", x: 0, y: left === LABEL ? y + 15 : y + 13 }, name.length > 25 && left === LABEL ? `${name.slice(0, 24)}…` : name), name));
      for (const one of found) {
        const at = x(Date.parse(one.timestamp)), wide = Math.max(LEAST, x(Date.parse(one.end_timestamp)) - at);
        const rect = titled(svg("rect", { class: "finding", "data-level": one.level, x: Math.min(at, right - LEAST), y: bar, width: wide, height: 12, rx: 3 }), one.explanation);
        rect.addEventListener("click", () => chosen(one.finding_id));
        made.append(rect);
      }
    });
    box.replaceChildren(made);
    if (lanes.length < every.length) box.append(more());
  }
  function more() {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `Show ${every.length - lanes.length} more rules`;
    button.addEventListener("click", () => { lanes = every; draw(); });
    return button;
  }
  draw();
  new ResizeObserver(draw).observe(box);
}
