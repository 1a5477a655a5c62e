// The collections that one may see.
import { api, byId, bytes, count, element, path } from "./base.js";
import { cell, empty, filled, table, tiles } from "./tables.js";

const sum = (rows, key) => rows.reduce((all, row) => all + (row[key] ?? 0), 0);
const size = ({ bytes: layers }) => Object.values(layers).reduce((all, one) => all + one, 0);
const days = (number) => (number === null ? "for ever" : `${count(number)} d`);
const COLUMNS = [
  { title: "Collection", key: "collection", href: (row) => `/collections/${encodeURIComponent(row.collection)}` },
  { title: "Records", key: "records", kind: "brief" },
  { title: "Requests", key: "hits", kind: "brief" },
  { title: "Errors", key: "errors", kind: "brief" },
  { title: "First and last", made: (row) => element("span", {}, cell("time", row.first), element("br"), cell("time", row.last)) },
  { title: "Services", key: "services", kind: "list" },
  { title: "Formats", key: "formats", kind: "list" },
  { title: "Owners", key: "owners", kind: "list" },
  { title: "At rest", value: size, kind: "bytes" },
  { title: "Redacted", key: "redacted", kind: "brief", says: "Spans that redaction replaced" },
  { title: "Not parsed", key: "rejected", kind: "brief" },
  { title: "Kept", made: (row) => cell("text", days(row.days.silver)) },
];

function show(page) {
  const { items } = page;
  if (!items.length) return nothing();
  const figures = tiles([
    ["Collections", count(items.length) + (page.next ? "+" : "")], ["Records", count(sum(items, "records"))],
    ["Requests", count(sum(items, "hits"))], ["At rest", bytes(items.reduce((all, row) => all + size(row), 0))],
  ]);
  return element("div", { class: "sections" }, figures, table(COLUMNS, items));
}

function nothing() {
  return empty("There is nothing here yet", element("p", {}, "Bring logs in: ", element("code", { text: "logshed ingest /var/log/nginx --collection web" })));
}

if (byId("collections")) filled(byId("collections"), () => api(path("/api/v1/collections", { limit: 1000 })), show);
