"""Coverage-guided fuzzing of every decoder and reader: ``python benchmarks/fuzz_campaign.py --runs 1_000_000``.

Each target runs in a process of its own under atheris (dependency group «fuzz») and a table is printed: runs,
exceptions typed and untyped, peak memory, slowest input (processor time: others may use the machine). Inputs that
raise something untyped, and the slowest, are kept in ``--keep DIR``. A target that dies (segmentation fault, out of
memory, endless loop) shows as DIED. ``--results FILE`` gets one JSON line a target; ``--markdown FILE`` prints the
latest line of each target in such a file as the table of docs/reference/fuzzing.md.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
INPUT_BYTES_MAX = 1024
"""Or a quarter more than the longest seed: short inputs run often."""
MEMORY_MB_MAX = 2048
INPUT_SECONDS_MAX = 20
"""atheris stops a target whose single input takes longer."""
STATE_EVERY = 500
SITES_MAX = 50
WORDS_EVERY = 10
"""One input in so many gets a number or a word replaced instead of damaged bytes: it still parses, and goes deeper."""
_WORD = re.compile(rb"-?\d+(?:\.\d+)?|[A-Za-z_]{2,}|\"[^\"]{0,40}\"")
_WORDS = (
    *(b"-1", b"0", b"-0.0", b"1e308", b"1e309", b"-1e-320", b"90.0000001", b"180", b"-180", b"360", b"4294967296"),
    *(b"9223372036854775808", b"99999999999999999999999999", b"NaN", b"Infinity", b"null", b"true", b"[]", b"{}"),
    *(b'""', b'"a"', b'"\\ud800"', b"9999-12-31T23:59:60Z", b"0001-01-01T00:00:00Z", b"UNL", b"GND", b"FL999999"),
)


def reworded(data: bytes, longest: int, chance: random.Random) -> bytes:
    """Up to three numbers or words of a text replaced: by hostile ones, by another of the same text, by nothing."""
    for _ in range(chance.randint(1, 3)):
        words = list(_WORD.finditer(data))
        if not words:
            break
        word = chance.choice(words)
        other = chance.choice(_WORDS) if chance.random() < 0.6 else chance.choice(words).group()
        data = data[: word.start()] + (other if chance.random() < 0.9 else b"") + data[word.end() :]
    return data[:longest]


def child(target: str, runs: int, seconds: int, seed: int, folder: Path) -> None:
    """One campaign in this process; its state is written to ``folder`` now and then: libFuzzer never returns."""
    import atheris

    with atheris.instrument_imports(include=["keepclear"]):
        import keepclear.feeds.formats
        import keepclear.zones.formats
    sys.path.insert(0, str(HERE))
    with atheris.instrument_imports(include=["keepclear"]):
        import fuzz_targets

        kind, _, name = target.partition(":")
        if kind == "feed":
            keepclear.feeds.formats._load(keepclear.feeds.formats.FORMATS[name].decoder)
        else:
            keepclear.zones.formats._module(keepclear.zones.formats.FORMATS[name])
    from keepclear.errors import KeepclearError

    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(fuzz_targets.seeds(target)):
        (corpus / f"seed{number}").write_bytes(data)
    run = fuzz_targets.TARGETS[target]
    for data in fuzz_targets.seeds(target):
        with contextlib.suppress(KeepclearError):
            run(data)  # imports and caches before the clock counts
    state: dict[str, Any] = {"runs": 0, "typed": 0, "untyped": 0, "sites": {}, "slowest_s": 0.0, "rss_mb": 0.0}
    state["rss_start_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.monotonic()

    def save() -> None:
        state["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        state["seconds"] = time.monotonic() - began
        (folder / "state.tmp").write_text(json.dumps(state))
        (folder / "state.tmp").replace(folder / "state.json")

    def one(data: bytes) -> None:
        start = time.process_time()
        try:
            run(data)
        except KeepclearError:
            state["typed"] += 1
        except Exception as error:
            state["untyped"] += 1
            frame = traceback.extract_tb(error.__traceback__)[-1]
            ours = [f for f in traceback.extract_tb(error.__traceback__) if "keepclear" in f.filename] or [frame]
            site = f"{type(error).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"
            if site not in state["sites"] and len(state["sites"]) < SITES_MAX:
                name = f"crash-{hashlib.sha1(data).hexdigest()[:12]}"
                (folder / name).write_bytes(data)
                state["sites"][site] = f"{str(error)[:100]} [{name}]"
        took = time.process_time() - start
        if took > state["slowest_s"]:
            state["slowest_s"] = took
            (folder / "slowest").write_bytes(data)
        state["runs"] += 1
        if state["runs"] % STATE_EVERY == 0 or state["runs"] == 1 or state["runs"] >= runs:
            save()

    save()
    longest = max(map(len, fuzz_targets.seeds(target)), default=0)
    arguments = [
        "fuzz",
        str(corpus),
        f"-runs={runs}",
        f"-max_len={max(INPUT_BYTES_MAX, longest * 5 // 4)}",
        f"-seed={seed}",
        f"-timeout={INPUT_SECONDS_MAX}",
        f"-rss_limit_mb={MEMORY_MB_MAX}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=0",
        "-verbosity=0",
        "-close_fd_mask=3",
    ]
    if seconds:
        arguments.append(f"-max_total_time={seconds}")

    def mutated(data: bytes, longest: int, number: int) -> bytes:
        if number % WORDS_EVERY == 0:
            return reworded(data, longest, random.Random(number))
        damaged: bytes = atheris.Mutate(data, longest)
        return damaged

    atheris.Setup(arguments, one, custom_mutator=mutated)
    try:
        atheris.Fuzz()
    finally:
        save()


def campaign(target: str, runs: int, seconds: int, seed: int, keep: Path | None) -> dict[str, Any]:
    """One target in a process of its own; its final state."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        command = [
            sys.executable,
            __file__,
            "--child",
            target,
            "--runs",
            str(runs),
            "--seconds",
            str(seconds),
            "--seed",
            str(seed),
        ]
        done = subprocess.run(
            [*command, "--folder", place], capture_output=True, check=False, env={**os.environ, "PYTHONHASHSEED": "0"}
        )
        state: dict[str, Any] = {}
        if (folder / "state.json").exists():
            state = json.loads((folder / "state.json").read_text())
        state["died"] = "" if done.returncode == 0 else f"exit {done.returncode}"
        if done.returncode and not state.get("runs"):
            state["died"] += " " + done.stderr.decode(errors="replace").strip().split("\n")[-1][:200]
        if keep:
            safe = target.replace(":", "-")
            for path in folder.iterdir():
                if path.is_file() and (path.name == "slowest" or path.name.startswith(("crash-", "oom-", "timeout-"))):
                    (keep / safe).mkdir(parents=True, exist_ok=True)
                    (keep / safe / path.name).write_bytes(path.read_bytes())
        return state


def markdown(results: Path) -> None:
    """The latest line of each target as a table."""
    latest = {line["target"]: line for line in map(json.loads, results.read_text().splitlines())}
    heads = ("Target", "Inputs", "accepted", "typed error", "untyped", "start MB", "peak MB", "slowest ms", "code")
    print("| " + " | ".join(heads) + " |")
    print("|---|" + "---:|" * (len(heads) - 2) + "---|")
    for name, line in latest.items():
        counts = (line["runs"], line["runs"] - line["typed"] - line["untyped"], line["typed"], line["untyped"])
        cells = [f"`{name}`", *(f"{count:,}" for count in counts)]
        cells += [f"{line['rss_start_mb']:.0f}", f"{line['rss_mb']:.0f}", f"{1e3 * line['slowest_s']:.0f}"]
        print("| " + " | ".join([*cells, line["revision"] + (f" ({line['died']})" if line["died"] else "")]) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help="feed:NAME or zones:NAME; all of them by default")
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs a target")
    parser.add_argument("--seconds", type=int, default=0, help="end a target after so many seconds (0: never)")
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--keep", type=Path, help="folder for the inputs that failed or were slow")
    parser.add_argument("--results", type=Path, help="file that gets one JSON line a target")
    parser.add_argument("--revision", default="", help="which code this is, for the results")
    parser.add_argument("--markdown", type=Path, metavar="RESULTS", help="print this file's table and end")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.runs, options.seconds, options.seed, options.folder)
        return
    if options.markdown:
        markdown(options.markdown)
        return
    sys.path.insert(0, str(HERE))
    import fuzz_targets

    bad = 0
    heads = ("runs", "typed", "untyped", "sites", "start MB", "peak MB", "slowest ms", "inputs/s")
    print(f"{'target':20} " + " ".join(f"{head:>10}" for head in heads))
    for target in options.targets or fuzz_targets.TARGETS:
        state = campaign(target, options.runs, options.seconds, options.seed, options.keep)
        if not state.get("runs"):
            print(f"{target:20} DIED {state['died']}", flush=True)
            bad += 1
            continue
        if options.results:
            line = {"target": target, "revision": options.revision, **state}
            with options.results.open("a") as file:
                file.write(json.dumps(line) + "\n")
        rate = state["runs"] / max(state.get("seconds", 0.0), 1e-9)
        counts = [f"{state[key]:,}" for key in ("runs", "typed", "untyped")]
        sizes = [f"{state[key]:.0f}" for key in ("rss_start_mb", "rss_mb")]
        cells = [*counts, str(len(state["sites"])), *sizes, f"{1e3 * state['slowest_s']:.1f}", f"{rate:,.0f}"]
        print(f"{target:20} " + " ".join(f"{cell:>10}" for cell in cells), state["died"], flush=True)
        for site, example in state["sites"].items():
            print(f"    {site}: {example}", flush=True)
        bad += bool(state["untyped"] or state["died"])
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
