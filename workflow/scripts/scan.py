"""The scan of the forest's hyper-parameters (Figure 4)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.scan import run_scan

    run_scan(
        snakemake.input.sample,
        snakemake.params.sages,
        snakemake.params.seed,
        snakemake.threads,
        snakemake.output.table,
        snakemake.output.summary,
        full=snakemake.params.full,
    )
