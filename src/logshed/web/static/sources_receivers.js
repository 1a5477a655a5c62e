// How receivers, collectors and what follows files stand: figures of each, looked at anew every few seconds.
import { ago, api, byId, bytes, count, duration, element, failed, percent, sound, timeElement } from "./base.js";
import { badge, empty, filled, table, tiles } from "./tables.js";

const POLL_MS = 5000;
const STATES = { running: "good", silent: "warn", gone: "bad", unreachable: "bad", unreadable: "warn" };
const TOTALS = { records: "Records", bytes: "Bytes", stored: "In the lake", rejected: "No format took", refused: "Refused", dropped: "Dropped", duplicates: "Came twice", throttled: "Sent away", errors: "Errors", batches: "Batches" };
const NOW = { backlog_bytes: "Waits for the lake", lag_seconds: "Oldest that waits", spool_bytes: "Spool takes", connections: "Connections", waiting_bytes: "Waits for the disk", files: "Files", sources: "Sources", lost: "Sources with losses", targets: "Places", following: "Following", waiting: "Waiting", failed: "Failed", batch_seconds: "Last batch took" };

function figure(name, value) {
  if (name.endsWith("bytes")) return bytes(value);
  return name.endsWith("seconds") ? duration(value * 1000) : count(value);
}

function spool({ spool_bytes: taken, spool_limit_bytes: limit }) {
  return taken && limit ? `${percent(taken / limit * 100)} of ${bytes(limit)}` : null;
}

function rate(name, rates) {
  if (rates[name] === undefined) return null;
  const exact = rates[name] < 10 ? Math.round(rates[name] * 100) / 100 : Math.round(rates[name]);
  return `${name.endsWith("bytes") ? bytes(exact) : count(exact)}/s`;
}

function about(one) {
  const parts = [one.host ? `on ${sound(one.host)}, process ${one.pid}` : null, Object.values(one.doors ?? {}).flat().map(sound).join(", ") || null].filter(Boolean);
  const since = one.begun ? timeElement(one.begun) : one.seconds ? duration(one.seconds * 1000) : null;
  return element("p", { class: "soft value" }, parts.join("; "), since ? ` ${parts.length ? "since " : "for "}` : "", since, one.told ? `; told ${ago(one.told)}` : "");
}

function run(one) {
  const totals = Object.entries(TOTALS).filter(([name]) => one.totals?.[name] !== undefined).map(([name, title]) => [title, figure(name, one.totals[name]), rate(name, one.rates)]);
  const now = Object.entries(NOW).filter(([name]) => (one.now?.[name] ?? null) !== null).map(([name, title]) => [title, figure(name, one.now[name]), name === "spool_bytes" ? spool(one.now) : null]);
  const collections = Object.entries(one.collections ?? {}).map(([collection, records]) => ({ collection, records }));
  const advice = { silent: "It has told nothing for a while: it is busy with much at once, or hangs.", gone: "It was ended without a word. Look at its log." }[one.state];
  return element("section", { class: "panel", data: { verb: one.verb } },
    element("div", { class: "panel-head" }, element("h2", { class: "value", text: `${one.verb}: ${sound(one.where)}` }), badge(STATES[one.state] ?? "soft", one.state)),
    element("div", { class: "sections" }, about(one), one.problem || advice ? element("p", { class: "warning value", text: [advice, one.problem].filter(Boolean).map(sound).join(" ") }) : null,
    totals.length || now.length ? tiles([...totals, ...now]) : null,
    collections.length ? table([{ title: "Collection", key: "collection", href: (row) => `/collections/${encodeURIComponent(row.collection)}` }, { title: "Records received", key: "records", kind: "count" }], collections) : null));
}

function shown({ items, dead }) {
  const letters = dead.letters ? element("p", { class: "warning", text: `${count(dead.letters)} dead ${dead.letters === 1 ? "letter waits" : "letters wait"} in the spool: what could not be decoded. \`logshed spool status\` says why, \`logshed spool replay\` brings them in.` }) : null;
  const runs = items.length ? items.map(run) : [empty("Nothing brings logs in on this machine now",
    element("p", {}, "Start ", element("code", { text: "logshed receive" }), ", ", element("code", { text: "logshed collect" }), " or ", element("code", { text: "logshed ingest --follow" }), " with this lake and its spool."),
    element("p", {}, "A receiver on another machine is shown once ", element("code", { text: "logshed.toml" }), " names it:"),
    element("pre", { class: "sample", text: '[web]\nreceivers = ["http://10.0.0.5:9464"]     # its [receive] metrics' }))];
  return element("div", { class: "sections" }, letters, ...runs);
}

export async function receivers() {
  const box = byId("receivers");
  const look = () => api("/api/v1/sources/receivers");
  await filled(box, look, shown);
  let told = false;
  for (;;) {
    await new Promise((done) => { setTimeout(done, POLL_MS); });
    if (document.hidden || box.contains(document.activeElement)) continue;
    try { box.replaceChildren(shown(await look())); told = false; } catch (error) { if (!told) failed(error); told = true; }
  }
}
