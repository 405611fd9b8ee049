// The words that set the posts of a label apart, each with the posts behind it.

import { byId, element, say } from "./dom.js";
import * as format from "./format.js";
import { poll, sentence } from "./poll.js";
import { post } from "./posts.js";
import * as state from "./state.js";
import { say as t } from "./text.js";

const EVERY_MS = 15000;
const WORDS = 12;
const LABELS = ["negative", "positive"];
const pollings = [];
const answers = {};
const open = {};

/** Begin to follow the words. */
export function start() {
  for (const label of LABELS) {
    const failed = (problem) => {
      answers[label] = null;
      byId(`drivers-${label}`).replaceChildren();
      say(byId("drivers-note"), sentence(problem));
    };
    const got = (answer) => {
      answers[label] = answer;
      translate();
    };
    pollings.push(poll("drivers", EVERY_MS, () => query(label), { got, failed }));
  }
  again();
}

/** Ask anew, as after a change of window or filter. */
export function again() {
  for (const label of LABELS) {
    answers[label] = null; // Words of another question are no answer to this one.
    byId(`drivers-${label}`).replaceChildren();
  }
  say(byId("drivers-note"), state.get().channel ? t("driversNoChannel") : t("driversWaiting"));
  for (const polling of pollings) polling.again();
}

/** Say everything anew, in the language of now. */
export function translate() {
  for (const label of LABELS) if (answers[label]) show(label);
}

function query(label) {
  if (state.get().channel) return null;
  return [...state.span(), ["label", label], ["limit", WORDS], ...state.where()];
}

function show(label) {
  const { words } = answers[label];
  // One scale for both lists.
  const most = Math.max(1e-9, ...LABELS.flatMap((one) => answers[one]?.words ?? []).map((word) => word.z));
  const title = element("h3", { class: label }, t(label === "negative" ? "driversNegative" : "driversPositive"));
  const rest = element("p", { class: "small" }, basis(answers[label]));
  const list = element("ul", { class: "plain words-list" }, words.map((word) => item(label, word, most)));
  byId(`drivers-${label}`).replaceChildren(title, words.length ? list : element("p", { class: "note" }, t("driversNone")), rest);
  if (LABELS.some((one) => answers[one])) say(byId("drivers-note"), "");
}

/** How many posts the words rest on, and whether these are all. */
function basis({ posts, worth, counted, posts_before: before, counted_before: countedBefore, whole, kept_since: since }) {
  let said = whole ? t("driversAll", { posts: format.count(posts), before: format.count(before) })
    : t("driversSample", { posts: part(posts, counted), before: part(before, countedBefore) });
  // Of posts that were drawn alike, each is worth one.
  if (worth < 0.95 * posts) said += t("driversWorth", { posts: format.count(posts), worth: format.count(worth) });
  return since ? said + t("driversKept", { day: since.slice(0, 10) }) : said;
}

function part(posts, counted) {
  const key = counted > posts ? "driversPart" : "driversSome";
  return t(key, { posts: format.count(posts), counted: format.count(counted ?? posts) });
}

function item(label, { word, z, count, count_before: before, posts }, most) {
  const shown = open[label] === word;
  const bar = element("span", { class: `bar segment ${label}`, "aria-hidden": "true" });
  bar.style.width = `${Math.max(2, (100 * z) / most)}%`;
  const button = element("button", {
    type: "button", class: "value", "aria-expanded": String(shown), onclick: () => {
      open[label] = shown ? null : word;
      show(label);
      byId(`drivers-${label}`).querySelector(`[data-word="${CSS.escape(word)}"]`)?.focus();
    }, "data-word": word, title: t("driversSayWhy"),
  }, element("span", { class: "word" }, word), element("span", { class: "small" }, t("driversSay", { count: format.count(count), before: format.count(before), z: z.toFixed(1) })));
  const behind = shown ? element("ol", { class: "plain posts", "aria-label": t("driversPosts", { word }) }, posts.map(post)) : null;
  return element("li", {}, button, element("span", { class: "track" }, bar), behind);
}
