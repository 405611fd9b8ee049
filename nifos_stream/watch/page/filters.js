// What is looked at: windows, chosen values, a stated stretch of time.

import * as dates from "./dates.js";
import { byId, choice, element } from "./dom.js";
import * as format from "./format.js";
import * as state from "./state.js";
import { say as t } from "./text.js";

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
  const { window, from, to, chart, lang } = state.get();
  const offered = state.WINDOWS.includes(window) ? state.WINDOWS : [...state.WINDOWS, window];
  windows(offered.map((one) => [one, format.window(one)]), state.live() ? window : "");
  kinds([["posts", t("chartPosts")], ["share", t("chartShare")]], chart);
  for (const button of byId("languages").children) button.setAttribute("aria-pressed", String(button.dataset.lang === lang));
  const chips = state.chosen().map(([name, value]) => chip(t(name), value, () => state.set({ [name]: "" })));
  if (!state.live()) chips.push(chip(t("window"), format.span(from, to), () => state.set({ from: "", to: "" })));
  if (chips.length > 1) chips.push(element("button", { type: "button", class: "clear", onclick: () => state.set({ source: "", keyword: "", channel: "", from: "", to: "" }) }, t("clearFilters")));
  const bar = byId("filters");
  bar.hidden = !chips.length;
  dates.show();
  bar.replaceChildren(...(chips.length ? [element("span", { class: "small" }, t("filteredBy")), ...chips] : []));
}

function chip(name, value, remove) {
  return element("button", { type: "button", class: "chip", "aria-label": t("removeFilter", { value }), onclick: remove },
    element("span", { class: "small" }, name), ` ${value} `, element("span", { "aria-hidden": "true" }, "✕"));
}
