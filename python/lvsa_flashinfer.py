"""FlashInfer's block-sparse wrappers for lvsa_fill.py, on cases with block maps (a GPU is needed).

    lvsa-verify export blocks-smoke -o cases.h5
    python3 lvsa_fill.py cases.h5 lvsa_flashinfer:block_sparse --device cuda   # or :variable, :fa2, :fa3
    lvsa-verify check cases.h5

Written after flashinfer/sparse.py of FlashInfer 0.6.8 to 0.6.18. What the wrappers leave to the caller is done here:
columns are looked at before they reach the library (it accepts N/C, which lies past the end), types of input and output
are named, the log-sum-exp is brought from base 2 to e, rows without keys are set to 0 and -inf, blocks are cut into
pages that divide N, heads with maps of their own are called apart, a wrapper is never planned twice, batch elements
are called one by one. docs/flash.md tells what goes wrong otherwise.
"""
import math

import numpy as np
import torch

import flashinfer
from lvsa_maps import BlockPattern, check_map

_WORKSPACE_BYTES = 128 << 20
_HEAD_SIZES = (64, 128, 256)
_SMALLEST_TILE = 4  # fewer query rows times heads of a group go to another kernel, that of decoding


def workspace(device):
    return torch.empty(_WORKSPACE_BYTES, dtype=torch.uint8, device=device)


def require_served(q, pattern):
    if not isinstance(pattern, BlockPattern):
        raise NotImplementedError("block maps only: export a case with pattern=")
    pattern.require_no_skip()
    if q.dtype not in (torch.bfloat16, torch.float16):
        raise NotImplementedError(f"no kernels for {str(q.dtype).removeprefix('torch.')}")
    if pattern.D not in _HEAD_SIZES:
        raise NotImplementedError(f"no kernels for D = {pattern.D}")


def page_sizes(pattern):
    """(R, C): the largest blocks that begin where the pattern's do; C divides N, the last row block may be smaller."""
    inner = [int(at) for at in pattern.row_begin[1:-1]]
    return (math.gcd(*inner) if inner else pattern.block_rows,
            math.gcd(*(int(at) for at in pattern.column_begin[1:])))


def bsr_of(pattern, number, rows, columns):
    """(indptr, indices, mask or None) of a map in blocks of rows x columns; mask is [entries, rows, columns]."""
    kept = np.zeros((pattern.row_blocks, pattern.column_blocks), bool)
    for row, column, _ in pattern.entries(number):
        kept[row, column] = True
    kept = np.repeat(kept, -(-np.diff(pattern.row_begin) // rows), axis=0)
    kept = np.repeat(kept, np.diff(pattern.column_begin) // columns, axis=1)
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    at_row, at_column = np.nonzero(kept)
    check_map(indptr, at_column, kept.shape[1], f"map {number}")
    if not pattern.has_masks(number):
        return indptr, at_column, None
    seen = np.zeros((kept.shape[0] * rows, pattern.seq_len), bool)  # whole blocks: the mask of a smaller one has all rows
    seen[:pattern.seq_len] = pattern.places(number)
    tiles = seen.reshape(kept.shape[0], rows, kept.shape[1], columns).transpose(0, 2, 1, 3)
    return indptr, at_column, tiles[at_row, at_column]


def set_empty_rows(out, lse, empty):
    """Rows without keys: releases differ in what they write there."""
    empty = torch.from_numpy(empty).to(out.device)
    out[empty], lse[empty] = 0.0, -torch.inf


def run_map(q, k, v, pattern, number, backend):
    """One batch element, heads that share a map: q [S, H, D] and k, v [S, Hkv, D] by places; out, natural lse."""
    rows, columns = page_sizes(pattern)
    indptr, indices, mask = bsr_of(pattern, number, rows, columns)
    out, lse = torch.zeros_like(q), torch.full(q.shape[:2], -torch.inf, device=q.device)
    if not len(indices):  # plan() asks for the largest of no columns
        return out, lse
    if rows * (q.shape[1] // k.shape[1]) < _SMALLEST_TILE and mask is None:
        raise NotImplementedError(f"blocks of {rows} rows: FlashInfer takes its kernel for decoding")
    wrapper = flashinfer.BlockSparseAttentionWrapper(workspace(q.device), backend=backend)

    def on_device(array, dtype):
        return torch.from_numpy(np.ascontiguousarray(array)).to(q.device, dtype)

    wrapper.plan(on_device(indptr, torch.int32), on_device(indices, torch.int32), q.shape[0], k.shape[0], rows, columns,
                 q.shape[1], k.shape[1], q.shape[2], mask=None if mask is None else on_device(mask, torch.bool),
                 sm_scale=pattern.scale, q_data_type=q.dtype, kv_data_type=k.dtype, o_data_type=q.dtype)
    out, lse = wrapper.run(q.contiguous(), k.contiguous(), v.contiguous(), return_lse=True)
    lse = lse * math.log(2.0)
    set_empty_rows(out, lse, ~pattern.places(number).any(axis=1))
    return out, lse


def _block_sparse(q, k, v, pattern, backend):
    require_served(q, pattern)
    group = pattern.H // pattern.Hkv
    out, lse = torch.zeros_like(q), torch.full(q.shape[:3], -torch.inf, device=q.device)
    for batch, heads, number, order in pattern.alike():
        own = list(range(pattern.Hkv)) if len(heads) == pattern.H else [head // group for head in heads]
        at = torch.arange(pattern.seq_len) if order is None else torch.from_numpy(order)
        at = at.to(q.device)
        result = run_map(q[batch][at][:, heads], k[batch][at][:, own], v[batch][at][:, own], pattern, number, backend)
        for head, place in zip(heads, range(len(heads))):
            out[batch, at, head], lse[batch, at, head] = result[0][:, place], result[1][:, place]
    return out, lse


def block_sparse(q, k, v, pattern):
    """BlockSparseAttentionWrapper, which chooses the kernels: fa3 on Hopper, fa2 with element masks and elsewhere."""
    return _block_sparse(q, k, v, pattern, "auto")


def fa2(q, k, v, pattern):
    return _block_sparse(q, k, v, pattern, "fa2")


def fa3(q, k, v, pattern):
    if isinstance(pattern, BlockPattern) and any(map(pattern.has_masks, range(pattern.maps))):
        raise NotImplementedError("fa3 has no element masks")
    return _block_sparse(q, k, v, pattern, "fa3")


def variable(q, k, v, pattern):
    """VariableBlockSparseAttentionWrapper: blocks of any sizes and a map for each head, no element masks."""
    require_served(q, pattern)
    if any(map(pattern.has_masks, range(pattern.maps))):
        raise NotImplementedError("no element masks")
    out, lse = torch.zeros_like(q), torch.full(q.shape[:3], -torch.inf, device=q.device)
    for batch in range(pattern.B):
        numbers = pattern.map_of_head[batch]
        kept = np.zeros((pattern.H, pattern.row_blocks, pattern.column_blocks), bool)
        for head, number in enumerate(numbers):
            for row, column, _ in pattern.entries(number):
                kept[head, row, column] = True
        if kept.any():
            _run_variable(q, k, v, pattern, batch, kept, out, lse)
        for head, number in enumerate(numbers):
            order = pattern.order(batch, head)
            empty = ~pattern.places(number).any(axis=1)
            at = np.flatnonzero(empty) if order is None else order[empty]
            out[batch, torch.from_numpy(at), head], lse[batch, torch.from_numpy(at), head] = 0.0, -torch.inf
    return out, lse


def _run_variable(q, k, v, pattern, batch, kept, out, lse):
    """Keys of a group are repeated for its heads, whose maps may differ."""
    def sizes(begin):
        return torch.from_numpy(np.tile(np.diff(begin), (pattern.H, 1))).to(q.device, torch.int32)

    own = [head // (pattern.H // pattern.Hkv) for head in range(pattern.H)]
    orders = [torch.arange(pattern.seq_len) if order is None else torch.from_numpy(order)
              for order in (pattern.order(batch, head) for head in range(pattern.H))]

    def by_places(x, heads):
        return torch.stack([x[batch, :, head][at.to(q.device)] for head, at in zip(heads, orders)]).contiguous()

    wrapper = flashinfer.VariableBlockSparseAttentionWrapper(workspace(q.device))
    wrapper.plan(torch.from_numpy(kept).to(q.device), sizes(pattern.row_begin), sizes(pattern.column_begin), pattern.H,
                 pattern.H, pattern.D, sm_scale=pattern.scale, q_data_type=q.dtype, kv_data_type=k.dtype)
    result, logs = wrapper.run(by_places(q, range(pattern.H)), by_places(k, own), by_places(v, own), return_lse=True)
    for head, at in enumerate(orders):
        at = at.to(q.device)
        out[batch, at, head], lse[batch, at, head] = result[head].to(q.dtype), logs[head] * math.log(2.0)
