"""Labels of the training and test spectra beside APOGEE's (Figures 6 to 8)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.labels import run_labels

    given, out, params = snakemake.input, snakemake.output, snakemake.params
    run_labels(
        given.training, given.photometry, given.get("spectra"), params.rave, params.simulated, out.summary, out.points, out.hist,
        seed=params.seed,
    )
