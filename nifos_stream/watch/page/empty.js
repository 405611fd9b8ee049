// What to do where there is nothing to see.

import { byId, element } from "./dom.js";
import * as format from "./format.js";
import * as state from "./state.js";
import { say as t } from "./text.js";

const STEPS = [
  ["emptyDemo", "nifos-stream demo --serve"], ["emptyUp", "nifos-stream up"],
  ["emptyWorker", "nifos-stream worker"], ["emptyProduce", "nifos-stream produce posts.xlsx"],
];
let drawn = "";

/** Show help instead of zeros, or beside them. */
export function show({ window, all_time: allTime }) {
  const place = byId("empty");
  const nothing = !allTime && window.counted_since === null;
  const bare = !window.total.total;
  place.hidden = !bare;
  document.body.classList.toggle("nothing", nothing);
  const key = JSON.stringify([nothing, bare, allTime, state.get()]);
  if (!bare || key === drawn) return;
  drawn = key;
  place.replaceChildren(...(nothing ? steps() : elsewhere(allTime)));
}

function steps() {
  return [
    element("h2", {}, t("emptyTitle")), element("p", {}, t("emptyWhy")),
    element("dl", {}, STEPS.map(([key, command]) => [element("dt", {}, t(key)), element("dd", {}, element("code", {}, command))])),
  ];
}

function elsewhere(allTime) {
  const asked = format.seconds(state.get().window);
  const wider = state.live() ? state.WINDOWS.filter((one) => format.seconds(one) > asked) : state.WINDOWS.slice(-1);
  return [
    element("p", {}, t("emptyWindow", { count: format.count(allTime) })),
    element("p", { class: "buttons" }, wider.map((one) => element("button", { type: "button", onclick: () => state.set({ window: one, from: "", to: "" }) }, t("widen", { window: format.window(one) })))),
  ];
}
