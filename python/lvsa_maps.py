"""Block maps of a case of `lvsa-verify export`: which pairs of tokens count, head by head.

Places are what blocks are made of: place i of a head holds token order[i], or token i where the head has no order.
"""
import numpy as np


def check_map(indptr, indices, column_blocks, name="map"):
    """Raises ValueError that names row and column: what a library may accept and then read out of bounds."""
    indptr, indices = np.asarray(indptr, np.int64), np.asarray(indices, np.int64)
    if indptr.size == 0 or indptr[0] != 0 or indptr[-1] != indices.size or (np.diff(indptr) < 0).any():
        raise ValueError(f"{name}: indptr rises from 0 to {indices.size}, the number of columns; got {indptr.tolist()}")
    for row in range(indptr.size - 1):
        columns = indices[indptr[row]:indptr[row + 1]]
        bad = columns[(columns < 0) | (columns >= column_blocks)]
        if bad.size:
            raise ValueError(f"{name}: row {row}: column {bad[0]}; 0 .. {column_blocks - 1} is due")
        fall = np.flatnonzero(np.diff(columns) <= 0)
        if fall.size:
            raise ValueError(f"{name}: row {row}: column {columns[fall[0] + 1]} behind {columns[fall[0]]}; ascending "
                             "columns, each once, are due")


class BlockPattern:
    """Geometry and maps of one case. Arrays are numpy's."""

    def __init__(self, group):
        for name in ("T", "P", "text_tokens", "B", "H", "Hkv", "D", "block_rows", "block_columns"):
            setattr(self, name, int(group.attrs[name]))
        self.scale, self.case = float(group.attrs["scale"]), group.attrs["case"]
        self.p_asked = group.attrs.get("p_asked")  # type P shall be rounded to, if the case asks
        self.seq_len = self.T * self.P + self.text_tokens
        names = set(group)

        def array(name):
            return np.array(group[name][()]) if name in names else None

        self.row_begin, self.column_begin = array("row_begin"), array("column_begin")
        self.map_of_head, self.indptr = array("map_of_head"), array("indptr")
        begin, indices, entry_mask = array("map_begin"), array("indices"), array("entry_mask")
        self.maps = len(self.indptr)
        parts = [slice(begin[m], begin[m + 1]) for m in range(self.maps)]
        self.indices = [indices[part] for part in parts]  # of each map
        self.entry_mask = [None if entry_mask is None else entry_mask[part] for part in parts]
        self.mask_bits, self.orders, self.order_of_head = (array(n) for n in ("mask_bits", "orders", "order_of_head"))
        self._skip, self._skip_seen = array("skip_threshold_log2"), False
        for m in range(self.maps):
            check_map(self.indptr[m], self.indices[m], self.column_blocks, f"map {m}")

    def __getattr__(self, name):
        if name in ("frames", "keys", "blocks", "offsets", "list", "csr_indptr", "csr_indices"):
            raise NotImplementedError("the function takes lists of frames; this case has block maps")
        raise AttributeError(name)

    @property
    def row_blocks(self):
        return len(self.row_begin) - 1

    @property
    def column_blocks(self):
        return len(self.column_begin) - 1

    def order(self, batch, head):
        """The token at each place, or None: the sequence's own order."""
        number = -1 if self.orders is None else self.order_of_head[batch, head]
        return None if number < 0 else self.orders[number].astype(np.int64)

    def mask(self, number):
        """[block_rows, block_columns] of an element mask."""
        bits = np.unpackbits(self.mask_bits[number], axis=-1, bitorder="little")
        return bits[:, :self.block_columns].astype(bool)

    def has_masks(self, number):
        """Whether a map has an entry of which not all pairs count."""
        return self.entry_mask[number] is not None and bool((self.entry_mask[number] >= 0).any())

    def entries(self, number):
        """(row block, column block, element mask or -1) of a map, row by row."""
        rows = np.repeat(np.arange(self.row_blocks), np.diff(self.indptr[number]))
        masks = self.entry_mask[number]
        return zip(rows, self.indices[number], np.full(len(rows), -1) if masks is None else masks)

    def places(self, number):
        """[S, S]: whether the query at a place attends the key at a place."""
        seen = np.zeros((self.seq_len, self.seq_len), bool)
        for row, column, mask in self.entries(number):
            rows, columns = (slice(at[i], at[i + 1]) for at, i in ((self.row_begin, row), (self.column_begin, column)))
            part = seen[rows, columns]
            part[...] = True if mask < 0 else self.mask(mask)[:part.shape[0], :part.shape[1]]
        return seen

    def tokens(self, batch, head):
        """[S, S]: the same for tokens."""
        seen, order = self.places(self.map_of_head[batch, head]), self.order(batch, head)
        if order is None:
            return seen
        of_tokens = np.empty_like(seen)
        of_tokens[np.ix_(order, order)] = seen
        return of_tokens

    def alike(self):
        """(batch element, heads, map, order or None): heads that share map and order."""
        for batch in range(self.B):
            heads = {}
            for head in range(self.H):
                order = -1 if self.orders is None else int(self.order_of_head[batch, head])
                heads.setdefault((int(self.map_of_head[batch, head]), order), []).append(head)
            for (number, _), group in heads.items():
                yield batch, group, number, self.order(batch, group[0])

    @property
    def skip_threshold_log2(self):
        """[H], infinity: none; or None where no head skips. Who has not asked for it has not skipped."""
        self._skip_seen = True
        return self._skip

    def skip_ignored(self):
        """Whether there is an online skip that nobody has asked for."""
        return self._skip is not None and not self._skip_seen

    def require_no_skip(self):
        """For functions that compute every kept block: refuses what only a function with the skip gets right."""
        if self.skip_threshold_log2 is not None:
            raise NotImplementedError("no online skip: " + skip_text(self._skip))


def skip_text(thresholds):
    least = f"{min(thresholds):g}" if min(thresholds) == max(thresholds) else f"from {min(thresholds):g}"
    return f"the case has skip_threshold_log2 {least}, and a function without it computes all kept blocks"


def skip_blocks(s, pattern, number, threshold):
    """Sets the scores ([S, S], by places, natural units, -inf: not attended) of blocks that the online skip leaves out to
    -inf. Block by block but the last one of a row: out when no row's maximum gains more than -threshold."""
    for row in range(pattern.row_blocks):
        rows = slice(pattern.row_begin[row], pattern.row_begin[row + 1])
        columns = pattern.indices[number][pattern.indptr[number][row]:pattern.indptr[number][row + 1]]
        before = np.full(rows.stop - rows.start, -np.inf)
        for column in columns[:-1]:
            block = s[rows, pattern.column_begin[column]:pattern.column_begin[column + 1]]
            top = block.max(axis=1)
            some = np.isfinite(top)  # rows that attend a pair of the block
            gain = np.max(top[some] - before[some], initial=-np.inf) / np.log(2.0)
            before = np.maximum(before, top)
            if gain + threshold <= 0:
                block[...] = -np.inf


def plain(q, k, v, pattern):
    """The definition over maps, in numpy: head by head in float64."""
    q, k, v = (np.asarray(x.detach().float().cpu() if hasattr(x, "detach") else x, np.float64) for x in (q, k, v))
    out, lse, skip = np.zeros(q.shape), np.full(q.shape[:3], -np.inf), pattern.skip_threshold_log2
    for batch in range(pattern.B):
        for head in range(pattern.H):
            own = head // (pattern.H // pattern.Hkv)
            s = np.where(pattern.tokens(batch, head), pattern.scale * (q[batch, :, head] @ k[batch, :, own].T), -np.inf)
            if skip is not None and np.isfinite(skip[head]):
                order = pattern.order(batch, head)
                at = np.ix_(*[np.arange(pattern.seq_len) if order is None else order] * 2)
                by_places = s[at]
                skip_blocks(by_places, pattern, pattern.map_of_head[batch, head], skip[head])
                s[at] = by_places
            some = np.isfinite(s).any(axis=1)  # a row without keys: out 0, lse -inf
            top = s[some].max(axis=1, keepdims=True)
            p = np.exp(s[some] - top)
            total = p.sum(axis=1, keepdims=True)
            out[batch, some, head] = (p / total) @ v[batch, :, own]
            lse[batch, some, head] = (top + np.log(total))[:, 0]
    return out, lse


def sdpa(q, k, v, pattern):
    """PyTorch's scaled_dot_product_attention with the map as a mask of tokens, head by head."""
    import torch
    pattern.require_no_skip()
    out = torch.zeros_like(q)
    for batch in range(pattern.B):
        for head in range(pattern.H):
            own = head // (pattern.H // pattern.Hkv)
            seen = torch.from_numpy(pattern.tokens(batch, head)).to(q.device)
            result = torch.nn.functional.scaled_dot_product_attention(
                q[batch, :, head], k[batch, :, own], v[batch, :, own], attn_mask=seen, scale=pattern.scale)
            some = seen.any(dim=1)  # what a row without keys gives depends on the release
            out[batch, some, head] = result[some]
    return out
