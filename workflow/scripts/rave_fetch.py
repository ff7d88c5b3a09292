"""The spectra of the authors' public training sample, fetched and checked."""

from adapter import stage

with stage(snakemake):
    from starlabels.acquire.http import download

    public = snakemake.params.public
    checks = {"blob": public["blob"], "bytes": public.get("size")}
    download(public["address"], snakemake.output[0], checks, key="configuration key `rave.public.address`")
