"""The estimate of a run: sums that are known by hand, linear in the rows, honest about what is not known."""

import copy
import json
import math
from types import SimpleNamespace

import pytest
from paths import ROOT
from snakemake.utils import update_config

from starlabels.errors import InputError
from starlabels.plan import Plan
from starlabels.rates import dry_run, estimate, estimate_page, papers, rows, stages
from starlabels.rates.rows import Catalogue, Size
from starlabels.rates.threads import thread_mb
from starlabels.settings import load_yaml

RATES = {
    "runs": {"lab": "made up", "other": "made up too"},
    "reading": {"core_s": {"csv": 2.0, "parquet": 1.0, "merge": 0.5}, "compression": 0.5, "core_s_a_job": 36.0, "peak_mb": 100.0,
                "read_until": "labels", "run": "lab"},
    "rules": {
        "simulate": {"unit": "sources", "core_s": 3600.0, "core_s_a_job": 36.0, "mb": 1000.0, "peak_mb": 700, "read_until": "labels",
                     "run": "lab"},
        "labels": {"unit": "sources", "core_s": 360.0, "mb": 500.0, "peak_mb": 10, "read_until": "samples", "run": "lab"},
        "samples": {"unit": "sources", "core_s": 0.0, "mb": 100.0, "peak_mb": 50, "peak_mb_a_million": 25.0, "run": "lab"},
        "train": {"unit": "trained_{k}", "run": "lab",
                  "features": {10: {"core_s": 3600.0, "mb": 1.0, "peak_mb": 100, "peak_mb_a_million": 1000.0},
                               20: {"core_s": 7200.0, "mb": 3.0, "peak_mb": 300, "peak_mb_a_million": 2000.0}}},
        "train_cnn": {"unit": "fits_{network}", "networks": {"photometry": {"core_s": 3600.0}, "spectra": {"core_s": 7200.0}},
                      "peak_mb": 40, "run": "lab"},
        "figure": {"core_s_a_job": 36.0, "peak_mb": 60, "holds_to": 3_000_000, "run": "other"},
        "validate": {"core_s_a_job": 72.0, "peak_mb": 60, "holds_to": 1_000_000, "run": "other"},
        "fetch": {"waits": True, "peak_mb": 20},
    },
    "gpu": {"name": None, "fits": None, "calls": None, "tell": "a GPU tells"},
}  # fmt: skip
COLUMNS = {"a": {"native": "a"}, "b": {"native": "b", "type": "int32"}, "c": {"native": "c", "keep": False}}    # 20 bytes, 12 kept
CONFIG = {"source": "simulated", "papers": ["sages"], "output": {"keep": "results"}, "cells": {"files_per_job": 10},
          "datasets": {name: {"format": "csv", "cell_by": "position", "columns": COLUMNS} for name in ("one", "two", "many")}}  # fmt: skip


def made_size(factor=1.0):
    many = Catalogue("many", "tap", 25, 4e6 * factor, 8.0 * factor)
    catalogues = [Catalogue("one", "simulated", 3, 1e6 * factor, 1.0), Catalogue("two", "bulk", 1, 2e6 * factor, 500.0 * factor), many]
    units = {"sources": 2e6 * factor, "trained_1": 1e6 * factor, "fits_photometry": 1e6 * factor, "fits_spectra": 0.0}
    return Size(catalogues, units, {1: 15}, {1: 0.5e6 * factor})


JOBS = {"simulate": 4, "catalog": 2, "catalog_part": 3, "catalog_merge_000": 1, "catalog_merge_001": 1, "labels": 8, "samples": 1,
        "train": 5, "train_cnn": 2, "figure": 10, "fetch": 9}  # fmt: skip


def costs(size=None, jobs=None, cores=32, rates=None):
    return estimate.costs(CONFIG, size or made_size(), jobs or JOBS, rates or RATES, cores)


def by_rule(table):
    return {(c.rule, c.part): c for c in table}


def test_the_sums_are_those_worked_out_by_hand():
    found = by_rule(costs())
    assert [c.rule for c in costs()] == ["fetch", "simulate", "catalog_part", "catalog_merge", "catalog", "labels", "samples", "train",
                                         "train_cnn", "train_cnn", "figure"]  # fmt: skip
    # 2 million sources: 7200 s, and 4 jobs of 36 s
    assert found["simulate", ""].core_hours == pytest.approx(2.0 + 4 * 0.01)
    assert found["simulate", ""].disk_gb == pytest.approx(2.0)
    # catalog: 3 million rows of CSV, 2 s each, and 2 jobs; 12 bytes a row, half of them after compression
    assert found["catalog", ""].rows == 3e6
    assert found["catalog", ""].core_hours == pytest.approx(6 / 3600 + 2 * 0.01)
    assert found["catalog", ""].disk_gb == pytest.approx(3e6 * 6 / 1e9)
    # 25 files of 10 a job: three parts; what a service gave is Parquet; the two rules of the merge are one line
    part, merge = found["catalog_part", ""], found["catalog_merge", ""]
    assert part.core_hours == pytest.approx(4 / 3600 + 3 * 0.01) and part.longest_hours == pytest.approx(4 / 3600 / 3)
    assert merge.core_hours == pytest.approx(2 / 3600 + 2 * 0.01) and merge.jobs == 2 and merge.disk_gb == part.disk_gb
    # 15 features lie in the middle of 10 and 20; half a million stars, 16 threads
    train = found["train", "set 1"]
    assert train.core_hours == pytest.approx(1.5) and train.disk_gb == pytest.approx(0.002)
    assert train.peak_mb == pytest.approx(200 + 1500 * 0.5 + 16 * thread_mb(0.5e6, 15))
    assert train.longest_hours == pytest.approx(1.5 / 5 / 16)
    assert found["samples", ""].peak_mb == pytest.approx(50 + 2 * 25)
    assert (found["train_cnn", "photometry"].core_hours, found["train_cnn", "spectra"].core_hours) == (1.0, 0.0)
    assert found["figure", ""].core_hours == pytest.approx(0.1) and found["fetch", ""].unit == estimate.WAITS

    sums = estimate.sums(costs(), made_size(), CONFIG, RATES, 2)
    assert sums.core_hours == pytest.approx(sum(c.core_hours for c in costs()))
    assert sums.download_gb == pytest.approx(0.508)     # not what is simulated
    assert sums.peak_mb == pytest.approx(train.peak_mb)
    # what stays: samples 0.2, forests 0.002, and what was fetched
    assert sums.end_gb == pytest.approx(0.508 + 0.202)
    # most at once: native files 2.0, cells of both kinds 0.018 + 0.024, labels 1.0; parts are gone by then
    assert sums.peak_gb == pytest.approx(0.508 + 2.0 + 0.018 + 0.024 + 1.0)
    keeping = estimate.sums(costs(), made_size(), {**CONFIG, "output": {"keep": "all"}}, RATES, 2)
    assert keeping.end_gb == keeping.peak_gb == pytest.approx(0.508 + 2.0 + 0.018 + 2 * 0.024 + 1.0 + 0.2 + 0.002)


def test_hours_on_more_cores_end_at_the_longest_job():
    table = [estimate.Cost("a", "", 4, 1, "", 8.0, 1, 0, longest_hours=2.0), estimate.Cost("b", "", 1, 1, "", 1.0, 1, 0, longest_hours=1.0)]
    assert [estimate.wall_hours(table, cores) for cores in (1, 2, 4, 100)] == [9.0, 5.0, 3.0, 3.0]


def test_the_users_own_number_of_cores_is_added():
    sums = estimate.sums(costs(), made_size(), {**CONFIG, "archives": {"cores": 1}}, RATES, 32)
    assert sums.wall_hours_own == pytest.approx(sums.core_hours) and sums.wall_hours < sums.wall_hours_own
    assert "hours on 1 cores" in "\n".join(estimate_page.sums_lines(sums, "all", True))


def test_linear_in_the_rows():
    jobs = {name: count for name, count in JOBS.items() if name != "figure"}
    plain = copy.deepcopy(RATES)
    plain["reading"]["core_s_a_job"] = plain["rules"]["simulate"]["core_s_a_job"] = 0.0
    one, ten = (costs(made_size(f), jobs, rates=plain) for f in (1.0, 10.0))
    for a, b in zip(one, ten, strict=True):
        assert b.core_hours == pytest.approx(10 * a.core_hours) and b.disk_gb == pytest.approx(10 * a.disk_gb), a.rule


def test_what_is_unknown_is_said_and_never_counted():
    size = made_size()
    size.catalogues[1].rows = size.catalogues[1].mb = math.nan
    jobs = {**JOBS, "validate_bins": 3, "new_rule": 2}
    table = costs(size, jobs)
    found, sums = by_rule(table), estimate.sums(table, size, CONFIG, RATES)
    assert math.isnan(found["new_rule", ""].core_hours) and math.isnan(found["validate_bins", ""].core_hours)   # beyond what was seen
    assert found["catalog", ""].rows == 1e6 and found["catalog", ""].at_least
    assert math.isfinite(sums.core_hours) and sums.whole == () and math.isnan(sums.gpu_hours)
    text = estimate_page.page({**CONFIG, "source": "archives"}, size, table, sums, RATES)
    costly = "cost of validate_bins, new_rule: no run of this size"
    for said in ("core-hours: at least", costly, "a GPU tells", ">1 000 000", "download: at least 0.008 GB"):
        assert said in text, said
    content = json.dumps(estimate_page.numbers(size, table, sums, RATES), default=str)
    assert "new_rule" in content
    whole = estimate.sums(costs(), made_size(), CONFIG, RATES)
    assert "core_hours" in whole.whole and "at least" not in "\n".join(estimate_page.sums_lines(whole, "all", False))


def test_hours_of_a_gpu_once_it_was_measured():
    rates = {**RATES, "gpu": {"name": "made up", "fits": 3600.0, "calls": 7200.0, "tell": ""}}
    size = Size(units={"fits_photometry": 1e6, "fits_spectra": 2e6, "calls_photometry": 0.5e6})
    assert estimate.gpu_hours(size, rates) == pytest.approx(3.0 + 1.0)
    assert math.isnan(estimate.gpu_hours(size, RATES)) and estimate.gpu_hours(Size(), RATES) == 0.0


STATS = """Building DAG of jobs...
Job stats:
job                 count
----------------  -------
all                     1
catalog                23
catalog_merge_000       2
figure                 51
total                  77

Reasons:
    forced:
        all, catalog
"""


def test_jobs_from_a_dry_run():
    assert dry_run.jobs_of(STATS) == {"catalog": 23, "catalog_merge_000": 2, "figure": 51}
    assert dry_run.jobs_of("MissingInputException ...") == {}


def test_a_dry_run_that_fails_says_why(monkeypatch, tmp_path):
    answer = SimpleNamespace(returncode=1, stdout="", stderr="no such file as catalogue.fits")
    monkeypatch.setattr(dry_run.subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(InputError, match=r"catalogue\.fits"):
        dry_run.jobs_of_run({}, tmp_path / "Snakefile")


def configured(*overrides):
    config = {}
    for name in ("config", "sages", "rave", "datasets"):
        update_config(config, load_yaml(ROOT / f"config/{name}.yaml"))
    for override in overrides:
        update_config(config, override)
    return config


def sized(*overrides, learned=None):
    config = configured(*overrides)
    return config, rows.size_of(config, Plan(config, ROOT), estimate.measured()["simulated"], learned)


def test_rows_of_the_simulated_sky_follow_its_size():
    _, small = sized({"sky": {"n_sages": 100_000, "clusters": []}})
    _, large = sized({"sky": {"n_sages": 200_000, "clusters": []}})
    assert small.units["sources"] == pytest.approx(100_000, abs=5)
    for name in ("sources", "predicted_1", "predicted_2", "trained_1", "trained_2"):
        assert large.units[name] == pytest.approx(2 * small.units[name], rel=1e-4)
    first = {c.dataset: c for c in small.catalogues}
    assert first["gaia"].rows == pytest.approx(1.08 * small.units["sources"]) and first["gaia"].road == "simulated"
    assert small.units["spectra"] == 20_000 and small.features == {1: 18, 2: 69}
    # 40 networks, four fifths of them kept
    assert small.units["calls_photometry"] == 20_000 * 32


def test_the_simulated_sky_of_twenty_million_costs_what_was_measured():
    """docs/scale.md: 2 processor hours (the table sums to 1.5), 40 GB while it runs, 9 GB at the end, at most 4.0 GB in a job."""
    overrides = [load_yaml(ROOT / f"config/{name}.yaml") for name in ("scale", "scale-20m")]
    config, size = sized(*overrides)
    jobs = {"simulate": 92, "catalog_part": 40, "catalog_counts": 20, "catalog_merge_000": 20, "catalog_merge_001": 20, "stars": 125,
            "labels": 125, "features": 125, "samples": 2, "train": 10, "predict": 250, "catalog_product": 2}  # fmt: skip
    table = estimate.costs(config, size, jobs, estimate.measured())
    sums = estimate.sums(table, size, config, estimate.measured())
    assert sums.core_hours == pytest.approx(1.75, rel=0.2)
    assert sums.peak_gb == pytest.approx(40, rel=0.15) and sums.end_gb == pytest.approx(9, rel=0.15)
    measured = {"simulate": 890, "stars": 512, "labels": 192, "features": 238, "samples": 51.6, "catalog_product": 49.7, "predict": 1259}
    found = {}
    for c in table:
        found[c.rule] = found.get(c.rule, 0.0) + c.core_hours * 3600
    assert {rule: found[rule] for rule in measured} == pytest.approx(measured, rel=0.05)


def test_the_papers_run_has_the_papers_numbers():
    config, size = sized(load_yaml(ROOT / "config/archives.yaml"))
    assert size.units["sources"] == 48_553_987
    assert (size.units["predicted_1"], size.units["predicted_2"]) == (papers.STARS[1], papers.STARS[2])
    assert size.units["trained_1"] == papers.FOREST_LABELS * papers.TRAINING_STARS * papers.TREES
    assert size.units["fits_photometry"] == papers.NETWORKS * papers.TRAINING_SPECTRA
    assert size.units["calls_spectra"] == papers.SPECTRA * papers.KEPT
    found = {c.dataset: c for c in size.catalogues}
    assert found["sages"].mb == 4200 and found["sages"].rows == 48_553_987
    # each source, and what lies within 15 arcsec of it by chance
    assert found["twomass"].rows == pytest.approx(48_553_987 * (1 + 470_992_970 / 41_252.96 * math.pi * (15 / 3600) ** 2), rel=1e-4)
    assert math.isnan(found["tmass_best_neighbour"].rows) and any("tmass_best_neighbour" in note for note in size.notes)
    _, asked = sized(load_yaml(ROOT / "config/archives.yaml"), learned={"tmass_best_neighbour": {"rows": 1000, "bytes": None},
                                                                       "lamost": {"rows": None, "bytes": 7_000_000}})  # fmt: skip
    found = {c.dataset: c for c in asked.catalogues}
    # the part of the sky that is asked for
    assert 500 < found["tmass_best_neighbour"].rows < 1000 and found["lamost"].mb == 7.0


def test_what_acquire_check_found_is_used():
    check = {"sources": [{"dataset": "lamost", "rows": 5, "bytes": 7, "state": "ok"}]}
    assert rows.learned_from(check) == {"lamost": {"rows": 5, "bytes": 7}} and rows.learned_from(None) == {}
    with pytest.raises(InputError, match="acquire_check"):
        rows.learned_from({"other": 1})


def test_every_rate_names_its_run_and_every_stage_has_one():
    rates = estimate.measured()
    for name, rate in [*rates["rules"].items(), ("reading", rates["reading"])]:
        assert rate.get("waits") or rate["run"] in rates["runs"], name
    flow = {stage.rule for stage in stages.stages()} - {"catalog"}
    assert flow <= set(rates["rules"])
    datasets = load_yaml(ROOT / "config/datasets.yaml")["datasets"]
    assert {entry["format"] for entry in datasets.values()} <= set(rates["reading"]["core_s"])
