# What the text asserts in passing; outside the default run: `snakemake studies`.

STUDIES = f"{SAGES}/studies"
MAIN_SET = config["sages"]["validation"]["data_set"]


rule studies:
    """What the text asserts in passing: full scan, seeds, refits, importance, same stars, structures."""
    input:
        [study_files(paper) for paper in config["papers"]],


rule study_scan:
    input:
        sample=f"{SAGES}/samples/set{config['sages']['scan']['data_set']}.parquet",
        code=code("scan.py"),
    output:
        table=f"{STUDIES}/scan_full.parquet",
        summary=f"{STUDIES}/scan_full.json",
    log:
        f"{RESULTS}/logs/study_scan.log",
    benchmark:
        f"{RESULTS}/benchmarks/study_scan/all.tsv"
    conda:
        ENV
    threads: 16
    resources:
        mem_mb=resources.memory(8000),
        runtime=resources.runtime(2880),
    params:
        sages=settings("bands", "data_sets", "features", "forest", "scan"),
        seed=config["seed"],
        full=True,
    script:
        "../scripts/scan.py"


rule study_refit:
    input:
        **model_files("{k}"),
        sample=f"{SAGES}/samples/set{{k}}.parquet",
        code=code("study_refit.py"),
    output:
        f"{STUDIES}/refit_set{{k}}.parquet",
    log:
        f"{RESULTS}/logs/study_refit/set{{k}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/study_refit/set{{k}}.tsv"
    conda:
        ENV
    threads: 16
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(720),
    params:
        sages=settings(*MEASURES, "forest", "uncertainty"),
        seed=config["seed"],
    script:
        "../scripts/study_refit.py"


rule study_seeds:
    input:
        sample=f"{SAGES}/samples/set{MAIN_SET}.parquet",
        code=code("study_seeds.py"),
    output:
        table=f"{STUDIES}/seeds.parquet",
        summary=f"{STUDIES}/seeds.json",
    log:
        f"{RESULTS}/logs/study_seeds.log",
    benchmark:
        f"{RESULTS}/benchmarks/study_seeds/all.tsv"
    conda:
        ENV
    threads: 16
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(720),
    params:
        sages=settings(*MEASURES, "forest", "uncertainty"),
        data_set=MAIN_SET,
        seeds=[config["seed"] + i for i in range(5)],
    script:
        "../scripts/study_seeds.py"


rule study_importance:
    input:
        **model_files(MAIN_SET),
        sample=f"{SAGES}/samples/set{MAIN_SET}.parquet",
        code=code("study_importance.py"),
    output:
        table=f"{STUDIES}/importance.parquet",
        summary=f"{STUDIES}/importance.json",
    log:
        f"{RESULTS}/logs/study_importance.log",
    benchmark:
        f"{RESULTS}/benchmarks/study_importance/all.tsv"
    conda:
        ENV
    threads: 16
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(240),
    params:
        sages=settings(*MEASURES),
        data_set=MAIN_SET,
        seed=config["seed"],
    script:
        "../scripts/study_importance.py"


rule study_same_stars:
    input:
        samples=SAMPLE_PREDICTIONS,
        code=code("study_same_stars.py"),
    output:
        f"{STUDIES}/same_stars.json",
    log:
        f"{RESULTS}/logs/study_same_stars.log",
    benchmark:
        f"{RESULTS}/benchmarks/study_same_stars/all.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES),
        sets=SETS,
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/study_same_stars.py"


rule study_label_structures:
    input:
        labels=LABELS,
        code=code("study_label_structures.py"),
    output:
        summary=f"{STUDIES}/label_structures.json",
        table=f"{STUDIES}/label_structures.parquet",
    log:
        f"{RESULTS}/logs/study_label_structures.log",
    benchmark:
        f"{RESULTS}/benchmarks/study_label_structures/all.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES),
        simulated=SIMULATED,
    script:
        "../scripts/study_label_structures.py"


rule study_h23_structures:
    input:
        predictions=predictions(EXTERNAL_SET),
        external=catalog_cells("h23"),
        code=code("study_h23_structures.py"),
    output:
        summary=f"{STUDIES}/h23_structures.json",
        table=f"{STUDIES}/h23_structures.parquet",
    log:
        f"{RESULTS}/logs/study_h23_structures.log",
    benchmark:
        f"{RESULTS}/benchmarks/study_h23_structures/all.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES),
        simulated=SIMULATED,
    script:
        "../scripts/study_h23_structures.py"
