"""Tensors and maps for benchmarks of block-sparse attention, made from published rules without the
code under test, and the result due for sampled rows."""
import math

import torch

import blocks_library
import peers


def normal(tokens, heads, head_dim, device, dtype):
    return torch.randn(1, tokens, heads, head_dim, device=device, dtype=torch.float32).to(dtype)


def smooth(grid, heads, head_dim, device, dtype, peak=8.0, noise=0.5):
    """q and k [1, T * h * w, heads, head_dim] whose scores fall with the distance on the grid, as
    those of a video do: random Fourier features of a Gaussian in (t, h, w) (Rahimi and Recht 2007),
    so that scale * q.k is about peak * exp(-|distance|^2 / 2). Heads differ in their widths (some
    long in time, some wide in space); noise and a mean of all keys are added."""
    axes = [torch.arange(n, dtype=torch.float32) for n in grid]
    places = torch.cartesian_prod(*axes).to(device)
    amplitude = (peak * 2 * head_dim ** -0.5) ** 0.5
    shape = (1, len(places), heads, head_dim)
    q, k = (torch.empty(shape, device=device, dtype=dtype) for _ in range(2))
    for head in range(heads):
        widths = torch.tensor([(1.0, 8.0, 3.0)[head % 3]] + [(6.0, 2.0, 12.0)[head % 3]] * 2,
                              device=device)
        phases = places @ (torch.randn(3, head_dim // 2, device=device) / widths[:, None])
        features = amplitude * torch.cat([phases.cos(), phases.sin()], 1)
        mean = torch.randn(head_dim, device=device)
        q[0, :, head] = (features + noise * torch.randn_like(features)).to(dtype)
        k[0, :, head] = (features + noise * torch.randn_like(features) + mean).to(dtype)
    return q, k


def begins(tokens, block):
    return list(range(0, tokens, block)) + [tokens]


def frame_begins(frames, patches, text, block):
    """Blocks that end where a frame ends."""
    ends = [f * patches for f in range(1, frames + 1)] + ([frames * patches + text] if text else [])
    found, at = [0], 0
    for end in ends:
        found += list(range(at + block, end, block)) + [end]
        at = end
    return found


def csr(kept):
    """indptr, indices of a bool [rows, columns]."""
    indptr = torch.zeros(len(kept) + 1, dtype=torch.int64)
    indptr[1:] = kept.sum(1).cumsum(0).cpu()
    return indptr, kept.nonzero()[:, 1]


def _pack(mask, words):
    """bool [rows, keys] as int64 [rows, words]."""
    padded = torch.zeros(len(mask), words * 64, dtype=torch.bool)
    padded[:, :mask.shape[1]] = mask
    bits = torch.bitwise_left_shift(torch.ones(64, dtype=torch.int64), torch.arange(64))
    return (padded.view(len(mask), words, 64) * bits).sum(-1)


def allowed_groups(rows, text):
    """bool [groups, groups] of a pattern of frames, the text being the last group."""
    groups = len(rows) + (text > 0)
    allowed = torch.zeros(groups, groups, dtype=torch.bool)
    for f, row in enumerate(rows):
        allowed[f, row] = True
    if text:
        allowed[-1, :] = allowed[:, -1] = True
    return allowed


def group_of_token(frames, patches, text):
    group = torch.arange(frames).repeat_interleave(patches)
    return torch.cat([group, torch.full((text,), frames)])


class _Axis:
    """Blocks of a sequence of groups: which groups each holds, and how many tokens of each."""

    def __init__(self, ends, group):
        self.begins = ends
        cut = [group[a:b] for a, b in zip(ends, ends[1:])]
        self.low = torch.stack([g[0] for g in cut])
        self.high = torch.stack([g[-1] for g in cut]) + 1
        self.parts = [tuple(g.bincount()[g[0]:].tolist()) for g in cut]


def _masks(rows, columns, allowed, block, entries):
    """entries: (number, row block, column block) whose pairs count in part. Gives the number of the
    mask of each, and the masks: a mask is decided by the tokens of each group and by which groups
    see which."""
    words, bits, number, of_entry = -(-block[1] // 64), [], {}, {}
    seen_of = allowed.tolist()
    bounds = [list(zip(a.low.tolist(), a.high.tolist())) for a in (rows, columns)]
    for entry, r, c in entries:
        (top, bottom), (left, right) = bounds[0][r], bounds[1][c]
        seen = tuple(tuple(line[left:right]) for line in seen_of[top:bottom])
        key = (rows.parts[r], columns.parts[c], seen)
        if key not in number:
            number[key] = len(bits)
            mask = torch.tensor(seen).repeat_interleave(torch.tensor(rows.parts[r]), 0)
            mask = mask.repeat_interleave(torch.tensor(columns.parts[c]), 1)
            bits.append(torch.zeros(block[0], words, dtype=torch.int64))
            bits[-1][:len(mask)] = _pack(mask, words)
        of_entry[entry] = number[key]
    return of_entry, bits


def frame_maps(frame_rows, patches, text, heads, block, aligned=False):
    """Maps of a pattern of frames. aligned: blocks end with their frame, which needs no masks;
    otherwise they go through the sequence and masks cut those on the border of two frames."""
    frames = len(frame_rows)
    allowed = allowed_groups(frame_rows, text)
    group = group_of_token(frames, patches, text)
    rows, columns = (_Axis(frame_begins(frames, patches, text, b) if aligned
                           else begins(len(group), b), group) for b in block)
    # Allowed pairs of groups in a rectangle, by sums over the whole matrix.
    total = torch.zeros(len(allowed) + 1, len(allowed) + 1, dtype=torch.int64)
    total[1:, 1:] = allowed.long().cumsum(0).cumsum(1)
    count = (total[rows.high][:, columns.high] - total[rows.low][:, columns.high]
             - total[rows.high][:, columns.low] + total[rows.low][:, columns.low])
    area = (rows.high - rows.low)[:, None] * (columns.high - columns.low)[None, :]
    kept = count > 0
    indptr, indices = csr(kept)
    places = kept.nonzero()
    partial = (count < area)[kept].nonzero()[:, 0]
    of_entry, bits = _masks(rows, columns, allowed, block,
                            [(e, *places[e].tolist()) for e in partial.tolist()])
    entry_mask = torch.full((len(indices),), -1, dtype=torch.int32)
    if bits:
        entry_mask[list(of_entry)] = torch.tensor(list(of_entry.values()), dtype=torch.int32)
    return blocks_library.Maps(block, rows.begins, columns.begins,
                               [(indptr, indices, entry_mask if bits else None)], [0] * heads,
                               mask_bits=torch.stack(bits) if bits else None)


def computed_pairs(maps):
    """Pairs within the kept blocks of the first map."""
    rows, columns = maps.row_begin.diff(), maps.column_begin.diff()
    indptr, indices, _ = maps.maps[0]
    of_row = columns[indices.long()].cumsum(0)
    sums = torch.cat([torch.zeros(1, dtype=torch.int64), of_row])[indptr.long()].diff()
    return int((sums * rows).sum())


def random_maps(tokens, heads, block, density, **more):
    """One map for all heads: in each row of blocks the same number of columns, drawn at random."""
    axes = [begins(tokens, b) for b in block]
    rows, columns = (len(a) - 1 for a in axes)
    count = max(1, round(density * columns))
    chosen = torch.rand(rows, columns).argsort(1)[:, :count]
    kept = torch.zeros(rows, columns, dtype=torch.bool).scatter_(1, chosen, True)
    return blocks_library.Maps(block, axes[0], axes[1], [csr(kept) + (None,)], [0] * heads,
                               **more), kept


def sparge_topk(q, k, block, topk, simthreshd1=-0.1):
    """The published rule for one head, q and k [S, D] in fp64: bool [rows, columns]. Sums are not
    in the order of docs/patterns/sparge.md, so that near ties may fall otherwise."""
    dtype, head_dim = q.dtype, q.shape[1]
    centred = (k.double() - k.double().mean(0)).to(dtype)

    def pooled(x, size):
        parts = x.double().split(size)
        mean = torch.stack([p.mean(0) for p in parts]).to(dtype).double()
        unit = [p / p.norm(dim=1, keepdim=True) for p in parts]
        likeness = torch.stack([u.sum(0).square().sum() / len(u) ** 2 for u in unit])
        alike = likeness > simthreshd1  # false where a row is 0
        if len(parts[-1]) < size:
            alike[-1] = False
        return mean, alike
    (mean_q, alike_q), (mean_k, alike_k) = pooled(q, block[0]), pooled(centred, block[1])
    scores = (mean_q @ mean_k.T) * head_dim ** -0.5
    scores[:, ~alike_k] = -math.inf
    count = max(1, int(torch.tensor(topk, dtype=torch.float32) * len(mean_k)))
    best = scores.argsort(dim=1, descending=True, stable=True)[:, :count]
    kept = torch.zeros_like(scores, dtype=torch.bool).scatter_(1, best, True)
    return kept | ~alike_k[None, :] | ~alike_q[:, None]


def due_rows(q, k, v, rows, head, visible):
    """fp64 attention of the given query tokens; visible: bool [rows, S]."""
    group = head // (q.shape[2] // k.shape[2])
    scores = q[0, rows, head].double() @ k[0, :, group].double().T * q.shape[3] ** -0.5
    scores = scores.masked_fill(~visible, -math.inf)
    return torch.softmax(scores, -1) @ v[0, :, group].double()


def relative_error(out, due):
    """Frobenius; NaN where something is not finite."""
    if not bool(torch.isfinite(out).all()):
        return math.nan
    return ((out.double() - due).square().sum() / due.square().sum()).sqrt().item()


# More of peers.GEOMETRIES: latent frames, patches per frame, heads, kv heads, head size, text,
# reference frames.
GEOMETRIES = dict(peers.GEOMETRIES, **{
    "wan1.3b-T21": (21, 1560, 12, 12, 128, 0, 21),
    "wan1.3b-T61": (61, 1560, 12, 12, 128, 0, 21),
    "hunyuan-T33": (33, 1560, 16, 16, 128, 0, 33),
    "small": (13, 100, 2, 2, 64, 40, 9),
})


def lvsa_frames(name):
    """The frames that each latent frame of a geometry attends."""
    frames, reference = GEOMETRIES[name][0], GEOMETRIES[name][-1]
    return peers.frame_lists(frames, peers.keyframe_interval(frames, reference))
