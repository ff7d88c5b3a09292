# The forests applied: to the labelled samples, to every cell of the sky, and into the final catalogues.


def model_files(k):
    return {model: f"{SAGES}/models/set{k}/{model}.npz" for model in MODELS}


rule predict_samples:
    input:
        **model_files("{k}"),
        sample=f"{SAGES}/samples/set{{k}}.parquet",
        code=code("predict_samples.py"),
    output:
        f"{SAGES}/predictions/samples_set{{k}}.parquet",
    params:
        sages=settings("bands", "data_sets", "features", "models", "cool_mask"),
    log:
        f"{RESULTS}/logs/predict_samples/set{{k}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/predict_samples/set{{k}}.tsv"
    threads: 4
    resources:
        mem_mb=4000,
        runtime=60,
    conda:
        ENV
    script:
        "../scripts/predict_samples.py"


rule predict:
    input:
        **model_files("{k}"),
        features=f"{SAGES}/features/cell-{{cell}}.parquet",
        code=code("predict.py"),
    output:
        f"{SAGES}/predictions/set{{k}}/cell-{{cell}}.parquet",
    params:
        sages=settings("bands", "data_sets", "features", "models", "cool_mask"),
    log:
        f"{RESULTS}/logs/predict/set{{k}}_{{cell}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/predict/set{{k}}_{{cell}}.tsv"
    threads: 4
    resources:
        mem_mb=4000,
        runtime=60,
    conda:
        ENV
    script:
        "../scripts/predict.py"


rule catalog_product:
    input:
        predictions=expand(f"{SAGES}/predictions/set{{{{k}}}}/cell-{{cell}}.parquet", cell=CELLS),
        code=code("catalog_product.py"),
    output:
        fits=f"{SAGES}/catalog/sages_set{{k}}.fits",
        parquet=f"{SAGES}/catalog/sages_set{{k}}.parquet",
    params:
        sages=settings("bands", "data_sets", "cool_mask"),
        simulated=SIMULATED,
    log:
        f"{RESULTS}/logs/catalog_product/set{{k}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/catalog_product/set{{k}}.tsv"
    resources:
        mem_mb=3000,
        runtime=120,
    conda:
        ENV
    script:
        "../scripts/catalog_product.py"
