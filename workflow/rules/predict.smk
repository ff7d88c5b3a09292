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
        mem_mb=resources.memory(4000, per_input=20),
        runtime=resources.runtime(60),
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
        passing(f"{SAGES}/predictions/set{{k}}/cell-{{cell}}.parquet"),
    log:
        f"{RESULTS}/logs/predict/set{{k}}_{{cell}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/predict/set{{k}}_{{cell}}.tsv"
    conda:
        ENV
    # one thread a job: there are more cells than cores, and a good part of a job is reading
    threads: 1
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
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
        mem_mb=resources.memory(3000),
        runtime=resources.runtime(120),
    params:
        sages=settings("bands", "data_sets", "cool_mask", "photometry"),
        simulated=SIMULATED,
    script:
        "../scripts/catalog_product.py"


rule predict_cnn:
    input:
        stars=f"{RAVE}/stars/{{slice}}.parquet",
        spectra=f"{RAVE}/spectra/{{slice}}.h5",
        ensemble=f"{RAVE}/models/{{variant}}/{{network}}/ensemble.npz",
        code=code("rave_predict.py"),
    output:
        f"{RAVE}/predictions/{{variant}}/{{network}}/{{slice}}.parquet",
    log:
        f"{RESULTS}/logs/predict_cnn/{{variant}}_{{network}}_{{slice}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/predict_cnn/{{variant}}_{{network}}_{{slice}}.tsv"
    conda:
        ENV
    threads: 1
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
        gpu=lambda wildcards: gpus(config["rave"], wildcards.variant),
    params:
        rave=variant_settings("flags"),
    script:
        "../scripts/rave_predict.py"


rule predict_cnn_training:
    input:
        training=f"{RAVE}/samples/{{variant}}/training.parquet",
        spectra=f"{RAVE}/samples/{{variant}}/training.h5",
        ensemble=f"{RAVE}/models/{{variant}}/{{network}}/ensemble.npz",
        code=code("rave_predict_training.py"),
    output:
        f"{RAVE}/predictions/{{variant}}/{{network}}/training.parquet",
    log:
        f"{RESULTS}/logs/predict_cnn_training/{{variant}}_{{network}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/predict_cnn_training/{{variant}}_{{network}}.tsv"
    conda:
        ENV
    threads: 8
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
        gpu=lambda wildcards: gpus(config["rave"], wildcards.variant),
    params:
        rave=variant_settings("flags"),
    script:
        "../scripts/rave_predict_training.py"


rule rave_catalogue:
    input:
        stars=slices(f"{RAVE}/stars/{{slice}}.parquet"),
        predictions=slices(f"{RAVE}/predictions/main/photometry/{{slice}}.parquet"),
        code=code("rave_catalog.py"),
    output:
        fits=f"{RAVE}/catalog/rave_cnn.fits",
        parquet=f"{RAVE}/catalog/rave_cnn.parquet",
    log:
        f"{RESULTS}/logs/rave_catalogue.log",
    benchmark:
        f"{RESULTS}/benchmarks/rave_catalogue/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(3000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "ensemble", "flags", paper="rave"),
        simulated=SIMULATED,
    script:
        "../scripts/rave_catalog.py"
