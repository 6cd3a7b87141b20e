"""The known traps of FlashInfer's BlockSparseAttentionWrapper; see lvsa_traps.py. Written after flashinfer/sparse.py of
FlashInfer 0.6.8 to 0.6.18. What reads past the end of K here reads memory that the probe owns."""
import inspect
import math

import numpy as np
import torch

import flashinfer
import lvsa_flashinfer
from lvsa_trap import REFUSALS, Trap, close, definition, first_row_with_columns, numbers, refusal


def version():
    return getattr(flashinfer, "__version__", "unknown")


def bsr(pattern, rows=None, columns=None):
    """(indptr, indices, mask) of the first head's map, in the pattern's own blocks."""
    return lvsa_flashinfer.bsr_of(pattern, int(pattern.map_of_head[0, 0]), rows or pattern.block_rows,
                                  columns or pattern.block_columns)


def on_device(array, like, dtype=torch.int32):
    return torch.from_numpy(np.ascontiguousarray(array)).to(like.device, dtype)


def types(q):
    return {"q_data_type": q.dtype, "kv_data_type": q.dtype, "o_data_type": q.dtype}


def planned(q, pattern, indptr, indices, wrapper=None, columns=None, **more):
    """A wrapper planned for the sizes of the case."""
    wrapper = wrapper or flashinfer.BlockSparseAttentionWrapper(lvsa_flashinfer.workspace(q.device))
    wrapper.plan(on_device(indptr, q), on_device(indices, q), pattern.seq_len, pattern.seq_len, pattern.block_rows,
                 columns or pattern.block_columns, pattern.H, pattern.Hkv, pattern.D, sm_scale=pattern.scale, **more)
    return wrapper


def run(wrapper, q, k, v, **more):
    result = wrapper.run(q[0].contiguous(), k[0].contiguous(), v[0].contiguous(), **more)
    torch.cuda.synchronize() if q.is_cuda else None
    return result


def due(q, k, v, pattern, counts=None):
    counts = pattern.places(int(pattern.map_of_head[0, 0])) if counts is None else counts
    return definition(q[0], k[0], v[0], counts, pattern.scale)


def rows_of(pattern, row):
    return slice(int(pattern.row_begin[row]), int(pattern.row_begin[row + 1]))


def with_margin(x, tokens):
    """[1, S, H, D] in the middle of memory of NaN."""
    store = torch.full((x.shape[1] + 2 * tokens, *x.shape[2:]), float("nan"), dtype=x.dtype, device=x.device)
    store[tokens:tokens + x.shape[1]] = x[0]
    return store[tokens:tokens + x.shape[1]]


def index_equal_to_blocks(q, k, v, pattern):
    indptr, indices, _ = bsr(pattern)
    row = first_row_with_columns(indptr)
    indices[indptr[row + 1] - 1] = pattern.column_blocks
    try:
        wrapper = planned(q, pattern, indptr, indices, **types(q))
        margin = 2 * pattern.block_columns
        out = wrapper.run(q[0].contiguous(), with_margin(k, margin), with_margin(v, margin))
    except REFUSALS as error:
        return "caught", refusal(error)
    reads = np.isnan(numbers(out)[rows_of(pattern, row)]).any()
    return "trap", (f"column {pattern.column_blocks} of {pattern.column_blocks} accepted; " +
                    ("the output is made of what lies behind K" if reads else "the output shows no sign of it"))


def plan_alone(change, name):
    """A map that is only planned: to run it would read memory that is nobody's."""
    def spring(q, k, v, pattern):
        indptr, indices, _ = bsr(pattern)
        row = first_row_with_columns(indptr)
        at = indptr[row] if name == "-1" else indptr[row + 1] - 1
        indices[at] = change(pattern)
        try:
            planned(q, pattern, indptr, indices, **types(q))
        except REFUSALS as error:
            return "caught", refusal(error)
        return "trap", f"plan() accepts column {change(pattern)} of {pattern.column_blocks} (not run)"
    return spring


def index_twice(q, k, v, pattern):
    indptr, indices, _ = bsr(pattern)
    row = first_row_with_columns(indptr)
    twice = int(indices[indptr[row]])
    indices = np.insert(indices, indptr[row], twice)
    indptr = indptr + (np.arange(len(indptr)) > row)
    try:
        out = run(planned(q, pattern, indptr, indices, **types(q)), q, k, v)
    except REFUSALS as error:
        return "caught", refusal(error)
    counts = pattern.places(int(pattern.map_of_head[0, 0])).astype(float)
    if close(out, due(q, k, v, pattern, counts)[0]):
        return "fine", "it counts once"
    counts[rows_of(pattern, row), pattern.column_begin[twice]:pattern.column_begin[twice + 1]] *= 2
    return ("trap", "its keys count twice") if close(out, due(q, k, v, pattern, counts)[0]) else (
        "unknown", "it counts neither once nor twice")


def output_type_default(q, k, v, pattern):
    indptr, indices, _ = bsr(pattern)
    try:
        out = run(planned(q, pattern, indptr, indices, q_data_type=q.dtype), q, k, v)
    except REFUSALS as error:
        return "caught", refusal(error)
    name = str(out.dtype).removeprefix("torch.")
    right = "right values" if close(out, due(q, k, v, pattern)[0]) else "wrong values"
    verdict = "fine" if out.dtype == q.dtype else "trap"
    return verdict if right == "right values" else "unknown", f"{name} for {q.dtype}, {right}".replace("torch.", "")


def input_type_default(q, k, v, pattern):
    indptr, indices, _ = bsr(pattern)
    try:
        out = run(planned(q, pattern, indptr, indices), q, k, v)
    except REFUSALS as error:
        return "caught", refusal(error)
    if close(out, due(q, k, v, pattern)[0]):
        return "fine", "right values"
    return "trap", "wrong values: the bits of bfloat16 are read as float16"


def base_2_log_sum_exp(q, k, v, pattern):
    indptr, indices, _ = bsr(pattern)
    lse = numbers(run(planned(q, pattern, indptr, indices, **types(q)), q, k, v, return_lse=True)[1])
    right = due(q, k, v, pattern)[1]
    some = np.isfinite(right)
    if close(lse[some] * math.log(2.0), right[some]):
        return "trap", "base 2"
    return "unknown", "base e" if close(lse[some], right[some]) else "neither base 2 nor e"


def empty_rows(q, k, v, pattern):
    indptr, indices, _ = bsr(pattern)
    out, lse = run(planned(q, pattern, indptr, indices, **types(q)), q, k, v, return_lse=True)
    empty = ~pattern.places(int(pattern.map_of_head[0, 0])).any(axis=1)
    if not empty.any():
        raise NotImplementedError("no row without keys")
    out, lse = numbers(out)[empty], numbers(lse)[empty]
    zero, infinite = bool((out == 0).all()), bool(np.isneginf(lse).all())
    seen = f"out {'0' if zero else 'not 0'}, lse {'-inf' if infinite else f'{lse.min():.6g} .. {lse.max():.6g}'}"
    return "fine" if zero and infinite else "trap", seen


def empty_map(q, k, v, pattern):
    indptr, indices, _ = bsr(pattern)
    try:
        out, lse = run(planned(q, pattern, indptr, indices, **types(q)), q, k, v, return_lse=True)
    except REFUSALS as error:
        return "caught", refusal(error)
    good = (numbers(out) == 0).all() and np.isneginf(numbers(lse)).all()
    return ("fine", "out 0, lse -inf") if good else ("trap", "runs, and leaves other things than 0 and -inf")


def ragged_last_key_block(q, k, v, pattern):
    kept = np.zeros((pattern.row_blocks, pattern.column_blocks), bool)
    for row, column, _ in pattern.entries(int(pattern.map_of_head[0, 0])):
        kept[row, column] = True
    indptr, indices = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]), np.nonzero(kept)[1]
    try:
        wrapper = planned(q, pattern, indptr, indices, **types(q))
    except REFUSALS as error:
        return "caught", f"plan(): {refusal(error)}"
    try:
        out = run(wrapper, q, k, v)
    except REFUSALS as error:
        return "caught", f"run(), after plan() took it: {refusal(error)}"
    return ("fine", "right values") if close(out, due(q, k, v, pattern)[0]) else ("unknown", "runs, wrong values")


def ragged_last_query_block(q, k, v, pattern):
    _, columns = lvsa_flashinfer.page_sizes(pattern)
    indptr, indices, _ = bsr(pattern, columns=columns)
    out = run(planned(q, pattern, indptr, indices, columns=columns, **types(q)), q, k, v)
    return ("fine", "right values") if close(out, due(q, k, v, pattern)[0]) else ("unknown", "wrong values")


def one_map_for_all_heads(q, k, v, pattern):
    indptr, indices, _ = bsr(pattern)
    out = run(planned(q, pattern, indptr, indices, **types(q)), q, k, v)
    if not close(out, due(q, k, v, pattern)[0]):
        return "unknown", "the first head's map is not what all heads get"
    more = " (block_mask is for other devices)" if "block_mask" in inspect.signature(
        flashinfer.BlockSparseAttentionWrapper.plan).parameters else ""
    return "trap", f"all {pattern.H} heads get the map given{more}"


def backends(pattern, q, mask, one_wrapper):
    """Kernel families of a plan without and with the mask, and the wrapper planned last."""
    indptr, indices, _ = bsr(pattern)
    first = planned(q, pattern, indptr, indices, **types(q))
    before = getattr(first, "_backend", "?")
    second = planned(q, pattern, indptr, indices, first if one_wrapper else None, mask=on_device(mask, q, torch.bool),
                     **types(q))
    return before, getattr(second, "_backend", "?"), second


def element_mask_changes_kernel(q, k, v, pattern):
    before, after, wrapper = backends(pattern, q, bsr(pattern)[2], False)
    if not close(run(wrapper, q, k, v), due(q, k, v, pattern)[0]):
        return "unknown", f"{before} without a mask, {after} with one, wrong values"
    return "fine" if before == after else "trap", f"{before} without a mask, {after} with one"


def mask_after_plan_without(q, k, v, pattern):
    indptr, indices, mask = bsr(pattern)
    try:
        before, after, wrapper = backends(pattern, q, mask, True)
        out = run(wrapper, q, k, v)
    except REFUSALS as error:
        return "caught", refusal(error)
    if close(out, due(q, k, v, pattern)[0]):
        return "fine", f"{before}, then {after}; the mask counts"
    blocks = np.zeros((pattern.row_blocks, pattern.column_blocks), bool)
    blocks[np.repeat(np.arange(pattern.row_blocks), np.diff(indptr)), indices] = True
    whole = np.repeat(np.repeat(blocks, np.diff(pattern.row_begin), 0), np.diff(pattern.column_begin), 1)
    ignored = close(out, due(q, k, v, pattern, whole)[0])
    return "trap", f"{before}, then {after}; " + ("the mask is ignored" if ignored else "wrong values")


def batch_of_one(q, k, v, pattern):
    indptr, indices, _ = bsr(pattern)
    together = [x.reshape(-1, *x.shape[2:]).contiguous() for x in (q, k, v)]
    out = torch.full_like(together[0], float("nan"))
    try:
        planned(q, pattern, indptr, indices, **types(q)).run(*together, out=out)
    except REFUSALS as error:
        return "caught", refusal(error)
    second = numbers(out)[pattern.seq_len:]
    if np.isnan(second).all():
        return "trap", "a second batch element behind the first one's tokens is left unwritten, without a word"
    return "unknown", "a second batch element is written"


_LOOK = "look at the columns before the call (lvsa_maps.check_map)"
TRAPS = {
    "index-equal-to-blocks": Trap(
        index_equal_to_blocks, "plan() refuses a column only when column * C > N: N/C passes and reads past the end", _LOOK),
    "index-beyond-blocks": Trap(
        plan_alone(lambda pattern: pattern.column_blocks + 1, "+1"), "plan() refuses columns from N/C + 1 on", _LOOK, ()),
    "index-below-zero": Trap(plan_alone(lambda pattern: -1, "-1"), "plan() looks at the largest column alone", _LOOK),
    "index-twice": Trap(index_twice, "a column may stand twice in a row; its keys count twice", _LOOK),
    "output-type-default": Trap(output_type_default, "o_data_type is float16 unless told, for bfloat16 too",
                                "name o_data_type=q.dtype in plan()"),
    "input-type-default": Trap(input_type_default, "q_data_type is float16 unless told, whatever q is",
                               "name q_data_type and kv_data_type in plan()"),
    "base-2-log-sum-exp": Trap(base_2_log_sum_exp, "the log-sum-exp is in base 2", "multiply it by ln 2"),
    "empty-rows": Trap(empty_rows, "rows without keys: 0 and -inf; older releases leave a finite log-sum-exp",
                       "set these rows after the call"),
    "empty-map": Trap(empty_map, "plan() asks for the largest of no columns, which PyTorch refuses",
                      "do not call for a map without blocks: 0 and -inf"),
    "ragged-last-key-block": Trap(
        ragged_last_key_block, "N has to be a multiple of C; plan() does not look, run() cannot reshape K",
        "cut the blocks into pages that divide N, the greatest common divisor of where blocks begin"),
    "ragged-last-query-block": Trap(ragged_last_query_block, "M need not be a multiple of R", "nothing to do", ()),
    "one-map-for-all-heads": Trap(
        one_map_for_all_heads, "the wrapper has one map for all heads",
        "call it for each set of heads that share a map, or take VariableBlockSparseAttentionWrapper"),
    "element-mask-changes-kernel": Trap(
        element_mask_changes_kernel, "an element mask takes the kernels fa2, also where fa3 would run",
        "keep masked blocks apart where speed counts"),
    "mask-after-plan-without": Trap(
        mask_after_plan_without, "a wrapper keeps the kernels that its first plan() chose; fa3 ignores masks",
        "a new wrapper for each kind of map, or backend=\"fa2\""),
    "batch-of-one": Trap(batch_of_one, "tensors are [tokens, heads, D] of one batch element; more rows are not told of",
                         "call it for each batch element"),
}
