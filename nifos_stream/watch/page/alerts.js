// Alerts, those that go on first, each with its evidence.

import { byId, element, say } from "./dom.js";
import * as format from "./format.js";
import { poll, sentence } from "./poll.js";
import { post } from "./posts.js";
import { say as t } from "./text.js";

const EVERY_MS = 5000;
const LIMIT = 20;
const KINDS = ["surge", "threshold", "silence"];
const opened = new Set();
let latest = null;
let drawn = "";

/** Begin to follow the alerts. */
export function start() {
  const failed = (problem) => {
    drawn = "";
    byId("alerts-list").replaceChildren();
    say(byId("alerts-note"), sentence(problem));
  };
  const got = ({ alerts }) => {
    latest = alerts;
    translate();
  };
  poll("alerts", EVERY_MS, () => [["state", "all"], ["limit", LIMIT]], { got, failed }).again();
}

/** Say everything anew, in the language of now. */
export function translate() {
  if (!latest) return;
  say(byId("alerts-note"), latest.length ? "" : t("alertsNone"));
  const sorted = [...latest].sort((a, b) => (a.ended_at !== null) - (b.ended_at !== null) || Date.parse(b.started_at) - Date.parse(a.started_at));
  const items = sorted.map((alert) => [alert, times(alert)]);
  const key = JSON.stringify([items, t("alerts")]);
  if (key === drawn) return;
  drawn = key;
  byId("alerts-list").replaceChildren(...items.map(([alert, when]) => item(alert, when)));
}

function times({ started_at: started, ended_at: ended }) {
  const began = t("alertsBegan", { ago: format.ago(started) });
  return ended ? `${began} · ${t("alertsEnded", { ago: format.ago(ended) })}` : began;
}

function item(alert, when) {
  const going = alert.ended_at === null;
  const details = element("details", { open: opened.has(alert.id), ontoggle: () => (details.open ? opened.add(alert.id) : opened.delete(alert.id)) },
    element("summary", {}, t("evidence")), facts(alert.evidence), examples(alert.evidence));
  return element("li", { class: `alert ${going ? "open" : "ended"}` },
    element("p", { class: "post-head" },
      element("span", { class: "badge" }, KINDS.includes(alert.kind) ? t(alert.kind) : alert.kind), going ? element("strong", {}, t("alertsOpen")) : null, element("span", { class: "small" }, when)),
    element("p", { class: "summary" }, alert.summary), details);
}

function facts(evidence) {
  const numbers = Object.entries(evidence).filter(([, value]) => typeof value === "number" || typeof value === "string");
  return element("dl", { class: "facts" }, numbers.map(([name, value]) => element("div", {}, element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, typeof value === "number" ? String(Math.round(value * 1000) / 1000) : value))));
}

const examples = ({ posts }) => (posts?.length ? element("ol", { class: "plain posts" }, posts.map(post)) : null);
