# One job trains a shard: networks of one experiment, data set, architecture, optimiser and replicate.
rule shard:
    input:
        study=ancient(local(CONFIG)),
        data=lambda wildcards: f"{DATA.cache}/{STUDY.shard(wildcards.shard).dataset.name}.safetensors",
        sum=lambda wildcards: f"{DATA.cache}/{STUDY.shard(wildcards.shard).dataset.name}.safetensors.sha256",
    output:
        expand(
            "results/{{study}}/shards/{{shard}}/{table}.parquet{sum}",
            table=TABLES,
            sum=AND_SUM,
        ),
    log:
        "results/{study}/logs/train/{shard}.log",
    params:
        folder=subpath(output[0], parent=True),
        usage=lambda wildcards: str(measured(wildcards)),
        spec=lambda wildcards: STUDY.shard(wildcards.shard).fingerprint,
        code=code_digest("dying_relu.training.shard_job"),
        libraries=VERSIONS,
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: attempt
        * mebibytes_for(STUDY.shard(wildcards.shard), measured(wildcards)),
        runtime=lambda wildcards, attempt: attempt
        * minutes_for(STUDY.shard(wildcards.shard), measured(wildcards)),
        gpu=int(is_gpu(STUDY.configuration.device)),
    shell:
        "dying-relu train {wildcards.shard:q} --config {input.study:q} --fingerprint {params.spec:q}"
        " --data {input.data:q} --out {params.folder:q} --threads {threads}"
        " --usage {params.usage:q} > {log:q} 2>&1"


rule aggregate:
    input:
        study=ancient(local(CONFIG)),
        shards=[
            f"results/{{study}}/shards/{shard.name}/{table}.parquet{ending}"
            for shard in STUDY.shards
            for table in TABLES
            for ending in AND_SUM
        ],
    output:
        expand("results/{{study}}/{table}.parquet{sum}", table=TABLES, sum=AND_SUM),
    log:
        "results/{study}/logs/aggregate.log",
    benchmark:
        "results/{study}/benchmarks/aggregate.tsv"
    params:
        folder=subpath(output[0], parent=True),
        shards=lambda wildcards, input: str(Path(input.shards[0]).parents[1]),
        code=code_digest("dying_relu.results.aggregate"),
    threads: 1
    resources:
        # Of a million rows at a time (dying_relu.results.aggregate).
        mem_mb=lambda wildcards, attempt: attempt * 2000,
        runtime=lambda wildcards, attempt: attempt * (10 + len(STUDY.shards) // 100),
    shell:
        "dying-relu aggregate --config {input.study:q} --shards {params.shards:q} --out {params.folder:q} > {log:q} 2>&1"


# It says on which machine, with the commit that is checked out there: both are those of who started the study.
localrules:
    record,


# What the paper says about commit, versions, machine and time; made with the tables and kept with them.
rule record:
    input:
        expand("results/{{study}}/{table}.parquet", table=[*TABLES, *SIMULATIONS]),
        study=ancient(local(CONFIG)),
    output:
        record="results/{study}/provenance.json",
        sum="results/{study}/provenance.json.sha256",
    log:
        "results/{study}/logs/record.log",
    params:
        folder=subpath(output[0], parent=True),
        spec=STUDY.fingerprint,
        code=code_digest("dying_relu.results.provenance"),
    threads: 1
    shell:
        "dying-relu record --config {input.study:q} --results {params.folder:q} --out {output.record:q} > {log:q} 2>&1"
