"""FlexAttention for lvsa_fill.py: the pattern, or the block map, as its block mask.

    python3 lvsa_fill.py cases.h5 lvsa_flex:eager     # no compiler needed; in float32, with lse
    python3 lvsa_fill.py cases.h5 lvsa_flex:compiled  # torch.compile, in the type of the case; lse on a GPU

`compiled` compiles for each shape, seconds a case on a CPU. With LVSA_FLEX_SECONDS=N in the environment, cases that
come later than N seconds after the start are skipped; so are those that the compiler does not support.

The uncompiled path asks mask_mod for every pair and never looks at the blocks; the compiled one asks it in partial
blocks alone. Both are right only where mask_mod says the whole truth, the block map included, as here.
"""
import inspect
import os
import time

import numpy as np
import torch
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from lvsa_maps import BlockPattern

_START = time.monotonic()
_TILE = 64
_LIMIT = float(os.environ.get("LVSA_FLEX_SECONDS", "inf"))


def with_lse():
    """What asks flex_attention for the log-sum-exp: `return_lse` in older releases, `return_aux` since."""
    if "return_aux" in inspect.signature(flex_attention).parameters:
        from torch.nn.attention.flex_attention import AuxRequest
        return {"return_aux": AuxRequest(lse=True)}
    return {"return_lse": True}


def lse_of(result):
    """(out, lse) of a call with with_lse()."""
    out, second = result
    return out, getattr(second, "lse", second)


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


def entry_tables(pattern):
    """[B, H, row blocks, column blocks]: -2 no such entry, -1 all pairs, else the number of its element mask."""
    tables = np.full((pattern.maps, pattern.row_blocks, pattern.column_blocks), -2, np.int64)
    for number in range(pattern.maps):
        for row, column, mask in pattern.entries(number):
            tables[number, row, column] = mask
    return torch.from_numpy(tables[pattern.map_of_head])


def mask_mod_of(pattern, device):
    """Whether a pair of places counts: map and element masks."""
    tables = entry_tables(pattern).to(device)
    masks = [pattern.mask(m) for m in range(0 if pattern.mask_bits is None else len(pattern.mask_bits))]
    masks = torch.from_numpy(np.stack(masks or [np.ones((1, 1), bool)])).to(device)

    def block_and_place(begin):
        block = np.repeat(np.arange(len(begin) - 1), np.diff(begin))
        place = np.arange(begin[-1]) - begin[block]
        return torch.from_numpy(block).to(device), torch.from_numpy(place).to(device)

    row, in_row = block_and_place(pattern.row_begin)
    column, in_column = block_and_place(pattern.column_begin)
    last_row, last_column = masks.shape[1] - 1, masks.shape[2] - 1

    def seen(batch, head, query, key):
        entry = tables[batch, head, row[query], column[key]]
        bit = masks[entry.clamp(min=0), in_row[query].clamp(max=last_row), in_column[key].clamp(max=last_column)]
        return (entry == -1) | ((entry >= 0) & bit)

    return seen


def ordered(dense):
    """Numbers and columns of the blocks of a boolean [..., rows, columns], as BlockMask takes them."""
    dense = dense.to(torch.int32)
    return (dense.sum(-1).to(torch.int32).contiguous(),
            torch.argsort(dense, dim=-1, descending=True, stable=True).to(torch.int32).contiguous())


def uniform(begin, size):
    """Whether all blocks but the last have this size, and the kernels' smallest tile divides it."""
    return bool((np.diff(begin)[:-1] == size).all()) and size % _TILE == 0


def tiles(mask):
    """Options of the compiled kernel: its own tile, 128 as a rule, has to divide the mask's blocks."""
    return {} if all(size % 128 == 0 for size in mask.BLOCK_SIZE) else {"BLOCK_M": _TILE, "BLOCK_N": _TILE}


def map_mask(pattern, device):
    """The block map as a BlockMask: blocks of which all pairs count are full, those with an element mask partial; the
    end of the last one, where it is smaller, FlexAttention cuts off itself. Maps with smaller blocks elsewhere, or with
    sizes that no tile divides, have no such form: theirs is made of mask_mod, in blocks of FlexAttention's own."""
    mask_mod, length = mask_mod_of(pattern, device), pattern.seq_len
    if not (uniform(pattern.row_begin, pattern.block_rows) and uniform(pattern.column_begin, pattern.block_columns)):
        return create_block_mask(mask_mod, pattern.B, pattern.H, length, length, device=device)
    tables = entry_tables(pattern).to(device)
    partial, full = ordered(tables >= 0), ordered(tables == -1)
    return BlockMask.from_kv_blocks(*partial, *full, BLOCK_SIZE=(pattern.block_rows, pattern.block_columns),
                                    mask_mod=mask_mod, seq_lengths=(length, length))


def _put_in_order(pattern, x, heads):
    """[B, H, S, D] of tokens as places; `heads` repeats those of keys, whose order is the query head's."""
    x = x.repeat_interleave(heads // x.shape[1], dim=1)
    for batch in range(pattern.B):
        for head in range(heads):
            if (order := pattern.order(batch, head)) is not None:
                x[batch, head] = x[batch, head][torch.from_numpy(order).to(x.device)]
    return x


def _put_back(pattern, x):
    """[B, H, S, ...] of places as tokens."""
    x = x.clone()
    for batch in range(pattern.B):
        for head in range(pattern.H):
            if (order := pattern.order(batch, head)) is not None:
                back = torch.empty_like(x[batch, head])
                back[torch.from_numpy(order).to(x.device)] = x[batch, head]
                x[batch, head] = back
    return x


def _call_maps(function, q, k, v, pattern, **more):
    """As _call, with lse where `more` asks for it; rows without keys are set, since releases differ in them."""
    pattern.require_no_skip()
    q, k, v = (x.transpose(1, 2).contiguous() for x in (q, k, v))
    if pattern.orders is not None:
        q, k, v = (_put_in_order(pattern, x, pattern.H) for x in (q, k, v))
    mask = map_mask(pattern, q.device)
    if q.is_cuda and function is not flex_attention:
        more["kernel_options"] = tiles(mask)
    result = function(q, k, v, block_mask=mask, scale=pattern.scale, enable_gqa=q.shape[1] != k.shape[1], **more)
    out, lse = lse_of(result) if isinstance(result, tuple) else (result, None)
    empty = torch.from_numpy(np.stack([[~pattern.places(m).any(axis=1) for m in row] for row in pattern.map_of_head]))
    empty = empty.to(out.device)
    out = torch.where(empty[..., None], torch.zeros_like(out), out)
    lse = None if lse is None else torch.where(empty, torch.full_like(lse, -torch.inf), lse)
    if pattern.orders is not None:
        out, lse = _put_back(pattern, out), None if lse is None else _put_back(pattern, lse)
    return out if lse is None else (out, lse)


def _call(function, q, k, v, pattern, **more):
    if isinstance(pattern, BlockPattern):
        return _call_maps(function, q, k, v, pattern, **more)
    q, k, v = (x.transpose(1, 2).contiguous() for x in (q, k, v))
    result = function(q, k, v, block_mask=block_mask(pattern, q.device), scale=pattern.scale,
                      enable_gqa=pattern.H != pattern.Hkv, **more)
    return lse_of(result) if more else result


def eager(q, k, v, pattern):
    """The uncompiled path. In float32, since some releases round its scores to the type of q."""
    out, lse = _call(flex_attention, q.float(), k.float(), v.float(), pattern, **with_lse())
    return out.transpose(1, 2), lse.transpose(1, 2)


def compiled(q, k, v, pattern):
    """One compilation a shape; on a CPU without lse, which its template does not give."""
    if time.monotonic() - _START > _LIMIT:
        raise NotImplementedError(f"more than {_LIMIT:g} s: not compiled")
    torch._dynamo.reset()
    more = with_lse() if q.is_cuda else {}
    try:
        with torch.no_grad():
            result = _call(torch.compile(flex_attention, dynamic=False), q, k, v, pattern, **more)
    except Exception as error:
        # What a shape or machine does not allow; anything else is the kernel's failure.
        text = f"{type(error).__name__} {error}"
        if "NotImplementedError" in text or "divisible" in text:
            raise NotImplementedError(str(error).strip().splitlines()[0]) from error
        raise
    return (result[0].transpose(1, 2), result[1].transpose(1, 2)) if more else result.transpose(1, 2)
