"""Records self-attention calls of a running PyTorch model for `lvsa-verify`: q, k, v and output, to HDF5.

    import lvsa_capture
    with lvsa_capture.record("run.h5", pipe.transformer, layers=[0, 15, 29], steps=[0, 10, 40], heads=range(4)):
        pipe(prompt, num_inference_steps=50)

Needs torch, numpy and h5py. It wraps scaled_dot_product_attention, diffusers' attention dispatch where diffusers is
loaded, and the classes in `impls`: forward(self, query, key, value, attn_metadata) as vLLM-Omni's implementations have
it. Of nested ones the outermost records. docs/capture.md has more.
"""
import collections.abc
import contextlib
import functools
import math
import os
import sys
import warnings
from unittest import mock

import h5py
import numpy as np
import torch

_TYPES = {torch.bfloat16: np.uint16, torch.float16: np.float16, torch.float32: np.float32, torch.float64: np.float64}
_FUNCTION = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale")
_IMPL = ("self", "query", "key", "value", "attn_metadata")
_IMPL_SAYS = (("scale", "self", "softmax_scale"), ("is_causal", "self", "causal"),
              ("attn_mask", "attn_metadata", "attn_mask"), ("joint", "attn_metadata", "joint_query"))


def _numbers(name, values):
    if values is None:
        return None
    good = isinstance(values, collections.abc.Iterable) and all(isinstance(x, (int, np.integer)) for x in values)
    if not good or not values or min(values) < 0:
        raise ValueError(f"{name}={values!r}: a list of whole numbers from 0 on is due, at least one")
    return sorted(set(values))


def _why_not(said, tensors):
    """Why this is not softmax(q.k / sqrt(D)) v over all keys in one type; None when it is."""
    types, scale = {x.dtype for x in tensors.values()}, said.get("scale")
    if said.get("attn_mask") is not None or said.get("is_causal"):
        return "masked"
    if said.get("dropout_p") or said.get("joint") is not None:
        return "dropout, or joint tokens apart"
    if scale is not None and not math.isclose(scale, tensors["q"].shape[-1] ** -0.5, rel_tol=1e-6):
        return f"scale {scale:g}"
    return None if len(types) == 1 and types <= _TYPES.keys() else f"types {', '.join(sorted(map(str, types)))}"


class Recorder:
    """What record() yields. Without `model`, call forward() at the start of each pass through the transformer."""

    def __init__(self, file, layers, steps, heads, max_bytes, frames, patches, min_tokens, out):
        self.file, self.left, self.out, self.min_tokens = file, max_bytes, out, min_tokens
        self.layers, self.steps, self.heads = map(_numbers, ("layers", "steps", "heads"), (layers, steps, heads))
        self.frames, self.patches, self.said = frames, patches, frames is not None or patches is not None
        self.step, self.number, self.layer, self.time = -1, 0, 0, None  # of the pass, and the next layer in it
        self.calls, self.inside, self.skipped = 0, False, collections.Counter()

    def forward(self, timestep=None, step=None):
        """A pass begins; one with the timestep (or step) of the last is a further guidance pass of the same step."""
        time = timestep if step is None else step
        same = time is not None and time == self.time
        self.step = self.step + (not same) if step is None else step
        self.number, self.time, self.layer = self.number + 1 if same else 0, time, 0

    def _begin(self, module, args, kwargs):
        time = kwargs.get("timestep", args[1] if len(args) > 1 else None)
        self.forward(tuple(time.detach().flatten().tolist()) if torch.is_tensor(time) else time)
        video = kwargs.get("hidden_states", args[0] if args else None)
        patch = getattr(getattr(module, "config", None), "patch_size", None)
        if not self.said and torch.is_tensor(video) and video.dim() == 5 and np.shape(patch) == (3,):
            self.frames, height, width = (size // p for size, p in zip(video.shape[2:], patch))
            self.patches = height * width

    def wrap(self, function, layout, is_impl=False):
        """`function`, recorded. Compiled graphs break around it (without asking, the compiler takes long to load)."""
        @functools.wraps(function)
        @(torch.compiler.disable if "torch._dynamo" in sys.modules else lambda call: call)
        def call(*args, **kwargs):
            if self.inside:
                return function(*args, **kwargs)
            self.inside = True
            try:
                result = function(*args, **kwargs)
            finally:
                self.inside = False
            said = dict(zip(_IMPL if is_impl else _FUNCTION, args)) | kwargs
            for name, owner, attribute in _IMPL_SAYS if is_impl else ():
                said[name] = getattr(said.get(owner), attribute, None)
            with torch.no_grad():
                self._take(said, result, layout)
            return result
        return call

    def _take(self, said, result, layout):
        tensors = {name: said[word] for name, word in (("q", "query"), ("k", "key"), ("v", "value"))}
        if self.out:
            tensors["out"] = result[0] if isinstance(result, tuple) else result
        if not all(torch.is_tensor(x) and x.dim() == 4 for x in tensors.values()):
            return self.skipped.update(["not 4 dimensions"])
        if layout == "bhsd":
            tensors = {name: x.transpose(1, 2) for name, x in tensors.items()}
        (tokens, heads), (key_tokens, key_heads) = tensors["q"].shape[1:3], tensors["k"].shape[1:3]
        if key_tokens != tokens or tokens < self.min_tokens:
            return self.skipped.update(["cross-attention or few tokens"])
        layer, self.layer, self.step = self.layer, self.layer + 1, max(self.step, 0)
        if layer not in (self.layers or [layer]) or self.step not in (self.steps or [self.step]):
            return
        queries = self.heads or range(heads)
        if queries[-1] >= heads:
            raise ValueError(f"heads={self.heads}: layer {layer} has {heads} heads, 0 to {heads - 1}")
        # A choice of heads takes the key head of each along.
        keys = [h * key_heads // heads for h in queries] if self.heads else range(key_heads)
        picked = {name: (x.detach(), keys if name in "kv" else queries) for name, x in tensors.items()}
        size = sum(len(chosen) * x[:, :, 0].numel() * x.element_size() for x, chosen in picked.values())
        if why_not := _why_not(said, tensors) or ("max_bytes" if size > self.left else None):
            return self.skipped.update([why_not])
        self.left -= size
        self._write(f"layer{layer}/step{self.step}/pass{self.number}", layer, tokens, picked)

    def _write(self, name, layer, tokens, picked):
        if name in self.file:
            raise ValueError(f"{name} is there already: give record() the model, or call forward() before each pass")
        group = self.file.create_group(name)
        frames = self.frames or (tokens // self.patches if self.patches else 0)
        patches = self.patches or (tokens // frames if frames else 0)
        try:
            group.attrs.update({"layer": layer, "step": self.step, "pass": self.number, "seq_len": tokens,
                                "heads": ",".join(map(str, picked["q"][1]))})
            if 0 < frames * patches <= tokens:
                group.attrs.update(T=frames, P=patches, text_tokens=tokens - frames * patches)
            for which, (tensor, heads) in picked.items():
                batch, _, _, dim = tensor.shape
                data = group.create_dataset(which, (batch, tokens, len(heads), dim), _TYPES[tensor.dtype], shuffle=True,
                                            chunks=(1, min(tokens, 2048), 1, dim), compression="gzip")
                if bits := tensor.dtype == torch.bfloat16:
                    data.attrs["dtype"] = "bf16"
                for b, i in np.ndindex(batch, len(heads)):  # one head on its way at a time
                    rows = tensor[b, :, heads[i]].contiguous().cpu()
                    data[b, :, i] = rows.view(torch.int16).numpy().view(np.uint16) if bits else rows.numpy()
        except BaseException:  # half a call is none
            del self.file[name]
            raise
        self.calls += 1


def _targets(recorder, impls):
    """(object, name, what it becomes) of everything to wrap; modules that imported the dispatch hold it by name."""
    functional, name = torch.nn.functional, "scaled_dot_product_attention"
    yield functional, name, recorder.wrap(getattr(functional, name), "bhsd")
    name = "dispatch_attention_fn"
    dispatch = getattr(sys.modules.get("diffusers.models.attention_dispatch"), name, None)
    for module in list(sys.modules.values()) if dispatch else ():
        if getattr(module, "__dict__", {}).get(name) is dispatch:
            yield module, name, recorder.wrap(dispatch, "bshd")
    for impl in impls:
        if not isinstance(impl, type) or not callable(getattr(impl, "forward", None)):
            raise TypeError(f"impls: {impl!r}: a class with forward(self, query, key, value, attn_metadata) is due")
        yield impl, "forward", recorder.wrap(impl.forward, "bshd", is_impl=True)


@contextlib.contextmanager
def record(path, model=None, *, layers=None, steps=None, heads=None, max_bytes=2**33, frames=None, patches=None,
           min_tokens=64, out=True, impls=()):
    """Records while the `with` lasts; the file appears at its end, with the calls that were complete when an exception
    ended it. `model`: the transformer, or several (Wan 2.2), whose passes count steps (by timestep) and layers, and
    whose latents tell T and P. None for layers, steps, heads: all. At most `max_bytes` of tensors are taken."""
    models = model if isinstance(model, (list, tuple)) else [] if model is None else [model]
    if not all(isinstance(module, torch.nn.Module) for module in models):
        raise TypeError(f"model: {type(model).__name__}: a torch.nn.Module, or a list of them, is due")
    folder, name = os.path.split(os.fspath(path))
    temporary, ended = os.path.join(folder, f".{name}.{os.getpid()}.tmp"), "complete"
    with contextlib.ExitStack() as stack:
        file = h5py.File(temporary, "w")
        stack.callback(lambda: os.path.exists(temporary) and os.unlink(temporary))
        stack.callback(file.close)
        recorder = Recorder(file, layers, steps, heads, max_bytes, frames, patches, min_tokens, out)
        for module in models:
            stack.callback(module.register_forward_pre_hook(recorder._begin, with_kwargs=True).remove)
        for owner, name, wrapped in list(_targets(recorder, impls)):
            stack.enter_context(mock.patch.object(owner, name, wrapped))
        try:
            yield recorder
        except BaseException as error:
            ended = type(error).__name__
            raise
        finally:
            if recorder.calls:
                file.attrs.update(layout="bshd", made_by="lvsa_capture.py", torch=str(torch.__version__), ended=ended,
                                  calls=recorder.calls, skipped=str(dict(recorder.skipped)))
                file.close()
                os.replace(temporary, path)
        if left := recorder.skipped["max_bytes"]:
            warnings.warn(f"{path}: {left} calls left out: max_bytes={max_bytes} is reached")
        if not recorder.calls:
            raise ValueError(f"{path}: no call was recorded: the last pass was step {recorder.step} with "
                             f"{recorder.layer} self-attention layers; left out: {dict(recorder.skipped)}")
