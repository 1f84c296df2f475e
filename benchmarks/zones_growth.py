"""How Q1 grows from 10³ to 10⁷ positions and 10² to 10⁴ zones: ``python -m benchmarks.zones_growth``.

Prints a table and draws it (log-log) into docs/pictures/zones_growth.png. The last column is the growth of the
processor time for ten times the positions: 10 is linear.
"""

from __future__ import annotations

import math
from pathlib import Path

from benchmarks import scenes

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "zones_growth.png"
ZONES = (100, 1_000, 10_000)


def main() -> None:
    top = 7 + round(math.log10(scenes.scale()))
    everything = scenes.positions(10**top)
    curves = {}
    print(f"{'zones':>8}{'positions':>12}{'wall ms':>11}{'cpu ms':>11}{'cpu ns each':>13}{'growth':>9}")
    for m in ZONES:
        index = scenes.zones(m).index()
        curve = []
        for power in range(3, top + 1):
            n = 10**power
            p = scenes.Positions(*(c[:n] for c in everything))
            index.positions(*p)
            got = scenes.measure(lambda index=index, p=p: index.positions(*p), 40 if n < 10**5 else 5)
            growth = got.cpu_s / curve[-1][2] if curve else math.nan
            curve.append((n, got.wall_s, got.cpu_s))
            print(
                f"{m:8,}{n:12,}{got.wall_s * 1e3:11.3f}{got.cpu_s * 1e3:11.3f}"
                f"{got.cpu_s / n * 1e9:13.1f}{'' if math.isnan(growth) else f'{growth:9.1f}'}"
            )
        curves[m] = curve
        rise = curve[-1][2] / curve[1][2] / (curve[-1][0] / curve[1][0])
        allowed = math.log(curve[-1][0]) / math.log(curve[1][0])
        print(f"{m:8,} zones: from 10⁴ on {rise:.2f} × linear; N log N would be {allowed:.2f} ×")
    draw(curves)


def draw(curves) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for m, curve in curves.items():
        axes.loglog([c[0] for c in curve], [c[2] * 1e3 for c in curve], marker="o", label=f"{m:,} zones")
    n, _, cpu = curves[ZONES[-1]][-1]
    xs = [c[0] for c in curves[ZONES[-1]]]
    axes.loglog(xs, [cpu * 1e3 * x * math.log(x) / (n * math.log(n)) for x in xs], "--", color="grey", label="N log N")
    axes.set_xlabel("positions a call")
    axes.set_ylabel("processor time, ms")
    axes.set_title("Positions in zones")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=120, metadata={"Software": None})
    print(f"drawn into {PICTURE}")


if __name__ == "__main__":
    main()
