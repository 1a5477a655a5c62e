// What the pages of Security share: badges, scores, chips, filters that are kept in the address, tables one walks by keys.
import { ago, api, byId, element, failed, key, moment, path, sound, toast, utc } from "./base.js";

export const LEVELS = ["critical", "high", "medium", "low", "informational"];
const KINDS = { critical: "bad", high: "bad", medium: "warn", low: "soft", informational: "soft" };
const STATUS = { open: "", muted: "soft", closed: "good" };

export const body = document.body.dataset;
export const may = (ability) => (body.may || "").split(" ").includes(ability);

// Text of a log: marks instead of what would steer, and no direction of its own on what is beside it.
export const value = (text, attributes = {}) => element("span", { ...attributes, class: `value ${attributes.class || ""}`, text: sound(text) });

export function level(name) {
  return element("span", { class: "badge", data: { kind: KINDS[name] || "soft", level: name } , text: name });
}

export function status(row) {
  const until = row.status === "muted" && row.muted_until ? ` until ${moment(row.muted_until, { seconds: false })}` : "";
  return element("span", { class: "badge", data: { kind: STATUS[row.status] ?? "" }, title: until ? utc(row.muted_until) : null, text: row.status + until });
}

export function score(points, name) {
  return element("span", { class: "score", data: { kind: KINDS[name] || "soft" } },
    element("progress", { class: "bar", max: 100, value: points, "aria-label": "Score" }),
    element("b", { class: "number", text: Math.round(points) }));
}

export const ruleHref = (name) => `/security/rules/${encodeURIComponent(name)}`;

export function rules(names, most = 3) {
  const shown = names.slice(0, most).map((name) => element("a", { class: "chip", href: ruleHref(name), text: name }));
  if (names.length > most) shown.push(element("span", { class: "soft", title: names.slice(most).join(", "), text: `and ${names.length - most} more` }));
  return element("span", { class: "chips" }, ...shown);
}

export function time(when, options = {}) {
  return element("time", { datetime: when, title: `${moment(when)}, ${utc(when)}`, text: options.exact ? moment(when, options) : ago(when) });
}

// ---- Links into Explore ---------------------------------------------------------------------------------------------

const quoted = (text) => `"${String(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
const nearby = (when, ms) => new Date(new Date(when).getTime() + ms).toISOString();

// The records of an actor, some time around what was found.
export function exploreActor(row, from, to) {
  const field = row.actor_type?.replace(/^attributes\./, "");
  const q = [`collection=${quoted(row.collection)}`, ...(field && row.actor !== null ? [`${field}=${quoted(row.actor)}`] : [])].join(" ");
  return path("/explore", { q, since: nearby(from, -60000), until: nearby(to, 60000) });
}

export function exploreRecord(record) {
  return path("/explore", { q: `record_id=${quoted(record.record_id)}`, since: nearby(record.timestamp, -60000), until: nearby(record.timestamp, 60000) });
}

// ---- Filters --------------------------------------------------------------------------------------------------------

// A form whose fields stand in the address; `changed` is called with what they say, a moment after the last change.
export function filters(form, changed, defaults = {}) {
  const asked = new URLSearchParams(location.search);
  for (const field of form.elements) {
    if (!field.name) continue;
    const found = asked.get(field.name) ?? defaults[field.name];
    if (found === undefined) continue;
    if (field.type === "radio") field.checked = field.value === found;
    else field.value = found;
  }
  const read = () => Object.fromEntries([...new FormData(form)].map(([name, text]) => [name, String(text).trim()]));
  const show = () => {
    const said = read();
    const kept = Object.fromEntries(Object.entries(said).filter(([name, text]) => text !== (defaults[name] ?? "")));
    for (const [name, text] of asked) if (!(name in said)) kept[name] = text;
    const address = new URLSearchParams(kept).toString();
    history.replaceState(null, "", address ? `?${address}` : location.pathname);
    changed(said);
  };
  let wait;
  form.addEventListener("input", (event) => {
    clearTimeout(wait);
    wait = setTimeout(show, event.target.type === "search" ? 250 : 0);
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(wait); show(); });
  const search = form.querySelector('input[type="search"]');
  if (search) key("/", "Search", () => search.focus());
  return { read, show, set(name, text) { form.elements[name].value = text; show(); } };
}

// ---- Tables ---------------------------------------------------------------------------------------------------------

// Walk a table's rows by j and k, open one by Enter: `open` is given the row.
export function walk(rows, open, more = {}) {
  const all = () => [...rows.querySelectorAll("tr[data-id]")];
  const now = () => all().findIndex((row) => row.getAttribute("aria-selected") === "true");
  const choose = (step) => {
    const found = all();
    if (!found.length) return;
    const at = Math.max(0, Math.min(found.length - 1, now() + step));
    for (const row of found) row.removeAttribute("aria-selected");
    found[at].setAttribute("aria-selected", "true");
    found[at].scrollIntoView({ block: "nearest" });
  };
  const chosen = () => all()[now()];
  key("j", "The next row", () => choose(1));
  key("k", "The row before", () => choose(-1));
  key("Enter", "Open the row", (event) => {
    if (!chosen() || event.target.closest("a, button, summary")) return false;
    open(chosen());
  });
  for (const [name, [meaning, call]] of Object.entries(more)) key(name, meaning, () => chosen() && call(chosen()));
}

export const skeletons = (columns, rows = 6) => Array.from({ length: rows }, () =>
  element("tr", { "aria-hidden": "true" }, element("td", { colspan: columns }, element("div", { class: "skeleton" }))));

export function empty(title, ...said) {
  return element("div", { class: "empty" }, element("h2", { text: title }), ...said);
}

export const command = (text) => element("code", { text });

// ---- Dialogs --------------------------------------------------------------------------------------------------------

// A dialog whose form is sent by `send`, which gets its fields; it closes when that went well.
export function dialog(id, send) {
  const found = byId(id), form = found.querySelector("form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = form.querySelector("[data-failure]");
    told.hidden = true;
    try {
      await send(Object.fromEntries(new FormData(form)), event.submitter);
      found.close();
      form.reset();
    } catch (error) {
      told.textContent = error.message;
      told.hidden = false;
    }
  });
  return { form, open: () => found.showModal() };
}

// ---- Detection by a button ------------------------------------------------------------------------------------------

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

function summary(run) {
  const kept = Object.values(run.suppressed).reduce((all, one) => all + one, 0);
  return `${run.rules} rules in ${run.rows.toLocaleString("en")} new records, ${run.seconds.toFixed(1)} s: ${run.findings} findings, `
    + `${run.incidents} incidents${kept ? `, ${kept} kept back by mutes` : ""}.`;
}

// Buttons `data-detect` run detection; `data-detect-state` says how it stands; `ended` is called at the end.
export function detection(ended) {
  const buttons = [...document.querySelectorAll("[data-detect]")];
  const state = document.querySelector("[data-detect-state]");
  if (!buttons.length) return;
  const tell = (text) => { state.textContent = text; };
  async function follow() {
    for (const one of buttons) one.disabled = true;
    try {
      for (;;) {
        const run = await api("/api/v1/detections");
        if (run.state === "running") tell(`Looking: ${run.rows.toLocaleString("en")} records so far`);
        else {
          tell(run.state === "done" ? summary(run) : run.state === "failed" ? run.detail : "");
          if (run.state === "failed") toast(run.detail, "bad");
          return ended(run);
        }
        await pause(600);
      }
    } finally { for (const one of buttons) one.disabled = false; }
  }
  for (const one of buttons) {
    one.addEventListener("click", async () => {
      try {
        await api("/api/v1/detections", { method: "POST" });
        tell("Looking …");
      } catch (error) { if (error.status !== 409) return failed(error); }
      follow().catch(failed);
    });
  }
}
