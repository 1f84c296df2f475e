// The map: sources filled from the picture, hover, choice and flight.

import type { Feature, FeatureCollection } from "geojson";
import { type GeoJSONSource, LngLatBounds, Map as MapLibre, NavigationControl, ScaleControl, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { centroid, graticule, loadBasemap } from "./basemap";
import { icon, icons } from "./icons";
import { layers, SYMBOLS_MANY_MIN_ZOOM, SYMBOLS_MAX, TOGGLES } from "./layers";
import type { CoverageMessage } from "./messages";
import { type Concern, isPair, LIVE, type Picture, SPOOFING_SUSPECTED, type Track } from "./picture";
import type { Theme } from "./theme";
import { altitude, climb, clock, knots, who, zoneName } from "./words";

setWorkerUrl(new URL(workerUrl, document.baseURI).href);

export interface Choice {
  kind: "track" | "zone";
  key: number;
}

const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };
const RANK: Record<Concern, number> = { actual: 0, indeterminate: 1, predicted: 2, exempt: 3, none: 4 };
/** With more tracks than this, trails are drawn for those of concern and the chosen one only. */
const TRAILS_MAX = 1_500;

export class Chart {
  readonly map: MapLibre;
  zones: FeatureCollection = NOTHING;
  onChoose: (choice: Choice | null) => void = () => {};
  onHover: (track: Track | null, x: number, y: number) => void = () => {};
  private theme: Theme;
  private selected = -1;
  private many = false;
  private framed = false;
  private pending: Picture | null = null;
  private busy = false;
  private loaded = false;

  constructor(container: HTMLElement, theme: Theme) {
    this.theme = theme;
    const empty = { type: "geojson" as const, data: NOTHING };
    this.map = new MapLibre({
      container,
      style: {
        version: 8,
        sources: {
          land: { ...empty, tolerance: 0.4 }, coast: { ...empty, tolerance: 0.4 }, borders: { ...empty, tolerance: 0.4 }, places: empty,
          graticule: { type: "geojson", data: graticule(10) }, coverage: empty, zones: { ...empty, tolerance: 0.2 },
          "zone-names": empty, trails: { ...empty, tolerance: 0.5, buffer: 8 }, tracks: { ...empty, buffer: 64 }, leads: { ...empty, buffer: 16 }, "lead-ends": { ...empty, buffer: 64 },
        },
        layers: layers(theme),
      },
      center: [20, 45],
      zoom: 3,
      maxZoom: 14,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      fadeDuration: 0,
      locale: { "Map.Title": "Map of tracks and zones", "ScaleControl.NauticalMiles": "NM" },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new NavigationControl({ showCompass: false }), "bottom-left");
    this.map.addControl(new ScaleControl({ unit: "nautical", maxWidth: 120 }), "bottom-left");
    this.map.on("mousemove", (event) => {
      const track = this.trackAt(event.point);
      this.map.getCanvas().style.cursor = track || this.zoneAt(event.point) >= 0 ? "pointer" : "";
      this.onHover(track, event.point.x, event.point.y);
    });
    this.map.on("mouseout", () => this.onHover(null, 0, 0));
    this.map.on("click", (event) => {
      const track = this.trackAt(event.point);
      const zone = track ? -1 : this.zoneAt(event.point);
      this.onChoose(track ? { kind: "track", key: track.key } : zone >= 0 ? { kind: "zone", key: zone } : null);
    });
  }

  /** Resolves when the map is drawn with its basemap. */
  async ready(basemapUrl: string): Promise<void> {
    const basemap = loadBasemap(basemapUrl);
    await new Promise<void>((resolve) => void this.map.once("load", () => resolve()));
    for (const [name, image] of icons()) this.map.addImage(name, image, { sdf: true });
    this.loaded = true;
    if (this.zones !== NOTHING) this.drawZones();
    const { land, coast, borders, places } = await basemap;
    this.source("land").setData(land);
    this.source("coast").setData(coast);
    this.source("borders").setData(borders);
    this.source("places").setData(places);
    if (this.pending) this.show(this.pending);
    await new Promise<void>((resolve) => void this.map.once("idle", () => resolve()));
  }

  /** Draw this picture; while one is being drawn, only the newest waits. */
  show(picture: Picture): void {
    this.pending = picture;
    if (!this.loaded || this.busy) return;
    this.pending = null;
    this.busy = true;
    this.draw(picture);
    const again = () => {
      this.busy = false;
      if (this.pending) this.show(this.pending);
    };
    // «idle» may wait for ever under a moving camera, so a second is enough.
    let done = false;
    const once = () => {
      if (done) return;
      done = true;
      again();
    };
    this.map.once("idle", once);
    window.setTimeout(once, 1_000);
    if (!this.framed && (this.zones.features.length || picture.tracks.size)) {
      this.framed = true;
      this.fit(picture, false);
    }
  }

  setZones(zones: FeatureCollection): void {
    for (const [i, feature] of zones.features.entries()) {
      const p = feature.properties!;
      p["index"] = i;
      p["label"] = zoneName(String(p["zone_id"] ?? ""), String(p["name"] ?? ""));
    }
    this.zones = zones;
    if (this.loaded) this.drawZones();
  }

  setCoverage(coverage: CoverageMessage | null): void {
    const features: Feature[] = [];
    if (coverage) {
      const d = coverage.cell_deg;
      coverage.lon_deg.forEach((w, i) => {
        const s = coverage.lat_deg[i]!;
        const ring = [[w, s], [w + d, s], [w + d, s + d], [w, s + d], [w, s]];
        features.push({ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } });
      });
    }
    const put = () => this.source("coverage").setData({ type: "FeatureCollection", features });
    if (this.loaded) put();
    else this.map.once("load", put);
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    for (const layer of layers(theme))
      for (const [name, value] of Object.entries(layer.paint ?? {}))
        // Every name comes from the same list as the layer itself.
        this.map.setPaintProperty(layer.id, name as never, value as never);
  }

  get themeShown(): Theme {
    return this.theme;
  }

  toggle(id: string, on: boolean): void {
    for (const layer of TOGGLES.find((t) => t.id === id)?.layers ?? [])
      this.map.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
  }

  select(key: number): void {
    this.selected = key;
    if (this.loaded) this.map.setFilter("track-selected", ["==", ["get", "key"], key]);
  }

  fly(lon: number, lat: number): void {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.map.flyTo({
      center: [lon, lat], zoom: Math.max(this.map.getZoom(), 8), padding: this.padding(), duration: still ? 0 : 900,
    });
  }

  fit(picture: Picture, animate = true): void {
    const bounds = new LngLatBounds();
    for (const feature of this.zones.features) {
      if (feature.geometry.type !== "Polygon" || !feature.properties?.["in_force"]) continue;
      for (const p of feature.geometry.coordinates[0] ?? []) bounds.extend([p[0]!, Math.max(-80, Math.min(80, p[1]!))]);
    }
    if (bounds.isEmpty()) for (const track of picture.tracks.values()) bounds.extend([track.lon, track.lat]);
    else {
      // Who approaches a zone matters as much as who is in it: half as much again on every side.
      const [w, s, e, n] = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
      const [x, y] = [Math.min((e - w) / 2, 8), Math.min((n - s) / 2, 5)];
      bounds.extend([w - x, Math.max(-80, s - y)]).extend([e + x, Math.min(80, n + y)]);
    }
    if (bounds.isEmpty()) return;
    this.map.fitBounds(bounds, { padding: this.padding(40), maxZoom: 9, animate });
  }

  private padding(extra = 0) {
    // Where the panel lies beside the map or over its lower part, what is shown stands clear of it.
    const side = document.querySelector<HTMLElement>(".side");
    const narrow = window.innerWidth <= 900;
    const wide = side && !narrow ? side.offsetWidth + 24 : 0;
    const low = side && narrow ? this.map.getContainer().offsetHeight - side.offsetTop : 0;
    return { top: 24 + extra, bottom: 24 + extra + low, left: 24 + extra, right: 24 + extra + wide };
  }

  private draw(picture: Picture): void {
    const many = picture.tracks.size > SYMBOLS_MAX;
    if (many !== this.many) {
      this.many = many;
      this.map.setLayerZoomRange("track-symbol", many ? SYMBOLS_MANY_MIN_ZOOM : 0, 24);
      this.map.setLayerZoomRange("track-label-warned", 0, many ? SYMBOLS_MANY_MIN_ZOOM : 5);
      this.map.setLayerZoomRange("track-label", many ? SYMBOLS_MANY_MIN_ZOOM : 5, 24);
    }
    this.map.setLayerZoomRange("track-dot", 0, many ? SYMBOLS_MANY_MIN_ZOOM : 0.01);
    const tracks: Feature[] = [];
    const trails: Feature[] = [];
    const allTrails = picture.tracks.size <= TRAILS_MAX;
    for (const track of picture.tracks.values()) {
      const concern = picture.concern.get(track.key) ?? "none";
      const shared = { key: track.key, concern, status: track.status, domain: track.domain, suspect: track.flags & SPOOFING_SUSPECTED };
      tracks.push({
        type: "Feature",
        properties: {
          ...shared, icon: icon(track.domain, track.category, track.track_deg != null), heading: track.track_deg ?? 0,
          label: label(track), rank: RANK[concern],
        },
        geometry: { type: "Point", coordinates: [track.lon, track.lat] },
      });
      if (track.trail.length > 0 && (allTrails || concern !== "none" || track.key === this.selected))
        trails.push({
          type: "Feature", properties: shared,
          geometry: { type: "LineString", coordinates: [...track.trail, [track.lon, track.lat]] },
        });
    }
    this.put("tracks", tracks);
    this.put("trails", trails);
    this.drawLeads(picture);
  }

  private drawZones(): void {
    this.source("zones").setData(this.zones);
    // A zone of many parts is named once for each of its bands, in the largest part.
    const names = new Map<string, Feature>();
    for (const zone of this.zones.features) {
      if (zone.geometry.type !== "Polygon") continue;
      const { size, middle } = centroid(zone.geometry.coordinates[0] ?? []);
      const band = `${zone.properties?.["zone_id"]}\n${zone.properties?.["limits"]}`;
      if (size < ((names.get(band)?.properties?.["size"] as number | undefined) ?? 0)) continue;
      names.set(band, { type: "Feature", properties: { ...zone.properties, size }, geometry: { type: "Point", coordinates: middle } });
    }
    this.put("zone-names", [...names.values()]);
  }

  private drawLeads(picture: Picture): void {
    const lines: Feature[] = [];
    const ends: Feature[] = [];
    const s = picture.situations;
    for (let i = 0; s && i < s.key.length; i++) {
      const track = picture.tracks.get(s.key[i]!);
      const lon = s.at_lon_deg[i];
      const lat = s.at_lat_deg[i];
      const left = s.time_to_s[i];
      if (!track || s.exempt[i] || lon == null || lat == null || left == null || left <= 0) continue;
      const near = lon + 360 * Math.round((track.lon - lon) / 360); // the short way across the antimeridian
      const properties = { verdict: s.verdict[i], text: `${isPair(s.kind[i]!) ? "too close in" : "entry in"} ${clock(left)}` };
      const other = isPair(s.kind[i]!) ? picture.tracks.get(Number(s.other[i])) : undefined;
      lines.push({ type: "Feature", properties, geometry: { type: "LineString", coordinates: [[track.lon, track.lat], [near, lat]] } });
      if (other)
        lines.push({ type: "Feature", properties, geometry: { type: "LineString", coordinates: [[other.lon, other.lat], [near, lat]] } });
      ends.push({ type: "Feature", properties, geometry: { type: "Point", coordinates: [near, lat] } });
    }
    this.put("leads", lines);
    this.put("lead-ends", ends);
  }

  private trackAt(point: { x: number; y: number }): Track | null {
    if (!this.loaded) return null;
    const box: [[number, number], [number, number]] = [[point.x - 9, point.y - 9], [point.x + 9, point.y + 9]];
    const found = this.map.queryRenderedFeatures(box, { layers: ["track-symbol", "track-dot", "track-ring"] });
    const key = found[0]?.properties["key"] as number | undefined;
    return key === undefined ? null : (this.picture?.tracks.get(key) ?? null);
  }

  picture: Picture | null = null;

  private zoneAt(point: { x: number; y: number }): number {
    if (!this.loaded) return -1;
    const box: [[number, number], [number, number]] = [[point.x - 3, point.y - 3], [point.x + 3, point.y + 3]];
    const found = this.map.queryRenderedFeatures(box, { layers: ["zone-fill", "zone-line", "zone-line-inactive"] });
    return (found[0]?.properties["index"] as number | undefined) ?? -1;
  }

  private source(id: string): GeoJSONSource {
    return this.map.getSource(id) as GeoJSONSource;
  }

  private put(id: string, features: Feature[]): void {
    this.source(id).setData({ type: "FeatureCollection", features });
  }
}

function label(track: Track): string {
  const second = [altitude(track.altitude_m, track.altitude_datum) + climb(track.vertical_rate_mps), knots(track.ground_speed_mps)];
  const notes = [track.exempt ? "exempt" : "", track.status === LIVE ? "" : "stale", track.flags & SPOOFING_SUSPECTED ? "position suspect" : ""];
  return [who(track), second.filter(Boolean).join(" "), notes.filter(Boolean).join(", ")].filter(Boolean).join("\n");
}
