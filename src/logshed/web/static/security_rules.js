// What is looked for: rules, detectors and checks, with how often they found something, and a switch for each.
import { api, byId, count, element } from "./base.js";
import { LEVELS, empty, filters, level, ruleHref, skeletons, time, value, walk } from "./security_parts.js";
import { switchOf } from "./security_switch.js";

const COLUMNS = 7, STEP = 100;
const rows = byId("rows");
let every = [], shown = [], upTo = STEP;

const fits = (one, said) => {
  const text = `${one.name} ${one.title} ${one.author} ${one.technique} ${one.tags.join(" ")}`.toLowerCase();
  return said.q.toLowerCase().split(/\s+/).every((part) => text.includes(part)) && (!said.level || one.level === said.level)
    && (!said.source || one.source === said.source) && (!said.kind || one.kind === said.kind)
    && (!said.state || (said.state === "found" ? one.findings > 0 : said.state === "switched" ? one.switched !== null : one.on === (said.state === "on")));
};

function rowOf(one) {
  return element("tr", { data: { id: one.name } },
    element("td", { class: "name" }, element("a", { href: ruleHref(one.name), text: one.title || one.name }), element("span", { class: "soft mono", text: one.name })),
    element("td", { class: "how" }, level(one.level), one.confidence === "low" && element("span", { class: "soft under", text: "low confidence" })),
    element("td", { class: "where" }, value(one.source || one.kind)),
    element("td", { class: "tags soft", text: one.technique }),
    element("td", { class: "number", data: { label: "cases" }, text: count(one.cases) }),
    element("td", { class: "number", data: { label: "findings" } }, one.findings ? element("a", { href: `/security/findings?rule=${encodeURIComponent(one.name)}&since=30d`, text: count(one.findings) }) : "–",
      one.last && element("span", { class: "soft" }, time(one.last))),
    element("td", { class: "state" }, switchOf(one)));
}

function draw() {
  rows.replaceChildren(...shown.slice(0, upTo).map(rowOf));
  byId("more").hidden = upTo >= shown.length;
  byId("sum").textContent = `${count(shown.length)} of ${count(every.length)}; ${count(every.filter((one) => !one.on).length)} are off`;
  byId("table").hidden = !shown.length;
  byId("empty").replaceChildren(...(shown.length ? [] : [empty("No rule fits", element("p", {}, element("a", { href: "/security/rules", text: "Show all rules" })))]));
}

function choose(said) {
  upTo = STEP;
  const order = said.order ?? "name";
  shown = every.filter((one) => fits(one, said));
  if (order === "level") shown.sort((one, other) => LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level));
  if (order === "findings") shown.sort((one, other) => other.findings - one.findings);
  draw();
}

function options(id, values) {
  byId(id).append(...[...new Set(values)].filter(Boolean).sort().map((text) => element("option", { value: text, text })));
}

async function load() {
  const page = await api("/api/v1/rules?since=30d&limit=10000");
  every = page.items;
  options("source", every.map((one) => one.source));
  options("kind", every.map((one) => one.kind));
  const asked = new URLSearchParams(location.search);
  for (const name of ["source", "kind"]) byId("filters").elements[name].value = asked.get(name) ?? "";
  byId("broken").hidden = !Object.keys(page.broken).length;
  byId("broken").replaceChildren(...Object.values(page.broken).map((text) => element("p", { text })));
  choose(form.read());
}

const form = filters(byId("filters"), choose);
rows.replaceChildren(...skeletons(COLUMNS));
load().catch((error) => {
  byId("table").hidden = true;
  byId("empty").replaceChildren(element("p", { class: "failure", role: "alert", text: error.message }));
});
byId("more").addEventListener("click", () => { upTo += 5 * STEP; draw(); });
walk(rows, (row) => location.assign(ruleHref(row.dataset.id)));
