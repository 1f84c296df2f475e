"""What holds for every test."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

# The same examples on every run, and no verdict by the clock: a machine that does other work too must not fail a test.
# HYPOTHESIS_PROFILE=explore looks at new examples.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts background jobs with Ctrl-C ignored, and children inherit that: tests that send one would wait.
    signal.signal(signal.SIGINT, signal.default_int_handler)
