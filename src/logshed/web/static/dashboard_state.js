// What a dashboard shows: in the address, and what all dashboards share is remembered too.

import { byId, moment, path } from "./base.js";

export const board = JSON.parse(byId("board").dataset.board);
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
export const QUICK = [
  ["15m", "Last 15 minutes"], ["1h", "Last hour"], ["6h", "Last 6 hours"], ["24h", "Last 24 hours"], ["today", "Today"],
  ["7d", "Last 7 days"], ["30d", "Last 30 days"], ["90d", "Last 90 days"], ["all", "All time"],
];

const remembered = (name) => { try { return localStorage.getItem(`logshed.${name}`); } catch { return null; } };
export const remember = (name, value) => { try { localStorage.setItem(`logshed.${name}`, value); } catch { /* then it holds here */ } };

export const state = read();

export function read() {
  const given = new URLSearchParams(location.search);
  const [since, until] = given.has("since") ? [given.get("since"), given.get("until") ?? ""] : JSON.parse(remembered("range") ?? "null") ?? [board.window, ""];
  return {
    since, until, back: given.get("back") ?? "", collection: given.get("collection") ?? "",
    filters: given.getAll("q").filter(Boolean), every: Number(remembered("every") ?? 30),
  };
}

export function parameters() {
  const found = { since: state.since, until: state.until, collection: state.collection, q: state.filters };
  return state.back ? { ...found, back: state.back } : found;
}

export const narrowing = () => state.filters.map((one) => (/\bOR\b/.test(one) && state.filters.length > 1 ? `(${one})` : one)).join(" ");

export function rangeText() {
  const quick = QUICK.find(([value]) => value === state.since);
  if (quick && !state.until) return quick[1];
  const from = /^\d{4}-/.test(state.since) ? moment(state.since, { seconds: false }) : state.since;
  return state.until ? `${from} – ${moment(state.until, { seconds: false })}` : `Since ${from}`;
}

// Where a tile or a panel leads: a dashboard, another page, or the records in Explore.
export function leads(one) {
  const shared = { since: state.since, until: state.until, collection: state.collection };
  if (one.find) return path("/explore", { ...shared, q: [one.find === "*" ? "" : one.find, ...state.filters].filter(Boolean).map((text) => (/\bOR\b/.test(text) && state.filters.length ? `(${text})` : text)).join(" ") });
  if (one.opens.startsWith("/")) return one.opens;
  return one.opens ? path(`/dashboards/${one.opens}`, parameters()) : null;
}
