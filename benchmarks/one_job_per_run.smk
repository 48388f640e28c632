# The usual way as a workflow: every network is a job of its own.
RUNS = [f"{run}.json" for run in range(int(config["runs"]))]


rule all:
    input:
        RUNS,


rule run:
    input:
        config["data"],
    output:
        "{run}.json",
    log:
        "{run}.log",
    benchmark:
        "{run}.tsv"
    params:
        python=config["python"],
        case=config["case"],
        samples=config["samples"],
    threads: 1
    shell:
        "{params.python:q} -m benchmarks.one_run {params.case:q} --network {wildcards.run:q} --samples {params.samples:q}"
        " --data {input:q} --out {output:q} > {log:q} 2>&1"
