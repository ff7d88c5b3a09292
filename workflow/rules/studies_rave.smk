# What Guiglion et al. 2020 assert in passing; outside the default run: part of `snakemake studies`.

RS = f"{RAVE}/studies"
STUDIED = ["main", *PLAN.rave.variants()]


rule study_rave_variants:
    input:
        training=[f"{RAVE}/samples/{name}/training.parquet" for name in STUDIED],
        predictions=[f"{RAVE}/predictions/{name}/photometry/training.parquet" for name in STUDIED],
        ensembles=[f"{RAVE}/models/{name}/photometry/ensemble.json" for name in STUDIED],
        code=code("study_rave_variants.py"),
    output:
        table=f"{RS}/variants.parquet",
        summary=f"{RS}/variants.json",
    log:
        f"{RESULTS}/logs/study_rave_variants.log",
    benchmark:
        f"{RESULTS}/benchmarks/study_rave_variants/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "inputs", "network", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
        variants=STUDIED,
    script:
        "../scripts/study_rave_variants.py"


rule study_rave_volume:
    input:
        stars=RAVE_STARS,
        training=RAVE_SAMPLE,
        code=code("study_rave_volume.py"),
    output:
        table=f"{RS}/volume.parquet",
        summary=f"{RS}/volume.json",
    log:
        f"{RESULTS}/logs/study_rave_volume.log",
    benchmark:
        f"{RESULTS}/benchmarks/study_rave_volume/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "inputs", "network", "validation", paper="rave"),
        simulated=SIMULATED,
    script:
        "../scripts/study_rave_volume.py"


rule study_rave_continuum:
    input:
        training=RAVE_SAMPLE,
        spectra=f"{RAVE}/samples/main/training.h5",
        ensemble=f"{RAVE}/models/main/photometry/ensemble.npz",
        code=code("study_rave_continuum.py"),
    output:
        table=f"{RS}/continuum.parquet",
        summary=f"{RS}/continuum.json",
    log:
        f"{RESULTS}/logs/study_rave_continuum.log",
    benchmark:
        f"{RESULTS}/benchmarks/study_rave_continuum/all.tsv"
    conda:
        ENV
    threads: 8
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave={**settings(*VARIED, "flags", "validation", paper="rave"), "variants": {"main": config["rave"]["variants"]["main"]}},
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/study_rave_continuum.py"


rule study_rave_mono_alpha:
    input:
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        code=code("study_rave_mono_alpha.py"),
    output:
        table=f"{RS}/mono_alpha.parquet",
        summary=f"{RS}/mono_alpha.json",
    log:
        f"{RESULTS}/logs/study_rave_mono_alpha.log",
    benchmark:
        f"{RESULTS}/benchmarks/study_rave_mono_alpha/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "inputs", "network", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/study_rave_mono_alpha.py"


rule study_rave_maps:
    input:
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        code=code("study_rave_maps.py"),
    output:
        table_mg_fe=f"{RS}/map_mg_fe.parquet",
        summary_mg_fe=f"{RS}/map_mg_fe.json",
        table_si_fe=f"{RS}/map_si_fe.parquet",
        summary_si_fe=f"{RS}/map_si_fe.json",
    log:
        f"{RESULTS}/logs/study_rave_maps.log",
    benchmark:
        f"{RESULTS}/benchmarks/study_rave_maps/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "inputs", "network", "validation", paper="rave"),
        simulated=SIMULATED,
    script:
        "../scripts/study_rave_maps.py"
