# Dereddened magnitudes, absolute magnitude, class and cuts of every star; then the training and test samples.


rule features:
    input:
        stars=f"{SAGES}/stars/cell-{{cell}}.parquet",
        labels=branch(
            config["sages"]["classes"]["rule"] == "logg",
            then=f"{SAGES}/labels/cell-{{cell}}.parquet",
            otherwise=[],
        ),
        dust=dust_files,
        code=code("features.py"),
    output:
        features=passing(f"{SAGES}/features/cell-{{cell}}.parquet"),
        selection=f"{SAGES}/features/selection-{{cell}}.json",
    log:
        f"{RESULTS}/logs/features/{{cell}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/features/{{cell}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(3000),
        runtime=resources.runtime(30),
    params:
        sages=settings("bands", "data_sets", "features", "cuts", "photometry", "classes", "samples"),
    script:
        "../scripts/features.py"


rule samples:
    input:
        features=expand(f"{SAGES}/features/cell-{{cell}}.parquet", cell=CELLS),
        labels=expand(f"{SAGES}/labels/cell-{{cell}}.parquet", cell=CELLS),
        code=code("samples.py"),
    output:
        sample=f"{SAGES}/samples/set{{k}}.parquet",
        selection=f"{SAGES}/samples/set{{k}}.json",
    log:
        f"{RESULTS}/logs/samples/set{{k}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/samples/set{{k}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        sages=settings("bands", "data_sets", "features", "cuts", "photometry", "classes", "samples"),
        seed=config["seed"],
    script:
        "../scripts/samples.py"


rule rave_spectra:
    input:
        folders=lambda wildcards: PLAN.rave.spectra_folders(wildcards.slice),
        code=code("rave_spectra.py"),
    output:
        spectra=f"{RAVE}/spectra/{{slice}}.h5",
        counts=f"{RAVE}/spectra/{{slice}}.json",
    log:
        f"{RESULTS}/logs/rave_spectra/{{slice}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/rave_spectra/{{slice}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(3000),
        runtime=resources.runtime(120),
    params:
        folders=lambda wildcards: PLAN.rave.spectra_folders(wildcards.slice),
        rave=settings("spectra", paper="rave"),
        simulated=SIMULATED,
        may_be_empty=PLAN.archives is not None,
    script:
        "../scripts/rave_spectra.py"


rule rave_stars:
    input:
        **rave_catalogs(PLAN.rave.tables()),
        spectra=f"{RAVE}/spectra/{{slice}}.h5",
        code=code("rave_stars.py"),
    output:
        stars=f"{RAVE}/stars/{{slice}}.parquet",
        selection=f"{RAVE}/stars/{{slice}}.json",
    log:
        f"{RESULTS}/logs/rave_stars/{{slice}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/rave_stars/{{slice}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(30),
    params:
        # of the training sample's choices only what the rows of APOGEE hang on: its cuts come later
        rave={
            **settings("parallax_floor", "observed", paper="rave"),
            "training": {"extratarg_duplicate_bit": config["rave"]["training"]["extratarg_duplicate_bit"]},
        },
    script:
        "../scripts/rave_stars.py"


rule rave_literature:
    input:
        **rave_catalogs(PLAN.rave.literature()),
        stars=slices(f"{RAVE}/stars/{{slice}}.parquet"),
        code=code("rave_literature.py"),
    output:
        literature=f"{RAVE}/literature.parquet",
        selection=f"{RAVE}/literature.json",
    log:
        f"{RESULTS}/logs/rave_literature.log",
    benchmark:
        f"{RESULTS}/benchmarks/rave_literature/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(30),
    params:
        rave=settings("validation", paper="rave"),
    script:
        "../scripts/rave_literature.py"


rule rave_training:
    input:
        stars=slices(f"{RAVE}/stars/{{slice}}.parquet"),
        spectra=slices(f"{RAVE}/spectra/{{slice}}.h5"),
        include=rave_include(),
        code=code("rave_training.py"),
    output:
        training=f"{RAVE}/samples/{{variant}}/training.parquet",
        spectra=f"{RAVE}/samples/{{variant}}/training.h5",
        scaling=f"{RAVE}/samples/{{variant}}/scaling.json",
        selection=f"{RAVE}/samples/{{variant}}/selection.json",
    log:
        f"{RESULTS}/logs/rave_training/{{variant}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/rave_training/{{variant}}.tsv"
    wildcard_constraints:
        variant="(?!public$)[a-z0-9_]+",
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=variant_settings("flags"),
        seed=config["seed"],
    script:
        "../scripts/rave_training.py"
