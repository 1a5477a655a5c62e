// Light and dark: the choice, which is kept, and the colours of the style sheet as a canvas takes them.
import { World } from "./map_world.js";

const KEPT = "logshed-theme";
const root = document.documentElement;

export function colours() {
  const probe = document.createElement("i");
  document.body.append(probe);
  const read = (value) => { probe.style.color = value; return getComputedStyle(probe).color; };
  const found = {
    sea: read("var(--sea)"), deep: read("var(--sea-deep)"), grid: read("var(--grid)"), border: read("var(--border)"),
    night: read("var(--night)"), accent: read("var(--accent)"), pulse: read("var(--pulse)"), core: read("var(--pulse-core)"),
    halo: read("color-mix(in srgb, var(--pulse) 34%, transparent)"), soft: read("var(--soft)"),
    shades: World.shades((part) => read(`color-mix(in srgb, var(--warm) ${Math.round(100 * part)}%, var(--land))`)),
  };
  probe.remove();
  return found;
}

// A browser may forbid a page to keep anything; it then begins as the system looks.
function stored(call) {
  try { return call(); } catch { return null; }
}

// Call whenever the look has changed, and at the beginning; a page without a button of ours changes it by its own.
export function theme(button, changed) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const apply = () => {
    if (button) button.textContent = isDark() ? "Light" : "Dark";
    changed();
  };
  dark.addEventListener("change", apply);
  if (!button) {
    document.addEventListener("logshed:theme", apply);
    apply();
    return;
  }
  const kept = stored(() => localStorage.getItem(KEPT));
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    stored(() => localStorage.setItem(KEPT, root.dataset.theme));
    apply();
  });
  apply();
}
