// The latest labelled posts: filtered, paused, kept apart from the numbers.

import { arrange, byId, choice, say } from "./dom.js";
import { SIGNS } from "./glance.js";
import { poll, sentence } from "./poll.js";
import { post } from "./posts.js";
import * as state from "./state.js";
import { say as t } from "./text.js";

const EVERY_MS = 2000;
const LIMIT = 50;
const TYPING_MS = 300;
let paused = false;
let known = new Map();
let shown = null;
let polling;
let labels;

/** Begin to follow the posts. */
export function start() {
  labels = choice(byId("feed-labels"), (label) => state.set({ label: label === "all" ? "" : label }));
  let typing;
  byId("feed-text").addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => state.set({ text: event.target.value.trim() }, { replace: true }), TYPING_MS);
  });
  byId("feed-pause").addEventListener("click", () => {
    paused = !paused;
    translate();
    if (!paused) again();
  });
  polling = poll("posts", EVERY_MS, query, { got, failed });
  translate();
  polling.again();
}

/** Ask for other posts; those of another question are hidden meanwhile. */
export function again() {
  forget();
  if (shown !== JSON.stringify(wanted())) {
    byId("feed-list").hidden = true;
    byId("feed").setAttribute("aria-busy", "true");
    say(byId("feed-note"), t("feedWaiting"));
  }
  polling.again();
}

function failed(problem) {
  byId("feed").setAttribute("aria-busy", "false");
  say(byId("feed-note"), sentence(problem));
}

/** Say everything anew, in the language of now. */
export function translate() {
  const { label, text } = state.get();
  labels([["all", t("all")], ...state.LABELS.map((one) => [one, `${SIGNS[one]} ${t(one)}`])], label || "all");
  const field = byId("feed-text");
  field.placeholder = t("feedText");
  if (document.activeElement !== field) field.value = text;
  const button = byId("feed-pause");
  say(button, t(paused ? "resume" : "pause"));
  button.setAttribute("aria-pressed", String(paused));
  if (paused) say(byId("feed-note"), t("feedPaused"));
}

/** Make every post anew, as after a change of language. */
export function forget() {
  known = new Map();
}

/** Nothing while paused, but where other posts are shown than those that are wanted. */
function query() {
  return paused && shown === JSON.stringify(wanted()) ? null : wanted();
}

function wanted() {
  const { label, text } = state.get();
  const pairs = [["limit", LIMIT], ...state.where()];
  if (label) pairs.push(["label", label]);
  if (text) pairs.push(["text", text]);
  return pairs;
}

function got({ posts }) {
  const first = known.size === 0;
  const next = new Map();
  for (const one of posts) {
    const key = `${one.origin.partition}/${one.origin.offset}/${one.id}`;
    const made = known.get(key) ?? post(one);
    if (!known.has(key) && !first) made.classList.add("new");
    made.age();
    next.set(key, made);
  }
  known = next;
  shown = JSON.stringify(wanted());
  byId("feed-list").hidden = false;
  byId("feed").setAttribute("aria-busy", "false");
  arrange(byId("feed-list"), [...next.values()]);
  say(byId("feed-note"), t(paused ? "feedPaused" : posts.length ? "feedLatest" : "feedNone"));
}
