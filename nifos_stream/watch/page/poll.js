// Ask a route again and again while the page is looked at, and say what went wrong. Knows no section.

import { ask, backOff } from "./api.js";
import { refusal, say as t } from "./text.js";

/** Ask `route` every so often. query(): its [name, value] pairs, or null for "not now". got(answer) may return in how
many milliseconds to ask again; failed(problem).

`again()` asks at once, as after a change of what is asked; an answer to an older question is dropped. Where the token
is missing or wrong nothing more is asked until then. */
export function poll(route, everyMs, query, { got, failed }) {
  let timer;
  let failures = 0;
  let refused = false;
  let asked = new AbortController();

  async function turn() {
    clearTimeout(timer);
    asked.abort();
    const mine = (asked = new AbortController());
    const pairs = document.hidden ? null : query();
    const wait = pairs ? await tried(pairs, mine.signal) : everyMs;
    if (!mine.signal.aborted && !refused) timer = setTimeout(turn, wait);
  }

  /** Milliseconds until the next turn. */
  async function tried(pairs, signal) {
    let answer;
    try {
      answer = await ask(route, pairs, { signal });
    } catch (problem) {
      if (signal.aborted) return everyMs;
      refused = problem.status === 401;
      failed(problem);
      return Math.max(everyMs, backOff(failures++, problem.askedMs));
    }
    if (signal.aborted) return everyMs;
    failures = 0;
    try {
      return got(answer) ?? everyMs;
    } catch (error) {
      reportError(error); // What cannot be shown is no reason to ask no more.
      return everyMs;
    }
  }

  function again() {
    refused = false;
    failures = 0;
    return turn();
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden && !refused) turn(); });
  return { again };
}

/** A sentence for a problem of one section. */
export function sentence(problem) {
  if (problem.status === 401) return refusal({ code: "token_needed" });
  if (problem.status === 404) return t("notAvailable");
  if (problem.status === 0) return t("unreachable");
  return t("failed", { detail: refusal(problem.said ?? { detail: problem.message }) });
}
