"""From the entries of config/datasets.yaml to the files that are fetched."""

import copy

import numpy as np
import pytest
import yaml

from starlabels.acquire import roads
from starlabels.acquire.archives import Archives
from starlabels.cells import cell_of
from starlabels.errors import InputError

SETTINGS = {"folder": "archives", "dec_min": -10.0, "roads": {}, "without": []}


@pytest.fixture
def datasets(root):
    return yaml.safe_load((root / "config/datasets.yaml").read_text())["datasets"]


def archives(datasets, **changes):
    return Archives({"datasets": datasets, "archives": {**SETTINGS, **changes}, "cells": {"nside": 8}})


def test_every_road_of_every_catalogue_leads_somewhere(datasets):
    for dataset, spec in datasets.items():
        for road in spec.get("acquire", []):
            made = roads.pieces(dataset, road, -90.0)
            assert all(p.dataset == dataset and p.name and "/" not in p.name for p in made)
            assert bool(made) == ("mine" not in road), dataset


def test_a_file_and_its_mirrors():
    road = {"bulk": {"urls": ["https://a.org/x/dr1-uv.fits", "https://b.org/y.fits"], "bytes": 7, "sha1": "0" * 40}}
    (piece,) = roads.pieces("sages", road, 0.0)
    assert piece.name == "dr1-uv.fits" and piece.details == {
        "urls": ["https://a.org/x/dr1-uv.fits", "https://b.org/y.fits"], "checks": {"bytes": 7, "sha1": "0" * 40},
    }
    assert roads.file_name("https://a.org/catdl?name=dr10_v2.0_LRS_stellar.fits.gz") == "dr10_v2.0_LRS_stellar.fits.gz"
    assert roads.file_name("https://a.org/x/a%20b.csv?download=1") == "a b.csv"


def test_numbered_files_at_two_addresses():
    road = {"bulk": {"base": ["https://a.org/", "https://b.org/z/"], "pattern": "glat{:02d}.fits.gz", "from": 8, "to": 10}}
    made = roads.pieces("galex", road, 0.0)
    assert [p.name for p in made] == ["glat08.fits.gz", "glat09.fits.gz", "glat10.fits.gz"]
    assert made[2].details["urls"] == ["https://a.org/glat10.fits.gz", "https://b.org/z/glat10.fits.gz"]


def test_two_files_of_one_name_are_refused():
    with pytest.raises(InputError, match="two files the name a.gz"):
        roads.pieces("x", {"bulk": {"base": ["https://a.org/"], "names": ["a.gz", "a.gz"]}}, 0.0)


def test_ranges_cover_every_value_once():
    made = roads.edges({"column": "obsid", "count": 7, "min": 0, "max": 2**63 - 1})
    assert [k for k, _, _ in made] == list(range(7)) and made[0][1] == 0 and made[-1][2] == 2**63 - 1
    assert all(a[2] == b[1] for a, b in zip(made[:-1], made[1:], strict=True))
    text = roads.edges({"column": "rave_obs_id", "edges": ["2004", "2005"]})
    assert text == [(0, None, "2004"), (1, "2004", "2005"), (2, "2005", None)]


def test_ranges_of_gaia_ids_are_the_cells_in_the_ids():
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, 3000), np.degrees(np.arcsin(rng.uniform(-1, 1, 3000)))
    ids = (cell_of(ra, dec, 4096) << 35) + rng.integers(0, 2**35, 3000)
    made = roads.edges({"column": "source_id", "nside": 8}, dec_min=-10.0)
    low, high = np.array([m[1] for m in made]), np.array([m[2] for m in made])
    inside = (ids[:, None] >= low) & (ids[:, None] < high)
    number = np.array([m[0] for m in made])
    assert inside[dec >= -10].sum(axis=1).tolist() == [1] * int((dec >= -10).sum())        # none is lost, none comes twice
    assert (number[inside.argmax(axis=1)] == cell_of(ra, dec, 8))[inside.any(axis=1)].all()
    assert not inside[dec < -25].any() and 300 < len(made) < 520


@pytest.mark.parametrize(("nside", "finer"), [(4, 8), (8, 8), (8, 4)])
def test_the_cells_that_a_slice_needs(nside, finer):
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(0, 360, 5000), np.degrees(np.arcsin(rng.uniform(-1, 1, 5000)))
    coarse, fine = cell_of(ra, dec, nside), cell_of(ra, dec, finer)
    for cell in (0, 17, 100):
        assert set(fine[coarse == cell]) <= set(roads.subcells(cell, nside, range(12 * finer**2), finer))
        assert len(roads.subcells(cell, nside, range(12 * finer**2), finer)) == max((finer // nside) ** 2, 1)


def test_another_road_is_taken_by_number_or_kind(datasets):
    assert archives(datasets).kind("gaia") == "xmatch"
    assert archives(datasets, roads={"gaia": "tap"}).kind("gaia") == "tap"
    assert archives(datasets, roads={"gaia": 1}).kind("gaia") == "tap"
    assert not archives(datasets, roads={"gaia": "mine"}).fetched("gaia")
    for wrong in ("bulk", 7, "tab"):
        with pytest.raises(InputError, match=r"roads 0 \(xmatch\), 1 \(tap\), and mine"):
            archives(datasets, roads={"gaia": wrong}).road("gaia")


def test_answers_of_services_are_read_as_parquet(datasets):
    chosen = archives(datasets)
    assert chosen.spec("twomass")["format"] == "parquet" and "format_options" not in chosen.spec("twomass")
    assert chosen.spec("apogee") == datasets["apogee"]
    own = copy.deepcopy(datasets)
    own["apogee"]["acquire"] = [{"bulk": {"urls": ["https://a.org/a.csv"]}, "format": "csv", "format_options": {"delimiter": ";"}}]
    assert archives(own).spec("apogee")["format"] == "csv" and archives(own).spec("apogee")["format_options"] == {"delimiter": ";"}


def test_files_by_name(datasets):
    chosen = archives(datasets)
    assert chosen.files("apogee") == ["archives/apogee/allStar-dr17-synspec_rev1.fits"]
    piece = chosen.piece("gaia", "cell-0005.parquet")
    assert piece.details["cell"] == 5 and chosen.positions(piece, list(range(768))) == ("sages", [20, 21, 22, 23])
    with pytest.raises(InputError, match="not among the files"):
        chosen.piece("gaia", "cell-9999.parquet")
    assert not chosen.has("h23") and chosen.has("rave_irfm")
    assert not archives(datasets, without=["rave_irfm"]).has("rave_irfm")


def test_margins_are_wide_enough_for_the_radius(datasets):
    narrow = Archives({"datasets": datasets, "archives": SETTINGS, "cells": {"nside": 8, "margin_arcsec": 20}})
    with pytest.raises(InputError, match="margin_arcsec.*less than twice"):
        narrow.check_margins(["apogee", "gaia"])
    narrow.check_margins(["apogee"])


def test_a_run_of_few_cells_asks_for_their_slices_and_the_neighbours(datasets):
    config = {"datasets": datasets, "archives": SETTINGS, "cells": {"nside": 8}}
    few = Archives(config, [70, 71])
    assert 2 < len(few.files("allwise_best_neighbour")) < 20 and len(few.files("gaia")) < 10
    low = {few.piece("allwise_best_neighbour", name.rsplit("/", 1)[1]).details["cell"] for name in few.files("allwise_best_neighbour")}
    assert {70, 71} < low and low <= set(roads.with_neighbours([70, 71], 8))
    assert few.files("apogee") == Archives(config).files("apogee")
    assert len(Archives(config).files("allwise_best_neighbour")) > 300


def test_unknown_datasets_are_named(datasets):
    with pytest.raises(InputError, match="`archives.without`.*names `rave_orbit`.*Did you mean `rave_orbits`"):
        archives(datasets, without=["rave_orbit"])
    with pytest.raises(InputError, match="`archives.roads`.*names `gaya`"):
        archives(datasets, roads={"gaya": "tap"})
