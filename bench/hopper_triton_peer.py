"""A plain Triton kernel over per-frame key lists, the peer of an afternoon; video tokens only."""
import torch
import triton
import triton.language as tl

_TILES = [(128, 64, 8, 3), (128, 64, 4, 3), (128, 128, 8, 2), (128, 128, 8, 3), (64, 64, 4, 3)]


@triton.autotune(
    configs=[triton.Config({"ROWS": m, "KEYS": n}, num_warps=w, num_stages=s)
             for m, n, w, s in _TILES],
    key=["patches", "frames", "D"])
@triton.jit
def _kernel(q, k, v, out, offsets, frame_list, scale_log2, frames, patches, token_stride,
            kv_token_stride, group, D: tl.constexpr, ROWS: tl.constexpr, KEYS: tl.constexpr):
    tiles = tl.cdiv(patches, ROWS)
    frame = (tl.program_id(0) // tiles).to(tl.int64)
    rows = (tl.program_id(0) % tiles) * ROWS + tl.arange(0, ROWS)
    head = tl.program_id(1)
    columns = tl.arange(0, D)
    place = (frame * patches + rows)[:, None] * token_stride + head * D + columns[None, :]
    inside = rows[:, None] < patches
    queries = tl.load(q + place, mask=inside, other=0.0)
    k += head // group * D
    v += head // group * D
    high = tl.full([ROWS], float("-inf"), tl.float32)
    total = tl.zeros([ROWS], tl.float32)
    result = tl.zeros([ROWS, D], tl.float32)
    for i in range(tl.load(offsets + frame), tl.load(offsets + frame + 1)):
        first = tl.load(frame_list + i).to(tl.int64) * patches
        for key in range(0, patches, KEYS):
            keys = key + tl.arange(0, KEYS)
            there = keys < patches
            at = (first + keys)[:, None] * kv_token_stride + columns[None, :]
            scores = tl.dot(queries, tl.trans(tl.load(k + at, mask=there[:, None], other=0.0)))
            scores = tl.where(there[None, :], scores * scale_log2, float("-inf"))
            now = tl.maximum(high, tl.max(scores, 1))
            p = tl.exp2(scores - now[:, None])
            alpha = tl.exp2(high - now)
            total = total * alpha + tl.sum(p, 1)
            values = tl.load(v + at, mask=there[:, None], other=0.0)
            result = tl.dot(p.to(values.dtype), values, result * alpha[:, None])
            high = now
    result = result / total[:, None]
    tl.store(out + place, result.to(out.dtype.element_ty), mask=inside)


def attention(q, k, v, out, frames, patches, offsets, frame_list):
    """All [1, S, H, D], contiguous."""
    heads, head_dim = q.shape[2:]

    def grid(meta):
        return frames * triton.cdiv(patches, meta["ROWS"]), heads

    _kernel[grid](q, k, v, out, offsets, frame_list, head_dim ** -0.5 * 1.4426950408889634, frames,
                  patches, q.stride(1), k.stride(1), heads // k.shape[2], D=head_dim)
