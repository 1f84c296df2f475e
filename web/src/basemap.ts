// Land, borders, country names and a graticule, from Natural Earth data that travel with the page.

import type { Feature, FeatureCollection, MultiLineString, MultiPolygon, Point, Polygon, Position } from "geojson";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";

type World = Topology<{ countries: GeometryCollection<{ name: string }>; land: GeometryCollection }>;

export interface Basemap {
  land: FeatureCollection;
  coast: MultiLineString;
  borders: MultiLineString;
  places: FeatureCollection<Point>;
}

export async function loadBasemap(url: string): Promise<Basemap> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`basemap: ${answer.status}`);
  const world = (await answer.json()) as World;
  const countries = feature(world, world.objects.countries);
  return {
    land: { type: "FeatureCollection", features: feature(world, world.objects.land).features.map(laidOut) },
    coast: lines(mesh(world, world.objects.land)),
    borders: lines(mesh(world, world.objects.countries, (a, b) => a !== b)),
    places: { type: "FeatureCollection", features: countries.features.map(laidOut).flatMap(place) },
  };
}

/** A line over the antimeridian goes on beyond ±180° instead of back across the whole map. */
export function unrolled(line: Position[]): Position[] {
  let turn = 0;
  return line.map(([lon, lat], i) => {
    const before = i ? line[i - 1]![0]! : lon!;
    if (lon! - before > 180) turn -= 360;
    if (lon! - before < -180) turn += 360;
    return [lon! + turn, lat!];
  });
}

/** The same for a ring; one that goes round a pole is closed over that pole. */
export function unrolledRing(ring: Position[]): Position[] {
  const out = unrolled(ring);
  const first = out[0];
  const last = out[out.length - 1];
  if (!first || !last || Math.abs(last[0]! - first[0]!) < 180) return out;
  const pole = first[1]! < 0 ? -90 : 90;
  return [...out, [last[0]!, pole], [first[0]!, pole], first];
}

function laidOut(given: Feature): Feature {
  const geometry = given.geometry as Polygon | MultiPolygon;
  const parts = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  return { ...given, geometry: { type: "MultiPolygon", coordinates: parts.map((rings) => rings.map(unrolledRing)) } };
}

function lines(given: MultiLineString): MultiLineString {
  return { ...given, coordinates: given.coordinates.map(unrolled) };
}

/** The name, in the middle of the country's largest part. */
function place(country: Feature): Feature<Point>[] {
  const geometry = country.geometry as Polygon | MultiPolygon;
  const parts = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  let best: { size: number; middle: Position } = { size: 0, middle: [0, 0] };
  for (const part of parts) {
    const found = centroid(part[0] ?? []);
    if (found.size > best.size) best = found;
  }
  const name = (country.properties as { name?: string } | null)?.name;
  if (!name || best.size === 0 || Math.abs(best.middle[1]!) > 80) return [];
  best.middle = [((best.middle[0]! + 540) % 360) - 180, best.middle[1]!];
  return [{ type: "Feature", properties: { name, size: best.size }, geometry: { type: "Point", coordinates: best.middle } }];
}

export function centroid(ring: Position[]): { size: number; middle: Position } {
  let area = 0;
  let x = 0;
  let y = 0;
  for (let i = 0; i + 1 < ring.length; i++) {
    const [x0, y0] = ring[i] as [number, number];
    const [x1, y1] = ring[i + 1] as [number, number];
    const cross = x0 * y1 - x1 * y0;
    area += cross;
    x += (x0 + x1) * cross;
    y += (y0 + y1) * cross;
  }
  if (area === 0) return { size: 0, middle: [0, 0] };
  return { size: Math.abs(area) / 2, middle: [x / (3 * area), y / (3 * area)] };
}

export function graticule(step: number): MultiLineString {
  const lines: Position[][] = [];
  for (let lon = -180; lon <= 180; lon += step) lines.push([[lon, -85], [lon, 85]]);
  for (let lat = -80; lat <= 80; lat += step) lines.push([[-180, lat], [180, lat]]);
  return { type: "MultiLineString", coordinates: lines };
}
