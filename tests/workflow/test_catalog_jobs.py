"""Catalogues of many native files: the jobs that share them, and the same bytes as from one job."""

import shutil

import pytest

SHARED = {"cells": {"files_per_job": 1, "cells_per_job": 2}}


@pytest.fixture(scope="module")
def project(new_project):
    return new_project("catalog_jobs")


def test_the_default_run_has_one_job_a_catalogue(project):
    rules = {rule for rule, _, _ in project.jobs(configfile=None)}
    assert {rule for rule in rules if rule.startswith("catalog")} == {"catalog", "catalog_product"}


def test_files_and_cells_are_shared_out_among_jobs(project):
    shared = project.override("shared.yaml", **SHARED)
    whole = project.planned("sages")
    planned = project.planned("sages", configfile=["tiny.yaml", shared])
    catalogues = whole["catalog"] - planned["catalog"]
    assert planned["catalog"] == 1                           # one file, of the globular clusters
    assert planned["catalog_counts"] == catalogues > 20
    assert planned["catalog_part"] == catalogues * whole["simulate"] and whole["simulate"] > 1
    groups = -(-whole["stars"] // 2)
    assert groups > 1
    assert {n: k for n, k in planned.items() if n.startswith("catalog_merge")} == {
        f"catalog_merge_{g:03d}": catalogues for g in range(groups)
    }  # fmt: skip
    rest = {n for n in whole if not n.startswith("catalog")}
    assert {n: planned[n] for n in rest} == {n: whole[n] for n in rest}


def test_every_part_reads_its_own_files_and_every_cell_all_parts(project):
    jobs = project.jobs("sages", configfile=["tiny.yaml", project.override("shared.yaml", **SHARED)])
    native = [p for rule, inputs, _ in jobs if rule == "catalog_part" for p in inputs if p.startswith("results/native/gaia/")]
    assert len(native) == len(set(native)) > 1
    made = {p for rule, _, outputs in jobs if rule == "catalog_part" for p in outputs if "/gaia/" in p}
    merges = [(inputs, outputs) for rule, inputs, outputs in jobs if rule.startswith("catalog_merge") and "/gaia/" in outputs[0]]
    assert all(made <= set(inputs) and "results/catalogs/gaia/selection.json" in inputs for inputs, _ in merges)
    cells = [p for _, outputs in merges for p in outputs]
    assert len(cells) == len(set(cells)) == sum(rule == "stars" for rule, _, _ in jobs)


def test_the_same_bytes_from_one_job_and_from_many(copied):
    folder, names = copied.folder / "results/catalogs", ("gaia", "sages", "vmp_li2018")
    expected = {p.relative_to(folder): p.read_bytes() for name in names for p in (folder / name).iterdir()}
    assert any(p.name.startswith("cell-") for p in expected)
    for name in names:
        shutil.rmtree(folder / name)
    shared = copied.override("shared.yaml", **SHARED)
    targets = [f"results/catalogs/{path}" for path in expected]
    copied.run(*targets, "--rerun-triggers", "mtime", configfile=["tiny.yaml", shared])
    assert {p.relative_to(folder): p.read_bytes() for name in names for p in (folder / name).rglob("*") if p.is_file()} == expected
    assert len(list((copied.folder / "results/benchmarks/catalog_part").glob("gaia_*.tsv"))) > 1
