// Numbers, times and durations in words.

const number = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const formatNumber = (n) => (n == null ? "–" : Math.abs(n) < 1e6 ? number.format(n) : compact.format(n));
export const plural = (n, one, many = `${one}s`) => `${formatNumber(n)} ${n === 1 ? one : many}`;

// "12 ms", "3.4 s", "5 min", "2 h 10 min", "3 d 4 h"
export function formatDuration(ms) {
  if (ms == null) {
    return "–";
  }
  if (ms < 1000) {
    return `${Math.round(ms)} ms`;
  }
  const s = ms / 1000;
  if (s < 60) {
    return s < 10 ? `${Math.round(s * 10) / 10} s` : `${Math.round(s)} s`;
  }
  const minutes = Math.round(s / 60);
  const pair = (big, bigUnit, small, smallUnit) => `${big} ${bigUnit}${small ? ` ${small} ${smallUnit}` : ""}`;
  if (minutes < 60) {
    return `${minutes} min`;
  }
  if (minutes < 24 * 60) {
    return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  }
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

// "now", "12 s ago", "in 5 min"; whole units, since it is read again and again.
export function formatRelative(atMs, nowMs) {
  const away = Math.abs(atMs - nowMs);
  if (away < 1500) {
    return "now";
  }
  const words = formatDuration(away < 60000 ? Math.round(away / 1000) * 1000 : away);
  return atMs > nowMs ? `in ${words}` : `${words} ago`;
}

const absolute = new Intl.DateTimeFormat("en-GB", {
  year: "numeric", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  fractionalSecondDigits: 3, hour12: false, timeZoneName: "short",
});
export const formatAbsolute = (at) => absolute.format(new Date(at));

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hour12: false });
export const formatClock = (at) => clock.format(new Date(at));

// What people type as a time, of this clock where it names no zone ("09:15", which is yesterday's where today's
// lies ahead, "2026-11-23", "2026-11-23 09:15"), as the host takes it; all else ("2d") as it is.
export function timeTyped(text, nowMs = Date.now()) {
  const [, day, hours] = /^(\d{4}-\d\d-\d\d)?[ T]?(\d\d:\d\d(?::\d\d)?)?$/.exec(text) || [];
  const at = new Date(day ? `${day}T${hours || "00:00"}` : `${new Date(nowMs).toDateString()} ${hours}`);
  if (Number.isNaN(at.getTime())) {
    return text;
  }
  if (!day && at > nowMs) {
    at.setDate(at.getDate() - 1);
  }
  return at.toISOString().replace(".000Z", "Z");
}

// Of texts of others: controls, and what turns the direction of what follows around, as JSON would escape
// them, so that what is seen is what is there.
export const visible = (text) => text.replace(
  /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
  (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);

// An id, also one that is kept as it was written (api.js).
export const idWords = (id) => visible(typeof id === "object" ? JSON.stringify(id) : String(id));
export const recordWords = (record) => (record ? `${record.type} ${idWords(record.id)}` : "–");
