// Whether the numbers are live, said in one sentence; greys them when they are not. Keeps their age itself.

import { byId, say } from "./dom.js";
import * as format from "./format.js";
import { refusal, say as t } from "./text.js";

const STALE_SECONDS = 15;
let freshness = null;
let heardAt = null;
let trouble = null;

/** Something else is asked for: there are no numbers of it yet, though how current counts are is known. */
export function asked() {
  heardAt = null;
  trouble = null;
  show();
}

/** Numbers have come. */
export function heard(window) {
  freshness = window;
  heardAt = performance.now();
  trouble = null;
  show();
}

/** No newer numbers: the server `said` why, or the connection is gone (null). */
export function lost(said) {
  trouble = { said };
  show();
}

/** Say it anew: as time passes, or in another language. */
export function show() {
  const [live, text] = said();
  const status = byId("status");
  // Said aloud only when it becomes live or ceases to be, not each second.
  if (status.dataset.live !== live) say(byId("status-said"), text);
  status.dataset.live = live;
  say(byId("status-text"), text);
  document.body.classList.toggle("old", live === "no" && heardAt !== null);
  const problem = byId("problem");
  problem.hidden = !trouble?.said;
  say(problem, trouble?.said ? refusal(trouble.said) : "");
}

function said() {
  const since = heardAt === null ? null : (performance.now() - heardAt) / 1000;
  if (trouble && since === null) return ["no", t(trouble.said ? "noNumbers" : "awayFirst")];
  if (trouble) return ["no", t(trouble.said ? "redisAway" : "away", { age: format.age(since) })];
  if (freshness === null) return ["connecting", t("connecting")];
  const [live, text] = level(freshness);
  const more = [text];
  if (freshness.rebuilding !== null) more.push(t("rebuilding", { part: format.percent(freshness.rebuilding, 1) }));
  if (freshness.backlog) more.push(t("backlog", { count: format.count(freshness.backlog) }));
  return [freshness.rebuilding === null ? live : "no", more.join(" · ")];
}

function level({ behind, behind_seconds: seconds, counted_since: since }) {
  if (seconds === null) return since === null ? ["connecting", t("nothing")] : ["no", t("unknown")];
  const age = format.age(seconds);
  if (seconds <= STALE_SECONDS) return ["yes", t("live", { age })];
  return ["no", behind ? t("stale", { behind: format.count(behind), age }) : t("old", { age })];
}
