// The live link: server-sent events with resume, and an honest word about whether it is up.

import type {
  AlertMessage, CoverageMessage, Heartbeat, HealthMessage, PictureMessage, SnapshotMessage,
} from "./messages";

/** Without a word for so long, the page says that the connection is lost. */
export const LOST_AFTER_MS = 5_000;
/** Without a word for so long, the connection is taken down and made anew. */
const RENEW_AFTER_MS = 9_000;
const RETRY_MS = 1_000;

export interface Listener {
  snapshot(message: SnapshotMessage): void;
  picture(message: PictureMessage): void;
  alert(message: AlertMessage): void;
  health(message: HealthMessage): void;
  coverage(message: CoverageMessage): void;
  zones(version: number): void;
  heartbeat(message: Heartbeat): void;
}

/** What follows what: an event that does not follow the last one seen means that something was missed. */
export function follows(last: string, next: string): boolean {
  const [lastRun, lastNumber] = split(last);
  const [nextRun, nextNumber] = split(next);
  return lastRun === nextRun && nextNumber === lastNumber + 1;
}

function split(id: string): [string, number] {
  const at = id.lastIndexOf("-");
  return [id.slice(0, at), Number(id.slice(at + 1))];
}

export class Link {
  lastId = "";
  opened = 0;
  snapshots = 0;
  gaps = 0;
  private source: EventSource | null = null;
  private heard = performance.now();
  private tried = 0;
  private retry = 0;

  constructor(
    private readonly url: string,
    private readonly listener: Listener,
  ) {}

  start(): void {
    this.connect();
    window.setInterval(() => {
      if (this.silence_ms() > RENEW_AFTER_MS && performance.now() - this.tried > RENEW_AFTER_MS) this.connect();
    }, 1_000);
  }

  silence_ms(): number {
    return performance.now() - this.heard;
  }

  private connect(): void {
    this.tried = performance.now();
    this.source?.close();
    window.clearTimeout(this.retry);
    const query = this.lastId ? `?last-event-id=${encodeURIComponent(this.lastId)}` : "";
    const source = new EventSource(this.url + query);
    this.source = source;
    source.onopen = () => {
      this.opened++;
    };
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED && source === this.source) {
        this.source = null;
        this.retry = window.setTimeout(() => this.connect(), RETRY_MS);
      }
    };
    const on = <T>(kind: string, take: (message: T, id: string) => void) =>
      source.addEventListener(kind, (event) => {
        if (source !== this.source) return;
        this.heard = performance.now();
        take(JSON.parse(event.data) as T, event.lastEventId);
      });
    const inOrder = <T>(kind: string, take: (message: T) => void) =>
      on<T>(kind, (message, id) => {
        if (!follows(this.lastId, id)) {
          this.gaps++;
          this.lastId = ""; // start again from a snapshot
          this.source = null;
          source.close();
          this.connect();
          return;
        }
        this.lastId = id;
        take(message);
      });
    on<SnapshotMessage>("snapshot", (message, id) => {
      this.snapshots++;
      this.lastId = id;
      this.listener.snapshot(message);
    });
    inOrder<PictureMessage>("picture", (m) => this.listener.picture(m));
    inOrder<AlertMessage>("alert", (m) => this.listener.alert(m));
    inOrder<HealthMessage>("health", (m) => this.listener.health(m));
    inOrder<CoverageMessage>("coverage", (m) => this.listener.coverage(m));
    inOrder<{ version: number }>("zones", (m) => this.listener.zones(m.version));
    on<Heartbeat>("heartbeat", (m) => this.listener.heartbeat(m));
  }
}
