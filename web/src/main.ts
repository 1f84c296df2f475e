// The page, wired: the link feeds the picture, the picture feeds the map, and whatever is wrong is said at once.

import type { FeatureCollection } from "geojson";
import "maplibre-gl/dist/maplibre-gl.css";
import "./style.css";
import { Alerts } from "./alerts";
import { Chart, type Choice } from "./chart";
import { hideDetail, showHover, showTrack, showZone } from "./detail";
import { type Banner, healthBanners, renderBanners, renderFeeds } from "./health";
import { TOGGLES } from "./layers";
import { Link, LOST_AFTER_MS } from "./link";
import type { AlertMessage, CoverageMessage, HealthMessage } from "./messages";
import { byId, make, say } from "./page";
import { LIVE, Picture, STALE } from "./picture";
import { palette, preferredTheme, type Theme } from "./theme";
import { age, day, utc } from "./words";

/** A picture older than this, over a link that is up, means that the watch itself has stopped. */
const STALLED_AFTER_S = 8;

const picture = new Picture();
const alerts = new Alerts();
const chart = new Chart(byId("map"), preferredTheme());
chart.picture = picture;
let health: HealthMessage | null = null;
let coverage: CoverageMessage | null = null;
let choice: Choice | null = null;
let pictureArrived = performance.now();
let pictureAge_s: number | null = null;
let zonesVersion = -1;
let everConnected = false;
let basemapMissing = "";

/** What a test, or a person at the developer's console, may look at. */
const state = { ready: false, tracks: 0, alerts: 0, zones: 0, lost: false, snapshots: 0, gaps: 0, lastId: "", pictures: 0, basemap: false };
declare global {
  interface Window {
    keepclear: typeof state;
  }
}
window.keepclear = state;

/** The time of the traffic: that of the picture, running on between two pictures while all is well. */
function dataNow(): number {
  const running = lost() || stalled() || health?.state === "ENDED" ? 0 : Math.min(2, (performance.now() - pictureArrived) / 1000);
  return (picture.now_s ?? 0) + running;
}

function lost(): boolean {
  return link.silence_ms() > LOST_AFTER_MS;
}

function stalled(): boolean {
  return pictureAge_s != null && pictureAge_s > STALLED_AFTER_S && health?.state !== "ENDED";
}

const link = new Link(new URL("events", document.baseURI).href, {
  snapshot(message) {
    everConnected = true;
    picture.clear();
    if (message.picture) picture.apply(message.picture);
    alerts.replace(message.alerts, message.alerts_dropped);
    health = message.health;
    coverage = message.coverage;
    pictureArrived = performance.now();
    chart.setCoverage(coverage);
    fetchZones(message.zones_version);
    chart.show(picture);
    renderHealth();
    renderCoverageText();
    tick();
  },
  picture(message) {
    picture.apply(message);
    pictureArrived = performance.now();
    pictureAge_s = 0;
    state.pictures++;
    chart.show(picture);
    tick();
  },
  alert(message) {
    alerts.take(message);
    tick();
  },
  health(message) {
    health = message;
    renderHealth();
    tick();
  },
  coverage(message) {
    coverage = message;
    chart.setCoverage(message);
    renderCoverageText();
  },
  zones: fetchZones,
  heartbeat(message) {
    pictureAge_s = message.picture_age_s;
    tick();
  },
});

function fetchZones(version: number): void {
  const key = link.lastId.slice(0, link.lastId.lastIndexOf("-")) + version;
  if (fetchedZones === key) return;
  fetchedZones = key;
  zonesVersion = version;
  fetch(new URL("api/zones", document.baseURI))
    .then((answer) => (answer.ok ? (answer.json() as Promise<FeatureCollection>) : Promise.reject(new Error(String(answer.status)))))
    .then((zones) => {
      chart.setZones(zones);
      const ids = new Set(zones.features.filter((f) => f.properties?.["in_force"]).map((f) => f.properties?.["zone_id"] as string));
      state.zones = ids.size;
      say(byId("inforce"), String(ids.size));
      chart.show(picture);
    })
    .catch(() => {
      fetchedZones = "";
      window.setTimeout(() => fetchZones(zonesVersion), 2_000);
    });
}
let fetchedZones = "";

function renderHealth(): void {
  renderFeeds(health);
  byId("simulated").hidden = !health?.simulated;
}

function renderCoverageText(): void {
  const box = byId("alerts-coverage");
  say(box, coverage ? coverage.text || "No alert means something only where a sensor was heard: see the layer «Coverage»." : "Coverage is not reported: no alert does not mean that nobody was there.");
}

function banners(): Banner[] {
  const list: Banner[] = [];
  if (lost()) {
    const since = age(link.silence_ms() / 1000);
    const what = picture.now_s == null ? "There is no picture." : `The picture is that of ${utc(picture.now_s)} and does not move.`;
    list.push({ id: "lost", level: "lost", title: "Connection lost", text: `Nothing heard from the server for ${since}. ${what} Trying again.` });
  } else if (stalled()) {
    list.push({ id: "stalled", level: "lost", title: "Picture stalled", text: `The watch has given no picture for ${age(pictureAge_s ?? 0)}; the server itself answers.` });
  }
  list.push(...healthBanners(health));
  if (picture.omitted > 0) list.push({ id: "omitted", level: "bad", title: "Tracks left out", text: `${picture.omitted} tracks are more than this page draws. They are watched all the same.` });
  if (basemapMissing) list.push({ id: "basemap", level: "note", title: "No basemap", text: basemapMissing });
  return list;
}

function tick(): void {
  const now_s = dataNow();
  state.lost = lost();
  state.tracks = picture.tracks.size;
  state.alerts = alerts.open();
  state.snapshots = link.snapshots;
  state.gaps = link.gaps;
  state.lastId = link.lastId;
  document.body.classList.toggle("lost", state.lost || stalled());
  const clock = byId("clock");
  say(clock.firstChild as unknown as HTMLElement, picture.now_s == null ? "--:--:--" : utc(now_s).slice(0, 8));
  (clock as HTMLTimeElement).dateTime = picture.now_s == null ? "" : new Date(now_s * 1000).toISOString();
  say(clock.querySelector("small")!, picture.now_s == null ? "UTC" : `UTC ${day(now_s)}`);
  const status = byId("status");
  const word = state.lost ? (everConnected ? "lost" : "starting") : stalled() ? "stalled" : (health?.state.toLowerCase() ?? (everConnected ? "ok" : "starting"));
  status.dataset["state"] = word;
  say(status, { lost: "Connection lost", starting: "Connecting", stalled: "Stalled", ok: health?.recorded ? "Recording" : "Live", degraded: "Degraded", overload: "Overload", ended: "Ended" }[word] ?? word);
  say(byId("live"), everConnected ? String(picture.count(LIVE)) : "–");
  say(byId("stale"), everConnected ? String(picture.count(STALE)) : "–");
  document.title = state.lost || stalled() ? "Connection lost · Keepclear" : state.alerts ? `(${state.alerts}) Keepclear` : "Keepclear";
  renderBanners(banners());
  alerts.render(now_s, picture);
  renderChoice(now_s);
}

function choose(next: Choice | null): void {
  choice = next;
  chart.select(next?.kind === "track" ? next.key : -1);
  if (!next) hideDetail();
  else if (next.kind === "zone") showZone(chart.zones.features[next.key]!, () => choose(null));
  else renderChoice(dataNow());
}

function renderChoice(now_s: number): void {
  if (choice?.kind !== "track") return;
  const key = choice.key;
  const track = picture.tracks.get(key);
  if (!track) return choose(null);
  const about = [...alerts.all.values()].filter((a) => (a.track_key === key || a.other_key === key) && a.state !== "ended");
  showTrack(track, picture.concern.get(key) ?? "none", about, now_s, () => choose(null));
}

function go(alert: AlertMessage): void {
  const track = alert.track_key == null ? undefined : picture.tracks.get(alert.track_key);
  if (track) choose({ kind: "track", key: track.key });
  const lon = track?.lon ?? alert.lon_deg;
  const lat = track?.lat ?? alert.lat_deg;
  if (lon != null && lat != null) chart.fly(lon, lat);
}

function setTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  const button = byId("theme");
  say(button, theme === "dark" ? "Light" : "Dark");
  if (chart.themeShown !== theme) chart.setTheme(theme);
  renderLegend(theme);
}

function renderLegend(theme: Theme): void {
  const p = palette(theme);
  const rows: [string, string, string][] = [
    ["ring full", p.actual, "actual: inside, or separation lost"],
    ["ring", p.predicted, "predicted; dashed line to the place of entry, with time to it"],
    ["ring half", p.indeterminate, "indeterminate within the stated accuracies"],
    ["disc", p.exempt, "exempt"],
    ["disc faint", p.track, "stale"],
    ["disc", p.suspect, "position suspect"],
    ["box", p.zone["PROHIBITED"]!, "zone in force (colour by kind)"],
    ["box dashed", p.zone["PROHIBITED"]!, "zone not in force"],
  ];
  byId("legend").replaceChildren(
    ...rows.map(([shape, colour, text]) => {
      const mark = make("i", shape);
      mark.style.color = colour;
      return make("li", "", "", mark, make("span", "", text));
    }),
  );
}

function buildLayerBox(): void {
  const box = byId("layerbox");
  for (const toggle of TOGGLES) {
    const input = document.createElement("input");
    input.type = "checkbox";
    input.checked = toggle.on;
    input.name = toggle.id;
    input.addEventListener("change", () => chart.toggle(toggle.id, input.checked));
    box.append(make("label", "", "", input, make("span", "", toggle.label)));
  }
}

function toggleLayerBox(): void {
  const box = byId("layerbox");
  box.hidden = !box.hidden;
  byId("layers").setAttribute("aria-expanded", String(!box.hidden));
  if (!box.hidden) box.querySelector("input")?.focus();
}

const fit = () => chart.fit(picture);
const flipTheme = () => setTheme(chart.themeShown === "dark" ? "light" : "dark");
byId("fit").addEventListener("click", fit);
byId("layers").addEventListener("click", toggleLayerBox);
byId("theme").addEventListener("click", flipTheme);
window.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    byId("layerbox").hidden = true;
    byId("layers").setAttribute("aria-expanded", "false");
    choose(null);
  } else if (event.key === "f") fit();
  else if (event.key === "l") toggleLayerBox();
  else if (event.key === "t") flipTheme();
});
chart.onChoose = choose;
chart.onHover = showHover;
alerts.onGo = go;

buildLayerBox();
setTheme(preferredTheme());
link.start();
window.setInterval(tick, 500);
tick();
chart.ready(new URL("basemap/countries-50m.json", document.baseURI).href).then(
  () => {
    state.basemap = true;
    state.ready = true;
  },
  (error: unknown) => {
    basemapMissing = `Land and borders could not be loaded (${error instanceof Error ? error.message : String(error)}). Tracks and zones are drawn all the same.`;
    state.ready = true;
    tick();
  },
);
