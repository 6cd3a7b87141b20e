#!/usr/bin/env python3
"""Times the frame masses of dense attention beside dense cuDNN attention on the same tensors."""
import argparse
import json
import statistics
import sys

import torch
from torch.nn.attention import SDPBackend

import hopper_library
import peers


def worst_error(case, mass):
    """Largest relative error against fp64 of two query frames' rows of two heads."""
    worst = 0.0
    for frame in (0, case.frames // 2):
        for head in (0, case.heads - 1):
            rows = slice(frame * case.patches, (frame + 1) * case.patches)
            group = head // (case.heads // case.kv_heads)
            scores = case.q[0, rows, head].double() @ case.k[0, :, group].double().T
            p = torch.softmax(scores * case.head_dim ** -0.5, -1).mean(0)
            want = p[:case.video].view(case.frames, case.patches).sum(1)
            if case.text:
                want = torch.cat([want, p[case.video:].sum()[None]])
            worst = max(worst, ((mass[0, head, frame].double() - want) / want).abs().max().item())
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", help="path of liblvsa_cuda.so")
    parser.add_argument("--geometry", nargs="+", choices=peers.GEOMETRIES,
                        default=["wan1.3b-T41", "wan1.3b-T81", "hunyuan-T49-text512"])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", help="file for the raw samples")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("frame_mass: no usable GPU", file=sys.stderr)
        return 77
    library = hopper_library.load(options.library)
    record = {"device": torch.cuda.get_device_name(), "cudnn": torch.backends.cudnn.version(),
              "rows": []}
    wrong = False
    for name in options.geometry:
        case = peers.Case(name)
        ours = hopper_library.FrameMass(library, case.q, case.k, case.frames, case.patches,
                                        case.text)
        runs = {"frame mass": ours.run, "dense": case.dense(SDPBackend.CUDNN_ATTENTION)}
        for run in runs.values():
            run()
            run()
        error = worst_error(case, ours.mass)
        ones = (ours.mass.sum(-1) - 1).abs().max().item()
        times = peers.samples(runs, options.rounds)
        medians = {n: statistics.median(t) for n, t in times.items()}
        print(f"{name}: frame mass {medians['frame mass']:.3f} ms, dense cuDNN "
              f"{medians['dense']:.3f} ms, ratio {medians['frame mass'] / medians['dense']:.3f}, "
              f"error {error:.1e}, row sums off by {ones:.1e}", flush=True)
        wrong = wrong or not error < 1e-4 or not ones < 1e-5
        record["rows"].append({"geometry": name, "error": error, "row_sums_off": ones,
                               "samples_ms": times})
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(record, file, indent=1)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
