// What can be chosen above the bars: the field that they are told apart by, and the only collection.

import { api, byId, element, path } from "./base.js";

// The fields to tell bars apart by.
export async function groups(by) {
  const select = byId("by");
  const { items } = await api(path("/api/v1/fields/names"));
  const names = ["severity", ...items];
  if (!names.includes(by)) names.push(by);
  select.replaceChildren(...names.map((name) => element("option", { value: name, text: name })));
  select.value = by;
}

// The collections that the viewer may see; they are asked for once a page.
export async function listCollections(chosen) {
  const select = byId("collection");
  const known = [...select.options].map((one) => one.value).filter(Boolean);
  const names = known.length ? known : await seen();
  if (chosen && !names.includes(chosen)) names.push(chosen);
  select.replaceChildren(element("option", { value: "", text: "All collections" }), ...names.map((name) => element("option", { value: name, text: name })));
  select.value = chosen;
}

async function seen() {
  const found = await api(path("/api/v1/fields/values", { since: "all", name: "collection", top: "500" }));
  return found.values.map(({ value }) => value).sort();
}
