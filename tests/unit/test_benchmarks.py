"""The benchmarks' own logic: turns, ratios, verdicts, missing peers, the table; and each benchmark on a tiny size."""

import csv
import importlib
import json
import os
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import benchmarks
from benchmarks import contest, crossmatch, ensemble_predict, ensemble_train, forest_data, forest_train, report, rows, run, tables
from benchmarks.__main__ import main
from benchmarks.contest import Contestant, Setting, Task, take_turns
from benchmarks.rows import Agreement, Measured, Row, compare, missing
from benchmarks.worker import ContestError, Worker, peak_mb, thread_limits, timed
from starlabels.usage import STATUS

YES = Agreement(True, "difference 0")


def quiet(_):
    """Progress that nobody reads."""


def row(ratios=(4.0, 6.0, 5.0), agreement=YES, **more):
    """A comparison whose median ratio is 5 by default."""
    ours = [Measured(None, 2.0, 1.0)] * len(ratios)
    peer = [Measured(None, 2.0 * ratio, 3.0) for ratio in ratios]
    return compare("numbers", "a case", ("ours", "the peer"), ours, peer, agreement, **more)


# --- contestants for processes of their own: named in the factories below -------------------------------------------------


def counting(start):
    """Counts its calls; what is compared is ten times the count."""
    found = [start]

    def call():
        found[0] += 1
        return found[0]

    return Task(call, lambda result: 10 * result, lambda: print("the counter has ended", flush=True))


def environment(name):
    """Gives an environment variable of the process."""
    return lambda: os.environ.get(name)


def breaking():
    """Fails when it is called."""
    return lambda: 1 // 0


def dying():
    """Ends its process."""
    return lambda: os._exit(3)


def dying_later():
    """Ends its process between two calls."""
    return lambda: threading.Timer(0.2, os._exit, (3,)).start()


def idle():
    """Does nothing."""
    return lambda: None


@pytest.fixture
def importable(monkeypatch, root):
    """New processes find this file as a module."""
    monkeypatch.syspath_prepend(str(root / "tests" / "unit"))
    return lambda name: f"test_benchmarks:{name}"


# --- turns and clocks -----------------------------------------------------------------------------------------------------


def test_contestants_take_turns_and_the_warm_up_does_not_count():
    order = []

    def player(name, seconds):
        def call():
            order.append(name)
            return Measured(None, seconds + len(order), 0.0)

        return call

    found = take_turns({"a": player("a", 100), "b": player("b", 200)}, rounds=2, warm=1, say=quiet)
    assert order == ["a", "b"] * 3
    assert [m.wall for m in found["a"]] == [103, 105] and [m.wall for m in found["b"]] == [204, 206]


def test_timed_tells_waiting_from_computing():
    asleep = timed(lambda: time.sleep(0.2))
    assert asleep.wall >= 0.2 and asleep.cpu < 0.15 and asleep.peak_mb > 10

    def busy():
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass

    assert 0.15 < timed(busy).cpu < 1


def test_contestants_run_in_processes_with_limited_threads(importable, tmp_path, capfd):
    setting = Setting("tiny", 1, tmp_path, quiet)
    contestants = {
        "counter": Contestant(importable("counting"), {"start": 5}),
        "limit": Contestant(importable("environment"), {"name": "OMP_NUM_THREADS"}),
        "own": Contestant(importable("environment"), {"name": "OF_ITS_OWN"}, {"OF_ITS_OWN": "seen"}),
    }
    found = contest.contest(contestants, setting, rounds=2, warm=1)
    assert found["counter"][-1].result == 80 and found["counter"][0].result is None       # three calls, not two; the summary
    assert (found["limit"][-1].result, found["own"][-1].result) == ("1", "seen")
    assert "OF_ITS_OWN" not in os.environ and "the counter has ended" in capfd.readouterr().out
    assert thread_limits(3)["TF_NUM_INTRAOP_THREADS"] == "3"


@pytest.mark.parametrize(("name", "text"), [("breaking", "ZeroDivisionError"), ("dying", "exit code 3"), ("absent", "AttributeError")])
def test_a_failing_contestant_says_why(importable, tmp_path, name, text):
    with pytest.raises(ContestError, match=text):
        contest.contest({"it": Contestant(importable(name))}, Setting("tiny", 1, tmp_path, quiet), 1)


@pytest.mark.parametrize("question", [Worker.__call__, Worker.result])
def test_a_contestant_that_died_between_two_calls_says_so(importable, question):
    worker = Worker("it", Contestant(importable("dying_later")), 1)
    worker()
    worker._process.join(30)
    with pytest.raises(ContestError, match="exit code 3"):
        question(worker)
    worker.close()


@pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell the true peak")
def test_peak_memory_is_that_of_the_contestant_not_of_the_run(importable):
    ballast = bytearray(900_000_000)
    worker = Worker("it", Contestant(importable("idle")), 1)
    del ballast
    try:
        assert 10 < worker().peak_mb < 700
    finally:
        worker.close()


def test_peak_memory_counts_children_that_have_ended():
    subprocess.run([sys.executable, "-c", "bytearray(1_500_000_000)"], check=True)
    assert peak_mb() > 1500


# --- ratios and verdicts --------------------------------------------------------------------------------------------------


def test_ratio_is_the_median_of_the_pairs():
    ours = [Measured(None, wall, 1.0) for wall in (1.0, 2.0, 10.0)]
    peer = [Measured(None, wall, 4.0) for wall in (3.0, 10.0, 20.0)]
    found = compare("b", "c", ("o", "p"), ours, peer, YES)
    assert found.ratios == [3.0, 5.0, 2.0] and found.ratio == 3.0          # the ratio of the medians would be 5
    assert (found.ours_time, found.peer_time) == (2.0, 10.0)
    shared = compare("b", "c", ("o", "p"), ours, peer, YES, clock="cpu", work=(4.0, 2.0))
    assert shared.ratios == [8.0] * 3 and (shared.ours_time, shared.peer_time) == (0.25, 2.0)
    with pytest.raises(ValueError):
        compare("b", "c", ("o", "p"), ours, peer[:2], YES)


@pytest.mark.parametrize(("more", "verdict"), [
    ({}, rows.PLAIN), ({"floor": 5.0}, rows.FLOOR), ({"floor": 5.1}, rows.BELOW), ({"floor": 3.0, "aim": 5.0}, rows.AIM),
    ({"floor": 3.0, "aim": 5.1}, rows.FLOOR), ({"floor": 1.0, "aim": 2.0, "agreement": Agreement(False, "no")}, rows.DISAGREES),
    ({"agreement": Agreement(None, "judged elsewhere")}, rows.PLAIN), ({"failed": True, "floor": 1.0}, rows.FAILED),
])  # fmt: skip
def test_verdict(more, verdict):
    assert row(**more).verdict == verdict


def test_missing_peer_is_a_row_without_numbers():
    found = missing("b", "c", "o", "p", "not installed", floor=3.0)
    assert (found.verdict, found.ratio, found.note) == (rows.MISSING, None, "not installed")


# --- whole runs -----------------------------------------------------------------------------------------------------------


def whole_run(monkeypatch, tmp_path, **benchmarks):
    """Run made-up benchmarks; the exit code, the page, the JSON and the CSV."""
    monkeypatch.setattr(run, "hold_to_cores", lambda threads: [0])
    code = run.run_and_write(list(benchmarks), "tiny", 1, tmp_path, "the command", quiet, benchmarks.get)
    with open(tmp_path / "bench.csv", newline="") as stream:
        table = list(csv.DictReader(stream))
    return code, (tmp_path / "bench.md").read_text(), json.loads((tmp_path / "bench.json").read_text()), table


def test_table_is_written(monkeypatch, tmp_path):
    code, page, data, table = whole_run(
        monkeypatch, tmp_path,
        numbers=lambda setting: [row(floor=3.0, aim=10.0), missing("numbers", "a case", "ours", "STILTS", "Java is not installed")],
    )  # fmt: skip
    assert code == 0
    assert "5.00 (4.00 .. 6.00)" in page and "difference 0" in page and "floor met" in page
    assert "STILTS" in page and "Java is not installed" in page and "1 not available" in page
    assert all(word in page for word in ("processor", "memory", "numpy", "scikit-learn", "the command", np.__version__))
    assert [entry["verdict"] for entry in data["rows"]] == ["floor met", "not available"] and data["rows"][0]["ratios"] == [4.0, 6.0, 5.0]
    assert [entry["verdict"] for entry in table] == ["floor met", "not available"] and set(report.COLUMNS) < set(table[0])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bench.csv", "bench.json", "bench.md"]


@pytest.mark.parametrize(("bad", "word"), [
    ({"agreement": Agreement(False, "12 of 100 differ")}, "DISAGREES"), ({"floor": 50.0}, "below the floor"),
])  # fmt: skip
def test_what_is_not_as_required_ends_in_an_error(monkeypatch, tmp_path, bad, word):
    code, page, _, _ = whole_run(monkeypatch, tmp_path, first=lambda setting: [row(**bad)], second=lambda setting: [row()])
    assert code == 1 and word in page and "1 not as required" in page


def test_a_benchmark_that_fails_does_not_stop_the_others(monkeypatch, tmp_path, capsys):
    def broken(setting):
        (setting.scratch / "left behind").write_text("x")
        raise RuntimeError("out of luck")

    code, page, data, _ = whole_run(monkeypatch, tmp_path, broken=broken, second=lambda setting: [row()])
    assert code == 1 and "out of luck" in page and [entry["verdict"] for entry in data["rows"]] == ["FAILED", "-"]
    assert not (tmp_path / ".scratch").exists() and "RuntimeError" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "text"), [(["forests"], "forest_predict"), (["--threads", "0"], "--threads is 0")])
def test_command_line_refuses(arguments, text, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert text in capsys.readouterr().err


def test_threads_are_checked_against_the_cores_that_may_be_used(monkeypatch, capsys):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5, 7, 9}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    with pytest.raises(SystemExit):
        main(["--threads", "4"])
    assert "3 cores can be used" in capsys.readouterr().err
    monkeypatch.setattr(run, "run_and_write", lambda names, size, threads, *_: threads)
    assert main(["--threads", "3"]) == 3


def test_help_promises_the_size_that_the_docs_promise(root, capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    promise = re.search(r"make bench-large +# sizes of the papers: (.*)", (root / "docs/performance.md").read_text())[1]
    assert promise in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", run.NAMES)
def test_each_benchmark_keeps_the_contract(name, root):
    module = importlib.import_module(f"benchmarks.{name}")
    assert module.NAME == name and set(module.SIZES) == {"tiny", "bench", "large"} and callable(module.run)
    assert f"\n| `{name}`" in (root / "docs/performance.md").read_text()


def test_the_contract_is_stated():
    stated = " ".join(benchmarks.__doc__.split())
    for word in ("NAME", "SIZES", "run(Setting) -> list[Row]", "run.NAMES", "docs/performance.md", '"module:function"'):
        assert word in stated


# --- how results are judged -----------------------------------------------------------------------------------------------


def test_pairs_must_be_identical():
    pairs = np.array([[1, 5], [2, 7]])
    assert crossmatch.same(pairs, pairs.copy()).agrees
    assert crossmatch.same(pairs, pairs[:1]).agrees is False and crossmatch.same(pairs, pairs + [[0, 0], [0, 1]]).agrees is False
    assert crossmatch.same(pairs[:0], pairs[:0]).agrees is False           # nothing was matched, so nothing was shown


def test_forests_are_judged_by_trees_or_by_accuracy():
    def grown(digest, rmse=0.2, oob=0.9):
        return Measured({"digest": digest, "rmse": rmse, "oob": oob}, 1.0, 1.0)

    judge = forest_train.judge
    assert judge("presorted", grown("a"), grown("a"), False).agrees and judge("presorted", grown("a"), grown("b"), False).agrees is False
    assert judge("sklearnex", grown("a"), grown("b"), False).agrees is None
    assert judge("sklearnex", grown("a", 0.2009, 0.9019), grown("b"), True).agrees
    assert judge("sklearnex", grown("a", 0.2011), grown("b"), True).agrees is False
    assert judge("sklearnex", grown("a", 0.2, 0.8979), grown("b"), True).agrees is False
    assert judge("presorted", grown("a"), grown("b"), True).agrees is False         # equal accuracy is not enough for an exact engine


def test_losses_are_judged_close_at_first_and_alike_later():
    reference = np.array([[[0.1, 0.05, 0.02]], [[0.09, 0.06, 0.03]]])          # training, test losses of one network
    assert ensemble_train.judge(reference * [1.0005, 1.1, 1.2], reference).agrees
    assert ensemble_train.judge(reference * [1.002, 1.0, 1.0], reference).agrees is False
    assert ensemble_train.judge(reference * [1.0, 1.0, 1.4], reference).agrees is False
    assert ensemble_train.judge(reference * [1.0, np.nan, 1.0], reference).agrees is False


def test_predictions_are_judged_in_scaled_labels():
    mean, spread = np.full((3, 2), 0.5), np.full((3, 2), 0.1)
    assert ensemble_predict.judge((mean + 9e-6, spread), (mean, spread)).agrees
    assert ensemble_predict.judge((mean, spread + 2e-5), (mean, spread)).agrees is False
    assert ensemble_predict.judge((mean, 0 * spread), (mean, 0 * spread)).agrees is False          # networks that are all the same


def test_tables_are_judged_value_by_value():
    frame = tables.table(200)
    found = tables.digests(frame)
    assert len(found) == tables.COLUMNS and tables.equal(found, tables.digests(frame.copy())).agrees
    other = frame.copy()
    other.loc[150, "column_4"] += 1e-12
    assert tables.equal(found, tables.digests(other)).text == "values of column_4 differ"
    assert tables.equal(found, tables.digests(frame[frame.columns[:5]])).agrees is False


def test_trees_in_scikit_learns_form_are_the_same_trees():
    from sklearn.ensemble import RandomForestRegressor

    from starlabels.forest_compact import compact

    x, y = forest_data.sample(500, 18, 1)
    regressor = RandomForestRegressor(4, max_depth=6, random_state=0).fit(x, y)
    again = forest_data.as_sklearn(compact(regressor, [f"f{k}" for k in range(18)]), x, 1)
    for a, b in zip(regressor.estimators_, again.estimators_, strict=True):
        for name in ("children_left", "children_right", "feature"):          # scikit-learn's own order of the nodes too
            assert np.array_equal(getattr(a.tree_, name), getattr(b.tree_, name))
        leaf = a.tree_.children_left < 0
        assert np.array_equal(a.tree_.value[leaf], b.tree_.value[leaf])
        assert (b.tree_.threshold <= a.tree_.threshold).all()          # rounded down to single precision
    assert np.array_equal(regressor.predict(x), again.predict(x))


def test_half_of_the_made_up_sources_match():
    sky = crossmatch.sky_data.catalogues(3000, 1)
    assert len(sky["left"]) == len(sky["gaia"]) == 3000
    assert not any(frame.isna().any().any() for frame in sky.values()) and sky["gaia"][crossmatch.GAIA].is_unique


@pytest.mark.parametrize("name", run.NAMES)
def test_each_benchmark_runs_and_its_results_agree(name, tmp_path):
    found = run.benchmark(name)(Setting("tiny", 2, tmp_path, quiet, inside=True))
    assert found and all(isinstance(r, Row) and r.benchmark == name for r in found)
    measured = [r for r in found if r.verdict != rows.MISSING]
    assert measured and all(r.ratio > 0 and r.agreement.text for r in measured)
    exact = [r for r in measured if r.ours != "sklearnex"]          # histograms are as accurate only with thousands of stars
    assert all(r.agreement.agrees is not False for r in exact)
    assert any(r.agreement.agrees for r in measured) and all(r.note for r in found if r.verdict == rows.MISSING)


def test_peers_that_are_not_installed_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(crossmatch.shutil, "which", lambda name: None)
    found = crossmatch.run(Setting("tiny", 1, tmp_path, quiet, inside=True))
    absent = [r for r in found if r.verdict == rows.MISSING]
    assert [r.peer for r in absent] == ["STILTS tskymatch2, FITS to FITS", "STILTS tmatch2, FITS to FITS"] * 2
    assert all("not installed" in r.note for r in absent)

    monkeypatch.setattr(forest_data, "_try", lambda name: "is not installed" if name == "sklearnex" else "")
    found = forest_train.run(Setting("tiny", 1, tmp_path, quiet, inside=True))
    assert {r.ours for r in found if r.verdict == rows.MISSING} == {"sklearnex"}
