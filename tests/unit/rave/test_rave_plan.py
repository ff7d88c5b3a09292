"""What the rave half of a run consists of."""

import copy

import pytest
from paths import ROOT

from starlabels import settings
from starlabels.errors import InputError
from starlabels.plan import Plan
from starlabels.rave.plan import RavePlan


@pytest.fixture
def config():
    found = {}
    for name in ("config", "sages", "rave", "datasets"):
        found |= settings.load_yaml(ROOT / f"config/{name}.yaml")
    return copy.deepcopy(found)


def test_simulated_slices_are_the_shards(config):
    plan = Plan(config, ROOT).rave
    assert plan.slices == plan.shards and len(set(plan.slices)) == len(plan.slices) >= 7
    assert plan.spectra_folders(plan.slices[0]) == [f"results/native/rave_spectra/{plan.slices[0]}"]
    assert plan.expand("rave/stars/{slice}.parquet") == [f"results/rave/stars/{name}.parquet" for name in plan.slices]
    assert plan.native_files("apogee16")[0].endswith(".fits") and plan.native_files("starhorse")[0].endswith(".txt")
    assert len(plan.literature()) == 13


def test_batches_hold_every_network_once(config):
    config["rave"]["ensemble"] |= {"n_networks": {"photometry": 7, "spectra": 5}, "batch_networks": 3}
    plan = RavePlan(config)
    assert plan.batches("main", "photometry") == ["000", "001", "002"]
    members = [plan.batch_members("main", "photometry", batch) for batch in plan.batches("main", "photometry")]
    assert members == [[0, 1, 2], [3, 4, 5], [6]]
    assert plan.batches("main", "spectra") == ["000", "001"]
    assert plan.batch_members("snr_40", "photometry", "000") == list(range(config["rave"]["studies"]["n_networks"]))
    assert "main" not in plan.variants() and "snr_40" in plan.variants()


def _files(config, tmp_path, counts=(3, 2, 4)):
    for number, count in enumerate(counts):
        night = tmp_path / f"2004010{number}"
        night.mkdir()
        for k in range(count):
            (night / f"RAVE_2004010{number}_0000m00_{k:03d}.fits").touch()
    config |= {"source": "files", "papers": ["rave"]}
    config["rave"]["spectra"] |= {"folders": [f"{tmp_path}/2004*"], "batch": 5}
    for name in ("rave_obsdata", "rave_sparv", "rave_classification", "rave_gaiadr2", "rave_xmatch", "apogee16", "starhorse"):
        (tmp_path / f"{name}.csv").touch()
        config["datasets"][name]["files"] = [f"{tmp_path}/{name}.csv"]
    return config


def test_real_folders_are_gathered_to_slices(config, tmp_path):
    plan = RavePlan(_files(config, tmp_path))
    assert plan.slices == ["part-000", "part-001"]
    assert [len(plan.spectra_folders(name)) for name in plan.slices] == [2, 1]
    assert plan.comparisons() == [] and plan.literature() == [] and plan.available() == set()


def test_missing_files_are_named_before_the_run(config, tmp_path):
    config = _files(config, tmp_path)
    config["datasets"]["starhorse"]["files"] = [f"{tmp_path}/nothing*.txt"]
    with pytest.raises(InputError, match="datasets.starhorse.files.*nothing"):
        RavePlan(config)
    config["rave"]["spectra"]["folders"] = [f"{tmp_path}/none"]
    with pytest.raises(InputError, match="rave.spectra.folders.*none"):
        RavePlan(config)


def test_a_list_that_the_simulated_sky_lacks_is_named(config):
    config["datasets"]["hr_new2030"] = dict(config["datasets"]["hr_reddy2003"])
    with pytest.raises(InputError, match="datasets.hr_new2030.*simulated sky does not have.*source: files"):
        RavePlan(config)
