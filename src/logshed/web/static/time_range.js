// The time that is looked at: quick choices, two moments, and the zone that times are shown in.

import { byId, element } from "./base.js";

const QUICK = [
  ["15m", "Last 15 minutes"], ["1h", "Last hour"], ["4h", "Last 4 hours"], ["24h", "Last 24 hours"], ["2d", "Last 2 days"],
  ["7d", "Last 7 days"], ["30d", "Last 30 days"], ["90d", "Last 90 days"], ["today", "Today"], ["all", "All times"],
];
const MINUTE = 60000;
let utc = false;

export const setZone = (zone) => { utc = zone === "utc"; };
export const zoneName = () => (utc ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone);

// A moment as it would read as UTC in the chosen zone.
const shifted = (at) => (utc ? at : new Date(at.getTime() - at.getTimezoneOffset() * MINUTE));

// A moment in the chosen zone: 2026-11-26 14:03:07.123.
export function clock(value, { milliseconds = false, seconds = true, day = true } = {}) {
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) return String(value);
  const text = shifted(at).toISOString();
  const time = text.slice(11, milliseconds ? 23 : seconds ? 19 : 16);
  return day ? `${text.slice(0, 10)} ${time}` : time;
}

const forInput = (value) => (value ? shifted(new Date(value)).toISOString().slice(0, 19) : "");
export const fromInput = (text) => (text ? new Date(utc ? `${text}Z` : text).toISOString() : "");

export function label(since, until) {
  const quick = !until && QUICK.find(([value]) => value === since);
  if (quick) return quick[1];
  const shown = (value, other) => (Number.isNaN(Date.parse(value)) ? value || other : clock(value));
  return `${shown(since, "start")} – ${shown(until, "now")}`;
}

// Wire the picker up; `changed({since, until, zone})` is called when another time or zone was chosen.
export function timeRange(changed) {
  const menu = byId("times");
  const done = (next) => { menu.open = false; menu.querySelector("summary").focus(); changed(next); };
  const quick = QUICK.map(([value, text]) => element("button", {
    type: "button", text, data: { since: value }, on: { click: () => done({ since: value, until: "" }) },
  }));
  byId("quick").replaceChildren(...quick);
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  byId("zone").replaceChildren(
    element("option", { value: "", text: `${own} (yours)` }), element("option", { value: "utc", text: "UTC" }),
  );
  byId("zone").addEventListener("change", () => { setZone(byId("zone").value); changed({ zone: byId("zone").value }); });
  byId("exact").addEventListener("submit", (event) => {
    event.preventDefault();
    const [since, until] = [fromInput(byId("from").value), fromInput(byId("to").value)];
    const note = byId("exact-note");
    if (since && until && since >= until) { note.textContent = "The end lies before the beginning."; return; }
    note.textContent = "";
    if (since || until) done({ since: since || "all", until });
  });
  return {
    // `times` are the exact moments, once they are known.
    show({ since, until, zone }, times = {}) {
      setZone(zone);
      byId("zone").value = zone === "utc" ? "utc" : "";
      byId("times-label").textContent = label(since, until);
      for (const one of quick) one.setAttribute("aria-pressed", String(!until && one.dataset.since === since));
      const exact = (value, known) => (Number.isNaN(Date.parse(value)) ? known : value);
      byId("from").value = forInput(exact(since, times.since));
      byId("to").value = forInput(exact(until, times.until));
    },
  };
}
