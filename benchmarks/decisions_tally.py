"""The tally of a roll call of 705 members, beside the slow twin of the tests and beside counting the words alone.

No library is known that tallies these rules: voting packages (pref_voting, abcvoting) rank candidates, and weighted
voting games (powerindex, CoopGame in R) have one quota and nobody who abstains, is away or was never reached. So the
peers are the twin in fractions, which is what one would write by hand, and ``collections.Counter`` over the same
stances, which no tally can do without. Also: what reading the body from its canonical bytes takes, which a
recomputation from a record pays once a body. Processor time, best of the repetitions.

Run: ``python -m benchmarks.decisions_tally``.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import date

from keepclear.channel import canonical
from keepclear.decisions.rules.body import Body
from keepclear.decisions.rules.shipped import shipped_body
from keepclear.decisions.rules.stance import Stance
from keepclear.decisions.rules.tally import tally
from tests.decisions.rules.rule_twin import Seat, adopted

REPEATS = 200
TARGET_MS = 50.0
DAY = date(2022, 3, 1)
WORDS = (Stance.FOR, Stance.AGAINST, Stance.ABSTAIN, Stance.ABSENT)
VOTES = (
    ("european-parliament-705", "ep-simple-majority"), ("european-parliament-705", "ep-two-thirds"),
    ("un-general-assembly", "unga-silence"), ("council-of-the-eu", "eu-qualified-majority"),
)  # fmt: skip


def best_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.process_time_ns()
        work()
        times.append(time.process_time_ns() - start)
    return min(times) / 1e6


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    chance = random.Random(705)
    print("| body | members | rule | tally ms | twin ms | counting alone ms | reading the body ms | target |")
    print("|---|---:|---|---:|---:|---:|---:|---|")
    for body_id, rule_id in VOTES:
        body = shipped_body(body_id)
        rule, electorate, data = body.rule(rule_id), body.electorate(DAY), canonical.encode(body)
        if rule.silence:
            stances: dict[str, Stance] = {}
            silent = frozenset(electorate.by_id)
        else:
            stances = {m.id: chance.choices(WORDS, (94, 2, 3, 1))[0] for m in electorate.members}
            silent = frozenset()

        def ours() -> bool:
            return tally(rule, electorate, stances, silent=silent).adopted  # noqa: B023

        def by_twin() -> bool:
            seats = [Seat(stances.get(m.id, "SILENT"), m.population or 1) for m in electorate.members]  # noqa: B023
            return adopted(rule_id, seats)  # noqa: B023

        assert ours() == by_twin()
        taken, twin = best_ms(ours), best_ms(by_twin)
        alone = best_ms(lambda: Counter(stances.values()))  # noqa: B023
        reading = best_ms(lambda: canonical.decode(data, Body, what="body"))  # noqa: B023
        met = "met" if taken + reading < TARGET_MS else "missed"
        print(
            f"| {body_id} | {len(electorate)} | {rule_id} | {taken:.3f} | {twin:.3f} | {alone:.3f} | {reading:.2f} "
            f"| < {TARGET_MS:.0f} ms: {met} |"
        )


if __name__ == "__main__":
    main()
