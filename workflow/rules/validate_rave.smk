# The results of the rave half against labels, other catalogues, literature and, on a simulated sky, the truth (read here and nowhere else).

RV = f"{RAVE}/validation"
RAVE_SAMPLE = f"{RAVE}/samples/main/training.parquet"
RAVE_STARS = slices(f"{RAVE}/stars/{{slice}}.parquet")
RAVE_TRUTH = [f"{RESULTS}/native/rave_truth/part-{shard}.parquet" for shard in PLAN.rave.shards]
CNN = {network: slices(f"{RAVE}/predictions/main/{network}/{{slice}}.parquet") for network in ("photometry", "spectra")}
CNN_SAMPLE = {network: f"{RAVE}/predictions/main/{network}/training.parquet" for network in ("photometry", "spectra")}
ABUNDANCES = ["alpha_m", "mg_fe", "si_fe", "al_fe", "ni_fe"]
RAVE_VALIDATIONS = [f"{RV}/claims.json"]
# results that hold statements of the paper
RAVE_CLAIMS = ["labels", "kiel", "abundances", "poor_parallax", "errors", "supergiant", "k2", "bdasp", "irfm", "literature", "clusters"]
RAVE_CLAIMS += ["photometry", "repeats", "alpha", "components", "cartography"]


rule validate_rave_distributions:
    input:
        stars=RAVE_STARS,
        training=RAVE_SAMPLE,
        code=code("validate_rave_distributions.py"),
    output:
        summary=f"{RV}/distributions.json",
        table=f"{RV}/distributions.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_distributions.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_distributions/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        simulated=SIMULATED,
    script:
        "../scripts/validate_rave_distributions.py"


rule validate_rave_examples:
    input:
        training=RAVE_SAMPLE,
        spectra=f"{RAVE}/samples/main/training.h5",
        code=code("validate_rave_examples.py"),
    output:
        summary=f"{RV}/example_spectra.json",
        spectra=f"{RV}/example_spectra.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_examples.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_examples/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("spectra", "labels", "validation", paper="rave"),
        simulated=SIMULATED,
    script:
        "../scripts/validate_rave_examples.py"


rule validate_rave_network:
    input:
        code=code("validate_rave_network.py"),
    output:
        summary=f"{RV}/network.json",
    log:
        f"{RESULTS}/logs/validate_rave_network.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_network/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("spectra", "inputs", "labels", "network", "fit", paper="rave"),
        simulated=SIMULATED,
    script:
        "../scripts/validate_rave_network.py"


rule validate_rave_training:
    input:
        history=f"{RAVE}/models/main/photometry/history.parquet",
        ensemble=f"{RAVE}/models/main/photometry/ensemble.json",
        code=code("validate_rave_training.py"),
    output:
        summary=f"{RV}/training.json",
        table=f"{RV}/training.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_training.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_training/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        simulated=SIMULATED,
    script:
        "../scripts/validate_rave_training.py"


rule validate_rave_errors:
    input:
        stars=RAVE_STARS,
        predictions=CNN["photometry"],
        training_predictions=CNN_SAMPLE["photometry"],
        ensemble=f"{RAVE}/models/main/photometry/ensemble.json",
        code=code("validate_rave_errors.py"),
    output:
        summary=f"{RV}/errors.json",
        table=f"{RV}/errors.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_errors.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_errors/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
    script:
        "../scripts/validate_rave_errors.py"


rule validate_rave_supergiant:
    input:
        stars=RAVE_STARS,
        spectra=slices(f"{RAVE}/spectra/{{slice}}.h5"),
        photometry=CNN["photometry"],
        alone=CNN["spectra"],
        code=code("validate_rave_supergiant.py"),
    output:
        summary=f"{RV}/supergiant.json",
        spectra=f"{RV}/supergiant.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_supergiant.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_supergiant/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
    script:
        "../scripts/validate_rave_supergiant.py"


rule validate_rave_labels:
    input:
        training=RAVE_SAMPLE,
        photometry=CNN_SAMPLE["photometry"],
        spectra=CNN_SAMPLE["spectra"],
        code=code("validate_rave_labels.py"),
    output:
        summary=f"{RV}/labels.json",
        points=f"{RV}/labels_points.parquet",
        hist=f"{RV}/labels_hist.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_labels.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_labels/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_labels.py"


rule validate_rave_kiel:
    input:
        stars=RAVE_STARS,
        predictions=CNN["photometry"],
        code=code("validate_rave_kiel.py"),
    output:
        summary=f"{RV}/kiel.json",
        table=f"{RV}/kiel.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_kiel.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_kiel/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
    script:
        "../scripts/validate_rave_kiel.py"


rule validate_rave_grids:
    input:
        stars=RAVE_STARS,
        predictions=CNN["photometry"],
        training=RAVE_SAMPLE,
        training_predictions=CNN_SAMPLE["photometry"],
        code=code("validate_rave_grids.py"),
    output:
        summary=f"{RV}/abundances.json",
        kiel=f"{RV}/abundances_kiel.parquet",
        training=[f"{RV}/abundances_{name}_training.parquet" for name in ABUNDANCES],
        observed=[f"{RV}/abundances_{name}_observed.parquet" for name in ABUNDANCES],
    log:
        f"{RESULTS}/logs/validate_rave_grids.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_grids/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        abundances=ABUNDANCES,
    script:
        "../scripts/validate_rave_grids.py"


rule validate_rave_poor_parallax:
    input:
        stars=RAVE_STARS,
        predictions=CNN["photometry"],
        code=code("validate_rave_poor_parallax.py"),
    output:
        summary=f"{RV}/poor_parallax.json",
        table=f"{RV}/poor_parallax.parquet",
        trend=f"{RV}/poor_parallax_trend.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_poor_parallax.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_poor_parallax/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_poor_parallax.py"


rule validate_rave_truth:
    input:
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        spectra=CNN["spectra"],
        training=RAVE_SAMPLE,
        training_photometry=CNN_SAMPLE["photometry"],
        training_spectra=CNN_SAMPLE["spectra"],
        truth=RAVE_TRUTH,
        code=code("validate_rave_truth.py"),
    output:
        summary=f"{RV}/truth.json",
        density=f"{RV}/truth_density.parquet",
        hist=f"{RV}/truth_hist.parquet",
        points=f"{RV}/truth_points.parquet",
        snr=f"{RV}/truth_snr.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_truth.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_truth/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "validation", paper="rave"),
        seed=config["seed"],
    script:
        "../scripts/validate_rave_truth.py"


rule validate_rave_k2:
    input:
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        spectra=CNN["spectra"],
        training=RAVE_SAMPLE,
        training_photometry=CNN_SAMPLE["photometry"],
        training_spectra=CNN_SAMPLE["spectra"],
        code=code("validate_rave_k2.py"),
    output:
        summary=f"{RV}/k2.json",
        table=f"{RV}/k2.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_k2.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_k2/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        cfg=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_k2.py"


rule validate_rave_bdasp:
    input:
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        spectra=CNN["spectra"],
        training=RAVE_SAMPLE,
        training_photometry=CNN_SAMPLE["photometry"],
        training_spectra=CNN_SAMPLE["spectra"],
        code=code("validate_rave_bdasp.py"),
    output:
        summary=f"{RV}/bdasp.json",
        density=f"{RV}/bdasp_density.parquet",
        hist=f"{RV}/bdasp_hist.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_bdasp.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_bdasp/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        cfg=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_bdasp.py"


rule validate_rave_irfm:
    input:
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        spectra=CNN["spectra"],
        training=RAVE_SAMPLE,
        training_photometry=CNN_SAMPLE["photometry"],
        training_spectra=CNN_SAMPLE["spectra"],
        code=code("validate_rave_irfm.py"),
    output:
        summary=f"{RV}/irfm.json",
        density=f"{RV}/irfm_density.parquet",
        hist=f"{RV}/irfm_hist.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_irfm.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_irfm/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        cfg=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_irfm.py"


rule validate_rave_literature:
    input:
        literature=f"{RAVE}/literature.parquet",
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        spectra=CNN["spectra"],
        code=code("validate_rave_literature.py"),
    output:
        summary=f"{RV}/literature.json",
        table=f"{RV}/literature.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_literature.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_literature/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        cfg=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_literature.py"


rule validate_rave_clusters:
    input:
        literature=f"{RAVE}/literature.parquet",
        matches=f"{RAVE}/literature.json",
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        spectra=CNN["spectra"],
        training=RAVE_SAMPLE,
        code=code("validate_rave_clusters.py"),
    output:
        summary=f"{RV}/clusters.json",
        table=f"{RV}/clusters.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_clusters.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_clusters/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        cfg=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_clusters.py"


rule validate_rave_photometry:
    input:
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        spectra=CNN["spectra"],
        k2=f"{RV}/k2.parquet",
        literature=f"{RV}/literature.parquet",
        code=code("validate_rave_photometry.py"),
    output:
        summary=f"{RV}/photometry.json",
        density=f"{RV}/photometry_density.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_photometry.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_photometry/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        cfg=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_photometry.py"


rule validate_rave_repeats:
    input:
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        spectra=CNN["spectra"],
        code=code("validate_rave_repeats.py"),
    output:
        summary=f"{RV}/repeats.json",
        table=f"{RV}/repeats.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_repeats.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_repeats/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_repeats.py"


rule validate_rave_alpha:
    input:
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        code=code("validate_rave_alpha.py"),
    output:
        summary=f"{RV}/alpha.json",
        table=f"{RV}/alpha.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_alpha.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_alpha/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_alpha.py"


rule validate_rave_components:
    input:
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        code=code("validate_rave_components.py"),
    output:
        summary=f"{RV}/components.json",
        table=f"{RV}/components.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_components.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_components/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_components.py"


rule validate_rave_cartography:
    input:
        stars=RAVE_STARS,
        photometry=CNN["photometry"],
        code=code("validate_rave_cartography.py"),
    output:
        summary=f"{RV}/cartography.json",
        table=f"{RV}/cartography.parquet",
    log:
        f"{RESULTS}/logs/validate_rave_cartography.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_cartography/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
        seed=config["seed"],
    script:
        "../scripts/validate_rave_cartography.py"


rule validate_rave_counts:
    input:
        stars=RAVE_STARS,
        training=RAVE_SAMPLE,
        flows=slices(f"{RAVE}/stars/{{slice}}.json"),
        selection=f"{RAVE}/samples/main/selection.json",
        ensemble=f"{RAVE}/models/main/photometry/ensemble.json",
        obsdata=list(rave_catalogs(["rave_obsdata"]).values()),
        apogee=list(rave_catalogs(["apogee16"]).values()),
        summaries=[f"{RV}/{name}.json" for name in RAVE_CLAIMS],
        code=code("validate_rave_counts.py"),
    output:
        summary=f"{RV}/counts.json",
    log:
        f"{RESULTS}/logs/validate_rave_counts.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_counts/all.tsv"
    conda:
        ENV
    resources:
        mem_mb=resources.memory(4000),
        runtime=resources.runtime(60),
    params:
        rave=settings("labels", "validation", paper="rave"),
        simulated=SIMULATED,
    script:
        "../scripts/validate_rave_counts.py"


rule validate_rave_claims:
    input:
        summaries=[f"{RV}/{name}.json" for name in [*RAVE_CLAIMS, "counts", "training", "network"]],
        code=code("validate_rave_claims.py"),
    output:
        json=f"{RV}/claims.json",
        csv=f"{RV}/claims.csv",
        md=f"{RV}/claims.md",
    log:
        f"{RESULTS}/logs/validate_rave_claims.log",
    benchmark:
        f"{RESULTS}/benchmarks/validate_rave_claims/all.tsv"
    conda:
        ENV
    params:
        rave=settings(*config["rave"], paper="rave"),
        simulated=SIMULATED,
    script:
        "../scripts/validate_rave_claims.py"
