// One rule: its text, its cases with their verdicts, and a try on what the lake holds.
import { api, ask, byId, count, element, failed, moment, percent, sound } from "./base.js";
import { body, command, level, may, time, value } from "./security_parts.js";
import { switchOf } from "./security_switch.js";
import { svg } from "./security_timeline.js";

const name = body.rule, base = `/api/v1/rules/${encodeURIComponent(name)}`;

function said(one) {
  if (one.switched) return element("span", {}, "switched by ", value(one.switched.by), ", ", time(one.switched.made), one.switched.reason && element("span", {}, ": ", value(one.switched.reason)));
  return element("span", { text: one.by_settings ? "as the settings have it" : "by [detect] disabled in logshed.toml" });
}

function head(one) {
  byId("title").textContent = one.title || name;
  document.title = `${one.title || name} · Rule · Logshed`;
  byId("badges").replaceChildren(level(one.level), one.confidence === "low" ? element("span", { class: "badge", data: { kind: "soft" }, text: "low confidence" }) : "",
    element("span", { class: "soft", text: [one.kind, one.source, one.technique].filter(Boolean).join(" · ") }));
  byId("switch").replaceChildren(switchOf(one, () => reload()), element("span", { class: "note" }, said(one)));
  const back = byId("as-settings");
  if (back) back.hidden = !one.switched;
  byId("found").replaceChildren(one.findings
    ? element("a", { href: `/security/findings?since=30d&rule=${encodeURIComponent(name)}`, text: `${count(one.findings)} findings in 30 days` }) : "nothing found in 30 days",
    one.last ? element("span", {}, ", the last ", time(one.last)) : "");
}

function link(text) {
  return /^https?:\/\//.test(text) ? element("a", { href: text, rel: "noreferrer noopener", target: "_blank", text }) : value(text);
}

function about(one) {
  const parts = [];
  if (one.description) parts.push(element("p", { class: "value said", text: sound(one.description.trim()) }));
  const list = [["Author", one.author && [value(one.author)]], ["Licence", one.license && [value(one.license)]],
    ["What else may look so", one.falsepositives?.map((text) => value(text, { class: "entry" }))], ["Tags", one.tags.map((text) => element("span", { class: "chip", text }))],
    ["Read more", one.references?.map((text) => element("span", { class: "entry" }, link(text)))], ["File", one.file && [value(one.file, { class: "mono" })]]];
  parts.push(element("dl", { class: "facts" }, ...list.filter(([, shown]) => shown?.length).flatMap(([title, shown]) => [element("dt", { text: title }), element("dd", {}, ...shown)])));
  byId("about").replaceChildren(...parts);
}

function text(one) {
  byId("text-panel").hidden = !one.text;
  byId("text").replaceChildren(...one.text.trimEnd().split("\n").map((line) => element("li", {}, element("code", { text: sound(line) || " " }))));
}

// ---- Cases ----------------------------------------------------------------------------------------------------------

function caseOf(one) {
  const shown = one.lines.length ? one.lines.join("\n") : one.events.map((event) => JSON.stringify(event)).join("\n");
  const verdict = one.ok === undefined ? null : element("span", { class: "badge", data: { kind: one.ok ? "good" : "bad" }, text: one.ok ? "as it should" : one.found ? "found, and must not" : "not found, and must" });
  return element("li", {}, element("div", { class: "reason-head" }, element("span", { class: "badge", data: { kind: one.finds ? "" : "soft" }, text: one.finds ? "must find" : "must not find" }),
    value(one.title || "a case"), one.repeat > 1 && element("span", { class: "soft", text: `${one.repeat} times` }), verdict),
  element("pre", { class: "line value", text: sound(shown) }));
}

function cases(items) {
  if (byId("test")) byId("test").hidden = !items.length;
  byId("cases").replaceChildren(...(items.length ? items.map(caseOf) : [element("li", { class: "soft", text: "It has no cases: nothing proves what it finds." })]));
}

async function test(button) {
  button.disabled = true;
  try {
    const { items } = await api(`${base}/tests`, { method: "POST" });
    cases(items);
    const wrong = items.filter((one) => !one.ok).length;
    byId("verdict").textContent = wrong ? `${wrong} of ${items.length} came otherwise` : `all ${items.length} came as they should`;
  } finally { button.disabled = false; }
}

// ---- A try on the lake ----------------------------------------------------------------------------------------------

function bars(days) {
  const width = 640, height = 120, foot = 18, most = Math.max(...days.map((one) => one.hits));
  const first = Date.parse(days[0].day), span = Math.max(1, Math.round((Date.parse(days.at(-1).day) - first) / 86400000) + 1);
  const wide = width / span;
  const made = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "days", role: "img", "aria-label": `Hits by day, ${days[0].day} to ${days.at(-1).day}, at most ${count(most)}` });
  for (const one of days) {
    const tall = (height - foot - 4) * one.hits / most, at = wide * Math.round((Date.parse(one.day) - first) / 86400000);
    const bar = svg("rect", { x: at + wide * .06, y: height - foot - tall, width: Math.min(60, Math.max(1, wide * .88)), height: Math.max(1, tall), class: "activity" });
    bar.append(svg("title", {}, `${one.day}: ${count(one.hits)} hits`));
    made.append(bar);
  }
  made.append(svg("text", { x: 0, y: height - 4, class: "axis" }, days[0].day));
  if (span > 1) made.append(svg("text", { x: width, y: height - 4, class: "axis", "text-anchor": "end" }, days.at(-1).day));
  return made;
}

function result(found) {
  const most = Math.max(1, ...found.actors.map((one) => one.hits));
  const actors = element("ul", { class: "ranks" }, ...found.actors.map((one) => element("li", {}, value(one.actor), element("span", { class: "number", text: count(one.hits) }), element("progress", { class: "bar", max: most, value: one.hits, "aria-label": "Share" }))));
  const names = [...new Set(found.samples.flatMap((one) => Object.keys(one)))];
  const samples = element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {}, ...names.map((text) => element("th", { scope: "col", text })))),
    element("tbody", {}, ...found.samples.map((one) => element("tr", {}, ...names.map((field) => element("td", {}, value(field === "timestamp" ? moment(one[field]) : one[field] ?? "", { class: "mono" }))))))));
  byId("result").replaceChildren(
    element("p", {}, element("b", { text: count(found.hits) }), ` hits in ${count(found.rows)} records (${percent(100 * found.share)}), `, element("b", { text: count(found.findings) }), " findings."),
    ...(found.hits ? [bars(found.days), element("h3", { text: "Who" }), actors, element("h3", { text: "Sample records" }), samples] : [element("p", { class: "soft", text: "It would have found nothing." })]));
}

async function tryIt(form, stop) {
  const said_ = Object.fromEntries(new FormData(form)), bar = byId("progress"), state = byId("progress-text");
  const answer = await ask(`${base}/backtests`, { method: "POST", body: said_, signal: stop.signal, headers: { Accept: "application/x-ndjson" } });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (;;) {
    const { value: part, done } = await reader.read();
    kept += part ?? "";
    const lines = kept.split("\n");
    kept = lines.pop();
    for (const line of lines.filter(Boolean).map((one) => JSON.parse(one))) {
      if (line.error) throw new Error(line.error);
      if (line.result) result(line.result);
      if (line.progress?.total) {
        bar.value = line.progress.done / line.progress.total;
        state.textContent = `${count(line.progress.done)} of ${count(line.progress.total)} records`;
      }
    }
    if (done) return;
  }
}

function trying() {
  const form = byId("try"), button = form.querySelector("button.main"), end = byId("stop");
  let stop = null;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    stop = new AbortController();
    button.disabled = true;
    end.hidden = byId("progress-box").hidden = false;
    byId("progress").removeAttribute("value");
    byId("progress-text").textContent = "";
    try { await tryIt(form, stop); } catch (error) {
      if (error.name === "AbortError") byId("result").replaceChildren(element("p", { class: "soft", text: "It was ended." }));
      else byId("result").replaceChildren(element("p", { class: "failure", role: "alert", text: error.message }));
    } finally {
      button.disabled = false;
      end.hidden = byId("progress-box").hidden = true;
    }
  });
  end.addEventListener("click", () => stop?.abort());
}

async function reload() {
  head(await api(base));
}

async function load() {
  const one = await api(base);
  head(one);
  about(one);
  text(one);
  byId("cases-panel").hidden = !one.can_try;
  if (one.can_try) cases(one.cases);
  if (!one.can_try) byId("other").replaceChildren(element("p", { class: "soft" }, one.kind === "anomaly" ? "It judges figures over time: " : "It is looked for by the program itself: ", command(one.kind === "anomaly" ? `logshed anomalies ${name}` : "logshed detect"), "."));
  if (may("rules") && one.can_try) {
    byId("test").addEventListener("click", (event) => test(event.currentTarget).catch(failed));
    byId("try-panel").hidden = false;
    trying();
  }
  byId("as-settings")?.addEventListener("click", () => api(`${base}/state`, { method: "DELETE" }).then(reload).catch(failed));
}

load().catch((error) => {
  byId("failure").textContent = error.message;
  byId("failure").hidden = false;
});
