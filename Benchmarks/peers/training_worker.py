"""A process in which PyTorch trains as the parent asks; the Swift one is `attention-benchmarks train-worker`.

{"do": "open", "model": FILE, "batches": FILE, "dropout": P, "learningRate": R, "clip": C, "precision": T}
    -> {"parameters": N}
{"do": "train", "batches": N}  -> {"seconds": of N batches, "tokens": ..., "losses": [...]}
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from serving import serve


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--cap", action="store_true", help="hide what is beyond AVX2")
    arguments = parser.parse_args()

    def start() -> tuple[dict[str, str], Callable[[dict[str, Any]], dict[str, Any]]]:
        from training.torch_training import TorchTraining, describe

        return describe(), TorchTraining(arguments.threads).answer

    serve(start, cap_from=arguments.build if arguments.cap else None)


if __name__ == "__main__":
    main()
