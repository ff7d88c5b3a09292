"""Which datasets a configuration needs."""

import pytest

from starlabels import settings
from starlabels.errors import InputError
from starlabels.plan import Plan


@pytest.fixture
def config(root):
    merged = {}
    for name in ("config", "sages", "datasets"):
        merged.update(settings.load_yaml(root / f"config/{name}.yaml"))
    return merged


@pytest.fixture
def galah():
    """A survey of labels that names Gaia sources."""
    columns = {
        "gaia_dr3_source_id": {"native": "gaiadr3_source_id", "type": "int64", "description": "Gaia id"},
        "snr_galah": {"native": "snr_c2_iraf", "description": "Signal-to-noise ratio"},
    }
    for label, unit in (("teff", "K"), ("logg", "dex"), ("feh", "dex")):
        columns[f"{label}_galah"] = {"native": label, "unit": unit, "description": label}
        columns[f"{label}_galah_err"] = {"native": f"e_{label}", "unit": unit, "description": f"Error of {label}"}
    return {
        "description": "GALAH", "reference": "Buder et al. 2021", "source": {"address": "https://www.galah-survey.org", "trust": "S"},
        "format": "fits", "files": [], "cell_by": "gaia_dr3_source_id", "columns": columns,
    }


def test_a_new_survey_of_labels_is_planned(config, root, galah):
    config["datasets"]["galah"] = galah
    config["sages"]["samples"]["test"] = {"galah": {"labels": ["teff", "logg", "feh"]}, "apogee": None}
    config["sages"]["samples"]["train"]["rave5"] = None
    plan = Plan(config, root)
    assert plan.label_datasets() == ["lamost", "pastel", "galah"]
    assert "galah" not in plan.matched_catalogs() and "pastel" in plan.matched_catalogs()
    with pytest.raises(InputError, match="datasets.galah.files`: matches no file"):  # the simulated sky has no such survey
        plan.native_files("galah")
    assert plan.native_files("lamost")[0].endswith(".fits.gz")


def test_a_new_survey_by_position_needs_a_radius(config, root, galah):
    place = {name: {"native": name, "unit": "deg", "description": name} for name in ("ra", "dec")}
    del galah["columns"]["gaia_dr3_source_id"]
    config["datasets"]["galah"] = galah | {"cell_by": "position"}
    config["sages"]["samples"]["test"]["galah"] = {"labels": ["feh"]}
    with pytest.raises(InputError, match="`sages.samples.test.galah`: needs the column `ra`"):
        Plan(config, root)
    galah["columns"] |= place
    with pytest.raises(InputError, match="radius_arcsec.galah`: is not set"):
        Plan(config, root)
    config["sages"]["crossmatch"]["radius_arcsec"]["galah"] = 1.0
    assert "galah" in Plan(config, root).matched_catalogs()


def test_catalogues_follow_from_the_bands(config, root):
    assert Plan(config, root).photometry_datasets() == [
        "sages", "gaia", "twomass", "tmass_best_neighbour", "allwise", "allwise_best_neighbour", "galex",
    ]
    config["sages"]["data_sets"] = [{"id": 1, "bands": ["sages_u", "sages_v", "gaia_g", "gaia_bp", "gaia_rp", "wise_w1"]}]
    config["sages"]["crossmatch"]["best_neighbour"]["allwise"] = None
    assert Plan(config, root).photometry_datasets() == ["sages", "gaia", "allwise"]


def test_lists_of_low_resolution(config, root):
    assert Plan(config, root).low_resolution_lists() == ["vmp_li2018"]
    config["datasets"]["vmp_yoon2016"]["resolution"] = "low"
    assert Plan(config, root).low_resolution_lists() == ["vmp_li2018", "vmp_yoon2016"]
