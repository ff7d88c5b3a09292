# The results against labels, other catalogues, clusters and, on a simulated sky, the truth (read here and nowhere else).

V = f"{SAGES}/validation"
SAMPLE_PREDICTIONS = expand(f"{SAGES}/predictions/samples_set{{k}}.parquet", k=SETS)
SAMPLES = expand(f"{SAGES}/samples/set{{k}}.parquet", k=SETS)
LABELS = expand(f"{SAGES}/labels/cell-{{cell}}.parquet", cell=CELLS)
TRUTH = [f"{RESULTS}/native/truth/part-{shard}.parquet" for shard in PLAN.shards]
MEASURES = ("bands", "data_sets", "features", "validation", "models", "samples", "cuts", "classes", "cool_mask")


PREDICTIONS = {f"set{k}": predictions(k) for k in SETS}
EXTERNAL_SET = config["sages"]["validation"]["data_set"]
VALIDATIONS = [f"{V}/{name}.json" for name in PLAN.validations()]


wildcard_constraints:
    external="h23|a23",


rule validate_test_set:
    input:
        sample=f"{SAGES}/predictions/samples_set{{k}}.parquet",
        code=code("validate_test_set.py"),
    output:
        summary=f"{V}/test_set{{k}}.json",
        density=f"{V}/test_set{{k}}_density.parquet",
        hist=f"{V}/test_set{{k}}_hist.parquet",
    log:
        f"{RESULTS}/logs/validate_test_set/set{{k}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_test_set/set{{k}}.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_test_set.py"


rule validate_bins:
    input:
        samples=SAMPLE_PREDICTIONS,
        code=code("validate_bins.py"),
    output:
        table=f"{V}/bins.parquet",
        summary=f"{V}/bins.json",
    log:
        f"{RESULTS}/logs/validate_bins.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_bins/all.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES),
        sets=SETS,
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_bins.py"


rule validate_external:
    input:
        predictions=predictions(EXTERNAL_SET),
        external=expand(f"{RESULTS}/catalogs/{{{{external}}}}/cell-{{cell}}.parquet", cell=CELLS),
        code=code("validate_external.py"),
    output:
        summary=f"{V}/{{external}}.json",
        density=f"{V}/{{external}}_density.parquet",
        hist=f"{V}/{{external}}_hist.parquet",
    log:
        f"{RESULTS}/logs/validate_external/{{external}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_external/{{external}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(3000),
        runtime=resources.runtime(120),
    params:
        sages=settings(*MEASURES),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_external.py"


rule validate_clusters:
    input:
        predictions=predictions(EXTERNAL_SET),
        harris=branch(
            any(c["feh"] == "harris" for c in config["sages"]["clusters"]["list"]),
            then=f"{RESULTS}/catalogs/harris/cell-{CELLS[0]}.parquet",
            otherwise=[],
        ),
        code=code("validate_clusters.py"),
    output:
        table=f"{V}/clusters.parquet",
        summary=f"{V}/clusters.json",
    log:
        f"{RESULTS}/logs/validate_clusters.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_clusters/all.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES, "clusters"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_clusters.py"


rule validate_fractions:
    input:
        **PREDICTIONS,
        code=code("validate_fractions.py"),
    output:
        summary=f"{V}/fractions.json",
        table=f"{V}/feh_histogram.parquet",
    log:
        f"{RESULTS}/logs/validate_fractions.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_fractions/all.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES, "published"),
        sets=SETS,
        simulated=SIMULATED,
    script:
        "../scripts/validate_fractions.py"


rule validate_cmd:
    input:
        features=expand(f"{SAGES}/features/cell-{{cell}}.parquet", cell=CELLS),
        code=code("validate_cmd.py"),
    output:
        table=f"{V}/cmd.parquet",
        summary=f"{V}/cmd.json",
    log:
        f"{RESULTS}/logs/validate_cmd.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_cmd/all.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES),
        simulated=SIMULATED,
    script:
        "../scripts/validate_cmd.py"


rule validate_sample:
    input:
        sample=f"{SAGES}/samples/set{{k}}.parquet",
        code=code("validate_sample.py"),
    output:
        cmd=f"{V}/sample_set{{k}}.parquet",
        feh=f"{V}/sample_feh_set{{k}}.parquet",
        summary=f"{V}/sample_set{{k}}.json",
    log:
        f"{RESULTS}/logs/validate_sample/set{{k}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_sample/set{{k}}.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES),
        simulated=SIMULATED,
    script:
        "../scripts/validate_sample.py"


rule validate_vmp_lists:
    input:
        **{name: catalog_cells(name) for name in PLAN.vmp_lists()},
        code=code("validate_vmp_lists.py"),
    output:
        f"{V}/vmp_lists.json",
    log:
        f"{RESULTS}/logs/validate_vmp_lists.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_vmp_lists/all.tsv"
    conda:
        ENV
    params:
        lists=PLAN.vmp_lists(),
        simulated=SIMULATED,
    script:
        "../scripts/validate_vmp_lists.py"


rule validate_cool_mask:
    input:
        samples=SAMPLES,
        code=code("validate_cool_mask.py"),
    output:
        summary=f"{V}/cool_mask.json",
        table=f"{V}/cool_mask.parquet",
    log:
        f"{RESULTS}/logs/validate_cool_mask.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_cool_mask/all.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES),
        sets=SETS,
        simulated=SIMULATED,
    script:
        "../scripts/validate_cool_mask.py"


rule validate_coverage:
    input:
        **PREDICTIONS,
        samples=SAMPLE_PREDICTIONS,
        truth=TRUTH,
        code=code("validate_coverage.py"),
    output:
        summary=f"{V}/coverage.json",
        table=f"{V}/coverage.parquet",
    log:
        f"{RESULTS}/logs/validate_coverage.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_coverage/all.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES, "uncertainty"),
        sets=SETS,
        simulated=SIMULATED,
    script:
        "../scripts/validate_coverage.py"


rule validate_extinction:
    input:
        **PREDICTIONS,
        samples=SAMPLES,
        labels=LABELS,
        truth=TRUTH,
        code=code("validate_extinction.py"),
    output:
        summary=f"{V}/extinction.json",
        table=f"{V}/extinction.parquet",
    log:
        f"{RESULTS}/logs/validate_extinction.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_extinction/all.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES),
        sets=SETS,
        simulated=SIMULATED,
    script:
        "../scripts/validate_extinction.py"


rule validate_truth:
    input:
        predictions=expand(f"{SAGES}/predictions/set{{{{k}}}}/cell-{{cell}}.parquet", cell=CELLS),
        truth=TRUTH,
        code=code("validate_truth.py"),
    output:
        summary=f"{V}/truth_set{{k}}.json",
        density=f"{V}/truth_set{{k}}_density.parquet",
        hist=f"{V}/truth_set{{k}}_hist.parquet",
        bins=f"{V}/truth_set{{k}}_bins.parquet",
    log:
        f"{RESULTS}/logs/validate_truth/set{{k}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_truth/set{{k}}.tsv"
    conda:
        ENV
    params:
        sages=settings(*MEASURES),
        seed=config["seed"],
    script:
        "../scripts/validate_truth.py"


rule validate_crossmatch:
    input:
        **{name: catalog_cells(name) for name in PLAN.matched_catalogs()},
        pairs=expand(f"{SAGES}/stars/pairs-{{cell}}.parquet", cell=CELLS),
        truth=TRUTH,
        code=code("validate_crossmatch.py"),
    output:
        summary=f"{V}/crossmatch.json",
        table=f"{V}/crossmatch.parquet",
    log:
        f"{RESULTS}/logs/validate_crossmatch.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_crossmatch/all.tsv"
    conda:
        ENV
    params:
        sages=settings("crossmatch", "photometry", "data_sets", "samples"),
        datasets=PLAN.matched_catalogs(),
        cells=PLAN.cells,
        nside=config["cells"]["nside"],
    script:
        "../scripts/validate_crossmatch.py"
