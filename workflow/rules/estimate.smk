# What a run would cost: asked before it, from measured rates.


localrules:
    estimate,


rule estimate:
    """Jobs, rows, disk, hours and memory of the configured run, from measured rates; nothing of it is run."""
    input:
        rates=f"{SCRIPTS}/starlabels/rates/measured.yaml",
        code=code("estimate.py"),
    output:
        page=f"{RESULTS}/estimate.md",
        numbers=f"{RESULTS}/estimate.json",
    log:
        f"{RESULTS}/logs/estimate.log",
    benchmark:
        f"{RESULTS}/benchmarks/estimate/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(1000),
        runtime=resources.runtime(20),
    params:
        snakefile=f"{workflow.basedir}/Snakefile",
        checked=f"{RESULTS}/acquire_check.json",
        cores=32,
        asked=STARTED if "estimate" in sys.argv else 0,  # asked for by name, it is made again
    script:
        "../scripts/estimate.py"
