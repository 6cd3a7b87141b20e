"""FlexAttention of PyTorch over the same block maps."""
import torch


def make(q, k, v, out, kept, block, compiled=True):
    """kept: bool [B, H, row blocks, column blocks]; all pairs of a kept block count. The returned
    run keeps its result, which its attribute `after` writes to out."""
    from torch.nn.attention.flex_attention import BlockMask, flex_attention
    count = kept.sum(-1).to(torch.int32)
    # Kept columns first, in their order.
    indices = (~kept).to(torch.int8).argsort(dim=-1, stable=True).to(torch.int32)
    none = torch.zeros_like(count)
    mask = BlockMask.from_kv_blocks(none, torch.zeros_like(indices), count, indices,
                                    BLOCK_SIZE=block, seq_lengths=(q.shape[1], k.shape[1]))
    views = [x.transpose(1, 2) for x in (q, k, v)]
    call, options = flex_attention, {}
    if compiled:
        torch._dynamo.reset()
        call = torch.compile(flex_attention, dynamic=False)
        options = {"kernel_options": {"BLOCK_M": min(128, block[0]), "BLOCK_N": min(64, block[1])}}

    def run():
        run.result = call(*views, block_mask=mask, enable_gqa=q.shape[2] != k.shape[2], **options)
    run.after = lambda: out.copy_(run.result.transpose(1, 2))
    return run
