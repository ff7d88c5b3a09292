"""What a run would do, known before it starts."""

import re
from collections import Counter

import pytest


@pytest.fixture(scope="module")
def project(new_project):
    return new_project("plan")


@pytest.fixture(scope="module")
def default(project):
    """Jobs of the default run."""
    return project.jobs(configfile=None)


@pytest.fixture(scope="module")
def everything(project):
    """Every job that there is."""
    return project.jobs("all", "studies")


def test_default_run_plans_every_figure_and_table(default):
    outputs = [path for _, _, made in default for path in made]
    for n in range(1, 13):
        for ending in ("pdf", "png", "csv"):
            assert any(re.fullmatch(rf"figures/sages/fig{n:02d}_\w+\.{ending}", p) for p in outputs), (n, ending)
    for n in range(1, 4):
        for ending in ("tex", "csv"):
            assert any(re.fullmatch(rf"figures/sages/table{n}_\w+\.{ending}", p) for p in outputs), (n, ending)
    for name in [*(f"fig{n:02d}" for n in range(1, 26)), *(f"figA{n}" for n in range(1, 5))]:
        for ending in ("pdf", "png", "csv"):
            assert any(re.fullmatch(rf"figures/rave/{name}_\w+\.{ending}", p) for p in outputs), (name, ending)
    assert {f"figures/rave/table1_catalogue.{e}" for e in ("tex", "csv")} <= set(outputs)
    assert {f"results/sages/catalog/sages_set{k}.{e}" for k in (1, 2) for e in ("fits", "parquet")} <= set(outputs)
    assert {f"results/rave/catalog/rave_cnn.{e}" for e in ("fits", "parquet")} <= set(outputs)
    assert not any("figx_real_spectra" in p for p in outputs)


def test_real_spectra_are_one_more_figure(project, monkeypatch):
    monkeypatch.setenv("STARLABELS_DATA", str(project.folder))
    jobs = project.jobs("rave", configfile="config/real-spectra.yaml")
    outputs = [path for _, _, made in jobs for path in made]
    assert {f"figures/rave/figx_real_spectra.{e}" for e in ("pdf", "png", "csv")} <= set(outputs)
    assert [made for rule, _, made in jobs if rule == "validate_real_spectra"] and any("fig25_" in p for p in outputs)


def test_jobs_are_planned_for_every_cell_and_slice(default):
    count = Counter(name for name, _, _ in default)
    assert count["stars"] == count["labels"] == count["features"] == count["predict"] / 2 > 4
    assert count["simulate_rave"] == count["rave_spectra"] == count["rave_stars"] == count["predict_cnn"] / 2 > 4


def rules(root):
    """(name, text) of every rule."""
    text = "\n".join(p.read_text() for p in [root / "Snakefile", *sorted((root / "workflow/rules").glob("*.smk"))])
    return re.findall(r"^ *rule (\w+):\n((?:(?: {4,}.*)?\n)+)", text, re.M)


def test_log_and_benchmark_of_a_job_have_one_name(root):
    """logs/<rule>/<job>.log and benchmarks/<rule>/<job>.tsv; of a rule with a single job logs/<rule>.log and benchmarks/<rule>/all.tsv."""
    found, differ = [], []
    for name, text in rules(root):
        logs, benchmarks = re.findall(r"/logs/(.+)\.log", text), re.findall(r"/benchmarks/(.+)\.tsv", text)
        found += benchmarks
        if benchmarks and [f"{b}/all" if "{" not in b and b == name else b for b in logs] != benchmarks:
            differ.append((name, logs, benchmarks))
    assert len(found) > 50 and not differ


@pytest.mark.parametrize(
    ("target", "some", "none"),
    [
        ("sages", {"train", "catalog_product", "figure", "table"}, {"simulate_rave", "train_cnn"}),
        ("rave", {"train_cnn", "rave_catalogue", "figure", "table"}, {"simulate", "catalog", "train"}),
        ("figures", {"figure"}, {"table"}),
        ("tables", {"table"}, {"figure"}),
        ("catalogs", {"catalog_product", "rave_catalogue"}, {"figure", "table", "scan", "validate_rave_truth"}),
    ],
)
def test_targets(project, target, some, none):
    planned = set(project.planned(target))
    assert some <= planned and not none & planned


def test_studies(everything):
    variants = {path.split("/")[3] for rule, _, made in everything if rule == "train_cnn" for path in made}
    assert {"main", "snr_40", "nll", "no_convolution", "poor_parallaxes"} <= variants and "public" not in variants
    drawn = {path for rule, _, made in everything if rule == "figure" for path in made}
    assert {f"figures/rave/figx_{name}.pdf" for name in ("studies", "map_mg", "map_si")} <= drawn


@pytest.mark.parametrize("truth", ["native/truth/", "native/rave_truth/"])
def test_only_validation_reads_the_truth(everything, truth):
    readers = {rule for rule, inputs, _ in everything if any(truth in p for p in inputs)}
    assert readers and all(rule.startswith("validate_") for rule in readers)


def test_no_stage_after_the_catalogues_reads_native_tables(everything):
    """One way: only catalogues (and parts of them) read native tables, `rave_spectra` spectra (the dust map is queried in place)."""
    catalogues = ("catalog", "catalog_part", "rave_catalog")
    for rule, inputs, _ in everything:
        native = [p for p in inputs if "results/native/" in p and not re.search("/(truth|rave_truth|dust)/", p)]
        if native:
            kinds = {p.split("/")[2] for p in native}
            assert (rule, kinds) == ("rave_spectra", {"rave_spectra"}) or rule in catalogues, (rule, native)
            assert rule == "rave_spectra" or "rave_spectra" not in kinds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sages: {cuts: {ebv_max_trian: 0.1}}", "`sages.cuts.ebv_max_trian`: is not known. Did you mean `ebv_max_train`?"),
        ("sead: 1", "`sead`: is not known. Did you mean `seed`?"),
        ("rave: {training: {snr_mim: 30}}", "`rave.training.snr_mim`: is not known. Did you mean `snr_min`?"),
        ("rave: {variants: {mine: {networks: {}}}}", "`rave.variants.mine"),
        ("{papers: [rave], source: files}", "`rave.spectra.folders`"),
        ("cells: {list: [999999]}", "names cell 999999"),
        ("{papers: [sages], source: files}", "`datasets."),
    ],
)
def test_a_wrong_configuration_is_one_clear_error(project, text, message):
    (project.folder / "wrong.yaml").write_text(text + "\n")
    done = project.run("-n", check=False, configfile="wrong.yaml")
    assert done.returncode != 0
    assert message in done.stdout
    assert "Traceback" not in done.stdout
