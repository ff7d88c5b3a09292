"""Contestants take turns, so that whatever else the machine does hits all of them alike."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from .rows import Measured
from .worker import Contestant, Inside, Task, Worker

__all__ = ["Contestant", "Setting", "Task", "contest", "once", "take_turns"]


@dataclass(frozen=True)
class Setting:
    """What every benchmark is told.

    Attributes
    ----------
    size : str
        "tiny" (tests), "bench" or "large".
    threads : int
        Cores that every contestant may use.
    scratch : Path
        Folder for inputs and outputs, removed by the caller.
    say : callable
        Told the progress, one line at a time.
    inside : bool
        Contestants run in this process, without limits of their threads (tests, where starting processes would take longest).
    """

    size: str
    threads: int
    scratch: Path
    say: Callable[[str], None] = print
    inside: bool = False


def take_turns(
    calls: Mapping[str, Callable[[], Measured]], rounds: int, warm: int = 1, say: Callable[[str], None] = print
) -> dict[str, list[Measured]]:
    """Measure each in turn, `rounds` times, after `warm` rounds that do not count."""
    found: dict[str, list[Measured]] = {name: [] for name in calls}
    for k in range(-warm, rounds):
        for name, call in calls.items():
            measured = call()
            if k >= 0:
                found[name].append(measured)
            label = f"round {k + 1} of {rounds}" if k >= 0 else "warm-up"
            say(f"  {label}: {name} {measured.wall:.2f} s")
    return found


def contest(contestants: Mapping[str, Contestant], setting: Setting, rounds: int, warm: int = 1) -> dict[str, list[Measured]]:
    """Start a process for each contestant, let them take turns, end them.

    Returns
    -------
    dict of list of Measured
        A round each; the last one has the result.

    Raises
    ------
    ContestError
        When one fails.
    """
    with ExitStack() as stack:
        workers = {}
        for name, contestant in contestants.items():
            setting.say(f"  starting {name}")
            workers[name] = Inside(contestant) if setting.inside else Worker(name, contestant, setting.threads)
            stack.callback(workers[name].close)
        found = take_turns(workers, rounds, warm, setting.say)
        for name, worker in workers.items():
            found[name][-1] = replace(found[name][-1], result=worker.result())
        return found


def once(name: str, contestant: Contestant, setting: Setting):
    """The result of a single call in a process of its own, whose memory is then given back."""
    return contest({name: contestant}, setting, 1, 0)[name][0].result
