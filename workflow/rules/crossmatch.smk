# Everything is matched to Gaia, each source at its own date: stars with their photometry, and the labels of the surveys.
# A survey that comes with photometry and labels in one row (photometry.matched) is split instead.


def cell_files(names):
    return {name: f"{RESULTS}/catalogs/{name}/cell-{{cell}}.parquet" for name in names}


if PLAN.matched is None:

    rule stars:
        input:
            **cell_files(PLAN.photometry_datasets()),
            code=code("stars.py"),
        output:
            stars=f"{SAGES}/stars/cell-{{cell}}.parquet",
            pairs=f"{SAGES}/stars/pairs-{{cell}}.parquet",
            selection=f"{SAGES}/stars/selection-{{cell}}.json",
        params:
            sages=settings("photometry", "crossmatch", "data_sets", "cuts"),
            nside=config["cells"]["nside"],
        log:
            f"{RESULTS}/logs/stars/{{cell}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/stars/{{cell}}.tsv"
        resources:
            mem_mb=4000,
            runtime=60,
        conda:
            ENV
        script:
            "../scripts/stars.py"

    rule labels:
        input:
            **cell_files(["gaia"] + PLAN.label_datasets()),
            stars=f"{SAGES}/stars/cell-{{cell}}.parquet",
            code=code("labels.py"),
        output:
            labels=f"{SAGES}/labels/cell-{{cell}}.parquet",
            selection=f"{SAGES}/labels/selection-{{cell}}.json",
        params:
            sages=settings("crossmatch", "samples"),
        log:
            f"{RESULTS}/logs/labels/{{cell}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/labels/{{cell}}.tsv"
        resources:
            mem_mb=3000,
            runtime=60,
        conda:
            ENV
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
        params:
            sages=settings("photometry", "samples", "data_sets"),
        log:
            f"{RESULTS}/logs/matched_stars/{{cell}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/matched_stars/{{cell}}.tsv"
        resources:
            mem_mb=3000,
            runtime=60,
        conda:
            ENV
        script:
            "../scripts/matched_stars.py"
