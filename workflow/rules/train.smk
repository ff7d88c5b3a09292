# Five forests a data set, the scan of their hyper-parameters, and the comparison with other methods; the ensembles of networks.
from starlabels.rave.gpus import gpus


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
        mem_mb=resources.memory(4000, per_input=20),
        runtime=resources.runtime(240),
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
        mem_mb=resources.memory(4000, per_input=20),
        runtime=resources.runtime(240),
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
        mem_mb=resources.memory(4000, per_input=20),
        runtime=resources.runtime(240),
    params:
        sages=settings("bands", "data_sets", "features", "forest", "compare", "validation"),
        seed=config["seed"],
    script:
        "../scripts/compare.py"


rule train_cnn:
    input:
        training=f"{RAVE}/samples/{{variant}}/training.parquet",
        spectra=f"{RAVE}/samples/{{variant}}/training.h5",
        scaling=f"{RAVE}/samples/{{variant}}/scaling.json",
        code=code("rave_train.py"),
    output:
        model=f"{RAVE}/models/{{variant}}/{{network}}/batch-{{batch}}.npz",
        summary=f"{RAVE}/models/{{variant}}/{{network}}/batch-{{batch}}.json",
    log:
        f"{RESULTS}/logs/train_cnn/{{variant}}_{{network}}_{{batch}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_cnn/{{variant}}_{{network}}_{{batch}}.tsv"
    conda:
        ENV
    threads: 5
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(240),
        gpu=lambda wildcards: gpus(config["rave"], wildcards.variant),
    params:
        rave=variant_settings(),
        networks=lambda wildcards: PLAN.rave.batch_members(wildcards.variant, wildcards.network, wildcards.batch),
        seed=config["seed"],
    script:
        "../scripts/rave_train.py"


rule ensemble:
    input:
        batches=cnn_batches,
        code=code("rave_ensemble.py"),
    output:
        ensemble=f"{RAVE}/models/{{variant}}/{{network}}/ensemble.npz",
        summary=f"{RAVE}/models/{{variant}}/{{network}}/ensemble.json",
        history=f"{RAVE}/models/{{variant}}/{{network}}/history.parquet",
    log:
        f"{RESULTS}/logs/ensemble/{{variant}}_{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ensemble/{{variant}}_{{network}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(2000),
        runtime=resources.runtime(20),
    params:
        # how many networks there are is seen in the batches; the other ensemble's number is not this one's business
        rave={"ensemble": {key: config["rave"]["ensemble"][key] for key in ("keep_quantile", "kept_min")}},
    script:
        "../scripts/rave_ensemble.py"
