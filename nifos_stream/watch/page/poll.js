// Ask a route again and again while the page is looked at, and say what went wrong. Knows no section.

import { ask } from "./api.js";
import { say as t } from "./text.js";

/** Ask `route` every so often. query(): its [name, value] pairs, or null for "not now". got(answer); failed(problem).

`again()` asks at once, as after a change of what is asked; an answer to an older question is dropped. */
export function poll(route, everyMs, query, { got, failed }) {
  let timer;
  let asked = new AbortController();

  async function turn() {
    clearTimeout(timer);
    asked.abort();
    const mine = (asked = new AbortController());
    const pairs = document.hidden ? null : query();
    if (pairs) {
      try {
        const answer = await ask(route, pairs, { signal: mine.signal });
        if (!mine.signal.aborted) got(answer);
      } catch (problem) {
        if (!mine.signal.aborted) failed(problem);
      }
    }
    if (!mine.signal.aborted) timer = setTimeout(turn, everyMs);
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden) turn(); });
  return { again: turn };
}

/** A sentence for a problem of one section. */
export function sentence(problem) {
  if (problem.status === 404) return t("notAvailable");
  if (problem.status === 0) return t("unreachable");
  return t("failed", { detail: problem.message });
}
