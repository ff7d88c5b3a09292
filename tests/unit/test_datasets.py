"""config/datasets.yaml: valid, complete, and in the canonical names that the stages rely on."""

import copy

import jsonschema
import pytest
import yaml
from astropy import units as u
from paths import ROOT

from starlabels import settings
from starlabels.canonical import Canonical
from starlabels.derive import DESCRIPTIVE, RECIPES
from starlabels.errors import InputError
from starlabels.rave.plan import COMPARISONS, TABLES, RavePlan
from starlabels.readers import READERS

DATASETS = settings.load_yaml(ROOT / "config" / "datasets.yaml")["datasets"]
SCHEMA = settings.load_yaml(ROOT / "workflow" / "schemas" / "datasets.schema.yaml")
SAGES = settings.load_yaml(ROOT / "config" / "sages.yaml")["sages"]
VMP = ["li2018", "lai2004", "bonifacio2009", "yong2013", "aoki2013", "yoon2016", "francois2018", "ezzeddine2020", "limberg2021"]
ALL = [
    "sages", "gaia", "twomass", "allwise", "galex", "tmass_best_neighbour", "allwise_best_neighbour", "lamost", "apogee", "rave5", "pastel",
    *(f"vmp_{n}" for n in VMP), "h23", "a23", "harris", "green2020", "splus", RavePlan.INDEX, *TABLES, *COMPARISONS,
    *(f"hr_{n}" for n in ("reddy2003", "valenti2005", "soubiran2005", "reddy2006", "ruchti2011", "adibekyan2012", "bensby2014", "gaiaeso")),
    *(f"cl_{n}" for n in ("47tuc", "omegacen", "ic4651", "pleiades", "blanco1")),
]  # fmt: skip


def test_every_dataset_is_there():
    assert sorted(DATASETS) == sorted(ALL)
    assert [n for n, s in DATASETS.items() if s.get("group") == "vmp"] == [f"vmp_{n}" for n in VMP]
    assert [n for n, s in DATASETS.items() if s.get("resolution") == "low"] == ["vmp_li2018"]


def test_schema_is_valid_and_explains_every_key():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    settings.check_datasets(DATASETS, SCHEMA)

    def walk(node, path):
        for key, sub in node.get("properties", {}).items():
            if "$ref" not in sub and path != "#/properties/datasets":
                assert sub.get("description") or key == "max", f"{path}.{key} has no description"
            walk(sub, f"{path}.{key}")

    for name, node in SCHEMA["$defs"].items():
        walk(node, name)


@pytest.mark.parametrize("where, key, hint", [
    (("gaia",), "cell_bye", "cell_by"), (("gaia", "columns", "ra"), "nativ", "native"), (("gaia", "source"), "adress", "address"),
    (("twomass", "format_options"), "nul", "null"), (("gaia", "derive", "pm"), "recip", "recipe"),
])  # fmt: skip
def test_unknown_keys_are_refused_with_the_nearest_known_one(where, key, hint):
    datasets = copy.deepcopy(DATASETS)
    node = datasets
    for step in where:
        node = node[step]
    node[key] = "x"
    with pytest.raises(InputError, match=f"{key}.* is not known. Did you mean `{hint}`"):
        settings.check_datasets(datasets, SCHEMA)


@pytest.mark.parametrize("name", ALL)
def test_entries_are_consistent(name):
    spec = DATASETS[name]
    Canonical(name, spec)                                    # names only columns that it defines
    assert spec["format"] in READERS
    for column, entry in {**spec["columns"], **spec.get("derive", {})}.items():
        if entry.get("unit"):
            u.Unit(entry["unit"])
        assert entry.get("recipe", "ratio") in RECIPES
        if entry.get("type") in ("int32", "int64") and not entry.get("optional"):
            filtered = [c for r in spec.get("drop", []) for c in [r["where"]["column"]] if r["where"].get("missing")]
            required = column in spec.get("unique", "") or column in filtered or "missing" in entry
            assert required or column in ("gaia_dr3_source_id", "galex_objid", "lamost_obsid"), column
    if spec["cell_by"] == "position":
        assert "epoch" in spec


@pytest.mark.parametrize("name", ALL)
def test_derived_arguments_fit_their_recipe(name):
    for entry in DATASETS[name].get("derive", {}).values():
        code = RECIPES[entry["recipe"]].__code__
        allowed = code.co_varnames[1 : code.co_argcount]
        assert set(entry) - set(DESCRIPTIVE) <= set(allowed)


def test_canonical_names_that_the_stages_read():
    def columns(name):
        return set(Canonical(name, DATASETS[name]).kept_columns)

    owners = {"sages": "sages", "gaia": "gaia", "tmass": "twomass", "wise": "allwise", "galex": "galex"}
    for band in SAGES["bands"]:
        assert {band, f"{band}_err"} <= columns(owners[band.split("_")[0]])
    astrometry = {"parallax", "parallax_err", "parallax_over_err", "pm", "pmra", "pmra_err", "pmdec", "pmdec_err", "ruwe"}
    assert astrometry | {"gaia_dr3_source_id", "ra", "dec", "ref_epoch"} <= columns("gaia")
    assert {"sages_u_flag", "sages_v_flag", "sages_u_mjd", "sages_v_mjd", "sage_id"} <= columns("sages")
    assert {"gaia_dr3_source_id", "tmass_id", "angular_distance"} <= columns("tmass_best_neighbour")
    assert {"gaia_dr3_source_id", "allwise_id", "angular_distance"} <= columns("allwise_best_neighbour")
    for survey in ("lamost", "apogee"):
        wanted = {f"{p}_{survey}{s}" for p in ("teff", "logg", "feh") for s in ("", "_err")}
        assert wanted | {"gaia_dr3_source_id"} <= columns(survey)
    for list_name in VMP:
        assert {"star_name", "ra", "dec", "feh_vmp", "feh_vmp_err", "vmp_ref"} <= columns(f"vmp_{list_name}")
    assert {"star_name", "feh_pastel", "feh_pastel_err"} <= columns("pastel")
    assert {"rave_obs_id", "feh_rave5", "feh_rave5_err", "snr_rave5", "rave5_algo_flag"} <= columns("rave5")
    for name in ("green2020", "splus"):
        wanted = {f"{p}{s}" for p in ("teff", "logg", "feh") for s in ("", "_err")}
        assert wanted | {"gaia_dr3_source_id", "survey", "ebv_sfd"} <= columns(name)
    bands = {f"splus_{b}" for b in ("f395", "f410", "f430", "f515", "f660", "f861", "g", "r", "i")}
    assert bands | {f"{b}_err" for b in bands} <= columns("splus")


def test_the_file_holds_no_duplicate_keys():
    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader, node, deep=False):
        keys = [loader.construct_object(k, deep=True) for k, _ in node.value]
        assert len(keys) == len(set(map(str, keys))), f"twice at {node.start_mark}"
        return yaml.SafeLoader.construct_mapping(loader, node, deep=True)

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    yaml.load((ROOT / "config" / "datasets.yaml").read_text(), Strict)
