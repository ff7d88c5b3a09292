# Everything is matched to Gaia, each source at its own date: stars with their photometry, and the labels of the surveys.
# A survey that comes with photometry and labels in one row (photometry.matched) is split instead.


if PLAN.matched is None:

    rule stars:
        input:
            **cell_files(PLAN.photometry_datasets()),
            code=code("stars.py"),
        output:
            stars=passing(f"{SAGES}/stars/cell-{{cell}}.parquet"),
            pairs=passing(f"{SAGES}/stars/pairs-{{cell}}.parquet"),
            selection=f"{SAGES}/stars/selection-{{cell}}.json",
        log:
            f"{RESULTS}/logs/stars/{{cell}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/stars/{{cell}}.tsv"
        conda:
            ENV
        resources:
            mem_mb=resources.memory(4000),
            runtime=resources.runtime(60),
        params:
            sages=settings("photometry", "crossmatch", "data_sets"),
            nside=config["cells"]["nside"],
        script:
            "../scripts/stars.py"

    rule labels:
        input:
            **cell_files(["gaia"] + PLAN.label_datasets()),
            stars=f"{SAGES}/stars/cell-{{cell}}.parquet",
            code=code("labels.py"),
        output:
            labels=passing(f"{SAGES}/labels/cell-{{cell}}.parquet"),
            selection=f"{SAGES}/labels/selection-{{cell}}.json",
        log:
            f"{RESULTS}/logs/labels/{{cell}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/labels/{{cell}}.tsv"
        conda:
            ENV
        resources:
            mem_mb=resources.memory(3000),
            runtime=resources.runtime(60),
        params:
            sages=settings("crossmatch", "samples"),
            vmp_lists=PLAN.vmp_lists(),
            low_resolution=PLAN.low_resolution_lists(),
        script:
            "../scripts/labels.py"

else:

    rule matched_stars:
        input:
            catalog=f"{RESULTS}/catalogs/{PLAN.matched}/cell-{{cell}}.parquet",
            code=code("matched_stars.py"),
        output:
            stars=f"{SAGES}/stars/cell-{{cell}}.parquet",
            labels=f"{SAGES}/labels/cell-{{cell}}.parquet",
            selection=f"{SAGES}/stars/selection-{{cell}}.json",
        log:
            f"{RESULTS}/logs/matched_stars/{{cell}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/matched_stars/{{cell}}.tsv"
        conda:
            ENV
        resources:
            mem_mb=resources.memory(3000),
            runtime=resources.runtime(60),
        params:
            sages=settings("photometry", "samples", "data_sets"),
        script:
            "../scripts/matched_stars.py"
