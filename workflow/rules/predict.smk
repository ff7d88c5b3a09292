# The forests applied: to the labelled samples, to every cell of the sky, and into the final catalogues.


rule predict_samples:
    input:
        **model_files("{k}"),
        sample=f"{SAGES}/samples/set{{k}}.parquet",
        code=code("predict_samples.py"),
    output:
        f"{SAGES}/predictions/samples_set{{k}}.parquet",
    log:
        f"{RESULTS}/logs/predict_samples/set{{k}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/predict_samples/set{{k}}.tsv"
    conda:
        ENV
    threads: 4
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        sages=settings("bands", "data_sets", "features", "models", "cool_mask"),
    script:
        "../scripts/predict_samples.py"


rule predict:
    input:
        **model_files("{k}"),
        features=f"{SAGES}/features/cell-{{cell}}.parquet",
        code=code("predict.py"),
    output:
        f"{SAGES}/predictions/set{{k}}/cell-{{cell}}.parquet",
    log:
        f"{RESULTS}/logs/predict/set{{k}}_{{cell}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/predict/set{{k}}_{{cell}}.tsv"
    conda:
        ENV
    threads: 4
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        sages=settings("bands", "data_sets", "features", "models", "cool_mask"),
    script:
        "../scripts/predict.py"


rule catalog_product:
    input:
        predictions=expand(f"{SAGES}/predictions/set{{{{k}}}}/cell-{{cell}}.parquet", cell=CELLS),
        code=code("catalog_product.py"),
    output:
        fits=f"{SAGES}/catalog/sages_set{{k}}.fits",
        parquet=f"{SAGES}/catalog/sages_set{{k}}.parquet",
    log:
        f"{RESULTS}/logs/catalog_product/set{{k}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/catalog_product/set{{k}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=3000,
        runtime=120,
    params:
        sages=settings("bands", "data_sets", "cool_mask", "photometry"),
        simulated=SIMULATED,
    script:
        "../scripts/catalog_product.py"
