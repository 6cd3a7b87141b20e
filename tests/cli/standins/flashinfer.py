"""A stand-in with the interface and the manners of FlashInfer's block-sparse wrappers, for tests without a GPU. Written
from its documentation. STANDIN in the environment: `natural` gives the log-sum-exp in base e, `finite` a finite one for
rows without keys, `strict` refuses a column N/C, `crash` ends the process on it, `float16` and `masks` ignore
o_data_type and masks."""
import os

import torch

__version__ = "stand-in"
_MANNER = os.environ.get("STANDIN", "")


def _attend(q, k, v, counts, scale, out_dtype):
    """q [M, H, D], k and v [N, Hkv, D], counts [H, M, N]: how often a pair counts; log-sum-exp in base 2."""
    k, v = (x.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for x in (k, v))
    s = scale * torch.einsum("mhd,nhd->hmn", q.double(), k.double()) + torch.log(counts.double())
    s = torch.where(counts > 0, s, torch.full_like(s, -torch.inf))  # NaN of keys that nobody attends
    lse = torch.logsumexp(s, dim=-1)
    empty = torch.isneginf(lse)
    p = torch.exp(s - torch.where(empty, torch.zeros_like(lse), lse)[..., None])
    v = torch.where((counts > 0).any(dim=(0, 1))[:, None, None], v.double(), torch.zeros_like(v.double()))
    out = torch.einsum("hmn,nhd->mhd", p, v).to(out_dtype)
    lse = lse if _MANNER == "natural" else lse / torch.log(torch.tensor(2.0).double())
    if _MANNER == "finite":
        lse = torch.where(empty, torch.full_like(lse, -5e4), lse)
    return out, lse.T.float().contiguous()


class BlockSparseAttentionWrapper:
    def __init__(self, float_workspace_buffer, backend="auto"):
        self.device, self._backend = float_workspace_buffer.device, backend

    def plan(self, indptr, indices, M, N, R, C, num_qo_heads, num_kv_heads, head_dim, mask=None, packed_mask=None,
             causal=False, pos_encoding_mode="NONE", use_fp16_qk_reduction=False, logits_soft_cap=None, sm_scale=None,
             rope_scale=None, rope_theta=None, q_data_type="float16", kv_data_type=None, o_data_type="float16",
             non_blocking=True):
        def typed(name):
            return getattr(torch, name) if isinstance(name, str) else name

        past = indices.max().item() * C - N  # no columns: the error of max()
        if past > 0 or (past == 0 and _MANNER == "strict"):
            raise ValueError("indices out of bound")
        if past == 0 and _MANNER == "crash":
            os.abort()
        if self._backend == "auto":
            self._backend = "fa3" if mask is None else "fa2"
        self.indptr, self.indices, self.mask = indptr.tolist(), indices.tolist(), mask
        self.M, self.R, self.C = M, R, C
        self.scale = sm_scale if sm_scale is not None else head_dim ** -0.5
        self.q_dtype, self.out_dtype = typed(q_data_type), typed("float16" if _MANNER == "float16" else o_data_type)

    def run(self, q, k, v, out=None, lse=None, return_lse=False):
        if len(k) % self.C:
            raise RuntimeError(f"shape '[-1, {self.C}]' is invalid for {len(k)} keys")
        if q.dtype != self.q_dtype:  # kernels take bits for what they were planned for
            q, k, v = (x.view(self.q_dtype) for x in (q, k, v))
        store = len(k) + self.C  # memory behind K, which the caller has to own
        keys, values = (torch.as_strided(x, (store, *x.shape[1:]), x.stride()) if self._past(len(k)) else x
                        for x in (k, v))
        counts = torch.zeros(self.M, len(keys), dtype=torch.float64)
        for row in range(len(self.indptr) - 1):
            rows = slice(row * self.R, min((row + 1) * self.R, self.M))
            for entry in range(self.indptr[row], self.indptr[row + 1]):
                columns = slice(self.indices[entry] * self.C, (self.indices[entry] + 1) * self.C)
                counts[rows, columns] += self._pairs(entry, rows)
        result = _attend(q[:self.M], keys, values, counts.expand(q.shape[1], -1, -1), self.scale, self.out_dtype)
        if out is not None:
            out[:self.M] = result[0]
            result = out, result[1]
        return result if return_lse else result[0]

    def _past(self, keys):
        return max(self.indices, default=0) * self.C >= keys

    def _pairs(self, entry, rows):
        if self.mask is None or self._backend == "fa3" or _MANNER == "masks":
            return 1.0
        return self.mask[entry][:rows.stop - rows.start].double()


class VariableBlockSparseAttentionWrapper:
    def __init__(self, float_workspace_buffer, backend="auto"):
        self.device = float_workspace_buffer.device

    def plan(self, block_mask_map, block_row_sz, block_col_sz, num_qo_heads, num_kv_heads, head_dim, causal=False,
             pos_encoding_mode="NONE", use_fp16_qk_reduction=False, logits_soft_cap=None, sm_scale=None, rope_scale=None,
             rope_theta=None, non_blocking=True, q_data_type="float16", kv_data_type=None):
        self.scale, self.dtype = sm_scale, q_data_type
        self.counts = torch.stack([
            kept.double().repeat_interleave(rows.long(), 0).repeat_interleave(columns.long(), 1)
            for kept, rows, columns in zip(block_mask_map, block_row_sz, block_col_sz)])

    def run(self, q, k, v, out=None, lse=None, return_lse=False):
        q, k, v = (x.transpose(0, 1) for x in (q, k, v))
        counts = self.counts.repeat_interleave(q.shape[1] // k.shape[1], 0)
        out, lse = _attend(q, k, v, counts, self.scale, self.dtype)
        out, lse = out.transpose(0, 1).contiguous(), lse.T.contiguous()
        return (out, lse) if return_lse else out
