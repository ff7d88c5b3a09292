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
        features=f"{SAGES}/features/cell-{{cell}}.parquet",
        selection=f"{SAGES}/features/selection-{{cell}}.json",
    log:
        f"{RESULTS}/logs/features/{{cell}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/features/{{cell}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=3000,
        runtime=30,
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
        mem_mb=4000,
        runtime=60,
    params:
        sages=settings("bands", "data_sets", "features", "cuts", "photometry", "classes", "samples"),
        seed=config["seed"],
    script:
        "../scripts/samples.py"
