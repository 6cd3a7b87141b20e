#!/usr/bin/env python3
"""Times LVSA attention beside its peers on one GPU, in one process, interleaved in random order.

Peers: dense attention of cuDNN and of FlashAttention 2 through PyTorch; the per-frame loop over
cuDNN, plain (frames chosen by index_select from [B, H, T, P, D], results concatenated) and tuned
(tokens gathered from [B, S, H, D], results written in place); FlexAttention with the same mask; a
Triton kernel over per-frame key lists; FlashInfer's block-sparse wrapper where it can be imported.
Each output that should be equal is first compared with fp64 on sampled frames; a row that disagrees
fails the run. Prints a table; --json writes the raw samples with what is needed to judge them.
"""
import argparse
import importlib.util
import json
import platform
import random
import statistics
import subprocess
import sys

import torch
import torch.nn.functional as functional
from torch.nn.attention import SDPBackend, sdpa_kernel

import hopper_library
import peer_loops

# name: latent frames, patches per frame, heads, kv heads, head size, text, reference frames
GEOMETRIES = {
    "wan1.3b-T41": (41, 1560, 12, 12, 128, 0, 21),
    "wan1.3b-T81": (81, 1560, 12, 12, 128, 0, 21),
    "wan1.3b-T121": (121, 1560, 12, 12, 128, 0, 21),
    "wan14b-T81": (81, 1560, 40, 40, 128, 0, 21),
    "hunyuan-T49": (49, 1560, 16, 16, 128, 0, 33),
    "hunyuan-T65": (65, 1560, 16, 16, 128, 0, 33),
    "wan720p-T41": (41, 3600, 12, 12, 128, 0, 21),
    "hunyuan-T49-text512": (49, 1560, 16, 16, 128, 512, 33),
    "cosmos-T96": (96, 920, 32, 8, 128, 0, 48),
    "wan5b-T61": (61, 880, 24, 24, 128, 0, 31),
    "cogvideox-T25": (25, 1350, 48, 48, 64, 0, 13),
}
PEERS = ("dense", "flash", "frames", "loop", "flex", "triton", "flashinfer", "fp8")
WINDOW, N_FIRST = 3, 1
WORST_ERROR = 6e-3  # relative, of bf16 output against fp64
WORST_FP8_ERROR = 8e-2  # inputs rounded to e4m3 included


def keyframe_interval(frames, reference):
    budget = max(N_FIRST + 1, reference)
    if frames <= budget:
        return 1
    target = max(N_FIRST, min(budget, frames) - min(2 * WINDOW + 1, frames))
    first = set(range(min(N_FIRST, frames)))
    strict = next((k for k in range(frames, 0, -1)
                   if len(first | set(range(0, frames, k))) >= target), 1)
    mandatory = 2 * WINDOW + N_FIRST
    room = max(budget - mandatory, 1)
    return max(strict, -(-max(frames - mandatory, budget - mandatory) // room))


def frame_lists(frames, interval):
    """Expanded windows around every frame, and the global frames."""
    fixed = set(range(min(N_FIRST, frames))) | set(range(0, frames, interval))
    need = min(2 * WINDOW + 1, frames - len(fixed))
    rows = []
    for f in range(frames):
        low = max(0, min(f - WINDOW, frames - 1 - 2 * WINDOW))
        high = min(frames - 1, max(f + WINDOW, 2 * WINDOW))

        def short():
            return sum(g not in fixed for g in range(low, high + 1)) < need
        while short() and (low > 0 or high < frames - 1):
            low = max(0, low - 1)
            if short():
                high = min(frames - 1, high + 1)
        rows.append(sorted(fixed | set(range(low, high + 1))))
    return rows


class Case:
    def __init__(self, name):
        self.name = name
        (self.frames, self.patches, self.heads, self.kv_heads, self.head_dim, self.text,
         reference) = GEOMETRIES[name]
        self.interval = keyframe_interval(self.frames, reference)
        self.rows = frame_lists(self.frames, self.interval)
        self.video = self.frames * self.patches
        self.tokens = self.video + self.text
        pairs = sum(map(len, self.rows)) * self.patches ** 2
        self.pairs = pairs + self.video * self.text + self.text * self.tokens
        self.density = self.pairs / self.tokens ** 2
        self.q = self.random(self.heads)
        self.k, self.v = self.random(self.kv_heads), self.random(self.kv_heads)
        ends = torch.tensor([0] + [len(row) for row in self.rows]).cumsum(0)
        self.offsets = ends.to(dtype=torch.int64, device="cuda")
        self.list = torch.tensor(sum(self.rows, []), dtype=torch.int32, device="cuda")
        self.out = torch.empty_like(self.q)
        self.gqa = {"enable_gqa": True} if self.heads != self.kv_heads else {}

    def random(self, heads):
        shape = (1, self.tokens, heads, self.head_dim)
        return torch.randn(shape, device="cuda", dtype=torch.bfloat16)

    def keys_of(self, frame):
        parts = [torch.arange(g * self.patches, (g + 1) * self.patches) for g in self.rows[frame]]
        return torch.cat(parts + [torch.arange(self.video, self.tokens)]).cuda()

    def dense(self, backend):
        q, k, v = (x.transpose(1, 2) for x in (self.q, self.k, self.v))

        def run():
            with sdpa_kernel(backend):
                functional.scaled_dot_product_attention(q, k, v, **self.gqa)
        return run

    def loop(self):
        keys = [self.keys_of(f) for f in range(self.frames)]
        parts = [(slice(f * self.patches, (f + 1) * self.patches), keys[f])
                 for f in range(self.frames)]
        if self.text:
            parts.append((slice(self.video, self.tokens), slice(None)))

        def run():
            with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
                for rows, chosen in parts:
                    k, v = self.k[:, chosen].transpose(1, 2), self.v[:, chosen].transpose(1, 2)
                    self.out[:, rows] = functional.scaled_dot_product_attention(
                        self.q[:, rows].transpose(1, 2), k, v, **self.gqa).transpose(1, 2)
        return run

    def flex(self):
        from torch.nn.attention.flex_attention import create_block_mask, flex_attention
        torch._dynamo.reset()
        allowed = torch.zeros(self.frames + 1, self.frames + 1, dtype=torch.bool, device="cuda")
        for f, row in enumerate(self.rows):
            allowed[f, row] = True
        allowed[self.frames, :] = True
        allowed[:, self.frames] = True
        frame = (torch.arange(self.tokens, device="cuda") // self.patches).clamp(max=self.frames)
        if self.text:
            frame[self.video:] = self.frames
        mask = torch.compile(create_block_mask)(lambda b, h, i, j: allowed[frame[i], frame[j]],
                                                None, None, self.tokens, self.tokens, device="cuda")
        compiled = torch.compile(flex_attention, dynamic=False)
        q, k, v = (x.transpose(1, 2) for x in (self.q, self.k, self.v))

        def run():
            self.result = compiled(q, k, v, block_mask=mask, **self.gqa)
        run.after = lambda: self.out.copy_(self.result.transpose(1, 2))
        return run

    def triton(self):
        import hopper_triton_peer
        return lambda: hopper_triton_peer.attention(self.q, self.k, self.v, self.out, self.frames,
                                                    self.patches, self.offsets, self.list)

    def fp8(self, library):
        tensors, scales = [], []
        for x in (self.q, self.k, self.v):
            scale = x.abs().amax(dim=(1, 3)).float() / 448
            tensors.append((x.float() / scale[:, None, :, None]).to(torch.float8_e4m3fn))
            scales.append(scale.contiguous())
        return hopper_library.Plan(library, *tensors, self.out, self.frames, self.patches,
                                   self.text, self.offsets, self.list, scales=scales).run

    def contestants(self, library, peers):
        plan = hopper_library.Plan(library, self.q, self.k, self.v, self.out, self.frames,
                                   self.patches, self.text, self.offsets, self.list)
        makers = {"dense": lambda: self.dense(SDPBackend.CUDNN_ATTENTION),
                  "flash": lambda: self.dense(SDPBackend.FLASH_ATTENTION),
                  "frames": lambda: peer_loops.frames_loop(self), "loop": self.loop,
                  "flex": self.flex, "triton": self.triton,
                  "flashinfer": lambda: peer_loops.flashinfer(self),
                  "fp8": lambda: self.fp8(library)}
        runs = {"ours": plan.run}
        for peer in peers:
            if peer in ("triton", "flashinfer") and self.text:
                continue
            if peer == "flashinfer" and importlib.util.find_spec("flashinfer") is None:
                continue
            if peer == "fp8" and self.head_dim != 128:
                continue
            runs[peer] = makers[peer]()
        return runs

    def error(self, run):
        """Of this run's output, against fp64 on two frames, the text, and two heads."""
        self.out.fill_(float("nan"))
        run()
        getattr(run, "after", lambda: None)()
        parts = [(slice(f * self.patches, (f + 1) * self.patches), self.keys_of(f))
                 for f in random.sample(range(self.frames), 2)]
        if self.text:
            parts.append((slice(self.video, self.tokens), slice(None)))
        off = norm = 0.0
        for rows, chosen in parts:
            for head in random.sample(range(self.heads), 2):
                group = head // (self.heads // self.kv_heads)
                k, v = self.k[0, chosen, group].double(), self.v[0, chosen, group].double()
                scores = self.q[0, rows, head].double() @ k.T * self.head_dim ** -0.5
                want = torch.softmax(scores, -1) @ v
                off += (self.out[0, rows, head].double() - want).square().sum().item()
                norm += want.square().sum().item()
        written = bool(torch.isfinite(self.out).all())
        return (off / norm) ** 0.5 if written else float("nan")


def samples(runs, rounds):
    """Milliseconds of each run; the order changes every round, since the card's power cap makes
    what ran before matter."""
    events = {name: [] for name in runs}
    order = list(runs.items())
    for _ in range(rounds):
        random.shuffle(order)
        for name, run in order:
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            run()
            end.record()
            events[name].append((begin, end))
        torch.cuda.synchronize()
    return {name: [a.elapsed_time(b) for a, b in pairs] for name, pairs in events.items()}


def measure(name, library, peers, rounds):
    case = Case(name)
    runs = case.contestants(library, peers)
    for run in runs.values():
        run()
        run()
    errors = {n: case.error(run) for n, run in runs.items() if n not in ("dense", "flash")}
    times = samples(runs, rounds)
    medians = {n: statistics.median(t) for n, t in times.items()}
    print(f"{name}: interval {case.interval}, density {case.density:.3f}")
    for n, median in medians.items():
        pairs = case.tokens ** 2 if n in ("dense", "flash") else case.pairs
        rate = 4 * case.head_dim * case.heads * pairs / median / 1e9
        ordered = sorted(times[n])
        spread = f"[{ordered[len(ordered) // 10]:.2f} {ordered[-1 - len(ordered) // 10]:.2f}]"
        gain = ""
        if "dense" in medians and n not in ("dense", "flash"):
            gain = f"  gain {medians['dense'] / median * case.density:.3f}"
        bad = "" if n not in errors else f"  error {errors[n]:.1e}"
        print(f"  {n:7s}{median:9.3f} ms {spread:18s}{rate:7.1f} TFLOP/s{gain}{bad}", flush=True)
    return {"geometry": name, "interval": case.interval, "density": case.density,
            "pairs": case.pairs, "heads": case.heads, "head_dim": case.head_dim,
            "errors": errors, "samples_ms": times}


def smi(fields):
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", help="path of liblvsa_cuda.so")
    parser.add_argument("--geometry", nargs="+", choices=GEOMETRIES, default=list(GEOMETRIES))
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=["dense", "loop", "triton"])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--commit", default="unknown", help="of the library, for the record")
    parser.add_argument("--json", help="file for the raw samples")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("peers: no usable GPU", file=sys.stderr)
        return 77
    library = hopper_library.load(options.library)
    record = {"commit": options.commit, "device": torch.cuda.get_device_name(),
              "driver": smi("driver_version"), "torch": torch.__version__,
              "cudnn": torch.backends.cudnn.version(), "python": platform.python_version(),
              "clocks_before": smi("clocks.sm,clocks.mem,power.draw,power.limit,temperature.gpu"),
              "rows": []}
    for name in options.geometry:
        record["rows"].append(measure(name, library, options.peers, options.rounds))
        torch.cuda.empty_cache()
        record["clocks_after"] = smi("clocks.sm,clocks.mem,power.draw,power.limit,temperature.gpu")
        if options.json:  # after each geometry: a run that is cut short leaves what it has
            with open(options.json, "w", encoding="utf-8") as file:
                json.dump(record, file, indent=1)
    wrong = [(row["geometry"], n) for row in record["rows"] for n, error in row["errors"].items()
             if not error < (WORST_FP8_ERROR if n == "fp8" else WORST_ERROR)]
    for geometry, n in wrong:
        print(f"peers: {n} disagrees with fp64 at {geometry}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
