// What is looked at: windows, chosen values, a stated stretch of time.

import * as dates from "./dates.js";
import { arrange, byId, choice, element, keyed, say } from "./dom.js";
import * as format from "./format.js";
import * as state from "./state.js";
import { say as t } from "./text.js";

const kept = keyed();
let windows;
let kinds;

/** Let windows, languages and kinds of chart be chosen. */
export function start() {
  windows = choice(byId("windows"), (window) => state.set({ window, from: "", to: "" }));
  kinds = choice(byId("chart-kinds"), (chart) => state.set({ chart }, { replace: true }));
  for (const button of byId("languages").children) button.addEventListener("click", () => state.set({ lang: button.dataset.lang }, { replace: true }));
  dates.start();
  show();
}

/** Show what is chosen. */
export function show() {
  const { window, chart, lang } = state.get();
  const offered = state.WINDOWS.includes(window) ? state.WINDOWS : [...state.WINDOWS, window];
  windows(offered.map((one) => [one, format.window(one)]), state.live() ? window : "");
  kinds([["posts", t("chartPosts")], ["share", t("chartShare")]], chart);
  for (const button of byId("languages").children) button.setAttribute("aria-pressed", String(button.dataset.lang === lang));
  dates.show();
  showChips();
}

function showChips() {
  const { from, to } = state.get();
  const shown = state.chosen().map(([name, value]) => chip(name, t(name), value));
  if (!state.live()) shown.push(chip("span", t("window"), format.span(from, to)));
  if (shown.length > 1) shown.push(clear());
  const bar = byId("filters");
  const before = [...bar.children].indexOf(document.activeElement);
  const said = kept.of("said", () => element("span", { class: "small" }));
  say(said, t("filteredBy"));
  const all = shown.length ? [said, ...shown] : [];
  // Where the chip goes that has the focus, the next one has it, or else what windows are chosen by.
  const left = before >= 0 && !all.includes(document.activeElement);
  bar.hidden = !all.length;
  arrange(bar, all);
  if (left) (all[Math.min(before, all.length - 1)] ?? byId("windows").querySelector("[aria-pressed=true]") ?? byId("windows").firstChild).focus();
}

function chip(key, name, value) {
  const remove = () => state.set(key === "span" ? { from: "", to: "" } : { [key]: "" });
  const made = kept.of(key, () => {
    const [title, text] = [element("span", { class: "small" }), element("span", { class: "chip-value" })];
    const button = element("button", { type: "button", class: "chip", onclick: remove }, title, text, element("span", { "aria-hidden": "true" }, "✕"));
    return { button, title, text };
  });
  made.button.setAttribute("aria-label", t("removeFilter", { value }));
  say(made.title, name);
  say(made.text, value);
  return made.button;
}

function clear() {
  const everything = { source: "", keyword: "", channel: "", from: "", to: "" };
  const made = kept.of("clear", () => element("button", { type: "button", class: "clear", onclick: () => state.set(everything) }));
  say(made, t("clearFilters"));
  return made;
}
