#!/usr/bin/env python3
"""What fp8 costs in quality: relative L2 error and cosine of cuda-fp8's output, against exact
attention on the same e4m3 inputs (what the kernel adds) and on the inputs before rounding (the whole
cost), beside those of the 16-bit kernel. Exact is fp64 on sampled frames and heads."""
import argparse
import json
import sys

import torch

import hopper_library
import peers

FRAMES, PATCHES, HEADS, DIM = 21, 1560, 4, 128


def inputs(kind):
    shape = (1, FRAMES * PATCHES, HEADS, DIM)
    q, k, v = (torch.randn(shape, device="cuda") for _ in range(3))
    if kind.startswith("gauss"):
        factor = float(kind.split("-")[1]) ** 0.5
        q, k = q * factor, k * factor
    elif kind == "mean-v":
        v = v + 2
    elif kind == "outlier-channels":  # a few channels of k far above the others, as in models
        k[..., ::32] *= 12
    elif kind == "smooth":  # neighbours in space and time alike
        place = torch.linspace(0, 25, shape[1], device="cuda")[:, None, None]
        wave = torch.sin(place * torch.linspace(0.2, 9, DIM, device="cuda"))
        q, k, v = (0.4 * x + 1.2 * wave for x in (q, k, v))
    elif kind == "sink":
        k[:, 0] = 2.2 * q.mean(1) + 0.3 * k[:, 0]
        q = q + 1.5
        k[:, 0] += 1.0
    return tuple(x.to(torch.bfloat16) for x in (q, k, v))


def quantised(x):
    scale = x.abs().amax(dim=(1, 3)).float() / 448
    return (x.float() / scale[:, None, :, None]).to(torch.float8_e4m3fn), scale.contiguous()


def compare(out, parts):
    """Relative L2 error and cosine of the sampled rows."""
    off = norm = dot = ours = 0.0
    for rows, head, exact in parts:
        got = out[0, rows, head].double()
        off += (got - exact).square().sum().item()
        norm += exact.square().sum().item()
        ours += got.square().sum().item()
        dot += (got * exact).sum().item()
    return {"relative_l2": (off / norm) ** 0.5, "cosine": dot / (norm * ours) ** 0.5}


def exact(q, k, v, rows_of):
    for frame in (2, 13):
        rows = slice(frame * PATCHES, (frame + 1) * PATCHES)
        keys = torch.cat([torch.arange(g * PATCHES, (g + 1) * PATCHES) for g in rows_of[frame]])
        for head in (0, HEADS - 1):
            scores = q[0, rows, head].double() @ k[0, keys.cuda(), head].double().T * DIM ** -0.5
            yield rows, head, torch.softmax(scores, -1) @ v[0, keys.cuda(), head].double()


def measure(library, kind):
    torch.manual_seed(5)
    q, k, v = inputs(kind)
    rows_of = peers.frame_lists(FRAMES, 3)
    offsets = torch.tensor([0] + [len(r) for r in rows_of]).cumsum(0).cuda()
    frame_list = torch.tensor(sum(rows_of, []), dtype=torch.int32, device="cuda")
    pairs = [quantised(x) for x in (q, k, v)]
    outs = {}
    for name, tensors, scales in (("bf16", (q, k, v), None),
                                  ("fp8", [t for t, _ in pairs], [s for _, s in pairs])):
        outs[name] = torch.empty_like(q)
        hopper_library.Plan(library, *tensors, outs[name], FRAMES, PATCHES, 0, offsets, frame_list,
                            scales=scales).run()
    rounded = [t.double() * s[:, None, :, None].double() for t, s in pairs]
    on_inputs = list(exact(q, k, v, rows_of))
    return {"inputs": kind,
            "fp8_same_inputs": compare(outs["fp8"], list(exact(*rounded, rows_of))),
            "fp8_original_inputs": compare(outs["fp8"], on_inputs),
            "bf16": compare(outs["bf16"], on_inputs)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", help="path of liblvsa_cuda.so")
    parser.add_argument("--json", help="file for the numbers")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("fp8_quality: no usable GPU", file=sys.stderr)
        return 77
    library = hopper_library.load(options.library)
    rows = [measure(library, kind) for kind in
            ("gauss-0.25", "gauss-1", "gauss-2", "gauss-4", "mean-v", "outlier-channels", "smooth",
             "sink")]
    print(f"{'inputs':18s}{'fp8, same inputs':>26s}{'fp8, original':>26s}{'bf16':>26s}")
    for row in rows:
        cells = "".join(f"{row[n]['relative_l2']:14.2e} {row[n]['cosine']:.7f}  "
                        for n in ("fp8_same_inputs", "fp8_original_inputs", "bf16"))
        print(f"{row['inputs']:18s}{cells}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"device": torch.cuda.get_device_name(), "rows": rows}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
