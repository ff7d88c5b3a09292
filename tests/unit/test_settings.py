"""The configuration is checked before anything runs, and its reference is the schema."""

import copy

import pytest

from starlabels import settings
from starlabels.errors import InputError


@pytest.fixture
def schema(root):
    return settings.load_yaml(root / "workflow/schemas/config.schema.yaml")


@pytest.fixture
def config(root):
    merged = {}
    for name in ("config", "sages", "rave", "datasets"):
        merged.update(settings.load_yaml(root / f"config/{name}.yaml"))
    return merged


def test_defaults_pass(config, schema):
    settings.check(config, schema)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["sead"], 1, "`sead`: is not known. Did you mean `seed`"),
        (["sages", "cuts", "ebv_max_trian"], 1, "`sages.cuts.ebv_max_trian`: is not known. Did you mean `ebv_max_train`"),
        (["sages", "bands", "sages_u", "redening"], 1, "Did you mean `reddening`"),
        (["sages", "forest", "max_depth"], "deep", "`sages.forest.max_depth`"),
        (["seed"], "42", "`seed`: '42' is not of type 'integer'"),
        (
            ["sages", "data_sets"],
            [{"id": 1, "bands": ["gaia_g", "gaia_bpp"]}],
            "names `gaia_bpp`, which is not defined. Did you mean `gaia_bp`",
        ),
        (["sages", "scan", "data_set"], 7, "`sages.scan.data_set`: is 7"),
        (["sages", "photometry", "matched"], "green202", "Did you mean `green2020`"),
        (["sages", "forest", "max_depth"], None, "`sages.forest.max_depth`: None is not of type 'integer'"),
        (["sages", "cuts"], {}, "`sages.cuts`: 'parallax_over_err_min' is a required property"),
        (["output"], {}, "`output`: 'results' is a required property"),
    ],
)
def test_one_clear_error(config, schema, path, value, message):
    with pytest.raises(InputError) as caught:
        settings.check(changed(config, path, value), schema)
    assert message in str(caught.value)


@pytest.mark.parametrize("value", [None, "sqrt", "log2", 1, 5, 0.3333, 1.0])
def test_features_tried_at_a_split(config, schema, value):
    settings.check(changed(config, ["sages", "forest", "max_features"], value), schema)
    settings.check(changed(config, ["sages", "scan", "max_features"], [value]), schema)


@pytest.mark.parametrize("value", ["all", "Sqrt", 0, -3, 0.0, -0.5, 1.5, True, [5]])
def test_other_features_tried_at_a_split_are_refused(config, schema, value):
    for key, given in (("forest.max_features", value), ("scan.max_features", [None, value])):
        with pytest.raises(InputError, match=f"`sages.{key}.*sqrt, log2, an integer from 1 to the number of features, or a fraction"):
            settings.check(changed(config, ["sages", *key.split(".")], given), schema)


def changed(config, path, value):
    """A copy of the configuration with one key set."""
    copied = copy.deepcopy(config)
    target = copied
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return copied


SET = [{"id": 1, "bands": ["sages_u", "gaia_g", "gaia_bp", "gaia_rp"]}]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("photometry.primary", "sagess", "`sages.photometry.primary`: names `sagess`, which is not defined. Did you mean `sages`"),
        ("photometry.ebv", "column", "`sages.photometry.ebv`: is `column`"),
        ("bands.sages_v.tag", "u", "tag`: is `u`, which another band has too"),
        ("data_sets", SET * 2, "`sages.data_sets`: has the id 1 twice"),
        ("data_sets", [{"id": 1, "bands": ["gaia_g", "gaia_bp", "gaia_g"]}], "`sages.data_sets.1.bands`: names `gaia_g` twice"),
        ("cuts.flags_zero", ["sages_w_flag"], "`sages.cuts.flags_zero`: names `sages_w_flag`, which is not defined. Did you mean `sages_"),
        ("cuts.flags_zero", ["galex_nuv_flag"], "`galex_nuv_flag`, but matched stars carry the flags of `sages` only"),
        ("clusters.snr_bands", ["sages_x"], "`sages.clusters.snr_bands`: names `sages_x`"),
        ("cool_mask.colour", ["gaia_bp", "gaia_r"], "`sages.cool_mask.colour`: names `gaia_r`, which is not defined"),
        ("classes.colour", ["gaia_pb", "gaia_rp"], "`sages.classes.colour`: names `gaia_pb`"),
        ("classes.abs_magnitude", "gaia_gg", "`sages.classes.abs_magnitude`: names `gaia_gg`"),
        ("scan.model", "feh_dwraf", "`sages.scan.model`: names `feh_dwraf`, which is not defined. Did you mean `feh_dwarf`"),
        ("compare.model", "logg_giant", "`sages.compare.model`: names `logg_giant`"),
        ("samples.train.lamots", {"labels": ["feh"]}, "`sages.samples.train`: names `lamots`, which is not defined. Did you mean `lamost`"),
        ("samples.test.h23", {"labels": ["logg"]}, "`sages.samples.test.h23.labels`: needs the column `logg_h23`"),
        ("crossmatch.best_neighbour.twomass", "tmass_best", "`sages.crossmatch.best_neighbour.twomass`: names `tmass_best`"),
        ("crossmatch.best_neighbour.2mass", None, "names `2mass`, which is not defined. Did you mean `twomass`"),
        ("crossmatch.radius_arcsec.galax", 1.0, "radius_arcsec`: names `galax`, which is not defined. Did you mean `galex`"),
        ("crossmatch.radius_arcsec", {"sages": 1.0}, "`sages.crossmatch.radius_arcsec.twomass`: is not set"),
        ("uncertainty.domain_without", ["ebv"], "`sages.uncertainty.domain_without`: names `ebv`, which is not defined"),
        ("validation.ebv_edges", [0.0, 0.1, 0.1], "`sages.validation.ebv_edges`: is [0.0, 0.1, 0.1]"),
    ],
)
def test_names_must_be_defined(config, schema, path, value, message):
    with pytest.raises(InputError) as caught:
        settings.check(changed(config, ["sages", *path.split(".")], value), schema)
    assert message in str(caught.value)


def test_every_catalogue_that_is_matched_by_position_has_a_radius(config, schema):
    for name in config["sages"]["crossmatch"]["radius_arcsec"]:
        radii = {k: v for k, v in config["sages"]["crossmatch"]["radius_arcsec"].items() if k != name}
        with pytest.raises(InputError, match=f"radius_arcsec.{name}`: is not set"):
            settings.check(changed(config, ["sages", "crossmatch", "radius_arcsec"], radii), schema)


def test_a_cluster_has_a_number_or_harris(config, schema):
    broken = copy.deepcopy(config)
    broken["sages"]["clusters"]["list"][2]["feh"] = "haris"
    with pytest.raises(InputError, match=r"clusters.list\[2\].feh`: is `haris` \(NGC 6934\). Use a number, or `harris`"):
        settings.check(broken, schema)


def test_a_band_without_a_catalogue_is_refused(config, schema):
    entry = {"tag": "i", "reddening": 1.7, "err_max_train": None, "err_max_predict": None}
    for band, message in (
        ("ps1_i", "`sages.data_sets.1.bands`: names `ps1_i`, which belongs to no catalogue that is matched"),
        ("galex_fuv", "`sages.data_sets.1.bands`: needs the column `galex_fuv`, which the dataset `galex` does not have"),
    ):
        broken = changed(config, ["sages", "bands", band], entry)
        settings.check(broken, schema)  # described, not used
        broken["sages"]["data_sets"][0]["bands"] = [*broken["sages"]["data_sets"][0]["bands"], band]
        with pytest.raises(InputError) as caught:
            settings.check(broken, schema)
        assert message in str(caught.value)


def test_a_band_that_no_data_set_has_is_not_at_hand(config, schema):
    few = changed(config, ["sages", "data_sets"], [{"id": 1, "bands": ["sages_u", "sages_v", "gaia_bp", "gaia_rp"]}])
    with pytest.raises(InputError, match="`sages.features.abs_magnitude`: names `gaia_g`, which no data set has"):
        settings.check(few, schema)


@pytest.mark.parametrize("name", ["quick", "green2020", "splus"])
def test_configurations_that_come_with_the_project_pass(root, config, schema, name):
    merge(config, settings.load_yaml(root / f"config/{name}.yaml"))
    settings.check(config, schema, settings.load_yaml(root / "workflow/schemas/datasets.schema.yaml"))


def merge(target, changes):
    """Merge an override as Snakemake does: mappings key by key, all else replaced."""
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = value


def test_every_key_of_a_closed_mapping_is_required(schema):
    """Configurations are merged over the defaults, so a missing key is a mistake.

    Optional are the conditions of a survey, and what a variant of the networks changes.
    """

    def closed(node, path=""):
        if isinstance(node, dict):
            if node.get("additionalProperties") is False and "properties" in node:
                yield path, set(node["properties"]) - set(node.get("required", []))
            for key, sub in node.items():
                yield from closed(sub, f"{path}/{key}")

    optional = {path: keys for path, keys in closed(schema) if keys}
    open_ones = tuple(f"{name}/additionalProperties" for name in ("train", "test", "variants"))
    assert all(path.endswith(open_ones) for path in optional), optional


def test_missing_section_is_named(config, schema):
    del config["sages"]["cuts"]
    with pytest.raises(InputError, match="'cuts' is a required property"):
        settings.check(config, schema)


def test_reference_page_is_in_step_with_the_schema(root, schema):
    assert (root / "docs/configuration.md").read_text() == settings.reference_page(schema), "run `make docs`"


def test_every_key_is_described(schema):
    bare = [key for key, _, text in settings.reference_rows(schema) if not text]
    assert bare == []


def test_every_default_key_is_in_the_schema_and_back(config, schema):
    """Keys without a default would be found by nobody; keys without a schema are refused."""
    known = {key for key, _, _ in settings.reference_rows(schema)}
    fixed = {k for k in known if "<name>" not in k and "[]" not in k}

    def keys(mapping, prefix=""):
        for key, value in mapping.items():
            yield f"{prefix}{key}"
            if isinstance(value, dict):
                yield from keys(value, f"{prefix}{key}.")

    present = set(keys({k: v for k, v in config.items() if k != "datasets"}))
    assert {k for k in fixed - present if k != "datasets"} == set()


def test_yaml_errors(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        settings.load_yaml(tmp_path / "no.yaml")
    (tmp_path / "bad.yaml").write_text("a: [1")
    with pytest.raises(InputError, match="not valid YAML"):
        settings.load_yaml(tmp_path / "bad.yaml")
