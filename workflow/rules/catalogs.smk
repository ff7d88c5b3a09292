# Native tables in, canonical tables out: one job a catalogue, one file a cell of the sky.


def native_files(wildcards):
    try:
        return PLAN.native_files(wildcards.dataset)
    except InputError as error:
        raise WorkflowError(str(error))


rule catalog:
    input:
        native=native_files,
        code=code("catalog.py"),
    output:
        cells=expand(f"{RESULTS}/catalogs/{{{{dataset}}}}/cell-{{cell}}.parquet", cell=CELLS),
        selection=f"{RESULTS}/catalogs/{{dataset}}/selection.json",
    params:
        spec=lambda wildcards: config["datasets"][wildcards.dataset],
        cells=PLAN.cells,
        nside=config["cells"]["nside"],
        margin_arcsec=config["cells"]["margin_arcsec"],
    log:
        f"{RESULTS}/logs/catalog/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/catalog/{{dataset}}.tsv"
    resources:
        mem_mb=3000,
        runtime=240,
    conda:
        ENV
    script:
        "../scripts/catalog.py"
