# Native tables in, canonical tables out: one job a catalogue, one file a cell of the sky (tables of spectra: one file).
# Catalogues of many native files: some files a job make a part, then one job counts, and others make the cells of all parts.


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
        dataset="|".join(name for name in config["datasets"] if name not in {*PLAN.rave.datasets(), *JOBS.parts}),
    conda:
        ENV
    resources:
        mem_mb=resources.memory(3000),
        runtime=resources.runtime(240),
    params:
        spec=lambda wildcards: PLAN.spec(wildcards.dataset),
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
        mem_mb=resources.memory(3000),
        runtime=resources.runtime(240),
    params:
        spec=lambda wildcards: PLAN.spec(wildcards.dataset),
        cells=[0],
        nside=1,
        margin_arcsec=0,
    script:
        "../scripts/catalog.py"


if JOBS.parts:

    rule catalog_part:
        input:
            native=lambda wildcards: JOBS.parts[wildcards.dataset][wildcards.part],
            code=code("catalog_part.py"),
        output:
            part=temp(f"{RESULTS}/catalogs/{{dataset}}/parts/part-{{part}}.parquet"),
            counts=temp(f"{RESULTS}/catalogs/{{dataset}}/parts/part-{{part}}.json"),
        log:
            f"{RESULTS}/logs/catalog_part/{{dataset}}_{{part}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/catalog_part/{{dataset}}_{{part}}.tsv"
        wildcard_constraints:
            dataset="|".join(JOBS.parts),
            part="[0-9]{4}",
        conda:
            ENV
        resources:
            mem_mb=resources.memory(3000),
            runtime=resources.runtime(240),
        params:
            spec=lambda wildcards: PLAN.spec(wildcards.dataset),
            cells=PLAN.cells,
            nside=config["cells"]["nside"],
            margin_arcsec=config["cells"]["margin_arcsec"],
        script:
            "../scripts/catalog_part.py"

    rule catalog_counts:
        input:
            counts=part_files("json"),
            code=code("catalog_counts.py"),
        output:
            selection=f"{RESULTS}/catalogs/{{dataset}}/selection.json",
        log:
            f"{RESULTS}/logs/catalog_counts/{{dataset}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/catalog_counts/{{dataset}}.tsv"
        wildcard_constraints:
            dataset="|".join(JOBS.parts),
        conda:
            ENV
        resources:
            mem_mb=resources.memory(1000),
            runtime=resources.runtime(10),
        params:
            spec=lambda wildcards: PLAN.spec(wildcards.dataset),
        script:
            "../scripts/catalog_counts.py"

    # one rule a group of cells, as outputs cannot be a function of the wildcards
    for group, members in JOBS.groups.items():

        rule:
            name:
                f"catalog_merge_{group}"
            input:
                parts=part_files("parquet"),
                counts=part_files("json"),
                selection=f"{RESULTS}/catalogs/{{dataset}}/selection.json",
                code=code("catalog_merge.py"),
            output:
                cells=passing([f"{RESULTS}/catalogs/{{dataset}}/cell-{cell_name(cell)}.parquet" for cell in members]),
            log:
                f"{RESULTS}/logs/catalog_merge/{{dataset}}_{group}.log",
            benchmark:
                f"{RESULTS}/benchmarks/catalog_merge/{{dataset}}_{group}.tsv"
            wildcard_constraints:
                dataset="|".join(JOBS.parts),
            conda:
                ENV
            resources:
                mem_mb=resources.memory(3000),
                runtime=resources.runtime(240),
            params:
                spec=lambda wildcards: PLAN.spec(wildcards.dataset),
                cells=members,
                nside=config["cells"]["nside"],
            script:
                "../scripts/catalog_merge.py"
