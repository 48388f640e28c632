"""Settings that every test shares."""

import torch
from hypothesis import settings

# One thread: tests run side by side, and threads that wait for each other's cores slow all of them down.
torch.set_num_threads(1)

# The machine is shared; how long an example takes says nothing about the code.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
