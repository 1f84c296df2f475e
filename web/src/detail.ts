// The card of the chosen track or zone, and the line under the pointer.

import type { Feature } from "geojson";
import type { AlertMessage } from "./messages";
import { byId, make } from "./page";
import { type Concern, LIVE, SPOOFING_SUSPECTED, type Track } from "./picture";
import { age, altitude, degrees, knots, position, squawk, utc, who, zoneName } from "./words";

const DOMAIN = ["", "aircraft", "vehicle", "ship"];
const CATEGORY = ["", "fixed wing", "rotary wing", "uncrewed", "other"];
const CONCERN: Record<Concern, string> = {
  none: "", exempt: "exempt by the zone’s own terms", predicted: "PREDICTED: to enter, or to come too close", indeterminate: "INDETERMINATE: within the stated accuracies", actual: "ACTUAL: inside, or separation lost",
};

export function hideDetail(): void {
  byId("card").hidden = true;
}

function show(title: string, sub: string, rows: [string, string][], after: HTMLElement[], onClose: () => void): void {
  const close = make("button", "close", "✕");
  close.setAttribute("type", "button");
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", onClose);
  const list = make("dl");
  for (const [name, value] of rows) if (value) list.append(make("dt", "", name), make("dd", "", value));
  const card = byId("card");
  const kept = card.querySelector("pre")?.scrollTop ?? 0;
  card.replaceChildren(close, make("h2", "", title), make("p", "quiet", sub), list, ...after);
  card.hidden = false;
  const text = card.querySelector("pre");
  if (text) text.scrollTop = kept;
}

export function showTrack(track: Track, concern: Concern, alerts: AlertMessage[], now_s: number, onClose: () => void): void {
  const heard = track.time_s == null ? "" : `${utc(track.time_s)} (${age(now_s - track.time_s)} ago)`;
  show(
    who(track),
    [CATEGORY[track.category] || DOMAIN[track.domain], track.status === LIVE ? "" : "stale", track.flags & SPOOFING_SUSPECTED ? "position suspect: impossible jump" : ""].filter(Boolean).join(" · "),
    [
      ["Identity", track.target],
      ["Altitude", altitude(track.altitude_m, track.altitude_datum)],
      ["Speed", knots(track.ground_speed_mps)],
      ["Track", degrees(track.track_deg)],
      ["Climb", track.vertical_rate_mps == null ? "" : `${Math.round((track.vertical_rate_mps / 0.3048) * 60).toLocaleString("en-GB")} ft/min`],
      ["Squawk", squawk(track.squawk)],
      ["Position", position(track.lat, track.lon)],
      ["Last report", heard],
      ["Heard by", track.source],
      ["Verdict", CONCERN[concern]],
      ["Alerts", alerts.map((a) => `${a.kind} ${zoneName(a.zone_id ?? "", a.zone_name ?? "") || (a.track_key === track.key ? a.other_who : a.who) || ""}`).join(", ")],
    ],
    [],
    onClose,
  );
}

export function showZone(zone: Feature, onClose: () => void): void {
  const p = zone.properties as Record<string, string | boolean | number>;
  const text = String(p["text"] ?? "");
  const body = text ? [make("h3", "", "As published"), make("pre", "", text)] : [];
  for (const pre of body) if (pre.tagName === "PRE") pre.tabIndex = 0;
  show(
    String(p["name"] || p["zone_id"]),
    `${String(p["type"]).toLowerCase().replaceAll("_", " ")} · ${p["in_force"] ? (p["assumed"] ? "assumed in force" : "in force") : "not in force"}`,
    [
      ["Zone", `${p["zone_id"]}, version ${p["version"]}`],
      ["Limits", String(p["limits"])],
      ["Restriction", String(p["restriction"] ?? "").toLowerCase().replaceAll("_", " ")],
      ["Valid", String(p["valid"] ?? "")],
      ["Authority", String(p["authority"] ?? "")],
      ["Decision", String(p["decision_ref"] ?? "")],
      ["Recognition", String(p["recognition"] ?? "")],
      ["Exempt", String(p["exemptions"] ?? "")],
      ["Buffer", p["buffer_m"] ? `${p["buffer_m"]} m` : ""],
      ["Edges", String(p["edges"] ?? "").toLowerCase()],
      ["Read from", String(p["origin"] ?? "")],
    ],
    body,
    onClose,
  );
}

export function showHover(track: Track | null, x: number, y: number): void {
  const hover = byId("hover");
  hover.hidden = !track;
  if (!track) return;
  hover.textContent = [who(track), altitude(track.altitude_m, track.altitude_datum), knots(track.ground_speed_mps), degrees(track.track_deg), track.exempt ? "exempt" : ""].filter(Boolean).join(" · ");
  hover.style.transform = `translate(${Math.round(x + 14)}px, ${Math.round(y + 14)}px)`;
}
