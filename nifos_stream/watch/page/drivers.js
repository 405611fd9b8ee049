// The words that set the posts of a label apart, each with the posts behind it.

import { arrange, byId, element, keyed, say } from "./dom.js";
import * as format from "./format.js";
import { poll, sentence } from "./poll.js";
import { aged, post } from "./posts.js";
import * as state from "./state.js";
import { say as t, spoken } from "./text.js";

const EVERY_MS = 15000;
const WORDS = 12;
const LABELS = ["negative", "positive"];
const SOON_MS = 1000;
const EMPTY_MS = 3000;
const pollings = [];
const answers = {};
const open = {};
const lists = {};
const troubles = {};

/** Begin to follow the words. */
export function start() {
  for (const label of LABELS) {
    const failed = (problem) => {
      forget(label);
      troubles[label] = problem;
      translate();
    };
    const got = (answer) => {
      answers[label] = answer;
      troubles[label] = null;
      translate();
      return answer.unread ? SOON_MS : answer.posts ? EVERY_MS : EMPTY_MS;
    };
    pollings.push(poll("drivers", EVERY_MS, () => query(label), { got, failed }));
  }
  again();
}

/** Ask anew, as after a change of window or filter. */
export function again() {
  LABELS.forEach(forget);
  translate();
  for (const polling of pollings) polling.again();
}

/** Words of another question are no answer to this one. */
function forget(label) {
  answers[label] = troubles[label] = null;
  byId(`drivers-${label}`).hidden = true;
}

/** Say everything anew, in the language of now. */
export function translate() {
  for (const label of LABELS) if (answers[label]) show(label);
  const trouble = LABELS.map((label) => troubles[label]).find(Boolean);
  const waiting = LABELS.some((label) => !answers[label] && !troubles[label]);
  byId("drivers").setAttribute("aria-busy", String(waiting));
  say(byId("drivers-note"), trouble ? sentence(trouble) : waiting ? t("driversWaiting") : "");
}

function query(label) {
  return [...state.span(), ["label", label], ["limit", WORDS], ...state.where()];
}

function show(label) {
  const { words } = answers[label];
  // One scale for both lists.
  const most = Math.max(1e-9, ...LABELS.flatMap((one) => answers[one]?.words ?? []).map((word) => word.z));
  const { title, list, none, rest, items } = (lists[label] ??= make(label));
  say(title, t(label === "negative" ? "driversNegative" : "driversPositive"));
  items.keep(words.map(({ word }) => word));
  arrange(list, words.map((word) => item(items, label, word, most)));
  list.hidden = !words.length;
  none.hidden = words.length > 0;
  const { posts, posts_before: before, unread } = answers[label];
  say(none, t(unread ? "driversWaiting" : posts ? "driversNone" : "driversNoPosts"));
  rest.hidden = !posts && !before && !unread;
  say(rest, basis(answers[label]));
  byId(`drivers-${label}`).hidden = false;
}

/** The parts of a list, which stay the same while its words change, so that focus stays. */
function make(label) {
  const [title, list] = [element("h3", { class: label }), element("ul", { class: "plain words-list" })];
  const [none, rest] = [element("p", { class: "note" }), element("p", { class: "small" })];
  byId(`drivers-${label}`).replaceChildren(title, list, none, rest);
  return { title, list, none, rest, items: keyed() };
}

/** How many posts the words rest on, and whether these are all. */
function basis({ posts, worth, counted, posts_before: before, counted_before: countedBefore, whole, kept_since: since, unread }) {
  let said = whole ? t("driversAll", { posts: format.count(posts), before: format.count(before) })
    : t("driversSample", { posts: part(posts, counted), before: part(before, countedBefore) });
  // Of posts that were drawn alike, each is worth one.
  if (worth < 0.95 * posts) said += t("driversWorth", { posts: format.count(posts), worth: format.count(worth) });
  if (unread) said += t("driversUnread", { unread: format.count(unread) });
  return since ? said + t("driversKept", { day: since.slice(0, 10) }) : said;
}

function part(posts, counted) {
  const key = counted > posts ? "driversPart" : "driversSome";
  return t(key, { posts: format.count(posts), counted: format.count(counted ?? posts) });
}

function item(items, label, { word, z, count, count_before: before, posts }, most) {
  const { line, button, figures, bar, behind } = items.of(word, () => makeItem(label, word));
  const shown = open[label] === word;
  button.setAttribute("aria-expanded", String(shown));
  button.title = t("driversSayWhy");
  say(figures, t("driversSay", { count: format.count(count), before: format.count(before), z: z.toFixed(1) }));
  bar.style.width = `${Math.max(2, (100 * z) / most)}%`;
  behind.list.hidden = !shown;
  if (shown) examples(behind, word, posts);
  return line;
}

function makeItem(label, word) {
  const [figures, bar] = [element("span", { class: "small" }), element("span", { class: `bar segment ${label}`, "aria-hidden": "true" })];
  const turn = () => {
    open[label] = open[label] === word ? null : word;
    show(label);
  };
  const button = element("button", { type: "button", class: "value", onclick: turn, "data-word": word }, element("span", { class: "word" }, word), figures);
  const behind = { list: element("ol", { class: "plain posts" }), made: keyed() };
  return { line: element("li", {}, button, element("span", { class: "track" }, bar), behind.list), button, figures, bar, behind };
}

function examples({ list, made }, word, posts) {
  const key = (one) => `${spoken()} ${one.id} ${one.origin.partition} ${one.origin.offset}`;
  made.keep(posts.map(key));
  list.setAttribute("aria-label", t("driversPosts", { word }));
  arrange(list, posts.map((one) => aged(made.of(key(one), () => post(one)))));
}
