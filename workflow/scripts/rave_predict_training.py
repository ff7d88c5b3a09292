"""Labels of the training and the test sample of one variant."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.predict import run_predict_training

    given = snakemake.input
    run_predict_training(
        given.training,
        given.spectra,
        given.ensemble,
        snakemake.params.rave,
        snakemake.wildcards.variant,
        snakemake.threads,
        snakemake.output[0],
    )
