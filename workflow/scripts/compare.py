"""The forest beside a polynomial and a network (Section 2.4)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.compare import run_compare

    run_compare(
        snakemake.input.sample,
        snakemake.params.sages,
        snakemake.params.seed,
        snakemake.threads,
        snakemake.output.table,
        snakemake.output.summary,
    )
