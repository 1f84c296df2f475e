// No line of the basemap runs back across the whole map where it meets the antimeridian.
import { describe, expect, test } from "vitest";
import { centroid, unrolled, unrolledRing } from "../src/basemap";

describe("antimeridian", () => {
  test("a line goes on beyond 180 degrees, either way", () => {
    expect(unrolled([[170, 65], [179, 66], [-179, 67], [-170, 68]])).toEqual([[170, 65], [179, 66], [181, 67], [190, 68]]);
    expect(unrolled([[-179, 1], [179, 2], [-179, 3]])).toEqual([[-179, 1], [-181, 2], [-179, 3]]);
  });

  test("an island on it has its middle there, not on the other side of the Earth", () => {
    const fiji = unrolledRing([[179, -17], [-179, -17], [-179, -16], [179, -16], [179, -17]]);
    expect(centroid(fiji).middle[0]).toBeCloseTo(180);
  });

  test("a ring round the pole is closed over the pole", () => {
    const ring = unrolledRing([[-120, -70], [0, -72], [120, -75], [-120, -70]]);
    expect(ring.slice(-3)).toEqual([[240, -90], [-120, -90], [-120, -70]]);
    expect(ring[3]).toEqual([240, -70]);
  });

  test("what does not meet it stays as it is", () => {
    const square = [[1, 1], [2, 1], [2, 2], [1, 1]];
    expect(unrolledRing(square)).toEqual(square);
  });
});
