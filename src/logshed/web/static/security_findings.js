// Findings as they are found: a list that can be filtered, and a stream on top of it that can be stopped.
import { api, byId, count, element, failed, key, path } from "./base.js";
import { command, detection, empty, exploreActor, filters, level, may, rules, score, skeletons, time, value, walk } from "./security_parts.js";

const COLUMNS = 6, LIMIT = 50, MOST = 500;
const DEFAULTS = { since: "7d" };
const rows = byId("rows");
let next = null, asking = null, source = null, paused = false, waiting = [];

function rowOf(one) {
  return element("tr", { data: { id: one.finding_id, href: path("/security", { status: "any", q: one.actor }), explore: exploreActor(one, one.timestamp, one.end_timestamp) } },
    element("td", { class: "when" }, time(one.end_timestamp), element("span", { class: "soft" }, "found ", time(one.observed_timestamp))),
    element("td", { class: "how" }, score(one.score, one.level), level(one.level)),
    element("td", { class: "which" }, rules([one.rule_name])),
    element("td", { class: "told" }, value(one.explanation), element("span", { class: "links" },
      one.actor !== null && element("a", { href: path("/security", { status: "any", q: one.actor }), text: "incident" }),
      element("a", { href: exploreActor(one, one.timestamp, one.end_timestamp), text: "records" }))),
    element("td", { class: "number", data: { label: "records" }, text: count(one.event_count) }),
    element("td", { class: "where" }, value(one.collection)));
}

function nothing(said) {
  byId("table").hidden = rows.children.length > 0 ? null : true;
  const plain = Object.entries(said).every(([name, text]) => text === (DEFAULTS[name] ?? ""));
  byId("empty").replaceChildren(...(rows.children.length ? [] : [plain
    ? empty("Nothing was found in 7 days", element("p", {}, command("logshed detect"), " looks through what is new", may("detect") ? ", and so does the button above. " : ". ", element("a", { href: "?since=all", text: "Findings of all times" })))
    : empty("No finding fits", element("p", {}, element("a", { href: "/security/findings?since=all", text: "Show all findings" })))]));
}

async function load(said, cursor = null) {
  asking?.abort();
  const own = asking = new AbortController();
  try {
    const page = await api(path("/api/v1/findings", { ...said, limit: LIMIT, cursor }), { signal: own.signal });
    const made = page.items.map(rowOf);
    if (cursor) rows.append(...made);
    else rows.replaceChildren(...made);
    next = page.next;
    byId("more").hidden = next === null;
    nothing(said);
  } catch (error) {
    if (error.name === "AbortError") return;
    rows.replaceChildren();
    byId("table").hidden = true;
    byId("empty").replaceChildren(element("p", { class: "failure", role: "alert", text: error.message }));
  }
}

// ---- The stream -----------------------------------------------------------------------------------------------------

const glob = (pattern) => new RegExp(`^${pattern.replace(/[.+^${}()|\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")}$`);

function fits(one, said) {
  const text = [one.actor, one.rule_name, one.rule_title, one.explanation].join(" ").toLowerCase();
  return (!said.level || one.level === said.level) && (!said.confidence || one.confidence === said.confidence)
    && (!said.rule || glob(said.rule).test(one.rule_name)) && (!said.q || text.includes(said.q.toLowerCase()));
}

function put(one) {
  rows.querySelector(`tr[data-id="${CSS.escape(one.finding_id)}"]`)?.remove();
  const row = rowOf(one);
  row.dataset.new = "";
  rows.prepend(row);
  while (rows.children.length > MOST) rows.lastElementChild.remove();
}

function tell() {
  const state = byId("live");
  state.setAttribute("aria-pressed", String(!paused));
  state.querySelector("span").textContent = paused ? `Go on${waiting.length ? ` (${waiting.length} wait)` : ""}` : "Live";
}

function listen() {
  source = new EventSource("/api/v1/findings/stream");
  source.addEventListener("open", () => { byId("live-state").textContent = ""; });
  source.addEventListener("finding", (event) => {
    const one = JSON.parse(event.data), said = form.read();
    if (!fits(one, said)) return;
    if (paused) waiting.push(one);
    else put(one);
    nothing(said);
    tell();
  });
  source.addEventListener("error", () => { byId("live-state").textContent = "The server does not answer; it is asked again."; });
}

function pauseOrGoOn() {
  paused = !paused;
  if (!paused) {
    for (const one of waiting.slice(-MOST)) put(one);
    waiting = [];
    nothing(form.read());
  }
  tell();
}

const form = filters(byId("filters"), (said) => { waiting = []; tell(); load(said); }, DEFAULTS);
rows.replaceChildren(...skeletons(COLUMNS));
load(form.read());
listen();
byId("live").addEventListener("click", pauseOrGoOn);
byId("more").addEventListener("click", () => load(form.read(), next).catch(failed));
key("p", "Stop or go on with what is found now", pauseOrGoOn);
walk(rows, (row) => location.assign(row.dataset.href), { e: ["The records in Explore", (row) => location.assign(row.dataset.explore)] });
detection(() => {});
