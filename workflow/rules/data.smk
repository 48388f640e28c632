# What everything starts from: the study's file and the data sets.
DATA = STUDY.configuration.data


# Not on a cluster's nodes: they may not reach the internet.
localrules:
    configuration,
    fetch,


# What was run, beside what came of it.
rule configuration:
    input:
        ancient(local(CONFIG)),
    output:
        report(
            "results/{study}/study.yaml",
            caption="../report/study.rst",
            category="Study",
            labels={"file": "configuration"},
        ),
    log:
        "results/{study}/logs/configuration.log",
    params:
        spec=STUDY.fingerprint,
    threads: 1
    shell:
        "cp {input:q} {output:q} > {log:q} 2>&1"


# Fetched once for all studies, checked, and kept as one memory-mapped file with its sum beside it.
rule fetch:
    output:
        images=f"{DATA.cache}/{{dataset}}.safetensors",
        sum=f"{DATA.cache}/{{dataset}}.safetensors.sha256",
    log:
        f"{DATA.cache}/{{dataset}}.log",
    params:
        root=["--root", DATA.root] if DATA.root else [],
        sources=[word for source in DATA.sources for word in ("--source", source)],
        code=code_digest("dying_relu.data.fetch"),
    threads: 1
    shell:
        "dying-relu data {wildcards.dataset:q} {params.root:q} {params.sources:q} --out {output.images:q} > {log:q} 2>&1"
