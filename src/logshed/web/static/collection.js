// One collection: how it lies in time, what writes it, where its records come from, how long it is kept.
import { api, brief, byId, bytes, count, element, moment } from "./base.js";
import { histogram } from "./histogram.js";
import { bars, cell, empty, filled, table, tiles } from "./tables.js";

const name = byId("name").textContent;
const explore = (words = "", more = {}) => `/explore?${new URLSearchParams({ q: `collection:${quoted(name)}${words ? ` ${words}` : ""}`, ...more })}`;
const regions = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });
const country = (code) => (/^[A-Z]{2}$/.test(code) ? regions.of(code) : code);
const days = (number) => (number === null ? "for ever" : `${count(number)} days`);
const LAYERS = [["bronze", "Lines as received"], ["silver", "Records"], ["gold", "Sums"], ["findings", "Findings"], ["incidents", "Incidents"]];

function quoted(value) {
  return /^[\w.-]+$/.test(value) ? value : `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

const panel = (title, ...children) => element("section", { class: "panel" }, element("h2", { text: title }), ...children);

function list(title, rows, field) {
  const shown = rows.map(({ name: value, records }) => [value, records, explore(`${field}:${quoted(value)}`, { since: "all" })]);
  const made = panel(title, rows.length ? bars(shown) : element("p", { class: "soft", text: "None is known." }));
  made.classList.add("half");
  return made;
}

async function drawMap(box, rows) {
  const { map, look, world } = document.body.dataset;
  const [{ World }, { colours, theme }, data] = await Promise.all([import(map), import(look), fetch(world).then((one) => one.json())]);
  const canvas = element("canvas", { role: "img", "aria-label": `Records by country; most are from ${rows.slice(0, 3).map(([code]) => country(code)).join(", ")}` });
  box.replaceChildren(canvas);
  const drawn = new World(canvas, data);
  drawn.count(new Map(rows));
  const draw = () => {
    const room = box.getBoundingClientRect();
    if (!room.width) return;
    drawn.fit(room.width, room.height, Math.min(2, devicePixelRatio || 1));
    drawn.draw(colours(), null);
  };
  theme(null, draw);
  new ResizeObserver(draw).observe(box);
}

function places(found) {
  const countries = found.top.countries.map(({ name: code, records }) => [code, records]);
  if (!countries.length) {
    return panel("Places", element("p", { class: "soft" }, "No record tells where it is from. ", element("code", { text: "logshed enrich" }), " adds places by databases that you name."));
  }
  const box = element("div", { class: "country-map" });
  drawMap(box, countries);
  const towns = table([
    { title: "Town", made: (row) => cell("text", row.city) }, { title: "Region", made: (row) => cell("text", row.region) },
    { title: "Country", made: (row) => cell("text", country(row.country)) }, { title: "Records", key: "records", kind: "count" },
  ], found.places.slice(0, 20));
  return panel("Places", element("div", { class: "grid" },
    element("div", { class: "two-thirds" }, box),
    element("div", { class: "third" }, bars(countries.map(([code, records]) => [country(code), records])))), element("details", {}, element("summary", { text: "Towns" }), towns));
}

function kept(found) {
  const rows = LAYERS.map(([layer, title]) => ({ title, bytes: found.bytes[layer], days: found.days[layer] }));
  return panel("At rest", table([
    { title: "What", key: "title" }, { title: "Bytes", key: "bytes", kind: "bytes" },
    { title: "Kept", made: (row) => cell("text", days(row.days)) },
  ], rows), element("p", { class: "note" }, "Spans are set in ", element("code", { text: "logshed.toml" }), ", ", element("code", { text: `[retain.collection.${quoted(name)}]` }), "."));
}

function show(found) {
  const total = Object.values(found.bytes).reduce((all, one) => all + one, 0);
  const hot = found.live;
  const figures = tiles([
    ["Records", count(found.records), `${moment(found.first)} until ${moment(found.last)}`],
    ["Requests", count(found.hits)], ["Errors", count(found.errors)],
    ["Not parsed", count(found.rejected), found.rejected ? "see Sources, Rejects" : ""],
    ["Owners", found.owners.length ? found.owners.join(", ") : "–", found.owners.length ? "" : "users of that role"],
    ["Redacted", count(found.redacted), "spans replaced"], ["At rest", bytes(total)],
    ["Hot store", hot ? brief(hot.hits) : "–", hot ? `${count(hot.lines)} lines kept` : "does not answer"],
  ]);
  const time = panel("Records in time", histogram(found.histogram, found.step, ({ begin }) =>
    explore("", { since: new Date(begin).toISOString(), until: new Date(new Date(begin).getTime() + found.step * 1000).toISOString() })));
  return element("div", { class: "sections" }, figures, time, element("div", { class: "grid" },
    list("Services", found.top.services, "service_name"), list("Sources", found.top.sources, "source"),
    list("Formats", found.top.formats, "log_format"), list("Levels", found.top.levels, "severity_text")), places(found), kept(found));
}

async function load() {
  try {
    return await api(`/api/v1/collections/${encodeURIComponent(name)}`);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

byId("links").append(element("a", { class: "button", href: explore("", { since: "all" }), text: "Explore" }),
  element("a", { class: "button", href: `/live?${new URLSearchParams({ collection: name })}`, text: "Live" }));
filled(byId("collection"), load, (found) => (found ? show(found) : empty("There is no record of this collection", element("p", {}, element("a", { href: "/collections", text: "All collections" })))));
