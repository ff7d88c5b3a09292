# Checked configuration, the list of cells, and what the other files share.
import glob
import os
import sys
import time

STARTED = time.time()
SCRIPTS = f"{workflow.basedir}/workflow/scripts"
sys.path.insert(0, SCRIPTS)

from starlabels import imports, messages, plan, resources
from starlabels.catalog_jobs import CatalogJobs
from starlabels.cells import cell_name
from starlabels.errors import InputError

try:
    PLAN = plan.Plan(config, workflow.basedir)
except InputError as error:
    raise WorkflowError(str(error))

RESULTS = config["output"]["results"]
FIGURES = config["output"]["figures"]
SAGES = f"{RESULTS}/sages"
RAVE = f"{RESULTS}/rave"
CELLS = PLAN.cell_names
SETS = [entry["id"] for entry in config["sages"]["data_sets"]]
MODELS = config["sages"]["models"]
SIMULATED = config["source"] == "simulated"
# what the rules of every variant of the rave networks read; what a variant itself may change is fewer (rave/variants.py)
VARIED = ("labels", "inputs", "parallax_floor", "training", "observed", "split", "network", "fit", "spectra")
ENV = f"{workflow.basedir}/envs/cpu.yaml"


# large catalogues in several jobs: which files and cells each takes
JOBS = CatalogJobs(
    {name: entry for name, entry in config["datasets"].items() if name not in PLAN.rave.datasets()},
    PLAN.native_files,
    PLAN.cells,
    config["cells"]["files_per_job"],
    config["cells"]["cells_per_job"],
)


wildcard_constraints:
    paper="sages|rave",
    dataset="[a-z0-9_]+",
    slice="[a-z0-9]+-[0-9]{3}",
    variant="[a-z0-9_]+",
    network="photometry|spectra",
    batch="[0-9]{3}",
    shard="[a-z0-9]+-[0-9]+",
    cell="[0-9]{5}",
    k="[0-9]+",
    model="(feh|teff|logg)_(dwarf|giant|all)",


def code(script, *modules):
    """The modules that a script imports, directly or not: an edit of any of them makes its outputs out of date."""
    found = imports.module_files(SCRIPTS, script, *modules)
    # relative where the workflow runs in its own folder, so that a copied or renamed project is still up to date
    return [os.path.relpath(path) for path in found] if os.path.samefile(workflow.basedir, os.getcwd()) else found


def settings(*keys, paper="sages"):
    """The part of a paper's choices that a rule depends on; an edit of any of them makes its outputs out of date."""
    return {key: config[paper][key] for key in keys}


def variant_settings(*keys):
    """Choices of Guiglion et al. that a variant may change, the variant's own changes, and other choices that are named."""

    def chosen(wildcards):
        every = settings(*VARIED, *keys, paper="rave")
        return {**every, "variants": {wildcards.variant: config["rave"]["variants"].get(wildcards.variant)}}

    return chosen


def passing(files):
    """Outputs that nobody reads when the run is done: deleted after their last reader where `output.keep` is `results`."""
    return files if config["output"]["keep"] == "all" else temp(files)


def figure_files(paper, kind):
    files = [f"{FIGURES}/{paper}/{name}.{ending}" for name, ending in PLAN.figures(paper, kind)]
    return files + ([f"{FIGURES}/{paper}/captions.md"] if kind == "figures" else [])


def catalog_files(paper):
    if paper == "rave":
        return [f"{RAVE}/catalog/rave_cnn.{ending}" for ending in ("fits", "parquet")]
    return expand(f"{RESULTS}/{paper}/catalog/{paper}_set{{k}}.{{ending}}", k=SETS, ending=["fits", "parquet"])


def targets(paper):
    validations = {"sages": VALIDATIONS, "rave": RAVE_VALIDATIONS}[paper]
    return figure_files(paper, "figures") + figure_files(paper, "tables") + catalog_files(paper) + validations


def report_success(log):
    asked = [name for name in ("acquire_check", "estimate") if name in sys.argv]
    if asked:
        print("\nDone. Written: " + ", ".join(f"{RESULTS}/{name}.md" for name in asked))
        return
    print(messages.closing_message(RESULTS, FIGURES, config["papers"], SIMULATED, PLAN.missing_figures(), STARTED))


def report_error(log):
    print(messages.failure_message(RESULTS, log if isinstance(log, str) else log[0], STARTED))


def native_files(wildcards):
    try:
        return PLAN.native_files(wildcards.dataset)
    except InputError as error:
        raise WorkflowError(str(error))


def part_files(ending):
    """What all parts of a catalogue have become, in their order."""

    def files(wildcards):
        return [f"{RESULTS}/catalogs/{wildcards.dataset}/parts/part-{part}.{ending}" for part in JOBS.parts[wildcards.dataset]]

    return files


def archive_piece(wildcards):
    try:
        return PLAN.archives.piece(wildcards.dataset, wildcards.file)
    except InputError as error:
        raise WorkflowError(str(error))


def asked(wildcards):
    """What makes another answer: the query. Addresses and checksums of a file may change without a new download."""
    piece = archive_piece(wildcards)
    return {} if piece.kind == "bulk" else piece.details


def positions_of(wildcards):
    """Cells of the catalogue whose sources are uploaded for an X-Match; nothing for the other roads."""
    piece = archive_piece(wildcards)
    if piece.kind != "xmatch":
        return []
    name, cells = PLAN.archives.positions(piece, PLAN.cells)
    return [ancient(f"{RESULTS}/catalogs/{name}/cell-{plan.cell_name(cell)}.parquet") for cell in cells]


def rave_native_files(wildcards):
    try:
        return PLAN.rave.native_files(wildcards.dataset)
    except InputError as error:
        raise WorkflowError(str(error))


def rave_catalogs(names):
    """Canonical tables of the rave half: one file each, named by its dataset."""
    return {name: f"{RESULTS}/catalogs/{name}/cell-00000.parquet" for name in names}


def rave_include():
    """The table of spectrum ids that stands for the cuts of the training sample, if one does."""
    name = config["rave"]["training"]["include"]
    return list(rave_catalogs([name]).values()) if name else []


def slices(pattern):
    """One file a slice of the survey; the rest of the pattern is filled in already, or by wildcards of the rule."""
    return [pattern.replace("{slice}", name) for name in PLAN.rave.slices]


def cnn_batches(wildcards):
    folder = f"{RAVE}/models/{wildcards.variant}/{wildcards.network}"
    return [f"{folder}/batch-{batch}.npz" for batch in PLAN.rave.batches(wildcards.variant, wildcards.network)]


def cell_files(names):
    return {name: f"{RESULTS}/catalogs/{name}/cell-{{cell}}.parquet" for name in names}


def dust_files(wildcards):
    if config["sages"]["photometry"]["ebv"] != "sfd":
        return []
    return [f"{PLAN.dust_folder()}/SFD_dust_4096_{pole}.fits" for pole in ("ngp", "sgp")]


def model_files(k):
    return {model: f"{SAGES}/models/set{k}/{model}.npz" for model in MODELS}


def predictions(k):
    return expand(f"{SAGES}/predictions/set{k}/cell-{{cell}}.parquet", cell=CELLS)


def catalog_cells(name):
    return expand(f"{RESULTS}/catalogs/{name}/cell-{{cell}}.parquet", cell=CELLS)


def figure_entry(wildcards):
    """The entry of a figure or table in config/figures.yaml."""
    return PLAN.figure(wildcards.paper, wildcards.get("figure") or wildcards.get("table"))


def figure_inputs(wildcards):
    return {name: PLAN.result_files(path) for name, path in figure_entry(wildcards)["inputs"].items()}


def figure_code(wildcards):
    entry = figure_entry(wildcards)
    script = "figure.py" if wildcards.get("figure") else "table.py"
    return code(script, f"starlabels.figures.{entry['paper']}.{entry.get('module', entry['id'])}")


def figure_settings(wildcards):
    return settings(*figure_entry(wildcards).get("settings", []), paper=wildcards.paper)


def study_files(paper):
    if paper == "rave":
        names = ["variants", "volume", "continuum"] + (["mono_alpha"] if "rave_orbits" in PLAN.rave.available() else [])
        drawn = [f"{FIGURES}/rave/{name}.{ending}" for name in PLAN.study_figures("rave") for ending in ("pdf", "png", "csv")]
        return [f"{RAVE}/studies/{name}.json" for name in names] + drawn
    names = ["scan_full", "seeds", "importance"] + [f"refit_set{k}" for k in SETS]
    names += ["same_stars"] if len(SETS) > 1 else []
    if PLAN.matched is None:
        names += ["label_structures"] + (["h23_structures"] if "h23" in config["sages"]["validation"]["external"] else [])
    return [f"{STUDIES}/{name}.parquet" if name.startswith("refit") else f"{STUDIES}/{name}.json" for name in names]
