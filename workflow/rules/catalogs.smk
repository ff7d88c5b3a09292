# Native tables in, canonical tables out: one job a catalogue, one file a cell of the sky.


rule catalog:
    input:
        native=native_files,
        code=code("catalog.py"),
    output:
        cells=expand(f"{RESULTS}/catalogs/{{{{dataset}}}}/cell-{{cell}}.parquet", cell=CELLS),
        selection=f"{RESULTS}/catalogs/{{dataset}}/selection.json",
    log:
        f"{RESULTS}/logs/catalog/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/catalog/{{dataset}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=3000,
        runtime=240,
    params:
        spec=lambda wildcards: config["datasets"][wildcards.dataset],
        cells=PLAN.cells,
        nside=config["cells"]["nside"],
        margin_arcsec=config["cells"]["margin_arcsec"],
    script:
        "../scripts/catalog.py"
