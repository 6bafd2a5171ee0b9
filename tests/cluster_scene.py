"""A Ray cluster of several nodes on this machine, in a process of its own: `python cluster_scene.py ROOT ID [ID ...]`.

It trains the runs, and kills the node on which the first one is trained as soon as it has a checkpoint. It prints how
often a run was taken up, for each run.
"""

import json
import sys
import threading
from pathlib import Path

import ray
from ray.cluster_utils import Cluster
from runs_nursery import wait_for

from dfn.runs import cluster
from dfn.runs.store import Store


def main(root: str, *ids: str) -> None:
    store = Store(Path(root))
    runs = [store.get(id) for id in ids]
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        doomed = nodes.add_node(num_cpus=len(runs))
        submitted = threading.Thread(target=cluster.work, args=(runs,), kwargs={"address": nodes.address})
        submitted.start()
        wait_for(lambda: all(run.latest_checkpoint() for run in runs), 120)
        nodes.remove_node(doomed, allow_graceful=False)
        nodes.add_node(num_cpus=1)
        submitted.join(180)
        print(json.dumps([run.log().count("training from step") for run in runs]))
    finally:
        ray.shutdown()  # a cluster takes no node away that somebody is connected to
        nodes.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
