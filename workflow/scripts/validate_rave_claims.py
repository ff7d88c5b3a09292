"""Statements of the paper beside what the run found."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.collected import run_claims

    out, params = snakemake.output, snakemake.params
    run_claims(list(snakemake.input.summaries), params.rave, params.simulated, out.json, out.csv, out.md)
