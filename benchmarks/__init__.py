"""How fast this machine trains many small networks: our engine beside what people do today, in one run.

``python -m benchmarks engine`` compares the ways of training, ``python -m benchmarks scaling`` shows what a network costs in
studies of growing size, ``python -m benchmarks end-to-end`` runs a whole study. README.md says how to read what they write.

``cases``       what is trained: a small table
``methods``     ways of training it, one class each
``arithmetic``  the useful floating-point operations, counted the same way for all
``engine``      who is measured when: all in turn, round after round
"""
