// Reports of long checks as administrators read them: integrity, what redaction left, the points of a regime.
import { bytes, count, element, sound } from "./base.js";
import { badge, cell, empty, table } from "./tables.js";

const KINDS = { ok: "good", met: "good", note: "warn", refused: "warn", "for a human": "warn", bad: "bad", failed: "bad", "not met": "bad", running: "soft" };
export const told = (name) => (row) => (row[name] ? badge(KINDS[row[name]] ?? "soft", row[name]) : cell("text", null));
export const panel = (title, ...children) => element("section", { class: "panel" }, element("h2", { text: title }), ...children);

const readOf = (report) => Object.entries(report.rows).map(([place, rows]) => ({ place, rows, read: report.read[place] ?? 0 }));

function leaks(report) {
  const found = report.leaks.length ? table([
    { title: "Where", value: (row) => `${row.table}, ${row.column}` }, { title: "Rule", key: "rule", kind: "code" },
    { title: "Values", key: "count", kind: "count" }, { title: "Examples, hidden", key: "examples", kind: "list" }, { title: "One stands in", key: "where" },
  ], report.leaks) : empty("Nothing that the policy forbids was found");
  const rows = table([{ title: "Place", key: "place" }, { title: "Rows", key: "rows", kind: "count" }, { title: "Read", key: "read", kind: "count" }], readOf(report));
  return element("div", { class: "sections" }, panel(report.ok ? "Clean" : "Leaks", element("p", {}, badge(report.ok ? "good" : "bad", report.ok ? "nothing found" : `${count(report.leaks.length)} kinds of leaks`), ` by the policy ${sound(report.policy)}.`), found), panel("What was read", rows));
}

function integrity(found) {
  const figures = `${count(found.files)} files of lines (${bytes(found.bytes)}) read, ${count(found.others)} of other tables there, ${count(found.entries)} entries of the audit trail.`;
  return element("div", {}, element("p", {}, badge(found.ok ? "good" : "bad", found.ok ? "everything is as it was committed" : `${count(found.problems.length)} things are not`)), element("p", { text: figures }),
    found.unknown ? element("p", { class: "soft", text: `${count(found.unknown)} files are from before checksums were kept.` }) : "",
    found.problems.length ? table([{ title: "Kind", key: "kind" }, { title: "What", key: "what" }], found.problems) : "",
    element("p", { class: "note" }, "State ", element("code", { class: "value", text: found.state })));
}

function points(report) {
  const sums = Object.entries(report.answers.reduce((all, { state }) => ({ ...all, [state]: (all[state] ?? 0) + 1 }), {}));
  return panel(report.title, element("p", { class: "tools" }, ...sums.map(([state, number]) => badge(KINDS[state] ?? "soft", `${number} ${state}`))), table([
    { title: "Point", key: "title", kind: "words" }, { title: "State", made: told("state") }, { title: "Evidence", key: "evidence", kind: "words" }, { title: "Where it says so", key: "source" },
  ], report.answers), element("p", { class: "note", text: `Policy ${report.policy}. ${readOf(report).map(({ place, rows, read }) => `${count(read)} of ${count(rows)} rows of ${place}`).join(", ")} were read${report.ok ? "" : "; a point is not met"}.` }));
}

// What shows the result of a check, by its kind.
export const REPORTS = { integrity, redaction: leaks, compliance: points };
