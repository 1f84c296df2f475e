// The picture on the page is what the server said, however it was said: whole or in differences.
import { describe, expect, test } from "vitest";
import { follows } from "../src/link";
import type { AlertMessage, PictureMessage } from "../src/messages";
import { Picture, separation } from "../src/picture";
import { altitude, clock, feet, miles, order, position, severity, severityWord, timing, utc, zoneName } from "../src/words";

function message(now_s: number, rows: [number, number, number][], more: Partial<PictureMessage> = {}): PictureMessage {
  const column = <T>(value: T): T[] => rows.map(() => value);
  const key = rows.map((r) => r[0]);
  return {
    now_s, full: false, tracks: rows.length, tracks_omitted: 0, situations_omitted: 0, key,
    lon_deg: rows.map((r) => r[1]), lat_deg: rows.map((r) => r[2]), altitude_m: column(1000), ground_speed_mps: column(null),
    track_deg: column(null), vertical_rate_mps: column(null), time_s: column(now_s), status: column(1), flags: column(0), exempt: column(0),
    names: { key, altitude_datum: column("STD"), target: column("abc"), callsign: column("X"), source: column("s"), domain: column(1), category: column(1), squawk: column(-1) },
    gone: [],
    situations: { kind: [], key: [], other: [], verdict: [], time_to_s: [], at_lon_deg: [], at_lat_deg: [], exempt: [] },
    ...more,
  };
}

describe("picture", () => {
  test("differences add, move and remove tracks, and trails grow", () => {
    const picture = new Picture();
    picture.apply(message(0, [[1, 10, 50], [2, 11, 51]], { full: true }));
    picture.apply(message(5, [[1, 10.1, 50], [3, 12, 52]], { gone: [2] }));
    expect([...picture.tracks.keys()]).toEqual([1, 3]);
    expect(picture.tracks.get(1)!.lon).toBe(10.1);
    expect(picture.tracks.get(1)!.trail).toEqual([[10, 50], [10.1, 50]]);
  });
  test("a whole picture forgets what it does not name", () => {
    const picture = new Picture();
    picture.apply(message(0, [[1, 10, 50], [2, 11, 51]], { full: true }));
    picture.apply(message(1, [[2, 11, 51]], { full: true }));
    expect([...picture.tracks.keys()]).toEqual([2]);
  });
  test("the worst concern of a track is shown, and an exemption never hides a breach elsewhere", () => {
    const picture = new Picture();
    const situations = {
      kind: ["APW", "APW", "STCA"], key: [1, 1, 2], other: ["z", "y", "3"], verdict: ["ACTUAL", "PREDICTED", "ACTUAL"],
      time_to_s: [0, 9, 0], at_lon_deg: [1, 1, 1], at_lat_deg: [1, 1, 1], exempt: [true, false, false],
    };
    picture.apply(message(0, [[1, 0, 0], [2, 1, 1], [3, 2, 2]], { full: true, situations }));
    expect([1, 2, 3].map((key) => picture.concern.get(key))).toEqual(["predicted", "actual", "actual"]);
  });
});

test("only the very next number of the same run follows", () => {
  expect(follows("a-1", "a-2")).toBe(true);
  expect(follows("a-1", "a-3")).toBe(false);
  expect(follows("a-1", "b-2")).toBe(false);
  expect(follows("", "a-1")).toBe(false);
});

describe("words", () => {
  test("altitudes say their datum", () => {
    expect(altitude(10668, "STD")).toBe("FL350");
    expect(altitude(304.8, "WGS84")).toBe("1,000 ft HAE");
    expect(altitude(null, "STD")).toBe("");
  });
  test("times", () => {
    expect(clock(75)).toBe("1:15");
    expect(clock(4000)).toBe("1:06:40");
    expect(clock(-3)).toBe("0:00");
    expect(utc(0)).toBe("00:00:00Z");
  });
  test("how far apart two tracks are, over the antimeridian and only in a common datum", () => {
    const picture = new Picture();
    picture.apply(message(0, [[1, 179.95, 0], [2, -179.95, 0]], { full: true, altitude_m: [1000, 1300] }));
    const [one, other] = [picture.tracks.get(1)!, picture.tracks.get(2)!];
    expect(miles(separation(one, other).horizontal_m)).toBe("6.0 NM");
    expect(separation(one, other).vertical_m).toBe(300);
    other.altitude_datum = "WGS84";
    expect(separation(one, other).vertical_m).toBeNull();
  });
  test("time to entry is what the newest picture predicts", () => {
    const picture = new Picture();
    const situations = { kind: ["APW", "APW"], key: [1, 2], other: ["Z", "Z"], verdict: ["PREDICTED", "ACTUAL"], time_to_s: [40, 0], at_lon_deg: [null, null], at_lat_deg: [null, null], exempt: [false, false] };
    picture.apply(message(100, [[1, 10, 50], [2, 11, 51]], { full: true, situations }));
    expect([picture.due("APW", 1, "Z"), picture.due("APW", 2, "Z"), picture.due("STCA", 1, "Z")]).toEqual([140, null, null]);
    expect(timing(alert({ entry_s: 160 }), 110, picture.due("APW", 1, "Z"))).toBe("entry in 0:30");
  });
  test("separation is in nautical miles and feet", () => {
    expect(`${miles(9260)} and ${feet(305)}`).toBe("5.0 NM and 1,000 ft");
  });
  test("a verdict has the same word as everywhere else", () => {
    expect(["ACTUAL", "INDETERMINATE", "PREDICTED"].map((verdict) => severityWord(alert({ verdict })).toUpperCase())).toEqual(["ACTUAL", "INDETERMINATE", "PREDICTED"]);
  });
  test("a NOTAM's zone is named by its number", () => {
    expect(zoneName("A1/26", "A1/26 flight information region UKBV")).toBe("A1/26");
    expect(zoneName("A1", "Adria")).toBe("Adria");
    expect(zoneName("A1", "")).toBe("A1");
  });
  test("positions wrap and carry", () => {
    expect(position(43.99999, 198.5)).toBe("44°00.0′N 161°30.0′W");
  });
  const alert = (given: Partial<AlertMessage>): AlertMessage => ({
    id: "a", kind: "APW", state: "predicted", verdict: "PREDICTED", who: "X", raised_s: 0, updated_s: 0, ...given,
  });
  test("the worst comes first, the acknowledged after, the ended last", () => {
    const alerts = [
      alert({ id: "ended", state: "ended", verdict: "ACTUAL" }), alert({ id: "later", entry_s: 90 }), alert({ id: "sooner", entry_s: 20 }),
      alert({ id: "known", state: "acknowledged", verdict: "ACTUAL" }), alert({ id: "inside", state: "actual", verdict: "ACTUAL" }),
    ];
    expect(alerts.sort(order).map((a) => a.id)).toEqual(["inside", "sooner", "later", "known", "ended"]);
  });
  test("doubt is not shown as certainty, nor the past as the present", () => {
    expect(severity(alert({ verdict: "INDETERMINATE" }))).toBe("indeterminate");
    expect(timing(alert({ entry_s: 60 }), 15)).toBe("entry in 0:45");
    expect(timing(alert({ entry_s: 60 }), 61)).toBe("entry due 00:01:00Z");
    expect(timing(alert({ entry_s: 60, verdict: "INDETERMINATE" }), 99)).toBe("in doubt since 00:01:00Z");
    expect(timing(alert({ state: "ended", ended_s: 61 }), 100)).toBe("ended 00:01:01Z");
  });
});
