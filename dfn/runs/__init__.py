"""Runs: one folder for each recipe that was trained. The disk is the only channel between who asks and who trains.

`store` reads and writes the folders, `launch` gives commands and starts workers, `worker` waits for its turn and
trains; only `racer` and `checkpoints` load torch.
"""
