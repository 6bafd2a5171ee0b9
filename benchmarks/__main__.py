"""`python -m benchmarks [NAME ...]`: run the benchmarks of these names (all without one) and print their figures."""

import os
import platform
import sys
from importlib import import_module

os.environ["OMP_NUM_THREADS"] = "1"  # read by torch when it is first imported

BENCHMARKS = ("claim", "loop", "loader", "telemetry", "fusion", "precision", "maps", "scrub", "folds", "insight")
BENCHMARKS += ("selftests", "seeds", "history", "app")
LINE = "{:<10} {:<52} {:>9} {:>6}  {:<9} {}"


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    import torch

    torch.set_num_threads(1)
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, one thread, process CPU time")
    print(LINE.format("benchmark", "figure", "median", "A/A", "target", ""))
    for name in names or BENCHMARKS:
        for row in import_module(f"benchmarks.{name}").rows():
            same = "" if row.same is None else f"{row.same:.2f}"
            verdict = "reached" if row.reached else "MISSED"
            print(LINE.format(name, row.figure, f"{row.value:.2f}{row.unit}", same, row.target, verdict), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
