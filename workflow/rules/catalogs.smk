# Native tables in, canonical tables out: one job a catalogue, one file a cell of the sky (tables of spectra: one file).


rule catalog:
    input:
        native=native_files,
        code=code("catalog.py"),
    output:
        cells=passing(expand(f"{RESULTS}/catalogs/{{{{dataset}}}}/cell-{{cell}}.parquet", cell=CELLS)),
        selection=f"{RESULTS}/catalogs/{{dataset}}/selection.json",
    log:
        f"{RESULTS}/logs/catalog/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/catalog/{{dataset}}.tsv"
    wildcard_constraints:
        dataset="|".join(name for name in config["datasets"] if name not in PLAN.rave.datasets()),
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


rule rave_catalog:
    input:
        native=rave_native_files,
        code=code("catalog.py"),
    output:
        cells=[f"{RESULTS}/catalogs/{{dataset}}/cell-00000.parquet"],
        selection=f"{RESULTS}/catalogs/{{dataset}}/selection.json",
    log:
        f"{RESULTS}/logs/catalog/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/catalog/{{dataset}}.tsv"
    wildcard_constraints:
        dataset="|".join(PLAN.rave.datasets()),
    conda:
        ENV
    resources:
        mem_mb=3000,
        runtime=240,
    params:
        spec=lambda wildcards: config["datasets"][wildcards.dataset],
        cells=[0],
        nside=1,
        margin_arcsec=0,
    script:
        "../scripts/catalog.py"
