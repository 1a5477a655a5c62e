// A small map of the world with the places of an actor, as SVG, so that its colours are those of the page.
import { count } from "./base.js";
import { svg } from "./security_timeline.js";

const NORTH = 84, SOUTH = -57, SIZE = 100;

function outline(rings, scale, project) {
  return rings.map((ring) => {
    let x = 0, y = 0, text = "";
    for (let at = 0; at < ring.length; at += 2) {
      x += ring[at];
      y += ring[at + 1];
      const [east, north] = project(x / scale, Math.max(SOUTH, y / scale));
      text += `${at ? "L" : "M"}${(east * SIZE).toFixed(1)} ${(-north * SIZE).toFixed(1)}`;
    }
    return `${text}Z`;
  }).join("");
}

const regions = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });
export const country = (code) => (/^[A-Z]{2}$/.test(code) ? regions.of(code) : code);

export async function worldMap(box, places) {
  const { map, world } = document.body.dataset;
  const [{ project }, data] = await Promise.all([import(map), fetch(world).then((answer) => answer.json())]);
  const wide = project(180, 0)[0] * SIZE, top = project(0, NORTH)[1] * SIZE, foot = project(0, SOUTH)[1] * SIZE;
  const made = svg("svg", { viewBox: `${-wide} ${-top} ${2 * wide} ${top - foot}`, role: "img", class: "world",
    "aria-label": `Places: ${places.slice(0, 5).map((one) => [one.locality, country(one.country)].filter(Boolean).join(", ")).join("; ")}` });
  const there = new Set(places.map((one) => one.country));
  for (const { code, rings } of data.countries) {
    made.append(svg("path", { d: outline(rings, data.scale, project), class: code && there.has(code) ? "land seen" : "land", "fill-rule": "evenodd" }));
  }
  const most = Math.max(1, ...places.map((one) => one.records));
  for (const one of [...places].reverse()) {
    const known = data.points[one.country]?.map((part) => part / data.scale);
    const at = one.lat !== null && one.lon !== null ? [one.lon, one.lat] : known;
    if (!at) continue;
    const [x, y] = project(...at);
    const dot = svg("circle", { cx: x * SIZE, cy: -y * SIZE, r: 4 + 6 * Math.sqrt(one.records / most), class: "place" });
    dot.append(svg("title", {}, `${[one.locality, country(one.country)].filter(Boolean).join(", ")}: ${count(one.records)} records`));
    made.append(dot);
  }
  box.replaceChildren(made);
}
