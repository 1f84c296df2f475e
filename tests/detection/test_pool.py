"""Blocks of work come back whole and in order, and a failure in any of them is told."""

from __future__ import annotations

import time

import pytest

from keepclear.detection.kernels.pool import each, in_blocks


def test_every_block_is_done_once_and_in_order() -> None:
    blocks = in_blocks(lambda a, b: (a, b), 10_007, 1_000)
    assert [b for block in blocks for b in range(*block)] == list(range(10_007))


@pytest.mark.parametrize("failing", [0, 7])
def test_a_failure_is_told_after_the_others_have_ended(failing: int) -> None:
    ended: list[int] = []

    def work(k: int) -> None:
        if k == failing:
            raise ArithmeticError(k)
        time.sleep(0.001)
        ended.append(k)

    with pytest.raises(ArithmeticError):
        each(work, 8, enough=True)
    count = len(ended)
    time.sleep(0.01)
    assert len(ended) == count
