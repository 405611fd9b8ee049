// One labelled post as an element. Whatever its author wrote is text here, never markup.

import { element, link, say } from "./dom.js";
import * as format from "./format.js";
import { SIGNS } from "./glance.js";
import { say as t } from "./text.js";

const LONG = 180;

/** A post as the API gives it. */
export function post(one) {
  const when = element("time", { datetime: one.created_at, title: one.created_at });
  const facts = [one.source, one.author].filter(Boolean).join(" · ");
  const original = one.url ? link(one.url, t("open_post")) : null;
  const words = [...new Set([...(one.keywords ?? []), ...(one.matched_keywords ?? [])])];
  const made = element("li", { class: `post ${one.label}` },
    element("p", { class: "post-head" }, badge(one), element("span", { class: "who" }, facts), when, original),
    one.title ? element("p", { class: "post-title" }, one.title) : null,
    body(one.text),
    words.length ? element("p", { class: "words" }, words.map((word) => element("span", {}, word))) : null,
  );
  made.age = () => say(when, format.ago(one.created_at));
  made.age();
  return made;
}

/** The same element, with its age as it is by now. */
export function aged(made) {
  made.age();
  return made;
}

/** A label with its score, told by sign and name as well as by colour. */
export function badge({ label, score }) {
  const known = typeof score === "number";
  return element("span", { class: `badge ${label}` }, `${SIGNS[label]} ${t(label)}`,
    known ? element("span", { class: "score", title: t("score") }, ` ${score.toFixed(2)}`) : null);
}

function body(text) {
  const shown = element("p", { class: "post-text" }, text);
  if (text.length <= LONG && !text.includes("\n")) return shown;
  shown.classList.add("cut");
  const button = element("button", { type: "button", class: "more", "aria-expanded": "false", onclick: () => {
    const cut = shown.classList.toggle("cut");
    button.setAttribute("aria-expanded", String(!cut));
    say(button, t(cut ? "more_text" : "less_text"));
  } }, t("more_text"));
  return element("div", {}, shown, button);
}
