"""FlexAttention of PyTorch over the same block maps."""
import torch

_COMPILED = []


def _compiled(flex_attention):
    """One for all maps, which are its inputs; compiled anew for each shape and block size."""
    if not _COMPILED:
        torch._dynamo.config.recompile_limit = 64
        _COMPILED.append(torch.compile(flex_attention, dynamic=False))
    return _COMPILED[0]


def make(q, k, v, out, kept, block, compiled=True):
    """kept: bool [B, H, row blocks, column blocks]; all pairs of a kept block count. The returned
    run keeps its result, which its attribute `after` writes to out."""
    from torch.nn.attention.flex_attention import BlockMask, flex_attention
    count = kept.sum(-1).to(torch.int32)
    # Kept columns first, in their order.
    indices = (~kept).to(torch.int8).argsort(dim=-1, stable=True).to(torch.int32)
    none = torch.zeros_like(count)

    def by_element(b, h, i, j):
        return kept[b, h, i // block[0], j // block[1]]
    # Whole blocks need no rule for elements, but without a compiler nothing else is looked at.
    mask = BlockMask.from_kv_blocks(none, torch.zeros_like(indices), count, indices,
                                    BLOCK_SIZE=block, seq_lengths=(q.shape[1], k.shape[1]),
                                    mask_mod=None if compiled else by_element)
    views = [x.transpose(1, 2) for x in (q, k, v)]
    call, options = flex_attention, {}
    if compiled:
        call = _compiled(flex_attention)
        options = {"kernel_options": {"BLOCK_M": min(128, block[0]), "BLOCK_N": min(64, block[1])}}

    def run():
        run.result = call(*views, block_mask=mask, enable_gqa=q.shape[2] != k.shape[2], **options)
    run.after = lambda: out.copy_(run.result.transpose(1, 2))
    return run
