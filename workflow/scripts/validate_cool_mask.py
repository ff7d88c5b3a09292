"""The polynomial behind the mask of cool stars (Section 4)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.cool_mask import run_cool_mask

    out, params = snakemake.output, snakemake.params
    samples = dict(zip(params.sets, snakemake.input.samples, strict=True))
    run_cool_mask(samples, params.sages, params.simulated, out.summary, out.table)
