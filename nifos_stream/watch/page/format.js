// Numbers and times as people read them, in the language that is spoken. Knows no document.

import { spoken } from "./text.js";

const LENGTHS = { s: [1, "초"], m: [60, "분"], h: [3600, "시간"], d: [86400, "일"], w: [604800, "주"] };
const MINUS = "−";
const UNITS = [[86400, "day", "일", "d"], [3600, "hour", "시간", "h"], [60, "minute", "분", "min"]];
const STEPS = { "10s": ["10초", "10 s"], "1m": ["1분", "1 min"], "1h": ["1시간", "1 h"], "1d": ["하루", "day"], month: ["달", "month"], year: ["해", "year"] };

/** 12,345 */
export const count = (number) => new Intl.NumberFormat(spoken()).format(number);

/** A share of `total` in percent, with a decimal where it would read 0 % otherwise. */
export function percent(part, total) {
  if (!total) return "–";
  const share = (100 * part) / total;
  return `${share > 0 && share < 9.95 ? share.toFixed(1) : share.toFixed(0)}%`;
}

/** −0.25, +0.10, 0.00; – where it is unknown. */
export function net(number) {
  return number === null || number === undefined ? "–" : signed(number, 2);
}

/** A number with its sign. */
export function signed(number, decimals) {
  const written = Math.abs(number).toFixed(decimals);
  if (Number(written) === 0) return written;
  return (number < 0 ? MINUS : "+") + written;
}

/** A rate: few decimals where it is small. */
export const rate = (number) => (number < 10 && number % 1 ? number.toFixed(1) : count(Math.round(number)));

/** A length of time in the largest unit that says it well. */
export function age(seconds) {
  const korean = spoken() === "ko";
  for (const [size, , ko, en] of UNITS) if (seconds >= 2 * size) return korean ? `${Math.round(seconds / size)}${ko}` : `${Math.round(seconds / size)} ${en}`;
  const written = seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0);
  return korean ? `${written}초` : `${written} s`;
}

/** "3 minutes ago", from a time as JSON has it. */
export function ago(moment, now = Date.now()) {
  const seconds = (Date.parse(moment) - now) / 1000;
  if (!Number.isFinite(seconds)) return "";
  const [size, unit] = UNITS.find(([size]) => Math.abs(seconds) >= size) ?? [1, "second"];
  return new Intl.RelativeTimeFormat(spoken(), { numeric: "auto", style: "short" }).format(Math.trunc(seconds / size), unit);
}

/** Day and time in the time zone of the counts, which is that of the text: 2026-05-01 09:30 */
export const moment = (text) => text.slice(0, 16).replace("T", " ");

/** Day and time, or the time alone where the day goes without saying; seconds where the step is that fine. */
export function stepStart(text, step) {
  const [day, time] = text.split("T");
  if (step === "10s") return time.slice(0, 8);
  if (step === "1m") return time.slice(0, 5);
  if (step === "1h") return `${day.slice(5)} ${time.slice(0, 5)}`;
  return step === "month" ? day.slice(0, 7) : step === "year" ? day.slice(0, 4) : day;
}

/** A window such as 24h in words; as it stands where it is none. */
export function window(text) {
  const [, number, unit] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  if (!unit) return text;
  return spoken() === "ko" ? `${number}${LENGTHS[unit][1]}` : `${number} ${unit}`;
}

/** Seconds of a window such as 24h; NaN where it is none. */
export function seconds(text) {
  const [, number, unit] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  return unit ? number * LENGTHS[unit][0] : NaN;
}

/** From and to: as days, the last one among them, where both are midnights. */
export function span(from, to) {
  const [first, last] = [day(from), to && lastDay(to)];
  if (first && (last || !to)) return first === last ? first : `${first} – ${last}`;
  const [begin, end] = [moment(from), moment(to)];
  return `${begin} – ${begin.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end}`;
}

/** The day of a midnight, or of a date; "" of any other time. */
export const day = (text) => (/^\d{4}-\d\d-\d\d(T00:00(:00)?([+-].*|Z)?)?$/.test(text) ? text.slice(0, 10) : "");

/** The day that a midnight ends. */
export const lastDay = (text) => day(text) && daysOn(day(text), -1);

/** The date so many days on. */
export function daysOn(date, days) {
  return new Date(Date.parse(`${date}T00:00Z`) + 86400000 * days).toISOString().slice(0, 10);
}

/** The length of a step of the series. */
export const step = (name) => STEPS[name][spoken() === "ko" ? 0 : 1];
