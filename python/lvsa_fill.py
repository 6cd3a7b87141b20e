"""Fills a file of `lvsa-verify export` with the outputs of an attention function.

    lvsa-verify export smoke -o cases.h5                  # or cases.safetensors, or cases.npy, a folder
    python3 lvsa_fill.py cases.h5 mymodule:attention      # or lvsa_fill:sdpa, lvsa_fill:plain
    lvsa-verify check cases.h5

The function is called as f(q, k, v, pattern) and returns out, or (out, lse). q is [B, S, H, D], k and v are
[B, S, Hkv, D], out is like q, lse is [B, S, H] with natural logarithms. They are torch tensors in the type of the
case, or, with --numpy (or without torch), numpy arrays in float32. pattern is a Pattern (lists of frames) or, in
cases with a rule (pattern=), an lvsa_maps.BlockPattern. What raises NotImplementedError is marked as skipped, with
its text as the reason; so is a case with an online skip of which the function has not asked for the threshold
(pattern.skip_threshold_log2): it would compute all kept blocks. A function that knows its schedule declares it in an
attribute, for all cases or by pattern, in the names of docs/exchange.md:

    attention.numerics = {"key_tile": 64, "p_dtype": "bf16", "accumulator": "f32", "key_order": 1, "max_rule": 1}

Without h5py the other two formats remain.
"""
import argparse
import importlib
import os
import sys

import numpy as np

import lvsa_maps

try:
    import torch
except ImportError:
    torch = None


class Pattern:
    """Geometry and pattern of one case."""

    def __init__(self, group):
        for name in ("T", "P", "text_tokens", "B", "H", "Hkv", "D"):
            setattr(self, name, int(group.attrs[name]))
        self.scale, self.case = float(group.attrs["scale"]), group.attrs["case"]
        self.p_asked = group.attrs.get("p_asked")  # type P shall be rounded to, if the case asks
        self.offsets, self.list = group["frame_offsets"][()], group["frame_list"][()]
        self.csr_indptr, self.csr_indices = group["csr_indptr"][()], group["csr_indices"][()]
        self.seq_len = self.T * self.P + self.text_tokens

    def frames(self, frame):
        """The frames that a frame attends, ascending."""
        return self.list[self.offsets[frame]:self.offsets[frame + 1]]

    def keys(self, frame):
        """The tokens that a frame's queries attend: its frames, then all text."""
        tokens = [np.arange(f * self.P, (f + 1) * self.P) for f in self.frames(frame)]
        return np.concatenate(tokens + [np.arange(self.T * self.P, self.seq_len)])

    def blocks(self):
        """(query tokens as a slice, key tokens) of each frame and of the text, which attends all."""
        for frame in range(self.T):
            yield slice(frame * self.P, (frame + 1) * self.P), self.keys(frame)
        if self.text_tokens:
            yield slice(self.T * self.P, self.seq_len), np.arange(self.seq_len)


def plain(q, k, v, pattern):
    """The definition, in numpy: frame by frame, or head by head with block maps, in float64."""
    if isinstance(pattern, lvsa_maps.BlockPattern):
        return lvsa_maps.plain(q, k, v, pattern)
    q, k, v = (np.asarray(x.float() if hasattr(x, "float") else x, np.float64) for x in (q, k, v))
    k, v = (np.repeat(x, pattern.H // pattern.Hkv, axis=2) for x in (k, v))
    out, lse = np.empty_like(q), np.empty(q.shape[:3])
    for rows, keys in pattern.blocks():
        s = pattern.scale * np.einsum("bqhd,bkhd->bqhk", q[:, rows], k[:, keys])
        top = s.max(axis=-1, keepdims=True, initial=-np.inf)
        p = np.exp(s - top)
        total = p.sum(axis=-1, keepdims=True)
        out[:, rows] = np.einsum("bqhk,bkhd->bqhd", p / total, v[:, keys])
        with np.errstate(divide="ignore"):  # a row without keys: out 0, lse -inf
            lse[:, rows] = (top + np.log(total))[..., 0]
    return out, lse


def sdpa(q, k, v, pattern):
    """PyTorch's scaled_dot_product_attention, frame by frame, or with block maps as a dense mask."""
    if isinstance(pattern, lvsa_maps.BlockPattern):
        return lvsa_maps.sdpa(q, k, v, pattern)
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    k, v = (x.repeat_interleave(pattern.H // pattern.Hkv, dim=1) for x in (k, v))
    out = torch.empty_like(q)
    for rows, keys in pattern.blocks():
        index = torch.as_tensor(keys, device=q.device)
        out[:, :, rows] = torch.nn.functional.scaled_dot_product_attention(
            q[:, :, rows], k[:, :, index], v[:, :, index], scale=pattern.scale)
    return out.transpose(1, 2)


def pattern_of(group):
    """Lists of frames, or the block maps of a case with a rule (pattern=)."""
    return lvsa_maps.BlockPattern(group) if "map_of_head" in set(group) else Pattern(group)


def load(group, name, device):
    """A tensor of the file as [B, S, H, D]: numpy float32 when device is None, else torch."""
    data, dtype = group[name][()], group.attrs["dtype"]
    if group.attrs["layout"] == "B,H,S,D":
        data = data.swapaxes(1, 2)
    if dtype == "bf16":
        data = (data.astype(np.uint32) << 16).view(np.float32)  # exact
    elif dtype == "f16":
        data = data.view(np.float16).astype(np.float32)
    if device is None:
        return data
    types = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
    return torch.from_numpy(np.array(data, order="C")).to(device, types[dtype])


def open_file(path, mode="r+"):
    if os.path.isdir(path) or path.endswith(".safetensors"):
        import lvsa_files  # beside this script
        return lvsa_files.File(path, mode)
    import h5py
    return h5py.File(path, mode)


def as_float32(x):  # one rounding here, one to the case's type in `check`: both are monotone
    if torch is not None and isinstance(x, torch.Tensor):
        x = x.detach().float().cpu().numpy()
    return np.asarray(x, np.float32)


NUMERICS = ("key_tile", "tiles_cross_frames", "split_keys", "exp_ulps", "p_dtype", "accumulator", "key_order", "max_rule",
            "sum_rounded_p", "normalise_first", "p_rounding", "p_scale_log2", "rescale_exact", "score_step", "sum_step",
            "split_rule", "split_tiles", "partial_dtype")


def declare(group, function, pattern):
    """Writes what the function declares of its arithmetic, in place of what an earlier one did."""
    numerics = getattr(function, "numerics", {})
    numerics = numerics(pattern) if callable(numerics) else numerics
    if unknown := sorted(set(numerics) - set(NUMERICS)):
        raise ValueError(f"numerics: {unknown[0]} is not known; of these: {', '.join(NUMERICS)}")
    for name in NUMERICS:
        group.attrs.pop(name, None)
    for name, value in numerics.items():
        group.attrs[name] = value


def fill(group, function, device):
    for name in {"out", "lse"} & set(group):
        del group[name]
    group.attrs.pop("skipped", None)
    pattern = pattern_of(group)
    try:
        declare(group, function, pattern)
        result = function(*(load(group, name, device) for name in "qkv"), pattern)
        if isinstance(pattern, lvsa_maps.BlockPattern) and pattern.skip_ignored():
            pattern.require_no_skip()
    except NotImplementedError as reason:
        group.attrs["skipped"] = str(reason) or "the function does not support this case"
        return
    out, lse = result if isinstance(result, tuple) else (result, None)
    out = as_float32(out)
    group["out"] = out.swapaxes(1, 2) if group.attrs["layout"] == "B,H,S,D" else out
    if lse is not None:
        group["lse"] = as_float32(lse)


def function_of(text):
    """module:function, or None where there is no such function."""
    module, _, name = text.partition(":")
    function = globals().get(name) if module == "lvsa_fill" else getattr(importlib.import_module(module), name, None)
    return function if callable(function) else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", help="file of lvsa-verify export; filled in place")
    parser.add_argument("function", help="module:function")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    parser.add_argument("--numpy", action="store_true", help="numpy float32 instead of torch")
    options = parser.parse_args()
    sys.path.insert(0, os.getcwd())
    function = function_of(options.function)
    if function is None:
        parser.error(f"{options.function}: module:function is due")
    device = None if options.numpy or torch is None else options.device
    with open_file(options.file) as file:
        file.attrs["kernel"] = options.function.replace(":", ".")
        groups = sorted(name for name in file if name.startswith("case"))
        for group in groups:
            fill(file[group], function, device)
    print(f"{options.file}: {len(groups)} cases filled")


if __name__ == "__main__":
    main()
