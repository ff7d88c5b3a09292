# Five forests a data set, the scan of their hyper-parameters, and the comparison with other methods.


rule train:
    input:
        sample=f"{SAGES}/samples/set{{k}}.parquet",
        code=code("train.py"),
    output:
        model=f"{SAGES}/models/set{{k}}/{{model}}.npz",
        summary=f"{SAGES}/models/set{{k}}/{{model}}.json",
    log:
        f"{RESULTS}/logs/train/set{{k}}_{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/set{{k}}_{{model}}.tsv"
    conda:
        ENV
    threads: 16
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        sages=settings("bands", "data_sets", "features", "forest", "uncertainty"),
        seed=config["seed"],
    script:
        "../scripts/train.py"


rule scan:
    input:
        sample=f"{SAGES}/samples/set{config['sages']['scan']['data_set']}.parquet",
        code=code("scan.py"),
    output:
        table=f"{SAGES}/scan.parquet",
        summary=f"{SAGES}/scan.json",
    log:
        f"{RESULTS}/logs/scan.log",
    benchmark:
        f"{RESULTS}/benchmarks/scan/all.tsv"
    conda:
        ENV
    threads: 16
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        sages=settings("bands", "data_sets", "features", "forest", "scan"),
        seed=config["seed"],
        full=False,
    script:
        "../scripts/scan.py"


rule compare:
    input:
        sample=f"{SAGES}/samples/set{config['sages']['compare']['data_set']}.parquet",
        code=code("compare.py"),
    output:
        table=f"{SAGES}/compare.parquet",
        summary=f"{SAGES}/compare.json",
    log:
        f"{RESULTS}/logs/compare.log",
    benchmark:
        f"{RESULTS}/benchmarks/compare/all.tsv"
    conda:
        ENV
    threads: 16
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        sages=settings("bands", "data_sets", "features", "forest", "compare", "validation"),
        seed=config["seed"],
    script:
        "../scripts/compare.py"
