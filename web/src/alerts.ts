// The alerts panel: what is open, worst first; what has ended, below it.

import type { AlertMessage } from "./messages";
import { byId, make, say } from "./page";
import { isPair, type Picture, type Separation, separation } from "./picture";
import { feet, kind, miles, order, severity, severityWord, timing, utc, zoneName } from "./words";

const ENDED_SHOWN = 30;
const SIGNS = { actual: "⬤", indeterminate: "◐", predicted: "◯", ended: "–" } as const;

interface Row {
  item: HTMLElement;
  button: HTMLElement;
  word: HTMLElement;
  timing: HTMLElement;
  facts: HTMLElement;
  alert: AlertMessage | null;
}

export class Alerts {
  readonly all = new Map<string, AlertMessage>();
  onGo: (alert: AlertMessage) => void = () => {};
  private rows = new Map<string, Row>();
  private list = byId("alerts");
  dropped = 0;

  replace(alerts: AlertMessage[], dropped: number): void {
    this.all.clear();
    for (const alert of alerts) this.all.set(alert.id, alert);
    this.dropped = dropped;
  }

  take(alert: AlertMessage): void {
    const before = this.all.get(alert.id);
    this.all.set(alert.id, alert);
    if (!before || severityWord(before) !== severityWord(alert))
      say(byId("announce"), `${severityWord(alert)}: ${alert.who} ${about(alert)}`);
  }

  open(): number {
    let n = 0;
    for (const alert of this.all.values()) if (severity(alert) !== "ended") n++;
    return n;
  }

  render(now_s: number, picture: Picture): void {
    const sorted = [...this.all.values()].sort(order);
    const open = sorted.filter((a) => severity(a) !== "ended");
    const ended = sorted.slice(open.length, open.length + ENDED_SHOWN);
    const shown = [...open, ...ended];
    const ids = new Set(shown.map((a) => a.id));
    for (const [id, row] of this.rows)
      if (!ids.has(id)) {
        row.item.remove();
        this.rows.delete(id);
      }
    shown.forEach((alert, i) => {
      let row = this.rows.get(alert.id);
      if (!row) {
        row = this.build(alert.id);
        this.rows.set(alert.id, row);
      }
      if (row.alert !== alert) this.fill(row, alert);
      const due_s = alert.track_key == null ? null : picture.due(alert.kind, alert.track_key, String(alert.other_key ?? alert.zone_id));
      say(row.timing, timing(alert, now_s, due_s));
      say(row.facts, facts(alert, apart(alert, picture)));
      if (this.list.children[i] !== row.item) {
        const focused = document.activeElement === row.button;
        this.list.insertBefore(row.item, this.list.children[i] ?? null);
        if (focused) row.button.focus();
      }
    });
    for (const id of [...this.all.keys()]) if (!ids.has(id)) this.all.delete(id);
    byId("alerts-none").hidden = open.length > 0;
    const endedText = ended.length ? `, ${ended.length} ended` : "";
    say(byId("alerts-count"), `${open.length} open${endedText}${this.dropped ? `, ${this.dropped} older not held here` : ""}`);
    say(byId("open"), String(open.length));
  }

  private build(id: string): Row {
    const word = make("span", "word");
    const when = make("span", "when");
    const button = make("button", "alert");
    button.setAttribute("type", "button");
    const item = make("li", "", "", button);
    const row: Row = { item, button, word, timing: when, facts: make("span", "facts"), alert: null };
    button.addEventListener("click", () => {
      const alert = this.all.get(id);
      if (alert) this.onGo(alert);
    });
    return row;
  }

  private fill(row: Row, alert: AlertMessage): void {
    row.alert = alert;
    const s = severity(alert);
    row.button.dataset["severity"] = s;
    row.button.dataset["state"] = alert.state;
    row.button.dataset["id"] = alert.id;
    const sign = make("span", "sign", SIGNS[s]);
    sign.setAttribute("aria-hidden", "true");
    say(row.word, severityWord(alert));
    const head = make("span", "head", "", sign, row.word, make("span", "kind", alert.kind));
    head.title = kind(alert);
    if (alert.state === "acknowledged" || alert.acknowledged_s != null) {
      const by = alert.acknowledged_by ? ` by ${alert.acknowledged_by}` : "";
      const mark = make("span", "ack", "✓ acknowledged");
      mark.title = `acknowledged ${utc(alert.acknowledged_s)}${by}`;
      head.append(mark);
    }
    row.button.title = alert.zone_name ?? "";
    const body = make("span", "body", "", make("strong", "", alert.who), make("span", "about", about(alert)));
    row.button.replaceChildren(head, body, row.timing, row.facts);
  }
}

/** Where the two of a pair are now: the message says how it was when something last happened. */
function apart(alert: AlertMessage, picture: Picture): Separation | null {
  if (!isPair(alert.kind) || alert.track_key == null || alert.other_key == null || severity(alert) === "ended") return null;
  const [one, other] = [picture.tracks.get(alert.track_key), picture.tracks.get(alert.other_key)];
  return one && other ? separation(one, other) : null;
}

function facts(alert: AlertMessage, now: Separation | null): string {
  const s = severity(alert);
  const closest = alert.horizontal_min_m == null ? null : Math.min(alert.horizontal_min_m, now?.horizontal_m ?? Infinity);
  return [
    closest == null ? "" : `closest ${miles(closest)}`,
    now ? `now ${miles(now.horizontal_m)}${now.vertical_m == null ? "" : ` and ${feet(now.vertical_m)}`}` : "",
    alert.confidence != null && s === "indeterminate" ? `${Math.round(alert.confidence * 100)} % likely at ${utc(alert.updated_s)}` : "",
    alert.assumed_active ? "zone assumed in force" : "",
    alert.review ? `reviewed: ${alert.review}` : "",
    alert.note ?? "",
  ]
    .filter(Boolean)
    .join(" · ");
}

export function about(alert: AlertMessage): string {
  if (isPair(alert.kind)) return `and ${alert.other_who || "another track"}`;
  const zone = zoneName(alert.zone_id ?? "", alert.zone_name ?? "") || "a zone";
  return `${zone}${alert.zone_version ? ` · ${/^\d/.test(alert.zone_version) ? "v" : ""}${alert.zone_version}` : ""}`;
}
