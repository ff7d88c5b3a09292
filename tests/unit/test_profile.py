"""The profile of a run: start-up by script, time by rule, how busy the machine was."""

import json
import subprocess
import sys

import pytest

from starlabels.errors import InputError
from starlabels.rates import profile, startup

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


@pytest.fixture
def results(tmp_path):
    """Two jobs of one rule, one of another; records of Snakemake beside them, and one of another run."""
    folder, records = tmp_path / "results", tmp_path / ".snakemake/metadata"
    records.mkdir(parents=True)
    for rule, name, wall, cpu in (("stars", "a", 10.0, 4.0), ("stars", "b", 10.0, 4.0), ("scan", "all", 10.0, 19.0)):
        path = folder / f"benchmarks/{rule}/{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADER + f"{wall}\t0:00:10\t100\t1\t1\t1\t1\t1\t1\t{cpu}\n")
    times = [("stars", "results/logs/stars/a.log", 0, 10), ("stars", "results/logs/stars/b.log", 5, 15)]
    times += [("scan", "results/logs/scan.log", 20, 30), ("scan", "elsewhere/logs/scan.log", 0, 1000)]
    for i, (rule, log, start, end) in enumerate(times):
        for output in range(2):   # a record an output file, the second written a little later
            record = {"rule": rule, "log": [log], "starttime": start + 0.1 * output, "endtime": end}
            (records / f"{i}-{output}").write_text(json.dumps(record))
    (records / "half").write_text('{"rule": "st')
    (records / "running").write_text(json.dumps({"rule": "stars", "log": ["results/logs/stars/c.log"], "starttime": 3, "endtime": None}))
    return folder


def test_shares_and_startup(results):
    table = profile.profile(results, {"stars": 1.5}).set_index("rule")
    assert list(table.index) == ["scan", "stars"]
    assert table.loc["scan", "share"] == pytest.approx(19 / 27) and table.loc["stars", "mean_s"] == 10.0
    assert table.loc["stars", "startup_total_s"] == 3.0


def test_occupancy_from_the_records(results):
    times = profile.schedule(results.parent / ".snakemake/metadata", "results")
    assert [(r.rule, r.start, r.end) for r in times.itertuples()] == [("stars", 0, 10), ("stars", 5, 15), ("scan", 20, 30)]
    busy = profile.occupancy(times, core_s=27.0, cores=2)
    assert busy == pytest.approx({"elapsed_s": 30, "paused_s": 0, "idle_s": 5, "single_s": 20, "jobs": 1.0, "cores_busy": 0.45})
    text = profile.page(profile.profile(results, {"stars": 1.5}), busy, 2)
    assert "Elapsed 0:00:30; no job ran for 5 s, one job alone for 20 s" in text and "3 core-seconds" in text


def test_a_job_counts_from_the_start_of_its_latest_execution(results):
    """A file that the first evening's execution left, under the log of a job that ran again the next day."""
    records = results.parent / ".snakemake/metadata"
    (records / "old").write_text(json.dumps({"rule": "scan", "log": ["results/logs/scan.log"], "starttime": -50_000, "endtime": -49_000}))
    times = profile.schedule(records, "results")
    assert [(r.rule, r.start, r.end) for r in times.itertuples()] == [("stars", 0, 10), ("stars", 5, 15), ("scan", 20, 30)]


def test_a_night_between_two_runs_is_no_idle_time(results):
    records = results.parent / ".snakemake/metadata"
    job = {"rule": "scan", "log": ["results/logs/late.log"], "starttime": 40_030, "endtime": 40_060}
    (records / "late").write_text(json.dumps(job))
    busy = profile.occupancy(profile.schedule(records, "results"), core_s=27.0, cores=2)
    assert busy["paused_s"] == 40_000 and busy["elapsed_s"] == 60 and busy["idle_s"] == 5
    assert busy["single_s"] == 50 and busy["cores_busy"] == pytest.approx(27 / 120)
    assert "pauses between runs, 11:06:40 in all" in profile.page(profile.profile(results, {}), busy, 2)


def test_profile_without_benchmarks(tmp_path):
    with pytest.raises(InputError, match="benchmark"):
        profile.profile(tmp_path, {})


def test_every_rule_of_the_workflow_has_its_script(root):
    found = startup.scripts_of_rules(root / "workflow/rules")
    assert found["stars"] == "stars.py" and found["predict_cnn"] == "rave_predict.py" and found["catalog"] == "catalog.py"
    assert all((root / "workflow/scripts" / name).is_file() for name in found.values())


def test_imports_inside_blocks_are_found(tmp_path):
    script = tmp_path / "job.py"
    script.write_text('"""A job."""\nimport os\n\nwith open(os.devnull):\n    from pathlib import Path\n\n    Path()\n')
    assert startup.import_statements(script) == "import os\nfrom pathlib import Path"
    with pytest.raises(InputError, match="nothing.py"):
        startup.import_statements(tmp_path / "nothing.py")


def test_startup_counts_what_an_import_costs(tmp_path):
    (tmp_path / "costly.py").write_text("import time\nwhile time.process_time() < 1.5: pass\n")
    assert startup.startup_seconds("import costly", tmp_path) >= 1.5 > startup.startup_seconds("", tmp_path) > 0
    shares = startup.import_shares("import costly", tmp_path)
    assert shares.index[0] == "costly" and shares.iloc[0] > 0.5
    with pytest.raises(InputError, match="ModuleNotFoundError"):
        startup.startup_seconds("import nowhere_at_all", tmp_path)


def test_the_command_refuses_an_empty_folder(tmp_path, root):
    done = subprocess.run([sys.executable, "workflow/scripts/profile_run.py", str(tmp_path)], capture_output=True, text=True, cwd=root)
    assert done.returncode != 0 and done.stderr.startswith("ERROR: ") and "Traceback" not in done.stderr
