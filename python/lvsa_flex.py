"""FlexAttention for lvsa_fill.py: the pattern as a block mask over frames.

    python3 lvsa_fill.py cases.h5 lvsa_flex:eager     # no compiler needed; in float32, with lse
    python3 lvsa_fill.py cases.h5 lvsa_flex:compiled  # torch.compile, in the type of the case

`compiled` compiles for each shape, seconds a case on a CPU. With LVSA_FLEX_SECONDS=N in the environment, cases that
come later than N seconds after the start are skipped; so are those that the compiler does not support.
"""
import os
import time

import numpy as np
import torch
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

_START = time.monotonic()
_LIMIT = float(os.environ.get("LVSA_FLEX_SECONDS", "inf"))


def block_mask(pattern, device, block_size=128):
    """Frame f's queries see the frames of its list and the text; text sees everything."""
    text = pattern.T  # the "frame" of the text tokens
    visible = torch.zeros(text + 1, text + 1, dtype=torch.bool)
    visible[:, text] = visible[text, :] = True
    for frame in range(pattern.T):
        visible[frame, torch.as_tensor(np.asarray(pattern.frames(frame), np.int64))] = True
    visible = visible.to(device)
    frame_of = torch.clamp(torch.arange(pattern.seq_len, device=device) // pattern.P, max=text)

    def seen(_batch, _head, query, key):
        return visible[frame_of[query], frame_of[key]]

    return create_block_mask(seen, None, None, pattern.seq_len, pattern.seq_len, device=device,
                             BLOCK_SIZE=block_size)


def _call(function, q, k, v, pattern, **more):
    q, k, v = (x.transpose(1, 2).contiguous() for x in (q, k, v))
    return function(q, k, v, block_mask=block_mask(pattern, q.device), scale=pattern.scale,
                    enable_gqa=pattern.H != pattern.Hkv, **more)


def eager(q, k, v, pattern):
    """The uncompiled path. In float32, since some releases round its scores to the type of q."""
    out, lse = _call(flex_attention, q.float(), k.float(), v.float(), pattern, return_lse=True)
    return out.transpose(1, 2), lse.transpose(1, 2)


def compiled(q, k, v, pattern):
    """One compilation a shape; no lse, which the CPU's template does not give."""
    if time.monotonic() - _START > _LIMIT:
        raise NotImplementedError(f"more than {_LIMIT:g} s: not compiled")
    torch._dynamo.reset()
    try:
        with torch.no_grad():
            out = _call(torch.compile(flex_attention, dynamic=False), q, k, v, pattern)
    except Exception as error:
        # What a shape or machine does not allow; anything else is the kernel's failure.
        if "NotImplementedError" in f"{type(error).__name__} {error}":
            raise NotImplementedError(str(error).strip().splitlines()[0]) from error
        raise
    return out.transpose(1, 2)
