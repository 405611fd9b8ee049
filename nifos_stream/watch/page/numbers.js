// Whether the numbers on the page answer what is chosen now. If not, the style hides them: no number ever stands
// under a title that it does not belong to.

import { byId, say } from "./dom.js";
import * as empty from "./empty.js";
import { DIMENSIONS } from "./state.js";
import { say as t } from "./text.js";

const SECTIONS = ["glance", "chart-section", ...DIMENSIONS];
let why = null;

/** Something else is asked for; there is no answer yet. */
export function asked() {
  why = null;
  become("asked");
  empty.hide();
}

/** The answer is here. */
export const answered = () => become("shown");

/** There is no answer, and maybe never will be. said: what the server refused; null where it cannot be reached. */
export function refused(said) {
  why = said;
  if (document.body.dataset.numbers !== "shown") become("refused");
}

/** Say it anew, as in another language. */
export function translate() {
  const { numbers } = document.body.dataset;
  const place = byId("glance-note");
  place.hidden = numbers === "shown";
  say(place, numbers === "asked" ? t("numbersAsked") : numbers === "refused" ? t(why ? "numbersRefused" : "numbersAway") : "");
}

function become(what) {
  document.body.dataset.numbers = what;
  for (const id of SECTIONS) byId(id).setAttribute("aria-busy", String(what === "asked"));
  translate();
}
