"""Coverage-guided fuzzing of every decoder and reader: ``python benchmarks/fuzz_campaign.py --work DIR``.

Each target runs under atheris (dependency group «fuzz») in a process of its own. ``--work DIR`` keeps a folder for each
target with its corpus, its counts and its findings, so that a campaign can end at any time and go on later; ``--slice
S`` gives S seconds to the target that had the fewest so far, and ends. Whatever raises something untyped or makes a
library warn, and the slowest input (processor time: others may use the machine), stays in the folder. A target that
dies (segmentation fault, out of memory, endless loop) shows as DIED. ``--replay`` runs what the corpus holds once more
without instruments, for the memory and the time that an input really takes. ``--markdown`` prints what the folder holds
as the table of docs/reference/fuzzing.md.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
INPUT_BYTES_MAX = 400
"""Or the longest seed: short inputs run often."""
MEMORY_MB_MAX = 2048
ADDRESSES_MB_MAX = 8192
"""Address space of a target: an input that asks for more fails by itself, and not the machine."""
INPUT_SECONDS_MAX = 20
"""atheris stops a target whose single input takes longer."""
STATE_EVERY = 500
SITES_MAX = 50
WORDS_EVERY = 10
"""One input in so many gets a number or a word replaced instead of damaged bytes: it still parses, and goes deeper."""
PARSES = {
    "feed": ("feeds",), "zones": ("zones",), "volumes": ("edge", "zones"),
    "messages": ("messages", "channel.canonical"),
    "channel": ("channel",), "decisions": ("decisions", "edge.decisions"), "acts": ("decisions",),
    "dss": ("dss", "uss", "edge.dss"),
    "uss": ("dss", "uss", "zones"), "network": ("alerts", "channel", "dss", "edge", "server", "uss"),
    "files": ("alerts", "edge", "feeds", "zones"),
}  # fmt: skip
"""The packages whose code guides a kind of target. In the rest, a branch taken says nothing about the input."""
PARSES_NOT = ("feeds.decoder", "feeds.reports", "feeds.screening", "feeds.formats", "messages.phrases")
"""Modules of those packages that get what was parsed."""
CORPUS_MAX = 3000
"""Inputs that a resumed target reads again; the newest beyond that stay on disk unread."""
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


def fresh_state() -> dict[str, Any]:
    return {
        "runs": 0, "typed": 0, "untyped": 0, "sites": {}, "seconds": 0.0, "slices": 0,
        "slowest_s": 0.0, "rss_start_mb": 0.0, "rss_mb": 0.0, "died": [],
        "kept": 0, "kept_slowest_s": 0.0, "kept_mb": 0.0,
    }  # fmt: skip


def read_state(folder: Path) -> dict[str, Any]:
    path = folder / "state.json"
    return {**fresh_state(), **(json.loads(path.read_text()) if path.exists() else {})}


def write_state(folder: Path, state: dict[str, Any]) -> None:
    (folder / "state.tmp").write_text(json.dumps(state, indent=1))
    (folder / "state.tmp").replace(folder / "state.json")


def parses_not(target: str) -> list[str]:
    """The package's modules that are not to be instrumented. (atheris includes whole top-level packages only.)"""
    (root,) = importlib.util.find_spec("keepclear").submodule_search_locations  # type: ignore[union-attr, misc]
    names = [".".join(p.relative_to(root).with_suffix("").parts) for p in sorted(Path(root).rglob("*.py"))]
    parses = tuple(f"{name}." for name in PARSES[target.partition(":")[0]])
    return [
        "keepclear." + name.removesuffix(".__init__")
        for name in names
        if name in PARSES_NOT or not f"{name}.".startswith(parses)
    ]


def child(target: str, runs: int, seconds: int, seed: int, folder: Path) -> None:
    """One slice in this process; its state is written to ``folder`` now and then: libFuzzer never returns."""
    import atheris

    sys.path.insert(0, str(HERE))
    with atheris.instrument_imports(include=["keepclear"], exclude=parses_not(target)):
        import fuzz_targets

        fuzz_targets.load(target)
    from keepclear.errors import KeepclearError

    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    seeds = fuzz_targets.seeds(target)
    for number, data in enumerate(seeds):
        (corpus / f"seed{number}").write_bytes(data)
    run = fuzz_targets.TARGETS[target]
    for data in seeds:
        with contextlib.suppress(KeepclearError):
            run(data)  # imports and caches before the clock counts
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES_MB_MAX << 20, ADDRESSES_MB_MAX << 20))
    warnings.simplefilter("error")  # it would stand on the user's screen
    state = read_state(folder)
    again = len(list(corpus.iterdir()))
    """The corpus runs once more at the start of a slice: those inputs have been counted."""
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    state["rss_start_mb"] = max(state["rss_start_mb"], rss_mb)
    state["slices"] += 1
    before_s, began = state["seconds"], time.monotonic()

    def save() -> None:
        state["rss_mb"] = max(state["rss_mb"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        state["seconds"] = before_s + time.monotonic() - began
        write_state(folder, state)

    def one(data: bytes) -> None:
        nonlocal again
        start = time.process_time()
        typed = untyped = 0
        try:
            run(data)
        except KeepclearError:
            typed = 1
        except Exception as error:
            untyped = 1
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
        if again > 0:
            again -= 1
            return
        state["runs"] += 1
        state["typed"] += typed
        state["untyped"] += untyped
        if state["runs"] % STATE_EVERY == 0:
            save()

    save()
    arguments = [
        "fuzz",
        str(corpus),
        f"-runs={runs + again}",
        f"-max_total_time={seconds}",
        f"-max_len={max(INPUT_BYTES_MAX, *map(len, seeds))}",
        f"-seed={seed + state['slices']}",
        f"-timeout={INPUT_SECONDS_MAX}",
        f"-rss_limit_mb={MEMORY_MB_MAX}",
        f"-artifact_prefix={folder}/",
        "-reload=0",
        "-print_final_stats=0",
        "-verbosity=0",
        "-close_fd_mask=3",
    ]
    chance = random.Random(seed + state["slices"])

    def mutated(data: bytes, longest: int, number: int) -> bytes:
        if number % WORDS_EVERY == 0:
            return reworded(data, longest, chance)
        damaged: bytes = atheris.Mutate(data, longest)
        return damaged

    atheris.Setup(arguments, one, custom_mutator=mutated)
    try:
        atheris.Fuzz()
    finally:
        save()


def replay(target: str, folder: Path) -> None:
    """Every kept input of a target once, in a fresh process and without instruments."""
    sys.path.insert(0, str(HERE))
    import fuzz_targets

    from keepclear.errors import KeepclearError

    fuzz_targets.load(target)
    run = fuzz_targets.TARGETS[target]
    for data in fuzz_targets.seeds(target):
        with contextlib.suppress(KeepclearError):
            run(data)
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    slowest_s = 0.0
    kept = [path for place in ("corpus", "unread") for path in sorted((folder / place).glob("*"))]
    for path in [*kept, *folder.glob("slowest")]:
        data = path.read_bytes()
        start = time.process_time()
        with contextlib.suppress(KeepclearError):
            run(data)
        slowest_s = max(slowest_s, time.process_time() - start)
    state = read_state(folder)
    state["kept"], state["kept_slowest_s"] = len(kept), slowest_s
    state["kept_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before_mb
    write_state(folder, state)


def campaign(target: str, runs: int, seconds: int, seed: int, work: Path) -> dict[str, Any]:
    """One slice of one target in a process of its own; the target's state after it."""
    folder = work / target.replace(":", "-")
    folder.mkdir(parents=True, exist_ok=True)
    corpus = sorted((folder / "corpus").glob("*"), key=lambda path: path.stat().st_mtime)
    for path in corpus[CORPUS_MAX:]:
        (folder / "unread").mkdir(exist_ok=True)
        path.rename(folder / "unread" / path.name)
    command = [sys.executable, __file__, "--child", target, "--runs", str(runs), "--seconds", str(seconds)]
    done = subprocess.run(
        [*command, "--seed", str(seed), "--work", str(folder)],
        capture_output=True, check=False, env={**os.environ, "PYTHONHASHSEED": "0"},
    )  # fmt: skip
    state = read_state(folder)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().split("\n")[-1][:200] if not state["runs"] else ""
        state["died"].append(f"exit {done.returncode} {words}".strip())
        write_state(folder, state)
    return state


def states(work: Path, targets: list[str]) -> dict[str, dict[str, Any]]:
    return {target: read_state(work / target.replace(":", "-")) for target in targets}


def markdown(work: Path, targets: list[str]) -> None:
    """What the campaign has reached so far as a table; 3/N bounds the rate of what it did not find, with 95 %."""
    heads = ("Target", "inputs", "3/N", "refused whole", "minutes", "kept", "slowest ms", "memory MB", "open findings")
    print("| " + " | ".join(heads) + " |")
    print("|---|" + "---:|" * (len(heads) - 1))
    for name, state in states(work, targets).items():
        runs = state["runs"]
        cells = [f"`{name}`", f"{runs:,}", f"{3 / runs:.1e}" if runs else "–", f"{state['typed']:,}"]
        cells += [f"{state['seconds'] / 60:.1f}", f"{state['kept']:,}", f"{1e3 * state['kept_slowest_s']:.1f}"]
        cells += [f"{state['kept_mb']:+.1f}", "; ".join([*state["sites"], *state["died"]]) or "none"]
        print("| " + " | ".join(cells) + " |")


def show(target: str, state: dict[str, Any]) -> None:
    rate = state["runs"] / max(state["seconds"], 1e-9)
    cells = [f"{state[key]:,}" for key in ("runs", "typed", "untyped")]
    cells += [f"{state['rss_mb']:.0f}", f"{1e3 * state['slowest_s']:.1f}", f"{rate:,.0f}"]
    died = f" DIED: {'; '.join(state['died'])}" if state["died"] else ""
    print(f"{target:20} " + " ".join(f"{cell:>10}" for cell in cells) + died, flush=True)
    for site, example in state["sites"].items():
        print(f"    {site}: {example}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help="feed:NAME, zones:NAME …; all of them by default")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder of the campaign: it goes on with what is there"
    )
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs a target, all slices together")
    parser.add_argument("--slice", type=int, default=0, help="so many seconds for the target that had the fewest")
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--markdown", action="store_true", help="print the table and end")
    parser.add_argument("--replay", action="store_true", help="run the kept inputs once without instruments, and end")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--replay-child", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.replay_child:
        replay(options.replay_child, options.work)
        return
    if options.child:
        child(options.child, options.runs, options.seconds, options.seed, options.work)
        return
    sys.path.insert(0, str(HERE))
    import fuzz_targets

    targets = options.targets or list(fuzz_targets.TARGETS)
    if options.markdown:
        markdown(options.work, targets)
        return
    if options.replay:
        for target in targets:
            folder = options.work / target.replace(":", "-")
            if folder.is_dir():
                command = [sys.executable, __file__, "--replay-child", target, "--work", str(folder)]
                subprocess.run(command, check=True)
        return
    left = {name: state for name, state in states(options.work, targets).items() if state["runs"] < options.runs}
    if options.slice:
        left = dict(sorted(left.items(), key=lambda item: item[1]["seconds"])[:1])
    print(
        f"{'target':20} "
        + " ".join(f"{h:>10}" for h in ("runs", "typed", "untyped", "peak MB", "slowest ms", "a second"))
    )
    bad = 0
    for target, state in left.items():
        state = campaign(target, options.runs - state["runs"], options.slice, options.seed, options.work)
        show(target, state)
        bad += bool(state["untyped"] or state["died"])
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
