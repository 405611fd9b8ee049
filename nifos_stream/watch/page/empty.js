// What to do where there is nothing to see.

import { byId, element, leave, say } from "./dom.js";
import * as format from "./format.js";
import * as state from "./state.js";
import { say as t } from "./text.js";

const STEPS = [
  ["emptyDemo", "nifos-stream demo --serve"], ["emptyUp", "nifos-stream up"],
  ["emptyWorker", "nifos-stream worker"], ["emptyProduce", "nifos-stream produce posts.xlsx"],
];
let drawn = "";
let counted = null;

/** Show help instead of zeros, or beside them. */
export function show({ window, all_time: allTime }) {
  const place = byId("empty");
  const nothing = !allTime && window.counted_since === null;
  const bare = !window.total.total;
  document.body.classList.toggle("nothing", nothing);
  if (!bare) return hide();
  place.hidden = false;
  const key = JSON.stringify([nothing, state.get()]);
  if (key !== drawn) {
    drawn = key;
    counted = element("p");
    place.replaceChildren(...(nothing ? steps() : [counted, wider()]));
  }
  say(counted, t("emptyWindow", { count: format.count(allTime) }));
}

/** There is something to see, or it is not known yet. */
export function hide() {
  leave(byId("empty"), byId("windows").querySelector("[aria-pressed=true]"), byId("main"));
  byId("empty").hidden = true;
}

function steps() {
  return [
    element("h2", {}, t("emptyTitle")), element("p", {}, t("emptyWhy")),
    element("dl", {}, STEPS.map(([key, command]) => [element("dt", {}, t(key)), element("dd", {}, element("code", {}, command))])),
  ];
}

function wider() {
  const asked = format.seconds(state.get().window);
  const longer = state.live() ? state.WINDOWS.filter((one) => format.seconds(one) > asked) : state.WINDOWS.slice(-1);
  return element("p", { class: "buttons" }, longer.map((one) => element("button", { type: "button", onclick: () => state.set({ window: one, from: "", to: "" }) }, t("widen", { window: format.window(one) }))));
}
