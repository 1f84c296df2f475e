// The shapes that the server sends; server/messages.py says what each field means.

export interface Names {
  key: number[];
  altitude_datum: string[];
  target: string[];
  callsign: string[];
  source: string[];
  domain: number[];
  category: number[];
  squawk: number[];
}

export interface Situations {
  kind: string[];
  key: number[];
  other: string[];
  verdict: string[];
  time_to_s: (number | null)[];
  at_lon_deg: (number | null)[];
  at_lat_deg: (number | null)[];
  exempt: boolean[];
}

export interface PictureMessage {
  now_s: number;
  full: boolean;
  tracks: number;
  tracks_omitted: number;
  situations_omitted: number;
  key: number[];
  lon_deg: (number | null)[];
  lat_deg: (number | null)[];
  altitude_m: (number | null)[];
  ground_speed_mps: (number | null)[];
  track_deg: (number | null)[];
  vertical_rate_mps: (number | null)[];
  time_s: (number | null)[];
  status: number[];
  flags: number[];
  exempt: number[];
  names: Names;
  gone: number[];
  situations: Situations;
}

export interface AlertMessage {
  id: string;
  kind: string;
  state: "candidate" | "predicted" | "actual" | "acknowledged" | "ended" | "reviewed";
  verdict: string;
  who: string;
  raised_s: number;
  updated_s: number;
  target?: string | null;
  track_key?: number | null;
  other_key?: number | null;
  other_who?: string | null;
  zone_id?: string | null;
  zone_name?: string | null;
  zone_version?: string | null;
  zone_type?: string | null;
  confidence?: number | null;
  entry_s?: number | null;
  inside_since_s?: number | null;
  ended_s?: number | null;
  acknowledged_s?: number | null;
  acknowledged_by?: string | null;
  lon_deg?: number | null;
  lat_deg?: number | null;
  horizontal_m?: number | null;
  horizontal_min_m?: number | null;
  vertical_m?: number | null;
  review?: string | null;
  assumed_active?: boolean | null;
  note?: string | null;
}

export interface FeedHealth {
  name: string;
  state: "UP" | "DEGRADED" | "DOWN" | "ENDED";
  lag_s: number | null;
  rate_hz: number | null;
  last_s: number | null;
  reports: number;
  faults: number;
  note: string;
}

export interface HealthMessage {
  now_s: number;
  state: "OK" | "DEGRADED" | "OVERLOAD" | "ENDED";
  reasons: string[];
  simulated: boolean;
  recorded?: boolean | null;
  feeds: FeedHealth[];
  cycle_ms?: number | null;
  cycle_ms_p99?: number | null;
  note?: string | null;
}

export interface CoverageMessage {
  cell_deg: number;
  lon_deg: number[];
  lat_deg: number[];
  heard_s: (number | null)[];
  text?: string;
}

export interface SnapshotMessage {
  id: string;
  software: string;
  picture: PictureMessage | null;
  alerts: AlertMessage[];
  alerts_dropped: number;
  health: HealthMessage | null;
  coverage: CoverageMessage | null;
  zones_version: number;
}

export interface Heartbeat {
  server_s: number;
  picture_age_s: number | null;
  id: string;
}
