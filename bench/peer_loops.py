"""Two of the peers of peers.py: the plain per-frame loop, and FlashInfer. Each takes a peers.Case and
gives a function to time; what it computed is in case.out after its attribute `after`."""
import torch
import torch.nn.functional as functional
from torch.nn.attention import SDPBackend, sdpa_kernel


def frames_loop(case):
    """The per-frame loop as one writes it down: for each query frame choose the key frames."""
    def frames_of(x):
        video = x[:, :case.video].transpose(1, 2)
        return video.unflatten(2, (case.frames, case.patches)).contiguous()
    q, k, v = (frames_of(x) for x in (case.q, case.k, case.v))
    text = [x[:, case.video:].transpose(1, 2) for x in (case.q, case.k, case.v)]
    rows = [torch.tensor(row, device="cuda") for row in case.rows]

    def run():
        outputs = []
        with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
            for f, row in enumerate(rows):
                keys, values = (x.index_select(2, row).flatten(2, 3) for x in (k, v))
                if case.text:
                    keys, values = (torch.cat(pair, 2) for pair in
                                    ((keys, text[1]), (values, text[2])))
                outputs.append(functional.scaled_dot_product_attention(
                    q[:, :, f], keys, values, **case.gqa))
            if case.text:
                keys, values = (torch.cat((x.flatten(2, 3), t), 2) for x, t in
                                ((k, text[1]), (v, text[2])))
                outputs.append(functional.scaled_dot_product_attention(
                    text[0], keys, values, **case.gqa))
        case.result = torch.cat(outputs, 2)
    run.after = lambda: case.out.copy_(case.result.transpose(1, 2))
    return run


def flashinfer(case):
    """Blocks of one frame by one frame, as the published block rows have them; video only."""
    import flashinfer
    wrapper = flashinfer.BlockSparseAttentionWrapper(
        torch.empty(256 << 20, dtype=torch.uint8, device="cuda"))
    wrapper.plan(case.offsets.int(), case.list, case.video, case.video, case.patches,
                 case.patches, case.heads, case.kv_heads, case.head_dim,
                 q_data_type=torch.bfloat16)

    def run():
        case.result = wrapper.run(case.q[0], case.k[0], case.v[0])
    run.after = lambda: case.out[0].copy_(case.result)
    return run
