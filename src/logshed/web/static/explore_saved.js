// Saved searches: one's own and shared ones, in a menu.

import { api, byId, element, failed, sound, toast } from "./base.js";

// `view()` gives what is to be saved, `open(view)` opens what was; `mayShare` says whether the box to share is there.
export function savedSearches({ view, open, mayShare }) {
  const menu = byId("saved");
  const pop = byId("saved-pop");

  function form() {
    const name = element("input", { type: "text", maxlength: "100", required: true, "aria-label": "Name of the search", placeholder: "Name" });
    const shared = element("input", { type: "checkbox", id: "saved-shared" });
    return element("form", { class: "save-form", on: { submit: async (event) => {
      event.preventDefault();
      try {
        await api("/api/v1/saved", { method: "POST", body: { name: name.value, view: view(), shared: mayShare && shared.checked } });
        toast("Saved.");
        await load();
      } catch (error) { failed(error); }
    } } },
    element("div", { class: "row-of" }, name, element("button", { type: "submit", class: "main", text: "Save" })),
    mayShare && element("label", {}, shared, " Share it with all"));
  }

  async function remove(one) {
    try {
      await api(`/api/v1/saved/${one.id}`, { method: "DELETE" });
      await load();
    } catch (error) { failed(error); }
  }

  async function load() {
    const { items } = await api("/api/v1/saved");
    const rows = items.map((one) => element("li", { class: "row-of" },
      element("button", { type: "button", on: { click: () => { menu.open = false; open(one.view); } } },
        element("span", { class: "value", text: sound(one.name) }), one.shared && element("span", { class: "badge", data: { kind: "soft" }, text: one.own ? "shared" : `of ${sound(one.owner)}` })),
      one.own && element("button", { type: "button", class: "plain tiny", "aria-label": `Delete ${one.name}`, text: "×", on: { click: () => remove(one) } })));
    const empty = element("p", { class: "note", text: "None yet. Name what you look at now, and it is here the next time." });
    pop.replaceChildren(form(), rows.length ? element("ul", { class: "saved-list" }, ...rows) : empty);
  }

  menu.addEventListener("toggle", () => { if (menu.open) load().catch(failed); });
}
