"""The spectra of one slice from the archive."""

from adapter import stage

with stage(snakemake):
    from starlabels.acquire.spectra import fetch_spectra

    archives, addresses = snakemake.config["archives"], snakemake.config["rave"]["spectra"]["addresses"]
    fetch_spectra(
        snakemake.input.index, addresses, snakemake.output[0], archives["attempts"], timeout=archives["timeout"], threads=snakemake.threads
    )
