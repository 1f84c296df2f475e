// The feeds panel and the banners: what is wrong is said in words, at the top, for as long as it is so.

import type { HealthMessage } from "./messages";
import { byId, make, say } from "./page";
import { age, utc } from "./words";

const SIGN = { UP: "●", DEGRADED: "▲", DOWN: "✕", ENDED: "■" } as const;

export function renderFeeds(health: HealthMessage | null): void {
  const rows = (health?.feeds ?? []).map((feed) => {
    const state = make("span", "pill", `${SIGN[feed.state] ?? ""} ${feed.state}`);
    state.dataset["state"] = feed.state;
    const name = make("td", "name", feed.name);
    name.title = feed.note || `${feed.reports.toLocaleString("en-GB")} reports, last ${utc(feed.last_s)}`;
    const row = make(
      "tr", "", "", name, make("td", "", "", state),
      make("td", "n", feed.rate_hz == null ? "–" : `${feed.rate_hz < 10 ? feed.rate_hz.toFixed(1) : Math.round(feed.rate_hz).toLocaleString("en-GB")}/s`),
      make("td", "n", feed.lag_s == null ? "–" : feed.lag_s < 10 ? `${feed.lag_s.toFixed(1)} s` : age(feed.lag_s)),
      make("td", "n", feed.faults.toLocaleString("en-GB")),
    );
    row.dataset["state"] = feed.state;
    if (!feed.note) return [row];
    const note = make("td", "", feed.note);
    (note as HTMLTableCellElement).colSpan = 5;
    const noteRow = make("tr", "note", "", note);
    noteRow.dataset["state"] = feed.state;
    return [row, noteRow];
  });
  byId("feeds").replaceChildren(...rows.flat());
  byId("feeds-none").hidden = rows.length > 0;
  const cycle = health?.cycle_ms == null ? "" : `cycle ${Math.round(health.cycle_ms)} ms`;
  const p99 = health?.cycle_ms_p99 == null ? "" : `, p99 ${Math.round(health.cycle_ms_p99)} ms`;
  say(byId("cycle"), cycle + p99);
}

export interface Banner {
  id: string;
  level: "lost" | "bad" | "note";
  title: string;
  text: string;
}

export function renderBanners(banners: Banner[]): void {
  const box = byId("banners");
  const wanted = new Map(banners.map((b) => [b.id, b]));
  for (const child of [...box.children] as HTMLElement[]) if (!wanted.has(child.dataset["id"] ?? "")) child.remove();
  banners.forEach((banner, i) => {
    let element = box.querySelector<HTMLElement>(`[data-id="${banner.id}"]`);
    if (!element) {
      element = make("div", "banner", "", make("strong"), make("span"));
      element.dataset["id"] = banner.id;
    }
    if (box.children[i] !== element) box.insertBefore(element, box.children[i] ?? null);
    element.dataset["level"] = banner.level;
    say(element.children[0] as HTMLElement, banner.title);
    say(element.children[1] as HTMLElement, banner.text);
  });
}

export function healthBanners(health: HealthMessage | null): Banner[] {
  if (!health || health.state === "OK") return [];
  if (health.state === "ENDED")
    return [{ id: "ended", level: "note", title: "Ended", text: health.note || "The feeds have ended; this is the last picture." }];
  const text = health.reasons.join("; ") || "the watch gives no reason";
  return [{ id: "health", level: "bad", title: health.state, text }];
}
