// Numbers and times as a duty officer says them.

import type { AlertMessage } from "./messages";
import { isPair, type Track } from "./picture";

const FOOT_M = 0.3048;
const NAUTICAL_MILE_M = 1852;
const KNOT_MPS = NAUTICAL_MILE_M / 3600;

export function utc(time_s: number | null | undefined): string {
  if (time_s == null || !Number.isFinite(time_s)) return "–";
  return new Date(time_s * 1000).toISOString().slice(11, 19) + "Z";
}

export function day(time_s: number): string {
  return new Date(time_s * 1000).toISOString().slice(0, 10);
}

/** 75 → «1:15», 4000 → «1:06:40». Never negative. */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes}:${two(s % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`;
}

export function age(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return `${Math.round(s / 3600)} h`;
}

/** «FL350» of a pressure altitude, «1,240 ft HAE» of a height above the ellipsoid: the datum is always said. */
export function altitude(metres: number | null, datum: string): string {
  if (metres == null) return "";
  const feet = metres / FOOT_M;
  if (datum === "STD") return `FL${String(Math.max(0, Math.round(feet / 100))).padStart(3, "0")}`;
  const rounded = Math.round(feet / 10) * 10;
  return `${rounded.toLocaleString("en-GB")} ft${datum === "WGS84" ? " HAE" : ""}`;
}

export function knots(mps: number | null): string {
  return mps == null ? "" : `${Math.round(mps / KNOT_MPS)} kt`;
}

export function degrees(deg: number | null): string {
  return deg == null ? "" : `${String(Math.round(deg) % 360).padStart(3, "0")}°`;
}

export function climb(mps: number | null): string {
  if (mps == null || Math.abs(mps) < 1) return "";
  return mps > 0 ? "↑" : "↓";
}

/** Between two aircraft: nautical miles and feet, as separation is given. */
export function miles(value: number): string {
  return `${(value / NAUTICAL_MILE_M).toFixed(1)} NM`;
}

export function feet(value: number): string {
  return `${(Math.round(value / FOOT_M / 10) * 10).toLocaleString("en-GB")} ft`;
}

export function position(lat: number, lon: number): string {
  const part = (value: number, width: number, plus: string, minus: string) => {
    const a = Math.abs(value);
    let whole = Math.floor(a);
    let minutes = ((a - whole) * 60).toFixed(1);
    if (minutes === "60.0") [whole, minutes] = [whole + 1, "0.0"];
    return `${String(whole).padStart(width, "0")}°${minutes.padStart(4, "0")}′${value < 0 ? minus : plus}`;
  };
  return `${part(lat, 2, "N", "S")} ${part(((((lon + 180) % 360) + 360) % 360) - 180, 3, "E", "W")}`;
}

export function who(track: Track): string {
  return track.callsign || track.target || `track ${track.key}`;
}

export function squawk(code: number): string {
  return code < 0 ? "" : String(code).padStart(4, "0");
}

const KINDS: Record<string, string> = {
  APW: "Area proximity",
  STCA: "Short-term conflict",
  SPILL_OVER: "Spill-over",
  WELL_CLEAR: "Well clear lost",
};

export function kind(alert: AlertMessage): string {
  return KINDS[alert.kind] ?? alert.kind;
}

export type Severity = "actual" | "indeterminate" | "predicted" | "ended";

export function severity(alert: AlertMessage): Severity {
  if (alert.state === "ended" || alert.state === "reviewed") return "ended";
  if (alert.verdict === "ACTUAL" || alert.state === "actual") return "actual";
  if (alert.verdict === "INDETERMINATE") return "indeterminate";
  return "predicted";
}

/** The verdict's own word, or where the alert stands after its end. */
export function severityWord(alert: AlertMessage): string {
  switch (severity(alert)) {
    case "ended":
      return alert.state === "reviewed" ? "Reviewed" : "Ended";
    case "actual":
      return "Actual";
    case "indeterminate":
      return "Indeterminate";
    case "predicted":
      return alert.state === "candidate" ? "Candidate" : "Predicted";
  }
}

/** The one line of time: what is coming, or since when. ``due_s`` is what the newest picture predicts; the alert itself
 * has what was predicted when something last happened to it. */
export function timing(alert: AlertMessage, now_s: number, due_s: number | null = null): string {
  if (severity(alert) === "ended") return alert.ended_s ? `ended ${utc(alert.ended_s)}` : "ended";
  if (alert.inside_since_s != null) {
    const word = isPair(alert.kind) ? "separation lost since" : alert.kind === "SPILL_OVER" ? "across since" : "inside since";
    return `${word} ${utc(alert.inside_since_s)} (${age(now_s - alert.inside_since_s)})`;
  }
  const entry_s = due_s ?? alert.entry_s;
  if (entry_s != null) {
    const left = entry_s - now_s;
    const what = isPair(alert.kind) ? "loss of separation" : alert.kind === "SPILL_OVER" ? "crossing" : "entry";
    if (left <= 0.5 && severity(alert) === "indeterminate") return `in doubt since ${utc(entry_s)}`;
    return left > 0.5 ? `${what} in ${clock(left)}` : `${what} due ${utc(entry_s)}`;
  }
  return `since ${utc(alert.raised_s)}`;
}

/** A NOTAM's zone is named by its number and what it closes; the number is enough in a list. */
export function zoneName(id: string, name: string): string {
  return !name || (id && name.startsWith(id)) ? id : name;
}

/** Open alerts first, the worst first, then whoever is nearest to entry; then the ended ones, newest first. */
export function order(a: AlertMessage, b: AlertMessage): number {
  const rank: Record<Severity, number> = { actual: 0, indeterminate: 1, predicted: 2, ended: 3 };
  const sa = severity(a);
  const sb = severity(b);
  if (sa === "ended" || sb === "ended") {
    if (sa !== sb) return rank[sa] - rank[sb];
    return (b.ended_s ?? b.updated_s) - (a.ended_s ?? a.updated_s) || (a.id < b.id ? -1 : 1);
  }
  const ack = Number(a.state === "acknowledged") - Number(b.state === "acknowledged");
  return (
    ack || rank[sa] - rank[sb] || (a.entry_s ?? a.raised_s) - (b.entry_s ?? b.raised_s) || (a.id < b.id ? -1 : 1)
  );
}
