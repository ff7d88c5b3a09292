"""Rates, growth and the estimate of the papers' run, on made-up folders of results whose answers are known by hand."""

import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from starlabels import usage
from starlabels.errors import InputError
from starlabels.figures import scale
from starlabels.io import write_json, write_table
from starlabels.rates import growth, jobs, networks, papers, report, stages, threads

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
STAGES = [stage.name for stage in stages.stages()]


def job(results, rule, name, wall_s, cpu_s, rss_mib=100.0, record=None):
    """A benchmark file, and a log that ends with the job's own record if there is one."""
    path, log = results / "benchmarks" / rule / f"{name}.tsv", results / "logs" / rule / f"{name}.log"
    for file in (path, log):
        file.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + f"{wall_s}\t0:00:01\t{rss_mib}\t1\t1\t1\t1\t1\t1\t{cpu_s}\n")
    log.write_text("12:00:00 starlabels.catalogs: 10 rows\n" + (f"12:00:01 starlabels.rule.{rule}: used {record}\n" if record else ""))


def record(core_s, peak_mb=200.0, output_mb=1.0):
    return f'{{"core_s": {core_s}, "peak_mb": {peak_mb}, "output_mb": {output_mb}, "threads": 2}}'


def make_run(folder, rows, core_s, peak_mb=200.0, leave_out=()):
    """A run of one job a stage and data set; `core_s` maps a rule to its core-seconds, else a second for 1000 rows."""
    for rule, names in {
        "simulate": ["north1-000"], "catalog": ["sages"], "stars": ["00001"], "labels": ["00001"], "features": ["00001"],
        "samples": ["set1", "set2"], "train": ["set1_logg_all", "set2_logg_all"], "predict": ["set1_00001", "set2_00001"],
        "catalog_product": ["set1", "set2"],
    }.items():  # fmt: skip
        if rule not in leave_out:
            for name in names:
                job(folder, rule, name, 100.0, 90.0, 100.0, record(core_s.get(rule, rows / 1000), peak_mb))
    write_json(folder / "catalogs/sages/selection.json", [{"cut": "all rows", "kept": rows}, {"cut": "known", "kept": rows - 1}])
    for k in (1, 2):
        if "train" not in leave_out:
            write_json(folder / f"sages/models/set{k}/logg_all.json", {"n_train": rows // (40 * k), "n_trees": 10})
        if "catalog_product" not in leave_out:
            write_table(folder / f"sages/catalog/sages_set{k}.parquet", pd.DataFrame({"feh": np.zeros(rows // (2 * k), "float32")}))
    return folder


@pytest.fixture
def pair(tmp_path):
    """Two runs of 2 000 and 20 000 sources: everything grows with the rows, but `labels` by a factor 15."""
    return [stages.read_run(make_run(tmp_path / "small", 2_000, {"labels": 2.0})),
            stages.read_run(make_run(tmp_path / "large", 20_000, {"labels": 30.0}, peak_mb=500.0))]  # fmt: skip


@pytest.mark.parametrize(("wall_s", "expected"), [(0.3, 0), (0.7, 0.5), (9.9, 9.5), (36.2, 15), (44.9, 15), (45.1, 45), (80, 75)])
def test_last_sample_of_snakemake(wall_s, expected):
    assert jobs.last_sample(wall_s) == expected


def test_the_plan_of_samples_is_that_of_the_installed_snakemake():
    """Run Snakemake's own timer on a clock that jumps, and compare when it samples."""
    benchmark = pytest.importorskip("snakemake.benchmark")
    waits = []

    class Plan(benchmark.ScheduledPeriodicTimer):
        def work(self):
            pass

        def _schedule(self):
            waits.append(self._interval if self._times_called > self._interval else benchmark.BENCHMARK_INTERVAL_SHORT)

    timer = Plan(benchmark.BENCHMARK_INTERVAL)
    timer.start()
    for _ in range(34):
        timer._action()
    samples = np.concatenate([[0.0], np.cumsum(waits)])
    for wall_s in (0.2, 3.3, 14.9, 15.2, 44.0, 46.0, 100.0):
        assert jobs.last_sample(wall_s) == samples[samples <= wall_s].max()


def test_core_seconds_from_the_record_else_carried_on_else_wall(tmp_path):
    job(tmp_path, "stars", "a", 10.0, 3.0, record=record(4.25))
    job(tmp_path, "stars", "b", 30.0, 12.0)      # sampled until 15 s
    job(tmp_path, "stars", "c", 0.4, 0.0)        # no sample but the first
    job(tmp_path, "stars", "d", 0.4, "NA", "NA")
    found = jobs.read_jobs(tmp_path).set_index("job")
    assert found["core_s"].to_dict() == pytest.approx({"a": 4.25, "b": 24.0, "c": 0.4, "d": 0.4})
    assert found["exact"].to_dict() == {"a": True, "b": False, "c": False, "d": False}
    assert found["peak_mb"].to_dict() == pytest.approx({"a": 200.0, "b": 104.8576, "c": 104.8576, "d": np.nan}, nan_ok=True)
    assert found.loc["a", "output_mb"] == 1.0 and np.isnan(found.loc["b", "output_mb"])


def test_only_jobs_of_this_run(tmp_path):
    for name in ("old", "new"):
        job(tmp_path, "stars", name, 1.0, 1.0)
    os.utime(tmp_path / "benchmarks/stars/old.tsv", (1000, 1000))
    assert list(jobs.read_jobs(tmp_path, started=2000)["job"]) == ["new"]


ROW = "\t0:00:01\t{}\t1\t1\t1\t1\t1\t1\t1\n"
DAMAGED = ["", "s\tcpu_time\n1.0\t2.0\n", HEADER, "\x00\x01", *(HEADER + wall + ROW.format(1) for wall in ("abc", "-", "-1"))]
DAMAGED += [HEADER + "1.0" + ROW.format("much")]


@pytest.mark.parametrize("text", DAMAGED)
def test_damaged_benchmark_names_the_file(tmp_path, text):
    job(tmp_path, "stars", "00001", 1.0, 1.0)
    (tmp_path / "benchmarks/stars/00001.tsv").write_text(text)
    with pytest.raises(InputError, match="benchmarks/stars/00001.tsv"):
        jobs.read_jobs(tmp_path)


def test_damaged_record_names_the_log(tmp_path):
    job(tmp_path, "stars", "00001", 1.0, 1.0, record='{"core_s": 1.0, "peak')
    with pytest.raises(InputError, match="logs/stars/00001.log"):
        jobs.read_jobs(tmp_path)


def test_a_job_reads_its_own_time_peak_and_outputs(tmp_path):
    """A process that works for a known time with 300 MB, started from one that is larger."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/one").write_bytes(b"x" * 2_000_000)
    (tmp_path / "two").write_bytes(b"x" * 500_000)
    code = ("import time, sys\nfrom starlabels.usage import used\nblock = bytearray(300_000_000)\ndel block\n"
            "while time.process_time() < 0.6: pass\nprint(used(sys.argv[1:], 3))")  # fmt: skip
    ballast = bytearray(900_000_000)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "out"), str(tmp_path / "two"), str(tmp_path / "gone")],
                          capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": "workflow/scripts"})  # fmt: skip
    del ballast
    log = tmp_path / "job.log"
    log.write_text(f"12:00:00 starlabels.rule.stars: used {done.stdout}")
    found = usage.read_used(log)
    assert 0.6 <= found["core_s"] < 1.5
    assert 300 < found["peak_mb"] < 500
    assert found["output_mb"] == 2.5 and found["threads"] == 3


def test_a_log_without_a_record(tmp_path):
    (tmp_path / "job.log").write_text("12:00:00 starlabels.rule.stars: 5 rows used {cut}\n")
    assert usage.read_used(tmp_path / "job.log") is None


def test_stage_rates_rows_and_disk(pair):
    table = pair[0].table.set_index("stage")
    assert list(table.index) == STAGES and pair[0].rows == 2_000 and pair[0].missing == ()
    assert table.loc["train set1", "rows"] == 500 and table.loc["train set2", "rows"] == 250
    assert table.loc["predict set1", "rows"] == 1000 and table.loc["predict set2", "rows"] == 500
    assert table.loc["stars", "core_s_per_million"] == pytest.approx(1000.0)
    assert table.loc["samples", "core_s"] == 4.0 and table.loc["samples", "longest_core_s"] == 2.0
    assert table.loc["samples", "disk_mb_per_million"] == pytest.approx(1000.0)


def test_disk_is_scanned_where_jobs_left_no_record(tmp_path):
    folder = make_run(tmp_path / "run", 2_000, {})
    for rule in ("stars", "labels"):
        job(folder, rule, "00001", 10.0, 9.5)
    (folder / "sages/stars").mkdir(parents=True)
    (folder / "sages/stars/cell-00001.parquet").write_bytes(b"x" * 3_000_000)
    table = stages.read_run(folder).table.set_index("stage")
    assert table.loc["stars", "disk_mb"] == 3.0
    assert np.isnan(table.loc["labels", "disk_mb"])  # the files are gone


def test_catalogues_of_the_spectral_half_do_not_count(tmp_path):
    folder = make_run(tmp_path / "run", 2_000, {})
    for name, cell in (("rave_obsdata", "00000"), ("gaia", "00066")):
        job(folder, "catalog", name, 1.0, 1.0)
        (folder / f"catalogs/{name}").mkdir(parents=True)
        (folder / f"catalogs/{name}/cell-{cell}.parquet").write_text("")
    table = stages.read_run(folder).table.set_index("stage")
    assert table.loc["catalog", "jobs"] == 2 and table.loc["catalog", "core_s"] == pytest.approx(2.0 + 1.0)


def test_a_catalogue_belongs_to_the_half_that_its_record_names(tmp_path):
    """Also where its cells are gone, or where a photometric sky has but cell 0."""
    folder = make_run(tmp_path / "run", 2_000, {})
    for name, rule, core_s in (("rave_obsdata", "rave_catalog", 50.0), ("gaia", "catalog", 40.0)):
        job(folder, "catalog", name, 1.0, 1.0)
        (folder / f"logs/catalog/{name}.log").write_text(f"12:00:01 starlabels.rule.{rule}: used {record(core_s)}\n")
    (folder / "catalogs/gaia").mkdir(parents=True)
    (folder / "catalogs/gaia/cell-00000.parquet").write_text("")
    table = stages.read_run(folder).table.set_index("stage")
    assert table.loc["catalog", "jobs"] == 2 and table.loc["catalog", "core_s"] == pytest.approx(42.0)


def test_missing_stage_is_said(tmp_path):
    run = stages.read_run(make_run(tmp_path / "run", 2_000, {}, leave_out=("train",)))
    assert run.missing == ("train set1", "train set2") and "train set1" not in set(run.table["stage"])
    table, missing = papers.estimate([run], sources=1_000_000)
    assert missing[:2] == ["train set1", "train set2"] and "read spectra" in missing
    page = report.report([run], table, missing, None, 32)
    assert "Not measured: train set1, train set2." in page and "NOT in the sums" in page and "growth is not known" in page


def test_folder_without_benchmarks(tmp_path):
    with pytest.raises(InputError, match="benchmark"):
        stages.read_run(tmp_path)


def test_growth_exponent_and_flag(pair):
    table = growth.growth(pair[::-1]).set_index("stage")
    assert table["rows_ratio"].to_numpy() == pytest.approx(10.0)
    assert table.loc["stars", "exponent"] == pytest.approx(1.0) and table.loc["stars", "per_row_ratio"] == pytest.approx(1.0)
    assert table.loc["labels", "exponent"] == pytest.approx(np.log(15) / np.log(10))
    assert table.loc["labels", "per_row_ratio"] == pytest.approx(1.5)
    assert list(table.index[table["worse"]]) == ["labels"]
    text = report.report(pair, *papers.estimate(pair, 1_000_000), None, 32)
    assert "Worse than linear by more than 20%: labels (1.50)." in text


@pytest.mark.parametrize(("core_s", "worse"), [(23.9, False), (24.1, True)])
def test_the_limit_of_growth_is_a_fifth(tmp_path, core_s, worse):
    sizes = (("small", 2_000, 2.0), ("large", 20_000, core_s))
    runs = [stages.read_run(make_run(tmp_path / name, rows, {"stars": seconds})) for name, rows, seconds in sizes]
    assert bool(growth.growth(runs).set_index("stage").loc["stars", "worse"]) is worse


def test_capped_training_has_a_ratio_but_no_exponent(tmp_path):
    runs = [stages.read_run(make_run(tmp_path / n, rows, {"train": t})) for n, rows, t in (("small", 2_000, 10.0), ("large", 20_000, 11.0))]
    for k in (1, 2):
        write_json(tmp_path / f"large/sages/models/set{k}/logg_all.json", {"n_train": 50 // k, "n_trees": 10})
    runs[1] = stages.read_run(tmp_path / "large")
    row = growth.growth(runs).set_index("stage").loc["train set1"]
    assert row["rows_ratio"] == 1.0 and np.isnan(row["exponent"]) and row["per_row_ratio"] == pytest.approx(1.1) and not row["worse"]


def test_runs_of_one_size_are_refused(tmp_path):
    runs = [stages.read_run(make_run(tmp_path / n, 2_000, {})) for n in "ab"]
    with pytest.raises(InputError, match="as many SAGES sources"):
        growth.ordered(runs)


@pytest.mark.parametrize(("peak_mb", "holds"), [(3999.0, True), (4000.0, False)])
def test_memory_limit_counts_every_job_of_the_run(tmp_path, peak_mb, holds):
    folder = make_run(tmp_path / "run", 2_000, {})
    job(folder, "figure", "sages_fig01", 1.0, 1.0, record=record(1.0, peak_mb))
    row = growth.memory([stages.read_run(folder)]).iloc[0]
    assert (row["rule"], row["job"], bool(row["holds"])) == ("figure", "sages_fig01", holds)


def test_memory_without_peaks_is_not_known(tmp_path):
    folder = make_run(tmp_path / "run", 2_000, {})
    for path in folder.glob("benchmarks/*/*.tsv"):
        job(folder, path.parent.name, path.stem, 0.3, "NA", "NA")
    run = stages.read_run(folder)
    row = growth.memory([run]).iloc[0]
    assert row["holds"] is None and np.isnan(row["peak_mb"]) and row["unseen"] == len(run.jobs) == 13
    table, missing = papers.estimate([run], 1_000_000)
    assert list(table["holds"].unique()) == [None]
    page = report.report([run], table, missing, None, 32)
    assert "is not known: 13 jobs have no measured peak" in page and "not known" in report.memory_table(growth.memory([run]))
    assert "a job holds." not in page


@pytest.mark.parametrize(("peak_mb", "holds", "said"), [(3999.0, None, "is not known: 1 jobs"), (4000.0, False, "does NOT hold")])
def test_a_job_without_a_peak_leaves_the_limit_open_unless_another_breaks_it(tmp_path, peak_mb, holds, said):
    folder = make_run(tmp_path / "run", 2_000, {})
    job(folder, "figure", "sages_fig01", 1.0, 1.0, record=record(1.0, peak_mb))
    job(folder, "figure", "sages_fig02", 0.3, "NA", "NA")
    table = growth.memory([stages.read_run(folder)])
    assert table.iloc[0]["holds"] is holds and said in report.memory_verdict(table)


def test_memory_of_training_is_for_the_threads_of_the_papers_machine(tmp_path):
    """Two runs whose jobs have a share of the sample a thread (2 threads) and 1 MB for 100 stars beside it."""
    runs = []
    for rows in (2_000_000, 20_000_000):
        folder, stars = make_run(tmp_path / f"r{rows}", rows, {}), rows // 40
        peak = 100.0 + stars / 100 + 2 * threads.thread_mb(stars, 18)
        job(folder, "train", "set1_logg_all", 100.0, 90.0, record=record(20.0, peak))
        about = {"n_train": stars, "n_trees": 10, "features": ["x"] * 18, "forest": {"engine": "presorted"}}
        write_json(folder / "sages/models/set1/logg_all.json", about)
        runs.append(stages.read_run(folder))
    assert runs[0].table.set_index("stage").loc["train set1", ["peak_job", "threads"]].to_list() == ["set1_logg_all", 2]
    table, missing = papers.estimate(runs, 48_000_000, cores=32)
    found = table.set_index("stage")
    # rows are stars times trees: 10 trees as measured and 3 x 300 in the papers' run
    carried = 100 + 646_216 * 90 / 100
    assert found.loc["train set1", "threads"] == 16
    assert found.loc["train set1", "peak_mb"] == pytest.approx(carried + 16 * threads.thread_mb(646_216, 18))
    assert papers.estimate(runs, 48_000_000, cores=4)[0].set_index("stage").loc["train set1", "threads"] == 4
    # a smaller run that does not tell its engine: nothing is taken off its peak
    write_json(tmp_path / "r2000000/sages/models/set1/logg_all.json", {"n_train": 50_000, "n_trees": 10})
    found_again = papers.estimate(runs, 48_000_000, cores=32)[0].set_index("stage").loc["train set1"]
    slope = (4500 - 2 * threads.thread_mb(50_000, 18)) / 4_500_000
    assert found_again["peak_mb"] == pytest.approx(5100 + slope * (found.loc["train set1", "rows"] - 5_000_000)
                                                   + 16 * threads.thread_mb(646_216, 18))
    # data set 2 tells nothing of its engine: as measured
    assert found.loc["train set2", "threads"] == 2 and "those measured" in report.report(runs, table, missing, None, 32)


def test_a_thread_holds_what_was_measured():
    """300 000 stars and 18 features: 275, 316 and 398 MB with 1, 2 and 4 threads."""
    assert threads.thread_mb(300_000, 18) == pytest.approx((398.1 - 274.6) / 3, rel=0.05)


def test_estimate_shares_work_but_waits_for_the_longest_job(pair):
    table, _ = papers.estimate(pair, sources=2_000_000, cores=10)
    found = table.set_index("stage")
    # 100 times the rows of the large run; one job grows with the rows, its wall time was 100 s
    assert found.loc["catalog", "core_hours"] * 3600 == pytest.approx(2_000)
    assert found.loc["catalog", "wall_hours"] * 3600 == pytest.approx(10_000) and found.loc["catalog", "longest_job"]
    # the shards stay as they are
    assert found.loc["stars", "wall_hours"] * 3600 == pytest.approx(200) and not found.loc["stars", "longest_job"]
    # five forests of 300 trees at the papers' size against one of 500 stars and 10 trees in 20 s
    assert found.loc["train set1", "core_hours"] * 3600 == pytest.approx(20 * 3 * 646_216 * 300 / (500 * 10))
    assert found.loc["train set2", "rows"] == pytest.approx(found.loc["train set1", "rows"] / 2)
    assert found.loc["predict set2", "core_hours"] * 3600 == pytest.approx(20 * 2_191_452 / 5_000)
    assert found.loc["stars", "disk_gb"] == pytest.approx(0.1)
    # memory of a job that reads all goes on growing by 300 MB for 18 000 rows; a shard is as large as it was
    assert found.loc["catalog", "peak_mb"] == pytest.approx(500 + 300 / 18_000 * 1_980_000) and not found.loc["catalog", "holds"]
    assert found.loc["stars", "peak_mb"] == 500 and found.loc["stars", "holds"]
    assert "simulate" not in found.index


def test_estimate_refuses_no_cores(pair):
    with pytest.raises(InputError, match="cores"):
        papers.estimate(pair, 1_000_000, cores=0)


def test_whole_archives_take_as_long_as_their_largest(tmp_path):
    folder = make_run(tmp_path / "run", 20_000, {})
    job(folder, "catalog", "gaia", 10.0, 9.5, record=record(8.0))
    write_json(folder / "catalogs/gaia/selection.json", [{"cut": "all rows", "kept": 40_000}])
    found = papers.archives(stages.read_run(folder), {"gaia": 40_000_000, "sages": 20_000}, cores=4)
    assert found["longest"] == "gaia" and found["wall_hours"] * 3600 == pytest.approx(10_000)
    assert found["core_hours"] * 3600 == pytest.approx(8_000 + 20)


@pytest.fixture
def networks_run(tmp_path):
    folder = make_run(tmp_path / "run", 2_000, {})
    seconds = [(30.0, 100), (10.0, 100), (10.0, 100)]    # the first compiles
    members = [{"seconds": s, "epochs": e, "failed": False} for s, e in seconds] + [{"seconds": 1.0, "epochs": 90, "failed": True}]
    write_json(folder / "rave/models/main/photometry/batch-000.json", {"engine": "numba", "n_train": 3669, "networks": members})
    write_json(folder / "rave/models/main/photometry/ensemble.json", {"n_kept": 4})
    write_table(folder / "rave/predictions/main/photometry/south1-000.parquet", pd.DataFrame({"teff": np.zeros(500)}))
    job(folder, "train_cnn", "main_photometry_000", 50.0, 45.0)
    job(folder, "predict_cnn", "main_photometry_south1-000", 2.0, 2.0, record=record(1.0))
    return folder


def test_rates_of_networks(networks_run):
    rate = networks.network_rates(networks_run).iloc[0]
    assert (rate["network"], rate["networks"], rate["epoch_s"], rate["epochs"]) == ("photometry", 3, 0.1, 100.0)
    assert not rate["epoch_exact"]
    assert rate["predict_s"] == pytest.approx(1.0 / 2000)
    table, missing = papers.estimate([stages.read_run(networks_run)], 1_000_000)
    found = table.set_index("stage")
    assert found.loc["train networks, photometry", "core_hours"] * 3600 == pytest.approx(1_000)
    assert found.loc["predict networks, photometry", "core_hours"] * 3600 == pytest.approx(420_165 * 80 / 2000)
    assert missing == ["read spectra", "train networks, spectra", "predict networks, spectra"]


def test_core_seconds_of_networks_are_those_of_the_jobs_records(networks_run):
    """All four networks of the job, 390 epochs, used its 19.5 core-seconds, whatever their wall time; another job has no record."""
    run = stages.read_run(networks_run)
    unit = lambda: papers.estimate([run], 1_000_000)[0].set_index("stage").loc["train networks, photometry", "unit"]  # noqa: E731
    page = lambda: "\n".join(report.estimate_section(*papers.estimate([run], 1_000_000), None, 32))  # noqa: E731
    assert unit() == "networks, by wall time" and "waited for a core" in page()
    job(networks_run, "train_cnn", "main_photometry_000", 50.0, 45.0, record=record(19.5))
    other = {"seconds": 99.0, "epochs": 100, "failed": False}
    write_json(networks_run / "rave/models/main/photometry/batch-001.json", {"engine": "numba", "n_train": 3669, "networks": [other]})
    job(networks_run, "train_cnn", "main_photometry_001", 50.0, 45.0)
    rate = networks.network_rates(networks_run).iloc[0]
    assert rate["epoch_exact"] and rate["epoch_s"] == pytest.approx(19.5 / 390) and rate["networks"] == 4
    assert unit() == "networks" and "waited for a core" not in page()


def test_networks_of_another_engine_have_no_rate_and_do_not_end_the_report(networks_run, caplog):
    path = networks_run / "rave/models/main/photometry/batch-001.json"
    write_json(path, {"engine": "keras", "n_train": 3669, "networks": []})
    assert networks.network_rates(networks_run).empty and "batch-001.json" in caplog.text
    table, missing = papers.estimate([stages.read_run(networks_run)], 1_000_000)
    assert {"train networks, photometry", "predict networks, photometry"} <= set(missing) and "stars" in set(table["stage"])


def test_threads_and_rules_are_those_of_the_workflow(root):
    """The threads of each stage stand in its rule."""
    text = "".join(path.read_text() for path in sorted((root / "workflow/rules").glob("*.smk")))
    blocks = dict(re.findall(r"^ *rule (\w+):\n(.*?)(?=^ *rule |\Z)", text, re.MULTILINE | re.DOTALL))
    for stage in stages.stages():
        threads = re.search(r"^ *threads: (\d+)", blocks[stage.rule], re.MULTILINE)
        assert stage.threads == (int(threads[1]) if threads else 1), stage.rule
        assert f"benchmarks/{stage.rule}/" in blocks[stage.rule]


def test_figure_has_one_line_a_stage_and_the_limit(pair):
    drawn = scale.points({run.rows: run.table for run in pair})
    assert drawn.groupby("stage").size().to_dict()["train"] == 2
    assert drawn.set_index(["stage", "sources"]).loc[("samples", 20_000), "core_s"] == 40.0
    figure = scale.draw(drawn)
    assert "Simulated sky" in figure._suptitle.get_text()
    for axis, column in zip(figure.axes, ("core_s", "peak_mb", "disk_mb"), strict=True):
        assert axis.get_xscale() == axis.get_yscale() == "log"
        lines = {line.get_label(): line for line in axis.get_lines()}
        for stage, own in drawn.groupby("stage"):
            line = lines[scale.NAMES.get(stage, stage)]
            np.testing.assert_allclose(line.get_ydata(), own.sort_values("sources")[column])
    assert [t.get_text() for t in figure.axes[1].texts] == ["limit 4\N{THIN SPACE}000 MB"]
    styles = {(line.get_color(), line.get_marker()) for line in figure.axes[0].get_lines()}
    assert len(styles) == len(figure.axes[0].get_lines())


def test_the_page_has_the_caption_of_its_figure(root):
    assert scale.CAPTION in " ".join((root / "docs/scale.md").read_text().split())


def test_the_command_writes_all_files_and_prints_the_estimate(pair, tmp_path, root):
    command = [sys.executable, "workflow/scripts/scale_report.py", *(str(run.folder) for run in pair), "--out", str(tmp_path / "scale")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
    assert "The papers' run on 32 cores" in done.stdout
    for ending in ("md", "csv", "json", "png", "pdf"):
        assert (tmp_path / f"scale/scale.{ending}").stat().st_size > 0
    refused = subprocess.run([*command[:2], str(tmp_path / "nothing")], capture_output=True, text=True, cwd=root)
    assert refused.returncode != 0 and refused.stderr.startswith("ERROR: ") and "Traceback" not in refused.stderr


@pytest.mark.parametrize(("name", "command"), [("scale-20m", "make scale-20m"), ("scale-2m", "make scale"), ("other", "make run")])
def test_a_folder_that_does_not_exist_is_told_before_anything_is_read(tmp_path, root, name, command):
    folder = make_run(tmp_path / "run", 2_000, {})
    (folder / "benchmarks/stars/00001.tsv").write_text("damaged")
    arguments = [sys.executable, "workflow/scripts/scale_report.py", str(folder), str(tmp_path / name), "--out", str(tmp_path / "out")]
    done = subprocess.run(arguments, capture_output=True, text=True, cwd=root)
    assert done.returncode == 1 and done.stderr == f"ERROR: {tmp_path / name}: does not exist. Make it with `{command}`, or leave it out\n"
    assert not (tmp_path / "out").exists()
