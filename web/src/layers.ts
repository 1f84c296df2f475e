// What is drawn, in order from the ground up. One list, so that a change of theme is the same list with other paint.

import type { ExpressionSpecification, LayerSpecification } from "maplibre-gl";
import { palette, type Theme } from "./theme";

export const FONT = ["sans-serif"]; // drawn by the browser: no glyph server

/** With more tracks than this, headings are drawn only when zoomed in; far out every track is a dot. */
export const SYMBOLS_MAX = 2_500;
export const SYMBOLS_MANY_MIN_ZOOM = 7;

export const TOGGLES: { id: string; label: string; layers: string[]; on: boolean }[] = [
  { id: "zones", label: "Zones", layers: ["zone-fill", "zone-line", "zone-line-inactive", "zone-name"], on: true },
  { id: "trails", label: "Trails", layers: ["trail"], on: true },
  { id: "predictions", label: "Predictions", layers: ["lead", "lead-end", "lead-text"], on: true },
  { id: "labels", label: "Track labels", layers: ["track-label"], on: true },
  { id: "coverage", label: "Coverage", layers: ["coverage"], on: false },
  { id: "borders", label: "Borders", layers: ["border"], on: true },
  { id: "places", label: "Country names", layers: ["place"], on: true },
  { id: "graticule", label: "Graticule", layers: ["graticule"], on: true },
];

const get = (name: string): ExpressionSpecification => ["get", name];

export function layers(theme: Theme): LayerSpecification[] {
  const p = palette(theme);
  const zone: ExpressionSpecification = [
    "match", get("type"),
    ...Object.entries(p.zone).flatMap(([type, colour]) => [[type], colour]),
    p.zone["AIRSPACE"]!,
  ] as unknown as ExpressionSpecification;
  const concern: ExpressionSpecification = [
    "match", get("concern"),
    "actual", p.actual, "predicted", p.predicted, "indeterminate", p.indeterminate, "exempt", p.exempt,
    ["case", ["==", get("suspect"), 1], p.suspect, ["==", get("domain"), 3], p.ship, ["==", get("domain"), 2], p.ground, p.track],
  ];
  const faded: ExpressionSpecification = ["case", ["==", get("status"), 1], 1, 0.35];
  const warned: ExpressionSpecification = ["in", get("concern"), ["literal", ["actual", "predicted", "indeterminate"]]];
  const noted: ExpressionSpecification = ["!=", get("concern"), "none"];
  return [
    { id: "sea", type: "background", paint: { "background-color": p.sea } },
    { id: "land", type: "fill", source: "land", paint: { "fill-color": p.land, "fill-antialias": false } },
    { id: "graticule", type: "line", source: "graticule", paint: { "line-color": p.graticule, "line-width": 1 } },
    { id: "border", type: "line", source: "borders", paint: { "line-color": p.border, "line-width": 1, "line-dasharray": [3, 2] } },
    { id: "coast", type: "line", source: "coast", paint: { "line-color": p.coast, "line-width": 1 } },
    { id: "coverage", type: "fill", source: "coverage", layout: { visibility: "none" }, paint: { "fill-color": p.coverage, "fill-opacity": 0.16, "fill-antialias": false } },
    {
      id: "place", type: "symbol", source: "places", maxzoom: 9,
      layout: {
        "text-field": get("name"), "text-font": FONT, "text-size": ["interpolate", ["linear"], ["zoom"], 2, 10, 6, 14],
        "text-transform": "uppercase", "text-letter-spacing": 0.12, "text-max-width": 8, "symbol-sort-key": ["-", 0, get("size")],
      },
      paint: { "text-color": p.place, "text-halo-color": p.halo, "text-halo-width": 1, "text-opacity": 0.75 },
    },
    {
      id: "zone-fill", type: "fill", source: "zones", filter: ["all", get("in_force"), ["!=", get("type"), "AIRSPACE"]],
      paint: { "fill-color": zone, "fill-opacity": theme === "dark" ? 0.13 : 0.12 },
    },
    {
      id: "zone-line", type: "line", source: "zones", filter: get("in_force"),
      paint: { "line-color": zone, "line-width": ["interpolate", ["linear"], ["zoom"], 3, 1.2, 8, 2.2], "line-opacity": 0.95 },
    },
    {
      id: "zone-line-inactive", type: "line", source: "zones", filter: ["!", get("in_force")],
      paint: { "line-color": zone, "line-width": 1.2, "line-dasharray": [4, 3], "line-opacity": 0.6 },
    },
    {
      id: "zone-name", type: "symbol", source: "zone-names", minzoom: 3.5,
      layout: {
        "text-field": ["format", get("label"), {}, ["concat", "\n", get("limits")], { "font-scale": 0.85 }, ["case", get("in_force"), "", "\nnot in force"], { "font-scale": 0.85 }],
        "text-font": FONT, "text-size": 12, "text-max-width": 12, "text-padding": 2,
        "text-variable-anchor": ["center", "bottom", "top", "left", "right"], "text-radial-offset": 2.5, "symbol-sort-key": ["-", 0, get("size")],
      },
      paint: { "text-color": zone, "text-halo-color": p.halo, "text-halo-width": 1.4, "text-opacity": ["case", get("in_force"), 1, 0.65] },
    },
    { id: "trail", type: "line", source: "trails", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": concern, "line-width": 1.6, "line-opacity": ["case", ["==", get("status"), 1], 0.5, 0.2] } },
    {
      id: "lead", type: "line", source: "leads",
      paint: { "line-color": ["match", get("verdict"), "ACTUAL", p.actual, "INDETERMINATE", p.indeterminate, p.predicted], "line-width": 2, "line-dasharray": [2, 1.5] },
    },
    {
      id: "lead-end", type: "circle", source: "lead-ends",
      paint: {
        "circle-radius": 5, "circle-color": p.halo, "circle-stroke-width": 2,
        "circle-stroke-color": ["match", get("verdict"), "ACTUAL", p.actual, "INDETERMINATE", p.indeterminate, p.predicted],
      },
    },
    {
      id: "track-ring", type: "circle", source: "tracks", filter: warned,
      paint: {
        "circle-radius": ["match", get("concern"), "actual", 13, 11], "circle-color": concern, "circle-opacity": ["match", get("concern"), "actual", 0.22, 0.08],
        "circle-stroke-color": concern, "circle-stroke-width": ["match", get("concern"), "actual", 2.5, 1.5],
      },
    },
    {
      id: "track-dot", type: "circle", source: "tracks", layout: { "circle-sort-key": ["-", 0, get("rank")] },
      paint: { "circle-radius": ["interpolate", ["linear"], ["zoom"], 2, ["case", ["==", get("concern"), "none"], 1.6, 3], 7, ["case", ["==", get("concern"), "none"], 3, 4.5]], "circle-color": concern, "circle-opacity": faded, "circle-stroke-color": p.halo, "circle-stroke-width": 0.6, "circle-stroke-opacity": faded },
    },
    {
      id: "track-symbol", type: "symbol", source: "tracks",
      layout: {
        "icon-image": get("icon"), "symbol-sort-key": ["-", 0, get("rank")], "icon-size": ["interpolate", ["linear"], ["zoom"], 3, 0.42, 8, 0.62], "icon-rotate": get("heading"),
        "icon-rotation-alignment": "map", "icon-allow-overlap": true, "icon-ignore-placement": true,
      },
      paint: { "icon-color": concern, "icon-opacity": faded, "icon-halo-color": p.halo, "icon-halo-width": 1 },
    },
    {
      id: "track-selected", type: "circle", source: "tracks", filter: ["==", get("key"), -1],
      paint: { "circle-radius": 17, "circle-color": "transparent", "circle-stroke-color": p.selected, "circle-stroke-width": 1.5 },
    },
    {
      id: "track-label", type: "symbol", source: "tracks", minzoom: 5,
      layout: {
        "text-field": get("label"), "text-font": FONT, "text-size": 11.5, "text-line-height": 1.15, "text-justify": "left",
        "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 1.3, "symbol-sort-key": get("rank"), "text-padding": 2,
      },
      paint: { "text-color": concern, "text-halo-color": p.halo, "text-halo-width": 1.5, "text-opacity": faded },
    },
    {
      id: "track-label-warned", type: "symbol", source: "tracks", maxzoom: 5, filter: noted,
      layout: {
        "text-field": get("label"), "text-font": FONT, "text-size": 11.5, "text-line-height": 1.15, "text-justify": "left",
        "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 1.3, "symbol-sort-key": get("rank"),
      },
      paint: { "text-color": concern, "text-halo-color": p.halo, "text-halo-width": 1.5, "text-opacity": faded },
    },
    {
      id: "lead-text", type: "symbol", source: "lead-ends",
      layout: { "text-field": get("text"), "text-font": FONT, "text-size": 12, "text-offset": [0, 1.1], "text-anchor": "top", "text-padding": 1 },
      paint: { "text-color": p.text, "text-halo-color": p.halo, "text-halo-width": 1.6 },
    },
  ];
}
