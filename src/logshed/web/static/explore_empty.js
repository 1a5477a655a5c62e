// What is said where nothing was found: what was looked at, where there is something, what to do next.

import { element } from "./base.js";
import { clock } from "./time_range.js";

const DAY = 86_400_000;

// `state` and `frame` are what was looked at, `change(more)` looks at something else.
export function emptyState(state, frame, change) {
  const button = (text, more, main = false) => element("button", { type: "button", class: main ? "main" : "", text, on: { click: () => change(more) } });
  if (!frame.first) {
    return [
      element("h2", { text: "No logs yet" }),
      element("p", { text: "Nothing that you may see has been brought into this lake." }),
      element("p", { class: "mono", text: "logshed ingest /var/log/nginx/access.log" }),
      element("p", {}, element("a", { href: "/sources", text: "See what arrives" })),
    ];
  }
  const [first, last] = [Date.parse(frame.first), Date.parse(frame.last)];
  const since = frame.since ? Date.parse(frame.since) : first;
  const until = frame.until ? Date.parse(frame.until) : last;
  const misses = until <= first || since > last;
  const offers = [];
  if (misses) {
    const day = { since: new Date(Math.max(first, last - DAY)).toISOString(), until: new Date(last + 1000).toISOString() };
    offers.push(button("Look at the newest day that has records", day, true));
  }
  if (state.since !== "all" || state.until) offers.push(button("Look at all times", { since: "all", until: "" }, !misses));
  if (state.q) offers.push(button("Take the search away", { q: "" }));
  if (state.collection) offers.push(button("Look at all collections", { collection: "" }));
  return [
    element("h2", { text: "Nothing found" }),
    element("p", { text: frame.since ? `Looked at ${clock(since)} – ${clock(until)}.` : "No record matches." }),
    element("p", { text: `There are records from ${clock(first)} to ${clock(last)}.` }),
    element("div", { class: "tools" }, ...offers),
  ];
}
