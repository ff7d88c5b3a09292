"""What is printed at the end of a run."""

import os

import pytest

from starlabels import messages

BENCHMARK = "s\th:m:s\tmax_rss\tcpu_time\n{}\t0:00:01\t{}\t1.0\n"


@pytest.fixture
def results(tmp_path):
    for name, seconds, memory, age in (("train/a", 60, 500, 0), ("train/b", 120, 300, 0), ("scan/all", 6, "-", 0), ("old/x", 600, 1, 5000)):
        path = tmp_path / "results/benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BENCHMARK.format(seconds, memory))
        os.utime(path, (1e9 - age, 1e9 - age))
    return tmp_path / "results"


def test_minutes_and_peak_memory_by_stage_of_this_run(results):
    table = messages.stage_minutes(results, started=1e9 - 10).set_index("rule")
    assert table["minutes"].to_dict() == pytest.approx({"train": 3.0, "scan": 0.1})
    assert table.loc["train", "jobs"] == 2 and table.loc["train", "peak_mb"] == 500 * 1.048576  # Snakemake counts in MiB


def test_closing_message_says_simulated_and_names_folders_that_exist(results, tmp_path):
    (tmp_path / "figures/sages").mkdir(parents=True)
    (tmp_path / "figures/sages/fig01.png").write_text("")
    text = messages.closing_message(str(results), str(tmp_path / "figures"), ["sages"], True, ["fig09 (needs h23)"])
    assert "1 figures" in text and "SIMULATED" in text and "fig09 (needs h23)" in text and "train" in text
    assert "final catalogues" not in text
    assert "SIMULATED" not in messages.closing_message(str(results), str(tmp_path / "figures"), ["sages"], False, [])


def test_failure_message_quotes_the_error_of_this_run(results):
    log = results / "logs/train/a.log"
    log.parent.mkdir(parents=True)
    log.write_text("08:00:00 starlabels: ERROR: file.fits: is truncated. Fetch it again\n")
    os.utime(log, (1e9, 1e9))
    text = messages.failure_message(str(results), "snakemake.log", started=1e9 - 10)
    assert "file.fits: is truncated" in text and str(log) in text
    text = messages.failure_message(str(results), "snakemake.log", started=1e9 + 10)
    assert "truncated" not in text and "may have been killed" in text
