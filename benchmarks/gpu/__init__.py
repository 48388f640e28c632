"""Everything that has to be tried on a GPU before ``device: auto`` may mean one: ``benchmarks/gpu.sh``.

``parts``      the parts, each with its time limit, run one after the other in a process of its own
``equality``   the tests of the engine, on the device
``probing``    probe, Monitor, prune_dead and revive, on a model on the device
``speed``      the engine beside the usual loop and torch.func, on the device
``smoke``      the training of the smoke study, on the device
``libraries``  a stand-in for a library that is of no use there
"""
