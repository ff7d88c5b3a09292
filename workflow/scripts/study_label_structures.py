"""LAMOST against APOGEE on their common stars (Section 3.4)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.structures import run_survey_structures

    out, params = snakemake.output, snakemake.params
    run_survey_structures(list(snakemake.input.labels), params.sages, params.simulated, out.summary, out.table)
