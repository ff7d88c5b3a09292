"""The stars of one slice of RAVE."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.stars import run_stars

    inputs = {name: path for name, path in snakemake.input.items() if name not in ("code", "spectra")}
    run_stars(snakemake.input.spectra, inputs, snakemake.params.rave, snakemake.output.stars, snakemake.output.selection)
