"""A contestant in a process of its own: what it is given, what it may use, its clocks."""

import importlib
import multiprocessing
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from starlabels.usage import peak_bytes

from .rows import Measured


class ContestError(Exception):
    """A contestant that failed; the text holds its traceback."""


@dataclass(frozen=True)
class Task:
    """What is timed, and what is not: how the last result becomes what is compared, and what is to be done at the end."""

    call: Callable[[], object]
    summary: Callable[[object], object] = lambda result: result
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Contestant:
    """Something to be measured in a process of its own.

    Attributes
    ----------
    factory : str
        "module:function". It is called once in the new process, may take as long as it likes (imports, compilation, reading the
        inputs) and returns the function without arguments that is timed, or a `Task`.
    arguments : dict
        Of the factory.
    env : dict
        Environment variables on top of those that limit the threads.
    """

    factory: str
    arguments: dict = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)


def thread_limits(threads: int) -> dict[str, str]:
    """Environment variables that hold numerical libraries to so many threads; TensorFlow's defaults are the number of cores."""
    names = ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR", "VECLIB_MAXIMUM")
    found = {f"{name}_NUM_THREADS": str(threads) for name in names}
    found |= {f"TF_NUM_{pool}_THREADS": str(threads) for pool in ("INTRAOP", "INTEROP")}
    return found | {"TF_CPP_MIN_LOG_LEVEL": "2"}


def usable_cores() -> int:
    """Cores that this process may use: those of the machine, or fewer where it is held to some."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def hold_to_cores(threads: int) -> list[int]:
    """Hold this process and all its children to `threads` cores; the cores, or an empty list where the system cannot do it."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    cores = sorted(os.sched_getaffinity(0))[:threads]
    os.sched_setaffinity(0, cores)
    return cores


def cpu_seconds() -> float:
    """Processor seconds, of user and system, that this process and its ended children have used."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def peak_mb() -> float:
    """Largest memory so far of this process or of one of its ended children, MB."""
    # the children's ru_maxrss may hold the size of this process, which counts anyway; its own would hold that of the run
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return max(peak_bytes(), children) / 1e6


def timed(call: Callable[[], object]) -> Measured:
    """Time one call."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    result = call()
    return Measured(result, time.perf_counter() - wall, cpu_seconds() - cpu, peak_mb())


class Inside:
    """A contestant in this process: one timed call whenever it is called."""

    def __init__(self, contestant: Contestant):
        module, name = contestant.factory.split(":")
        made = getattr(importlib.import_module(module), name)(**contestant.arguments)
        self._task, self._last = made if isinstance(made, Task) else Task(made), None

    def __call__(self) -> Measured:
        """One timed call; the result stays here."""
        measured = timed(self._task.call)
        self._last = measured.result
        return replace(measured, result=None)

    def result(self):
        """What the last call found."""
        return self._task.summary(self._last)

    def close(self) -> None:
        """End what the contestant has started."""
        self._task.close()


def _serve(pipe, contestant: Contestant) -> None:
    """The contestant's process."""
    try:
        runner = Inside(contestant)
        pipe.send(("ready", None))
        while (asked := pipe.recv()) != "end":
            pipe.send(("done", runner() if asked == "go" else runner.result()))
        runner.close()
    except BaseException:
        pipe.send(("error", traceback.format_exc()))


@contextmanager
def _environment(changes: Mapping[str, str]):
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


class Worker:
    """A contestant's process. Libraries read the limits of their threads when they are loaded, so it starts with them set."""

    def __init__(self, name: str, contestant: Contestant, threads: int):
        self.name = name
        self._pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_serve, args=(theirs, contestant), name=name)
        with _environment({**thread_limits(threads), **contestant.env}):
            self._process.start()
        theirs.close()
        self._answer()

    def _answer(self, asked: str = ""):
        try:
            if asked:
                self._pipe.send(asked)
            kind, content = self._pipe.recv()
        except (EOFError, OSError):  # OSError: it died before it was asked, or with the question unread
            self._process.join()
            raise ContestError(f"{self.name} ended without a word (exit code {self._process.exitcode}; out of memory?)") from None
        if kind == "error":
            raise ContestError(f"{self.name} failed:\n{content}")
        return content

    def __call__(self) -> Measured:
        """One timed call; the result stays in the process."""
        return self._answer("go")

    def result(self):
        """What the last call found."""
        return self._answer("result")

    def close(self) -> None:
        """End the process."""
        try:
            self._pipe.send("end")
        except OSError:
            pass
        self._process.join(30)
        if self._process.is_alive():
            self._process.terminate()
