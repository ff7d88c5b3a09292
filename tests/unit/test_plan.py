"""What a run consists of, from the configuration alone."""

import copy

import pytest
from paths import ROOT

from starlabels import settings
from starlabels.errors import InputError
from starlabels.plan import Plan


@pytest.fixture(scope="module")
def merged():
    config = {}
    for name in ("config", "sages", "rave", "datasets"):
        config.update(settings.load_yaml(ROOT / f"config/{name}.yaml"))
    return config


@pytest.fixture
def config(merged):
    return copy.deepcopy(merged)


def test_simulated_run(config):
    plan = Plan(config, ROOT)
    assert len(plan.shards) >= 8 and len(plan.cells) == len(set(plan.cells)) > 4
    assert plan.photometry_datasets() == [
        "sages", "gaia", "twomass", "tmass_best_neighbour", "allwise", "allwise_best_neighbour", "galex",
    ]  # fmt: skip
    assert len(plan.vmp_lists()) == 9 and plan.low_resolution_lists() == ["vmp_li2018"]
    assert {"test_set1", "test_set2", "truth_set2", "vmp_lists"} <= set(plan.validations())
    assert plan.missing_figures() == []


def test_a_third_data_set_is_planned_and_a_single_one_leaves_figures_out(config):
    config["sages"]["data_sets"].append({"id": 3, "bands": ["sages_v", "gaia_g", "gaia_bp", "gaia_rp", "tmass_j"]})
    assert {"test_set3", "truth_set3", "sample_set3"} <= set(Plan(config, ROOT).validations())
    config["sages"]["data_sets"] = config["sages"]["data_sets"][:1]
    assert any(name.startswith("fig07") for name in Plan(config, ROOT).missing_figures())


def test_null_takes_a_survey_out(config):
    config["sages"]["samples"]["train"]["rave5"] = None
    assert "rave5" not in Plan(config, ROOT).label_datasets()


def test_files_that_lack_are_named_before_the_run(config, tmp_path):
    config |= {"source": "files", "papers": ["sages"]}
    with pytest.raises(InputError, match=r"`datasets.sages.files`: matches no file \(empty\); the same for gaia, twomass"):
        Plan(config, ROOT)
    for name in Plan.datasets_read(_of(config)):
        (tmp_path / name).write_text("x")
        config["datasets"][name]["files"] = [str(tmp_path / name)]
    with pytest.raises(InputError, match="`dust.map`: is `simulated`"):
        Plan(config, ROOT)
    for pole in ("ngp", "sgp"):
        (tmp_path / f"SFD_dust_4096_{pole}.fits").write_text("x")
    config["dust"]["map"] = str(tmp_path)
    plan = Plan(config, ROOT)
    with pytest.raises(InputError, match="`dust.map`: is `/nowhere`"):
        Plan({**_simulated(config), "dust": {"map": "/nowhere"}}, ROOT)
    assert plan.shards == [] and plan.native_files("sages") == [str(tmp_path / "sages")]
    assert len(plan.cells) == 768 and "truth" not in plan.available()


def _of(config):
    """A plan of the same datasets that does not look for files."""
    return Plan(_simulated(config), ROOT)


def _simulated(config):
    return {**copy.deepcopy(config), "source": "simulated"}


def test_environment_variables_in_patterns(config, tmp_path, monkeypatch):
    (tmp_path / "b.csv").write_text("")
    (tmp_path / "a.csv").write_text("")
    monkeypatch.setenv("SOMEWHERE", str(tmp_path))
    plan = Plan(config, ROOT)
    config["datasets"]["green2020"]["files"] = ["${SOMEWHERE}/*.csv"]
    assert plan.native_files("green2020") == [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]


def test_cells(config):
    config["cells"]["list"] = [5, 3, 3]
    assert Plan(config, ROOT).cells == [3, 5]
    config["cells"]["list"] = "most"
    with pytest.raises(InputError, match="`cells.list`: is `most`"):
        Plan(config, ROOT)
