# What everything starts from: the study's file and the data sets.
DATA = STUDY.configuration.data


# Jobs read this copy, as ancient(): what matters to a job is in its parameters, so that one more learning rate
# does not train everything again.
rule configuration:
    output:
        report(
            "results/{study}/study.yaml",
            caption="../report/study.rst",
            category="Study",
            labels={"file": "configuration"},
        ),
    log:
        "results/{study}/logs/configuration.log",
    threads: 1
    params:
        file=CONFIG,
        spec=STUDY.fingerprint,
    shell:
        "cp {params.file:q} {output:q} > {log:q} 2>&1"


# Fetched once for all studies, checked, and kept as one memory-mapped file.
rule data:
    output:
        f"{DATA.cache}/{{dataset}}.safetensors",
    log:
        f"{DATA.cache}/{{dataset}}.log",
    threads: 1
    params:
        root=["--root", DATA.root] if DATA.root else [],
        sources=[word for source in DATA.sources for word in ("--source", source)],
    shell:
        "dying-relu data {wildcards.dataset:q} {params.root:q} {params.sources:q} --out {output:q} > {log:q} 2>&1"
