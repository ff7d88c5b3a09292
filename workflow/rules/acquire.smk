# Native files, as the archives publish them: here from the simulated sky, shard by shard.

# of the paper's choices the sky needs only the reddening coefficients
REDDENING = {band: {"reddening": entry["reddening"]} for band, entry in config["sages"]["bands"].items()}


rule simulate:
    input:
        code=code("simulate.py"),
    output:
        **{name: passing(f"{RESULTS}/native/{name}/part-{{shard}}.{PLAN.ending(name)}") for name in PLAN.simulated_datasets()},
        truth=passing(f"{RESULTS}/native/truth/part-{{shard}}.parquet"),
    log:
        f"{RESULTS}/logs/simulate/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/simulate/{{shard}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        sky=config["sky"],
        cells=config["cells"],
        seed=config["seed"],
        bands=REDDENING,
    script:
        "../scripts/simulate.py"


rule simulate_maps:
    input:
        code=code("simulate_maps.py"),
    output:
        dust_ngp=f"{RESULTS}/native/dust/SFD_dust_4096_ngp.fits",
        dust_sgp=f"{RESULTS}/native/dust/SFD_dust_4096_sgp.fits",
        harris=f"{RESULTS}/native/harris/mwgc.dat",
    log:
        f"{RESULTS}/logs/simulate_maps.log",
    benchmark:
        f"{RESULTS}/benchmarks/simulate_maps/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        sky=config["sky"],
        cells=config["cells"],
        seed=config["seed"],
        bands=REDDENING,
    script:
        "../scripts/simulate_maps.py"


rule simulate_rave:
    input:
        code=code("simulate_rave.py"),
    output:
        **{name: passing(f"{RESULTS}/native/{name}/part-{{shard}}.{PLAN.rave.ending(name)}") for name in PLAN.rave.simulated_datasets()},
        spectra=passing(directory(f"{RESULTS}/native/rave_spectra/{{shard}}")),
        truth=passing(f"{RESULTS}/native/rave_truth/part-{{shard}}.parquet"),
    log:
        f"{RESULTS}/logs/simulate_rave/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/simulate_rave/{{shard}}.tsv"
    conda:
        ENV
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        sky=config["sky"],
        seed=config["seed"],
        bands=REDDENING,
    script:
        "../scripts/simulate_rave.py"
