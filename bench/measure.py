"""What is measured, how, and how it is printed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lib.leat import Leat, Running

LIMIT_SECONDS = 1800


@dataclass
class Measured:
    """One line of the table."""

    name: str
    count: int
    seconds: float
    rss_anon_kb: int = 0


def timed(name: str, count: int, what: Callable[[], None]) -> Measured:
    """Measures how long something takes."""
    start = time.monotonic()
    what()
    return Measured(name, count, time.monotonic() - start)


def read_away(argv: Sequence[str]) -> None:
    """Runs a program whose output nobody wants."""
    done = subprocess.run(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{argv[0]} ended with {done.returncode}:\n{done.stderr[-4000:]}")


def rss_anon_kb(running: Running) -> int:
    """Returns the anonymous memory of a process now; 0 when it is gone."""
    try:
        status = Path(f"/proc/{running.pid}/status").read_text()
    except FileNotFoundError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(found[0]) if found else 0


def timed_leat(name: str, count: int, leat: Leat, is_done: Callable[[Running], bool]) -> Measured:
    """Measures leat from its start until it is there, its memory too; then ends it."""
    peak = 0
    start = time.monotonic()
    running = leat.start()
    while not is_done(running):
        peak = max(peak, rss_anon_kb(running))
        if not running.alive or time.monotonic() > start + LIMIT_SECONDS:
            raise SystemExit(f"leat did not get there:\n{running.log_text[-4000:]}")
        time.sleep(0.02)
    seconds = time.monotonic() - start
    peak = max(peak, rss_anon_kb(running))
    running.terminate()
    return Measured(name, count, seconds, peak)


def show(title: str, beside: Sequence[Measured], ours: Sequence[Measured]) -> None:
    """Prints lines of what did the same: ours with their ratio to each that they stand beside."""
    print(f"{title} (contents equal)")
    for one in (*beside, *ours):
        line = f"  {one.name:<32}{one.count / one.seconds:>12,.0f} rows/s {one.seconds:>8.2f} s"
        for other in beside:
            line += f"   x {other.seconds / one.seconds:<5.2f}"
        if one.rss_anon_kb:
            line += f"   peak anonymous memory {one.rss_anon_kb / 1024:.0f} MB"
        print(line.rstrip(), flush=True)
