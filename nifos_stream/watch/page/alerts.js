// Alerts, those that go on first, each with its evidence.

import { arrange, byId, element, keyed, say } from "./dom.js";
import * as evidence from "./evidence.js";
import * as format from "./format.js";
import { poll, sentence } from "./poll.js";
import { aged, post } from "./posts.js";
import { say as t, spoken } from "./text.js";

const EVERY_MS = 5000;
const LIMIT = 20;
const KINDS = ["surge", "threshold", "silence"];
const items = keyed();
let latest = null;
let trouble = null;

let polling;

/** Begin to follow the alerts. */
export function start() {
  const failed = (problem) => {
    trouble = problem;
    translate();
  };
  const got = ({ alerts }) => {
    trouble = null;
    latest = alerts.map((alert) => ({ ...alert, evidence: evidence.usable(alert.evidence) }));
    translate();
  };
  polling = poll("alerts", EVERY_MS, () => [["state", "all"], ["limit", LIMIT]], { got, failed });
  again();
}

/** Ask anew. */
export const again = () => polling.again();

/** Say everything anew, in the language of now. */
export function translate() {
  say(byId("alerts-note"), trouble ? sentence(trouble) : latest?.length === 0 ? t("alertsNone") : "");
  if (!latest) return;
  const sorted = [...latest].sort((a, b) => (a.ended_at !== null) - (b.ended_at !== null) || Date.parse(b.started_at) - Date.parse(a.started_at));
  items.keep(sorted.map(({ id }) => id));
  arrange(byId("alerts-list"), sorted.map((alert) => show(alert)));
}

function times({ started_at: started, ended_at: ended }) {
  const began = t("alertsBegan", { ago: format.ago(started) });
  return ended ? `${began} · ${t("alertsEnded", { ago: format.ago(ended) })}` : began;
}

function show(alert) {
  const { item, kind, open, when, summary, more, numbers, posts } = items.of(alert.id, make);
  const going = alert.ended_at === null;
  item.className = `alert ${going ? "open" : "ended"}`;
  say(kind, KINDS.includes(alert.kind) ? t(alert.kind) : alert.kind);
  say(open, t("alertsOpen"));
  open.hidden = !going;
  say(when, times(alert));
  say(summary, evidence.sentence(alert));
  say(more, t("evidence"));
  facts(numbers, evidence.facts(alert));
  examples(posts, alert.evidence.posts);
  return item;
}

/** The parts of an alert, which stay the same while what they say changes, so that focus and what is open stay. */
function make() {
  const [kind, when] = [element("span", { class: "badge" }), element("span", { class: "small" })];
  const [open, summary, more] = [element("strong"), element("p", { class: "summary" }), element("summary")];
  const numbers = element("dl", { class: "facts" });
  const posts = { list: element("ol", { class: "plain posts" }), made: keyed() };
  const item = element("li", {}, element("p", { class: "post-head" }, kind, open, when), summary, element("details", {}, more, numbers, posts.list));
  return { item, kind, open, when, summary, more, numbers: { list: numbers, made: keyed() }, posts };
}

function facts({ list, made }, shown) {
  made.keep(shown.map(([name]) => name));
  arrange(list, shown.map(([name, value]) => {
    const { group, number } = made.of(name, () => {
      const number = element("dd");
      return { number, group: element("div", {}, element("dt", {}, name), number) };
    });
    say(number, value);
    return group;
  }));
}

function examples({ list, made }, posts) {
  const key = (one) => `${spoken()} ${one.id} ${JSON.stringify(one.origin ?? null)}`;
  made.keep(posts.map(key));
  list.hidden = !posts.length;
  arrange(list, posts.map((one) => aged(made.of(key(one), () => post(one)))));
}
