// The records of an incident: a line each, opened to all fields and the line as it was received.
import { api, byId, copy, count, element, failed, moment, path, sound } from "./base.js";
import { exploreRecord, rules, time, value } from "./security_parts.js";

const HIDDEN = new Set(["attributes", "line", "rules", "record_id", "batch", "item"]);

const short = (record) => sound(record.line ?? record.body ?? [record.http_request_method, record.url_path, record.http_response_status_code].filter((one) => one !== undefined).join(" "));

function detail(record) {
  const fields = [...Object.entries(record).filter(([name]) => !HIDDEN.has(name)), ...Object.entries(record.attributes).map(([name, text]) => [`attributes.${name}`, text])];
  return element("div", { class: "record" },
    element("div", { class: "tools" },
      element("a", { class: "button", href: exploreRecord(record), text: "In Explore" }),
      element("button", { type: "button", text: "Copy the line", on: { click: () => copy(record.line ?? short(record)) } }),
      element("button", { type: "button", text: "Copy as JSON", on: { click: () => copy(JSON.stringify(record, null, 1)) } })),
    record.line === null
      ? element("p", { class: "note", text: "The line as it was received is not kept any more." })
      : element("pre", { class: "line value", text: sound(record.line) }),
    element("dl", { class: "facts" }, ...fields.flatMap(([name, text]) => [element("dt", { text: name }),
      element("dd", {}, value(/timestamp$/.test(name) ? `${moment(text, { milliseconds: true })}` : text, { class: "mono" }))])));
}

function rowsOf(record) {
  const inside = element("tr", { class: "opened", hidden: true }, element("td", { colspan: 3 }));
  const button = element("button", { type: "button", class: "plain opener", "aria-expanded": "false" }, element("span", { class: "value mono short", text: short(record) }));
  button.addEventListener("click", () => {
    inside.hidden = !inside.hidden;
    button.setAttribute("aria-expanded", String(!inside.hidden));
    if (!inside.firstChild.children.length) inside.firstChild.append(detail(record));
  });
  return [element("tr", {}, element("td", {}, time(record.timestamp, { exact: true })), element("td", { class: "line-cell" }, button), element("td", {}, rules([...new Set(record.rules)], 2))), inside];
}

export async function evidence(base, rows) {
  let next = 0, shown = 0;
  const more = byId("evidence-more");
  async function load() {
    more.disabled = true;
    try {
      const page = await api(path(`${base}/evidence`, { limit: 50, cursor: next || "" }));
      rows.append(...page.items.flatMap(rowsOf));
      shown += page.items.length;
      next = page.next;
      more.hidden = next === null;
      byId("evidence-count").textContent = page.total ? `${count(shown)} of ${count(page.total)} records that its findings name` : "";
      byId("evidence-table").hidden = !shown;
      byId("evidence-none").hidden = shown > 0;
    } finally { more.disabled = false; }
  }
  more.addEventListener("click", () => load().catch(failed));
  await load();
}
