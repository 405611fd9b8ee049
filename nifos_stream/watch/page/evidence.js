// What an alert says, in the language of the page: one sentence, and the numbers it rests on. Knows no document.

import * as format from "./format.js";
import { has, say as t } from "./text.js";

const isShare = (metric) => metric.endsWith("_share");
const label = (metric) => metric.replace("_share", "");

const NUMBERS = ["usual", "ratio", "number", "line", "days", "score"];
const LABELS = ["negative", "neutral", "positive"];
const isMoment = (written) => typeof written === "string" && Number.isFinite(Date.parse(written));
const isText = (written) => typeof written === "string";
const isList = (words) => words === undefined || words === null || (Array.isArray(words) && words.every(isText));

/** The evidence as far as it can be shown: whoever else wrote the alert may have put anything there. */
export function usable(evidence) {
  const { from, to, count, posts, drivers } = evidence;
  const numbers = NUMBERS.filter((name) => Number.isFinite(evidence[name])).map((name) => [name, evidence[name]]);
  return {
    ...Object.fromEntries(numbers),
    ...(isMoment(from) && isMoment(to) ? { from, to } : {}),
    ...(count && [...LABELS, "total"].every((name) => Number.isFinite(count[name])) ? { count } : {}),
    ...(Array.isArray(drivers?.words) && Number.isFinite(drivers.posts) ? { drivers: { posts: drivers.posts, words: drivers.words.map((one) => one?.word).filter(isText) } } : {}),
    posts: Array.isArray(posts) ? posts.filter(isPost) : [],
  };
}

function isPost(one) {
  return one && isText(one.text) && LABELS.includes(one.label) && isMoment(one.created_at)
    && isText(one.title ?? "") && isList(one.keywords) && isList(one.matched_keywords);
}

/** One sentence; the server's own where the numbers for it are missing. */
export function sentence(alert) {
  const { kind, metric, evidence } = alert;
  if (metric !== "posts" && !LABELS.includes(label(metric))) return alert.summary;
  const values = { ...said(alert), length: length(evidence) };
  if (kind === "silence") return compose(alert, evidence.usual === undefined ? "alertSilence" : "alertSilenceUsual", values);
  if (kind === "surge") return compose(alert, isShare(metric) ? "alertSurgeShare" : "alertSurge", values);
  const above = evidence.number > evidence.line;
  return compose(alert, above ? "alertAbove" : "alertBelow", values);
}

function compose(alert, key, values) {
  const whole = t(key, values);
  return has(key) && !whole.includes("undefined") ? `${whose(alert)}: ${whole}` : alert.summary;
}

function whose({ dimension, value }) {
  if (value === null) return t("alertAll");
  return has(dimension) ? `${t(dimension)} ${value}` : `${dimension} ${value}`;
}

/** The numbers as people read them, by name; undefined where there is none. */
function said({ metric, evidence: { count, usual, ratio, number, line } }) {
  const as = (one) => one === undefined ? undefined : isShare(metric) ? format.percent(one, 1) : format.rate(one);
  const counted = (one) => one === undefined ? undefined : format.count(one);
  const [part, total] = [count?.[metric === "posts" ? "total" : label(metric)], count?.total];
  const what = LABELS.includes(label(metric)) ? t("alertOf", { label: t(label(metric)) }) : t("alertPosts");
  const share = LABELS.includes(label(metric)) ? t("alertShareOf", { label: t(label(metric)) }) : "";
  return {
    what, share, measured: isShare(metric) ? share : what,
    seen: isShare(metric) && part !== undefined ? format.percent(part, total) : counted(part),
    usual: as(usual), ratio: ratio === undefined ? undefined : ratio.toFixed(1), number: as(number), line: as(line),
    part: counted(part), total: counted(total),
  };
}

function length({ from, to }) {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  return Number.isFinite(seconds) ? format.age(seconds) : undefined;
}

/** [name, value] of each number. */
export function facts(alert) {
  const { from, to, count, days, score, line: least, drivers } = alert.evidence;
  const { usual, ratio, number, line } = said(alert);
  // The line of a surge is one of its score.
  const rare = score === undefined ? undefined : `${score.toFixed(1)} (${t("factLine")} ${least?.toFixed(1) ?? "–"})`;
  const shown = [
    ["factWindow", from && to && `${format.moment(from).slice(5)} – ${to.slice(11, 16)}`],
    ["factCount", count && format.count(count.total)],
    ...LABELS.map((one) => [one, count && `${format.count(count[one])} · ${format.percent(count[one], count.total)}`]),
    ["factNumber", number], ["factLine", score === undefined ? line : undefined], ["factUsual", usual], ["factRatio", ratio && `× ${ratio}`],
    ["factScore", rare], ["factDays", days === undefined ? undefined : format.count(days)],
    ["factWords", drivers?.words.length ? t("factWordsOf", { words: drivers.words.join(", "), posts: format.count(drivers.posts) }) : undefined],
  ];
  return shown.filter(([, value]) => value !== undefined).map(([name, value]) => [t(name), value]);
}
