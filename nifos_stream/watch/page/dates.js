// The first and the last day of what is looked at, as two fields for dates.

import { byId } from "./dom.js";
import * as format from "./format.js";
import * as state from "./state.js";

/** Let days be chosen. They are shown once they are sent off: a date that is being typed is not meant yet. */
export function start() {
  const [first, last] = [byId("date-from"), byId("date-to")];
  first.addEventListener("input", () => { last.min = first.value; });
  byId("dates").addEventListener("submit", (event) => {
    event.preventDefault();
    state.set({ from: first.value, to: last.value && format.daysOn(last.value, 1) });
  });
  byId("dates-live").addEventListener("click", () => state.set({ from: "", to: "" }));
}

/** Show the days that are chosen; a time within a day as its day. */
export function show() {
  const { from, to } = state.get();
  byId("date-from").value = from.slice(0, 10);
  byId("date-to").value = byId("date-to").min = "";
  byId("date-to").value = format.lastDay(to) || to.slice(0, 10);
  byId("date-to").min = from.slice(0, 10);
  byId("dates-live").hidden = state.live();
}
