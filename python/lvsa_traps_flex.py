"""The known traps of FlexAttention; see lvsa_traps.py. Written after torch/nn/attention/flex_attention.py of PyTorch 2.5
to 2.15. What only the compiled path does is tried on a GPU, or anywhere with LVSA_TRAPS_COMPILE=1."""
import os
import warnings

import numpy as np
import torch
from torch.nn.attention.flex_attention import BlockMask, flex_attention

import lvsa_flex
from lvsa_trap import REFUSALS, Trap, close, definition, first_row_with_columns, numbers, refusal

warnings.filterwarnings("ignore", message=".*flex_attention called without torch.compile.*")


def version():
    return torch.__version__


def heads_first(*tensors):
    return [x[:1].transpose(1, 2).contiguous() for x in tensors]


def tables(pattern, device, number=0):
    """Numbers and columns of all kept blocks of one map, as [1, 1, ...]."""
    entries = lvsa_flex.entry_tables(pattern)[:1, :1]
    return [x.to(device) for x in lvsa_flex.ordered(entries > -2)]


def naive_mask(pattern, device, **more):
    more.setdefault("seq_lengths", (pattern.seq_len, pattern.seq_len))
    return BlockMask.from_kv_blocks(*tables(pattern, device), BLOCK_SIZE=(pattern.block_rows, pattern.block_columns),
                                    **more)


def call(q, k, v, mask, pattern, function=flex_attention, **more):
    q, k, v = heads_first(q, k, v)
    with torch.no_grad():
        return function(q, k, v, block_mask=mask, scale=pattern.scale, **more)


def compiled(device):
    if device.type != "cuda" and os.environ.get("LVSA_TRAPS_COMPILE") != "1":
        raise NotImplementedError("the compiled path is tried on a GPU, or with LVSA_TRAPS_COMPILE=1")
    return torch.compile(flex_attention, dynamic=False)


def due(q, k, v, pattern, seen=None):
    """[1, H, S, D] and [1, H, S] of the first batch element under its first map."""
    seen = pattern.places(int(pattern.map_of_head[0, 0])) if seen is None else seen
    out, lse = definition(q[0], k[0], v[0], seen, pattern.scale)
    return out.transpose(1, 0, 2)[None], lse.T[None]


def blocks_ignored_uncompiled(q, k, v, pattern):
    try:
        out = call(q.float(), k.float(), v.float(), naive_mask(pattern, q.device), pattern)
    except REFUSALS as error:
        return "caught", refusal(error)
    if close(out, due(q, k, v, pattern)[0]):
        return "fine", "the blocks count"
    dense = due(q, k, v, pattern, np.ones((pattern.seq_len,) * 2))[0]
    return ("trap", "dense attention") if close(out, dense) else ("unknown", "neither the map nor dense attention")


def mask_ignored_in_full_blocks(q, k, v, pattern):
    function = compiled(q.device)
    number, columns = tables(pattern, q.device)
    none = torch.zeros_like(number), torch.zeros_like(columns)
    try:
        mask = BlockMask.from_kv_blocks(*none, number, columns, BLOCK_SIZE=(pattern.block_rows, pattern.block_columns),
                                        mask_mod=lvsa_flex.mask_mod_of(pattern, q.device),
                                        seq_lengths=(pattern.seq_len, pattern.seq_len))
    except REFUSALS as error:
        return "caught", refusal(error)
    out = call(q, k, v, mask, pattern, function)
    if close(out, due(q, k, v, pattern)[0]):
        return "fine", "the element masks count"
    blocks = lvsa_flex.entry_tables(pattern)[0, 0].numpy() > -2
    whole = np.repeat(np.repeat(blocks, np.diff(pattern.row_begin), 0), np.diff(pattern.column_begin), 1)
    if close(out, due(q, k, v, pattern, whole)[0]):
        return "trap", "all pairs of the blocks, the element masks left out"
    return "unknown", "neither with nor without the element masks"


def index_equal_to_blocks(q, k, v, pattern):
    number, columns = tables(pattern, q.device)
    row = first_row_with_columns(np.concatenate([[0], np.cumsum(number[0, 0].cpu())]))
    columns[0, 0, row, number[0, 0, row] - 1] = pattern.column_blocks
    try:
        BlockMask.from_kv_blocks(number, columns, BLOCK_SIZE=(pattern.block_rows, pattern.block_columns),
                                 seq_lengths=(pattern.seq_len, pattern.seq_len))
    except REFUSALS as error:
        return "caught", refusal(error)
    return "trap", f"column {pattern.column_blocks} of {pattern.column_blocks} accepted (not run, lest it read past the end)"


def index_twice(q, k, v, pattern):
    number, columns = tables(pattern, q.device)
    row = next((r for r in range(pattern.row_blocks) if 0 < number[0, 0, r] < pattern.column_blocks), None)
    if row is None:
        raise NotImplementedError("no row with room for one more column")
    twice = int(columns[0, 0, row, 0])
    columns[0, 0, row, int(number[0, 0, row])] = twice
    number[0, 0, row] += 1
    try:
        mask = BlockMask.from_kv_blocks(number, columns, BLOCK_SIZE=(pattern.block_rows, pattern.block_columns),
                                        mask_mod=lvsa_flex.mask_mod_of(pattern, q.device),
                                        seq_lengths=(pattern.seq_len, pattern.seq_len))
    except REFUSALS as error:
        return "caught", refusal(error)
    try:
        function = compiled(q.device)
    except NotImplementedError:
        return "trap", "a column that stands twice is accepted (what it counts is tried on a GPU)"
    out = call(q, k, v, mask, pattern, function)
    seen = pattern.places(int(pattern.map_of_head[0, 0])).astype(float)
    if close(out, due(q, k, v, pattern, seen)[0]):
        return "fine", "it counts once"
    seen[pattern.row_begin[row]:pattern.row_begin[row + 1],
         pattern.column_begin[twice]:pattern.column_begin[twice + 1]] *= 2
    return ("trap", "its keys count twice") if close(out, due(q, k, v, pattern, seen)[0]) else (
        "unknown", "it counts neither once nor twice")


def lengths_default_to_whole_blocks(q, k, v, pattern):
    try:
        mask = BlockMask.from_kv_blocks(*tables(pattern, q.device), mask_mod=lvsa_flex.mask_mod_of(pattern, q.device),
                                        BLOCK_SIZE=(pattern.block_rows, pattern.block_columns))
        call(q.float(), k.float(), v.float(), mask, pattern)
    except REFUSALS as error:
        return "caught", refusal(error)
    return "trap", f"{pattern.seq_len} tokens run with a mask for {mask.shape[-1]}"


def other_length_accepted(q, k, v, pattern):
    mask = naive_mask(pattern, q.device, mask_mod=lvsa_flex.mask_mod_of(pattern, q.device))
    less = pattern.seq_len - pattern.block_rows // 2
    try:
        call(q[:, :less].float(), k[:, :less].float(), v[:, :less].float(), mask, pattern)
    except REFUSALS as error:
        return "caught", refusal(error)
    return "trap", f"{less} tokens run with a mask for {pattern.seq_len}"


def empty_rows(q, k, v, pattern):
    seen, told = pattern.places(int(pattern.map_of_head[0, 0])), []
    empty = ~seen.any(axis=1)
    mask = lvsa_flex.map_mask(pattern, q.device)
    for name, function in (("uncompiled", flex_attention), ("compiled", None)):
        try:
            result = call(q.float() if function else q, k.float() if function else k, v.float() if function else v,
                          mask, pattern, function or compiled(q.device), **lvsa_flex.with_lse())
        except NotImplementedError:
            continue
        out, lse = (numbers(x)[0][:, empty] for x in lvsa_flex.lse_of(result))
        told.append((name, "0" if (out == 0).all() else "NaN" if np.isnan(out).any() else "other numbers",
                     "-inf" if np.isneginf(lse).all() else "NaN" if np.isnan(lse).any() else f"{lse.max():.3g}"))
    good = all(row[1:] == ("0", "-inf") for row in told)
    return "fine" if good else "trap", "; ".join(f"{name}: out {out}, lse {lse}" for name, out, lse in told)


def natural_log_sum_exp(q, k, v, pattern):
    mask, told = lvsa_flex.map_mask(pattern, q.device), []
    for name, function in (("uncompiled", flex_attention), ("compiled", None)):
        try:
            result = call(q.float() if function else q, k.float() if function else k, v.float() if function else v,
                          mask, pattern, function or compiled(q.device), **lvsa_flex.with_lse())
        except NotImplementedError:
            continue
        right = due(q, k, v, pattern)[1]
        some = np.isfinite(right)
        lse = numbers(lvsa_flex.lse_of(result)[1])[some]
        told.append((name, "e" if close(lse, right[some]) else "2" if close(lse / np.log2(np.e), right[some]) else "?"))
    bases = {base for _, base in told}
    verdict = "fine" if bases == {"e"} else "trap" if bases == {"2"} else "unknown"
    return verdict, "; ".join(f"{name}: base {base}" for name, base in told)


def block_size_below_tile(q, k, v, pattern):
    size = 16
    seen = np.ones((pattern.seq_len,) * 2)
    blocks = -(-pattern.seq_len // size)
    whole = torch.full((1, 1, blocks), blocks, dtype=torch.int32, device=q.device)
    columns = torch.arange(blocks, dtype=torch.int32, device=q.device).repeat(1, 1, blocks, 1)
    mask = BlockMask.from_kv_blocks(torch.zeros_like(whole), columns, whole, columns, BLOCK_SIZE=(size, size),
                                    seq_lengths=(pattern.seq_len, pattern.seq_len))
    function = compiled(q.device)
    try:
        out = call(q, k, v, mask, pattern, function)
    except Exception as error:  # the compiler wraps its errors in kinds of its own
        if "divisible" in str(error) or "No valid" in str(error) or "NoValidChoices" in str(error):
            return "caught", refusal(error)
        raise
    return ("fine", f"blocks of {size} run") if close(out, due(q, k, v, pattern, seen)[0]) else (
        "unknown", f"blocks of {size} run and give something else")


def grouped_heads_need_a_flag(q, k, v, pattern):
    mask = naive_mask(pattern, q.device, mask_mod=lvsa_flex.mask_mod_of(pattern, q.device))
    try:
        call(q.float(), k.float(), v.float(), mask, pattern)
    except REFUSALS as error:
        return "caught", refusal(error)
    return "trap", f"{pattern.H} heads over {pattern.Hkv} run without enable_gqa"


TRAPS = {
    "blocks-ignored-uncompiled": Trap(
        blocks_ignored_uncompiled, "without torch.compile the blocks are not looked at, only mask_mod is: a BlockMask "
        "from CSR without one is dense attention", "give a mask_mod that says the whole truth, the block map included"),
    "mask-ignored-in-full-blocks": Trap(
        mask_ignored_in_full_blocks, "the compiled kernel asks mask_mod in partial blocks alone",
        "put blocks with an element mask into kv_indices, those of which all pairs count into full_kv_indices"),
    "index-equal-to-blocks": Trap(
        index_equal_to_blocks, "from_kv_blocks takes a column one past the last: it is the mark for unused places in its "
        "own tables", "look at the columns before the call (lvsa_maps.check_map)"),
    "index-twice": Trap(
        index_twice, "a column may stand twice in a row; the compiled kernel visits it twice",
        "look at the columns before the call (lvsa_maps.check_map)"),
    "lengths-default-to-whole-blocks": Trap(
        lengths_default_to_whole_blocks, "without seq_lengths the lengths are whole blocks; the call refuses tensors "
        "that are shorter", "name seq_lengths where the last block is smaller"),
    "other-length-accepted": Trap(
        other_length_accepted, "a mask for other lengths is refused; the first releases ran it",
        "make the mask for the very lengths of the call"),
    "empty-rows": Trap(
        empty_rows, "rows without keys: 0 and -inf; some releases and paths give NaN or a finite log-sum-exp",
        "set these rows after the call"),
    "natural-log-sum-exp": Trap(
        natural_log_sum_exp, "the log-sum-exp is natural, though the kernels count in base 2",
        "check the base before results are merged by it", known=()),
    "block-size-below-tile": Trap(
        block_size_below_tile, "compiled, BLOCK_SIZE has to be a multiple of the kernel's tile",
        "blocks of 64 or 128; join smaller ones and let mask_mod tell them apart"),
    "grouped-heads-need-a-flag": Trap(
        grouped_heads_need_a_flag, "fewer key/value heads than query heads are refused without enable_gqa=True",
        "pass enable_gqa=True"),
}
