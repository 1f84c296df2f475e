// Track symbols, drawn here as signed distance fields, so that one picture takes any colour.

const SIZE = 48;
const RADIUS = 8; // MapLibre's: a field reaches this many pixels beyond the edge

const SHAPES: Record<string, (c: CanvasRenderingContext2D) => void> = {
  dart: (c) => path(c, [[24, 6], [36, 41], [24, 33.5], [12, 41]]),
  rotor: (c) => {
    path(c, [[24, 8], [29, 20], [29, 30], [24, 43], [19, 30], [19, 20]]);
    path(c, [[8, 14], [11, 11], [40, 34], [37, 37]]);
    path(c, [[40, 14], [37, 11], [8, 34], [11, 37]]);
  },
  drone: (c) => {
    path(c, [[24, 6], [31, 17], [17, 17]]);
    for (const [x, y] of [[14, 24], [34, 24], [14, 39], [34, 39]] as const) disc(c, x, y, 6.2);
    path(c, [[19, 26], [29, 26], [29, 37], [19, 37]]);
  },
  ship: (c) => path(c, [[24, 5], [33, 18], [33, 42], [15, 42], [15, 18]]),
  vehicle: (c) => path(c, [[24, 8], [34, 18], [34, 40], [14, 40], [14, 18]]),
  dot: (c) => disc(c, 24, 24, 9),
};

export function icon(domain: number, category: number, moving: boolean): string {
  if (!moving) return "dot";
  if (domain === 3) return "ship";
  if (domain === 2) return "vehicle";
  if (category === 2) return "rotor";
  if (category === 3) return "drone";
  return "dart";
}

export function icons(): [string, { width: number; height: number; data: Uint8ClampedArray }][] {
  return Object.entries(SHAPES).map(([name, draw]) => [name, { width: SIZE, height: SIZE, data: field(draw) }]);
}

function field(draw: (c: CanvasRenderingContext2D) => void): Uint8ClampedArray {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "#fff";
  draw(context);
  const { data } = context.getImageData(0, 0, SIZE, SIZE);
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < SIZE && y < SIZE && data[(y * SIZE + x) * 4 + 3]! > 127;
  const out = new Uint8ClampedArray(SIZE * SIZE * 4);
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++) {
      const here = inside(x, y);
      let nearest = RADIUS;
      for (let dy = -RADIUS; dy <= RADIUS; dy++)
        for (let dx = -RADIUS; dx <= RADIUS; dx++)
          if (inside(x + dx, y + dy) !== here) nearest = Math.min(nearest, Math.hypot(dx, dy) - 0.5);
      const distance = here ? -nearest : nearest;
      out[(y * SIZE + x) * 4 + 3] = Math.round(255 - 255 * (distance / RADIUS + 0.25));
    }
  return out;
}

function path(c: CanvasRenderingContext2D, points: [number, number][]): void {
  c.beginPath();
  points.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.closePath();
  c.fill();
}

function disc(c: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  c.beginPath();
  c.arc(x, y, r, 0, 2 * Math.PI);
  c.fill();
}
