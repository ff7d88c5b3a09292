"""The road from the archives, run whole: servers on this machine hold a simulated sky; its tables are those of the direct road."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from archives import http_server
from archives.published import INDEX, NEIGHBOURS, Published

from starlabels.plan import Plan
from starlabels.settings import load_yaml
from starlabels.spectra_pack import read_packed

pytestmark = pytest.mark.slow


def configuration(project, *files):
    """The merged configuration of a run."""
    merged = {}

    def merge(into, more):
        for key, value in more.items():
            into[key] = merge(into.get(key) or {}, value) if isinstance(value, dict) and isinstance(into.get(key), dict) else value
        return into

    for name in ("config/config.yaml", "config/sages.yaml", "config/rave.yaml", "config/datasets.yaml", *files):
        merge(merged, load_yaml(project.folder / name))
    return merged


@pytest.fixture(scope="module")
def direct(finished):
    """The run of the simulated sky, and its plan."""
    return finished, Plan(configuration(finished, "tiny.yaml"), finished.folder)


@pytest.fixture(scope="module")
def published(direct):
    project, plan = direct
    wanted = list(dict.fromkeys([*plan.datasets_read(), *plan.rave.datasets(), INDEX]))
    with Published(project.folder / "results/native", plan.config["datasets"], wanted) as servers:
        yield servers


@pytest.fixture(scope="module")
def fetched(direct, published, new_project):
    """The same sky by way of the servers, which fail now and then, as far as both papers' stars."""
    first, plan = direct
    project = new_project("archives", first.folder)
    for k, served in enumerate(published.http.files.values()):
        size = len(served.content)
        played = [http_server.cut(size // 3), http_server.status(503, Retry_After="0"), http_server.cut(size // 2)]
        served.faults = played[k % 3 : k % 3 + 1] if k % 40 < 3 else []
    published.xmatch.faults = [500, None, "cut"]
    published.tap.faults = {"sync": [None, 429, None, "cut"], "submit": [None, 500], "poll": [None, None, 503], "result": [None, "cut"]}
    changes = {
        "source": "archives",
        "archives": {"dec_min": -90.0, "timeout": 20},
        "cells": {"list": plan.cells, "files_per_job": 2, "cells_per_job": 2},
        "datasets": {name: {"acquire": roads} for name, roads in published.acquire.items()},
        "rave": {"spectra": {"addresses": [published.http.base + "spectra/RAVE_{rave_obs_id}.fits"]}},
        "dust": {"map": str(first.folder / "results/native/dust")},
    }
    project.override("archives.yaml", **changes)
    cells = [f"results/sages/{stage}/cell-{cell}.parquet" for stage in ("stars", "labels", "features") for cell in plan.cell_names]
    datasets = [*plan.datasets_read(), *plan.rave.datasets()]
    made = [path for name in datasets for path in first.folder.glob(f"results/catalogs/{name}/cell-*.parquet")]
    canonical = [str(path.relative_to(first.folder)) for path in made]
    slices = len(published.acquire[INDEX][0]["tap"]["slices"]["edges"]) + 1
    stars = [f"results/rave/stars/slice-{k:03d}.parquet" for k in range(slices)]
    project.targets = [*cells, *canonical, *stars]
    files = ["tiny.yaml", "archives.yaml"]
    project.run(*project.targets, "--resources", "downloads=4", configfile=files)
    return project


def frame(paths, keys):
    """Rows of Parquet files, sorted."""
    table = pd.concat([pq.read_table(path).to_pandas() for path in paths], ignore_index=True)
    return table.sort_values(keys, kind="stable", ignore_index=True) if keys else table


def columns_of(path):
    schema = pq.read_schema(path)
    return [(field.name, str(field.type)) for field in schema]


def test_every_canonical_table_is_that_of_the_direct_road(direct, fetched):
    """Equal columns, types, values and nulls, after sorting by every column that tells rows apart."""
    first, plan = direct
    for dataset in [name for name in [*plan.datasets_read(), *plan.rave.datasets()] if name != NEIGHBOURS]:
        ours = sorted(fetched.folder.glob(f"results/catalogs/{dataset}/cell-*.parquet"))
        theirs = sorted(first.folder.glob(f"results/catalogs/{dataset}/cell-*.parquet"))
        assert [p.name for p in ours] == [p.name for p in theirs] and ours, dataset
        for a, b in zip(ours, theirs, strict=True):
            assert columns_of(a) == columns_of(b), dataset
            keys = [name for name, _ in columns_of(a)]
            pd.testing.assert_frame_equal(frame([a], keys), frame([b], keys), check_exact=True, obj=f"{dataset} {a.name}")
    assert sum(len(frame([p], [])) for p in fetched.folder.glob("results/catalogs/gaia/cell-*.parquet")) > 5000


def test_neighbours_are_the_rows_near_sages_sources(direct, fetched):
    """Of a catalogue that comes by X-Match fewer rows are here, each once and unchanged."""
    first, _ = direct
    ours, theirs = (
        frame(sorted(p.folder.glob(f"results/catalogs/{NEIGHBOURS}/cell-*.parquet")), []).query("not in_margin").set_index("galex_objid")
        for p in (fetched, first)
    )
    assert ours.index.is_unique and 100 < len(ours) < len(theirs)
    pd.testing.assert_frame_equal(ours.sort_index(), theirs.loc[ours.index].sort_index(), check_exact=True)


def test_stars_and_spectra_are_those_of_the_direct_road(direct, fetched):
    first, plan = direct
    for stage in ("stars", "labels", "features"):
        for cell in plan.cell_names:
            a, b = (p.folder / f"results/sages/{stage}/cell-{cell}.parquet" for p in (fetched, first))
            pd.testing.assert_frame_equal(pd.read_parquet(a), pd.read_parquet(b), check_exact=True)
    a, b = (frame(sorted(p.folder.glob("results/rave/stars/*.parquet")), ["rave_obs_id"]) for p in (fetched, first))
    pd.testing.assert_frame_equal(a, b, check_exact=True)
    packed = {}
    for project in (fetched, first):
        parts = [read_packed(path) for path in sorted(project.folder.glob("results/rave/spectra/*.h5"))]
        ids, flux = np.concatenate([p.ids for p in parts]), np.concatenate([p.flux for p in parts])
        packed[project] = ids[np.argsort(ids)], flux[np.argsort(ids)]
    assert len(packed[first][0]) > 1000
    for ours, theirs in zip(packed[fetched], packed[first], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_faults_were_met_and_recorded(published, fetched, capsys):
    paths = [path for path in sorted(fetched.folder.glob("archives/*/*.json")) if path.parent.name != "rave_spectra"]
    records = [json.loads(path.read_text()) for path in paths]
    total = {key: sum(r.get(key, 0) for r in records) for key in ("requests", "retries", "resumed_bytes", "bytes")}
    with capsys.disabled():
        print(f"\n{len(records)} files, {total['bytes']} bytes: {total['requests']} requests, {total['retries']} tries repeated,",
              f"{total['resumed_bytes']} bytes resumed; requests of HTTP: {len(published.http.log)}, of TAP: {len(published.tap.log)}")
    assert total["retries"] >= 6 and total["resumed_bytes"] > 10_000
    assert all(len(r["sha256"]) == 64 and r["bytes"] > 0 and r["status"] == "fetched" for r in records)
    assert {r["road"] for r in records} == {"bulk", "tap", "xmatch"}
    assert all(r["rows"] >= 0 and r["query"].startswith("SELECT") for r in records if r["road"] == "tap")
    lost = [r for r in published.http.log if r.path.startswith("/lost/")]
    assert lost and all(r.status == 404 for r in lost)                          # the first address of each file is a dead mirror


def test_files_without_a_stated_checksum_are_pinned(published, fetched):
    lock = json.loads((fetched.folder / "config/archives.lock.json").read_text())
    assert set(lock) == {f"{path.parent.name}/{path.name}" for path in fetched.folder.glob("archives/*/*")
                         if path.parent.name in published.acquire and "bulk" in published.acquire[path.parent.name][0]
                         and path.suffix != ".json"}  # fmt: skip
    assert len(lock) > 8


def test_nothing_is_fetched_twice(fetched, published):
    """Everything is up to date; and files that lie there are not asked for again even when their record's job runs again."""
    files = ["tiny.yaml", "archives.yaml"]
    assert "fetch" not in fetched.planned(*fetched.targets, configfile=files)
    before = len(published.http.log)
    fetched.run("archives/apogee/" + published.acquire["apogee"][0]["bulk"]["names"][0], "-f", configfile=files)
    assert len(published.http.log) == before


def test_a_changed_file_is_refused(fetched, published, tmp_path):
    """A file that the lock knows otherwise ends the run in one clear error, and nothing of it stays under its name."""
    project = fetched.clone(tmp_path / "project")
    name = published.acquire["apogee"][0]["bulk"]["names"][0]
    served = published.http.files[f"/apogee/{name}"]
    kept, served.content = served.content, served.content[:-2880] + bytes(2880)
    try:
        for left in (project.folder / "archives/apogee").iterdir():
            left.unlink()
        done = project.run(f"archives/apogee/{name}", check=False, configfile=["tiny.yaml", "archives.yaml"])
    finally:
        served.content = kept
    assert done.returncode != 0 and "sha256" in done.stdout and "apogee" in done.stdout
    assert not (project.folder / f"archives/apogee/{name}").exists()


def test_every_job_of_the_papers_run_is_planned(new_project):
    project = new_project("papers")
    jobs = project.planned(configfile="config/archives.yaml")
    assert jobs["fetch"] > 500 and jobs["fetch_spectra"] == 40 and jobs["train_cnn"] == 40 and jobs["figure"] >= 45
    assert jobs["stars"] == jobs["features"] == jobs["predict"] // 2 and jobs["total" if "total" in jobs else "all"] >= 1


def test_the_road_is_chosen_by_configuration(new_project):
    project = new_project("roads")
    (project.folder / "mine.yaml").write_text(yaml.safe_dump({"archives": {"roads": {"gaia": "tab"}}}))
    done = project.run("-n", check=False, configfile=["config/archives.yaml", "mine.yaml"])
    assert done.returncode != 0 and "archives.roads.gaia" in done.stdout and "xmatch" in done.stdout
