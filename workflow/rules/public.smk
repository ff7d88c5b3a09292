# Real inputs of the rave half: the authors' public training sample (`snakemake public`) and real spectra of other surveys.

PUBLIC = config["rave"]["public"]
PUBLIC_FOLDER = os.path.expanduser(os.path.expandvars(PUBLIC["folder"] or ""))
PUBLIC_IMAGE = [f"{RAVE}/public/training_sample_spectra.fits"] if PUBLIC["address"] else []
PUBLIC_SAMPLE = {"training": "parquet", "scaling": "json", "selection": "json"}
PUBLIC_FILES = {name: f"{RAVE}/samples/public/{name}.{ending}" for name, ending in PUBLIC_SAMPLE.items()}
if PUBLIC["address"]:
    PUBLIC_FILES["spectra"] = f"{RAVE}/samples/public/training.h5"


localrules:
    public,


rule public:
    """The authors' own sample: split, limits and magnitudes; photometry alone; with their spectra, the published networks."""
    input:
        PUBLIC_FILES["selection"],
        f"{RAVE}/public/photometric.json",
        f"{RAVE}/public/labels.json" if PUBLIC["address"] else [],


rule rave_fetch:
    input:
        code=code("rave_fetch.py"),
    output:
        f"{RAVE}/public/training_sample_spectra.fits",
    log:
        f"{RESULTS}/logs/rave_fetch.log",
    benchmark:
        f"{RESULTS}/benchmarks/rave_fetch/all.tsv"
    conda:
        ENV
    params:
        public=PUBLIC,
    script:
        "../scripts/rave_fetch.py"


rule rave_public_sample:
    input:
        labels=f"{PUBLIC_FOLDER}/training_sample_labels.csv",
        parameters=f"{PUBLIC_FOLDER}/training_sample_parameters.csv",
        image=PUBLIC_IMAGE,
        code=code("rave_public_sample.py"),
    output:
        **PUBLIC_FILES,
    log:
        f"{RESULTS}/logs/rave_public_sample.log",
    benchmark:
        f"{RESULTS}/benchmarks/rave_public_sample/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(2000),
        runtime=resources.runtime(20),
    params:
        rave={**settings(*VARIED, "flags", paper="rave"), "variants": {"main": {}}},
        seed=config["seed"],
    script:
        "../scripts/rave_public_sample.py"


rule rave_photometric:
    input:
        training=PUBLIC_FILES["training"],
        scaling=PUBLIC_FILES["scaling"],
        code=code("rave_photometric.py"),
    output:
        f"{RAVE}/public/photometric.json",
    log:
        f"{RESULTS}/logs/rave_photometric.log",
    benchmark:
        f"{RESULTS}/benchmarks/rave_photometric/all.tsv"
    conda:
        ENV
    threads: 8
    resources:
        mem_mb=resources.memory(2000),
        runtime=resources.runtime(60),
    params:
        rave={**settings(*VARIED, "ensemble", "validation", paper="rave"), "variants": {"main": {}}},
        seed=config["seed"],
        simulated=False,
    script:
        "../scripts/rave_photometric.py"


rule public_labels:
    input:
        training=PUBLIC_FILES["training"],
        photometry=f"{RAVE}/predictions/public/photometry/training.parquet",
        spectra=f"{RAVE}/predictions/public/spectra/training.parquet",
        code=code("validate_rave_labels.py"),
    output:
        summary=f"{RAVE}/public/labels.json",
        points=f"{RAVE}/public/labels_points.parquet",
        hist=f"{RAVE}/public/labels_hist.parquet",
    log:
        f"{RESULTS}/logs/public_labels.log",
    benchmark:
        f"{RESULTS}/benchmarks/public_labels/all.tsv"
    conda:
        ENV
    params:
        rave=settings("labels", "validation", paper="rave"),
        simulated=False,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_labels.py"


rule validate_real_spectra:
    input:
        ensemble=f"{RAVE}/models/main/spectra/ensemble.npz",
        code=code("validate_real_spectra.py"),
    output:
        summary=f"{RAVE}/validation/real_spectra.json",
        lines=f"{RAVE}/validation/real_spectra_lines.parquet",
        windows=f"{RAVE}/validation/real_spectra_windows.parquet",
    log:
        f"{RESULTS}/logs/validate_real_spectra.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_real_spectra/all.tsv"
    conda:
        ENV
    params:
        rave=settings("spectra", "labels", "fit", "real_spectra", paper="rave"),
    script:
        "../scripts/validate_real_spectra.py"
