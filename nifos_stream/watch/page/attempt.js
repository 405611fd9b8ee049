// A sentence that somebody tries.

import { ask } from "./api.js";
import { byId, element } from "./dom.js";
import * as format from "./format.js";
import { SIGNS } from "./glance.js";
import { sentence } from "./poll.js";
import { badge } from "./posts.js";
import * as state from "./state.js";
import { say as t } from "./text.js";

let latest = null;
let trouble = null;

/** Let sentences be tried. */
export function start() {
  byId("try-form").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(byId("try-text").value);
  });
  byId("try-text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      byId("try-form").requestSubmit();
    }
  });
  translate();
}

/** Say everything anew, in the language of now. */
export function translate() {
  byId("try-text").placeholder = t("tryPlaceholder");
  if (latest) show(latest);
  if (trouble) byId("try-answer").replaceChildren(element("p", { class: "note" }, sentence(trouble)));
}

async function attempt(text) {
  const answer = byId("try-answer");
  answer.replaceChildren(element("p", { class: "note" }, t("tryWaiting")));
  latest = trouble = null;
  try {
    latest = { text, ...(await ask("classify", [], { body: { text } })) };
    show(latest);
  } catch (problem) {
    trouble = problem;
    translate();
  }
}

function show({ text, sentiment, model, truncated }) {
  const bars = state.LABELS.map((label) => {
    const bar = element("span", { class: `bar segment ${label}` });
    bar.style.width = `${100 * sentiment.probabilities[label]}%`;
    return element("div", { class: "probability" }, element("span", {}, `${SIGNS[label]} ${t(label)}`), element("span", { class: "track" }, bar), element("span", {}, format.percent(sentiment.probabilities[label], 1)));
  });
  byId("try-answer").replaceChildren(
    element("p", {}, badge(sentiment)), ...bars, ...sentences(text, sentiment.sentences),
    element("p", { class: "small" }, [truncated ? t("tryTruncated") : null, t("tryModel", { name: model.name, revision: model.revision })].filter(Boolean).join(" ")),
  );
}

/** Spans of sentences count code points, not the units of JavaScript's strings. */
function sentences(text, found) {
  if (!found) return [];
  const points = [...text];
  const items = found.filter((one) => one.label).map((one) => element("li", {}, badge(one), " ", points.slice(one.from, one.to).join("").trim()));
  return [element("h3", {}, t("trySentences")), element("ol", { class: "plain sentences" }, items)];
}
