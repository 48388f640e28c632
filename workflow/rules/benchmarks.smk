# How fast this machine trains, beside the usual ways: `snakemake bench`. Each job wants the machine to itself.
import os


localrules:
    compare,
    cost_curve,
    performance,


rule compare:
    input:
        # The study's own networks are measured, too.
        local("config/config.yaml"),
    output:
        expand(
            "results/benchmarks/{name}",
            name=[
                "engine.csv",
                "engine_rounds.csv",
                "engine_not_run.csv",
                "engine.tex",
                "engine.pdf",
                "engine.png",
                "machine.json",
            ],
        ),
    log:
        "results/benchmarks/logs/compare.log",
    params:
        out=subpath(output[0], parent=True),
        code=code_digest("benchmarks", "dying_relu.training.shard_job"),
    threads: os.cpu_count()
    shell:
        "python -m benchmarks engine --out {params.out:q} > {log:q} 2>&1"


rule cost_curve:
    output:
        expand("results/benchmarks/{name}", name=["scaling.csv", "scaling.pdf", "scaling.png"]),
    log:
        "results/benchmarks/logs/cost_curve.log",
    params:
        out=subpath(output[0], parent=True),
        code=code_digest("benchmarks", "dying_relu.training.shard_job", "dying_relu.results.aggregate"),
    threads: os.cpu_count()
    shell:
        "python -m benchmarks scaling --out {params.out:q} > {log:q} 2>&1"


rule bench:
    input:
        rules.compare.output,
        rules.cost_curve.output,


# What the paper says about speed comes from a run on a machine that did nothing else; its tables are tracked.
rule performance:
    input:
        [
            local(f"results/published/performance/{name}")
            for name in ("engine.csv", "end_to_end.csv", "machine.json")
        ],
    output:
        "paper/generated/{study}/performance.tex",
    log:
        "results/{study}/logs/performance.log",
    params:
        folder=subpath(input[0], parent=True),
        code=code_digest("benchmarks.paper"),
    threads: 1
    shell:
        "python -m benchmarks performance --folder {params.folder:q} --out {output:q} > {log:q} 2>&1"
