"""Run benchmarks one after the other; one that fails is a row of the table like any other."""

import importlib
import shutil
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from . import machine, report
from .contest import Setting
from .rows import BAD, Row
from .worker import hold_to_cores

NAMES = ("forest_predict", "forest_train", "crossmatch", "ensemble_train", "ensemble_predict", "tables")


def benchmark(name: str) -> Callable[[Setting], list[Row]]:
    """The function of a benchmark."""
    return importlib.import_module(f"benchmarks.{name}").run


def run_all(names: Sequence[str], setting: Setting, find: Callable[[str], Callable[[Setting], list[Row]]] = benchmark) -> list[Row]:
    """Rows of the benchmarks named; the scratch folder is emptied after each."""
    rows: list[Row] = []
    for name in names:
        setting.say(f"{name} ...")
        started = time.perf_counter()
        setting.scratch.mkdir(parents=True, exist_ok=True)
        try:
            found = find(name)(setting)
        except Exception as error:  # the others shall run whatever this one ends in
            traceback.print_exc()
            found = [Row(name, "did not end", "", "", note=str(error).strip().splitlines()[-1], failed=True)]
        finally:
            shutil.rmtree(setting.scratch, ignore_errors=True)
        rows += found
        for row in found:
            setting.say("  " + " | ".join(text for text in report.cells(row) if text))
        setting.say(f"{name}: {time.perf_counter() - started:.0f} s")
    return rows


def run_and_write(
    names: Sequence[str], size: str, threads: int, folder: Path, command: str, say: Callable[[str], None] = print,
    find: Callable[[str], Callable[[Setting], list[Row]]] = benchmark,
) -> int:  # fmt: skip
    """Run, write the table into `folder`; 1 when results disagree, a floor is missed or a benchmark fails, else 0."""
    about = {"command": command, "size": size, "threads": threads, "cores": hold_to_cores(threads)}
    machine_before, started = machine.describe(), time.perf_counter()
    setting = Setting(size, threads, folder / ".scratch", say)
    rows = run_all(names, setting, find)
    about["minutes"] = (time.perf_counter() - started) / 60
    say("\n" + report.write(folder, rows, about, machine_before, machine.versions()))
    say(f"written: {folder}/bench.md, bench.json, bench.csv")
    return int(any(row.verdict in BAD for row in rows))
