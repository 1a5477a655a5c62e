// Live: records as they arrive, on top of those that are shown; while it is paused, what waits is counted.

import { brief, byId, count, element, path } from "./base.js";

const KEPT = 5000;
const RETRY_MS = 3000;

// `context()` gives the search, `show(records, added)` shows all that are held.
export function liveTail({ context, begin, show, failed }) {
  const bar = byId("live-bar");
  let source = null;
  let held = [];
  let waiting = [];
  let arrived = 0;
  let missed = 0;
  let paused = false;
  let ids = new Set();
  let last = "";

  function render() {
    const state = paused ? `Paused: ${brief(waiting.length)} wait` : `Live: ${count(arrived)} arrived`;
    bar.replaceChildren(
      element("span", { class: `pulse${paused ? " still" : ""}`, "aria-hidden": "true" }),
      element("span", { role: "status", text: state }),
      missed > 0 && element("span", { class: "soft", text: `${count(missed)} more came than are shown` }),
      element("button", { type: "button", id: "pause", text: paused ? "Go on" : "Pause", on: { click: () => (paused ? go() : pause()) } }),
    );
  }

  function pause() {
    if (!source || paused) return;
    paused = true;
    render();
  }

  function go() {
    paused = false;
    const fresh = waiting;
    waiting = [];
    add(fresh);
    render();
  }

  function add(fresh) {
    held = [...fresh, ...held].slice(0, KEPT);
    ids = new Set(held.map((one) => one.record_id));
    show(held, fresh.length);
  }

  function took(event) {
    last = event.lastEventId;
    const { items, total } = JSON.parse(event.data);
    const fresh = items.filter((one) => !ids.has(one.record_id));
    arrived += total - (items.length - fresh.length);
    missed += total - items.length;
    for (const one of fresh) ids.add(one.record_id);
    if (paused) waiting = [...fresh, ...waiting].slice(0, KEPT);
    else add(fresh);
    render();
  }

  function open() {
    source = new EventSource(path("/api/v1/tail", { ...context(), after: last }));
    source.addEventListener("records", took);
    source.addEventListener("begun", (event) => { bar.dataset.state = "open"; last = event.lastEventId; });
    source.addEventListener("error", () => {
      if (!source || source.readyState !== EventSource.CLOSED) return; // the browser tries again
      source = null;
      setTimeout(() => { if (!bar.hidden) open(); }, RETRY_MS);
    });
  }

  return {
    get on() { return !bar.hidden; },
    pause,
    start(records) {
      held = records.slice(0, KEPT);
      ids = new Set(held.map((one) => one.record_id));
      [waiting, arrived, missed, paused, last] = [[], 0, 0, false, ""];
      bar.hidden = false;
      bar.dataset.state = "opening";
      begin();
      show(held, 0);
      render();
      try { open(); } catch (error) { failed(error); }
    },
    stop() {
      source?.close();
      source = null;
      bar.hidden = true;
    },
  };
}
