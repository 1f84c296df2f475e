// The picture on this side: tracks by key, kept up to date by whole messages and differences.

import type { PictureMessage, Situations } from "./messages";

export const LIVE = 1;
export const STALE = 2;
export const ENDED = 3;
export const SPOOFING_SUSPECTED = 1;

/** Positions kept of each track: two minutes and more at one a second, spread wider for slow feeds. */
export const TRAIL_MAX = 80;
const TRAIL_STEP_S = 2;

export interface Track {
  key: number;
  lon: number;
  lat: number;
  altitude_m: number | null;
  ground_speed_mps: number | null;
  track_deg: number | null;
  vertical_rate_mps: number | null;
  time_s: number | null;
  status: number;
  flags: number;
  exempt: boolean;
  altitude_datum: string;
  target: string;
  callsign: string;
  source: string;
  domain: number;
  category: number;
  squawk: number;
  trail: [number, number][];
  trail_s: number;
}

export type Concern = "none" | "exempt" | "predicted" | "indeterminate" | "actual";
const WORSE: Record<Concern, number> = { none: 0, exempt: 1, predicted: 2, indeterminate: 3, actual: 4 };

export class Picture {
  readonly tracks = new Map<number, Track>();
  now_s: number | null = null;
  omitted = 0;
  situations: Situations | null = null;
  /** The worst that is said of each track. */
  concern = new Map<number, Concern>();
  private dueAt = new Map<string, number>();

  apply(message: PictureMessage): void {
    const seen = message.full ? new Set(message.key) : null;
    if (seen) for (const key of this.tracks.keys()) if (!seen.has(key)) this.tracks.delete(key);
    for (const key of message.gone) this.tracks.delete(key);
    for (let i = 0; i < message.key.length; i++) this.move(message, i);
    const names = message.names;
    for (let i = 0; i < names.key.length; i++) {
      const track = this.tracks.get(names.key[i]!);
      if (!track) continue;
      track.altitude_datum = names.altitude_datum[i]!;
      track.target = names.target[i]!;
      track.callsign = names.callsign[i]!;
      track.source = names.source[i]!;
      track.domain = names.domain[i]!;
      track.category = names.category[i]!;
      track.squawk = names.squawk[i]!;
    }
    this.now_s = message.now_s;
    this.omitted = message.tracks_omitted;
    this.situations = message.situations;
    this.judge();
  }

  clear(): void {
    this.tracks.clear();
    this.concern.clear();
    this.situations = null;
    this.now_s = null;
    this.omitted = 0;
  }

  count(status: number): number {
    let n = 0;
    for (const track of this.tracks.values()) if (track.status === status) n++;
    return n;
  }

  private move(message: PictureMessage, i: number): void {
    const key = message.key[i]!;
    const lon = message.lon_deg[i];
    const lat = message.lat_deg[i];
    if (lon == null || lat == null) return;
    let track = this.tracks.get(key);
    if (!track) {
      track = {
        key, lon, lat, altitude_m: null, ground_speed_mps: null, track_deg: null, vertical_rate_mps: null,
        time_s: null, status: LIVE, flags: 0, exempt: false, altitude_datum: "", target: "", callsign: "",
        source: "", domain: 0, category: 0, squawk: -1, trail: [], trail_s: -Infinity,
      };
      this.tracks.set(key, track);
    }
    const time = message.time_s[i] ?? message.now_s;
    if (time >= track.trail_s + TRAIL_STEP_S) {
      track.trail.push([lon, lat]);
      track.trail_s = time;
      if (track.trail.length > TRAIL_MAX) track.trail.shift();
    }
    track.lon = lon;
    track.lat = lat;
    track.altitude_m = message.altitude_m[i] ?? null;
    track.ground_speed_mps = message.ground_speed_mps[i] ?? null;
    track.track_deg = message.track_deg[i] ?? null;
    track.vertical_rate_mps = message.vertical_rate_mps[i] ?? null;
    track.time_s = message.time_s[i] ?? null;
    track.status = message.status[i]!;
    track.flags = message.flags[i]!;
    track.exempt = message.exempt[i] === 1;
  }

  /** When the zone is entered or separation lost by the newest picture; null where nothing such is predicted now. */
  due(kind: string, key: number, other: string): number | null {
    return this.dueAt.get(`${kind} ${key} ${other}`) ?? null;
  }

  private judge(): void {
    this.concern.clear();
    this.dueAt.clear();
    const raise = (key: number, concern: Concern) => {
      if (WORSE[concern] > WORSE[this.concern.get(key) ?? "none"]) this.concern.set(key, concern);
    };
    for (const track of this.tracks.values()) if (track.exempt) raise(track.key, "exempt");
    const s = this.situations;
    if (!s) return;
    for (let i = 0; i < s.key.length; i++) {
      const left = s.time_to_s[i];
      if (left != null && left > 0 && this.now_s != null) this.dueAt.set(`${s.kind[i]} ${s.key[i]} ${s.other[i]}`, this.now_s + left);
      const verdict = s.verdict[i]!.toLowerCase();
      const concern: Concern = s.exempt[i] ? "exempt" : verdict in WORSE ? (verdict as Concern) : "none";
      raise(s.key[i]!, concern);
      if (isPair(s.kind[i]!)) raise(Number(s.other[i]), concern);
    }
  }
}

export interface Separation {
  horizontal_m: number;
  /** null where the two altitudes are of different datums, or one is not known */
  vertical_m: number | null;
}

const EARTH_RADIUS_M = 6_371_008.8;

/** How far apart two tracks of the picture are: for reading, on a sphere; verdicts are made on the ellipsoid. */
export function separation(a: Track, b: Track): Separation {
  const rad = Math.PI / 180;
  const s = Math.sin(((b.lat - a.lat) * rad) / 2) ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(((b.lon - a.lon) * rad) / 2) ** 2;
  const alike = a.altitude_m != null && b.altitude_m != null && a.altitude_datum === b.altitude_datum;
  return { horizontal_m: 2 * EARTH_RADIUS_M * Math.asin(Math.sqrt(Math.min(1, s))), vertical_m: alike ? Math.abs(a.altitude_m! - b.altitude_m!) : null };
}

export function isPair(kind: string): boolean {
  return kind === "STCA" || kind === "WELL_CLEAR";
}
