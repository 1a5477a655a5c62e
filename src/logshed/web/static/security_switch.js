// A switch by which a rule is on or off.
import { api, element, failed, toast } from "./base.js";
import { may } from "./security_parts.js";

export function switchOf(one, changed) {
  const button = element("button", { type: "button", role: "switch", class: "switch", "aria-checked": String(one.on), "aria-label": `${one.name} is looked for`, disabled: !may("switch") },
    element("span", { class: "knob", "aria-hidden": "true" }), element("span", { text: one.on ? "on" : "off" }));
  button.addEventListener("click", async (event) => {
    event.stopPropagation();
    button.disabled = true;
    try {
      const now = await api(`/api/v1/rules/${encodeURIComponent(one.name)}/state`, { method: "PUT", body: { on: !one.on } });
      Object.assign(one, { on: now.on, switched: now.switched });
      button.setAttribute("aria-checked", String(one.on));
      button.lastChild.textContent = one.on ? "on" : "off";
      toast(`${one.name} is ${one.on ? "on" : "off"}.`);
      changed?.(one);
    } catch (error) { failed(error); } finally { button.disabled = false; }
  });
  return button;
}
