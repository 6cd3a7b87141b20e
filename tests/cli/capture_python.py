"""Tests of python/lvsa_capture.py on small models; run by capture_python.sh."""
import os
import sys
import types
import unittest
import warnings

import h5py
import numpy as np
import torch
import torch.nn.functional as F

import lvsa_capture

T, P, HEADS, KEY_HEADS, DIM = 4, 18, 4, 2, 16


class Block(torch.nn.Module):
    """Self-attention over the video, then cross-attention to a text."""

    def __init__(self):
        super().__init__()
        self.to_qkv = torch.nn.Linear(32, (HEADS + 2 * KEY_HEADS) * DIM)
        self.to_out = torch.nn.Linear(HEADS * DIM, 32)

    def forward(self, x):
        qkv = self.to_qkv(x).unflatten(-1, (-1, DIM)).transpose(1, 2)
        q, k, v = qkv.split((HEADS, KEY_HEADS, KEY_HEADS), dim=1)
        out = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
        out = out + F.scaled_dot_product_attention(q, k[:, :, :7], v[:, :, :7], enable_gqa=True)
        return x + self.to_out(out.transpose(1, 2).flatten(2))


class Model(torch.nn.Module):
    """Takes latents [B, C, frames, height, width] as diffusers' video transformers do."""

    def __init__(self, blocks=3):
        super().__init__()
        self.config = types.SimpleNamespace(patch_size=(1, 2, 2))
        self.blocks = torch.nn.ModuleList(Block() for _ in range(blocks))

    def forward(self, hidden_states, timestep):
        x = hidden_states.unflatten(3, (-1, 2)).unflatten(5, (-1, 2)).permute(0, 2, 3, 5, 1, 4, 6).flatten(4).flatten(1, 3)
        for block in self.blocks:
            x = block(x)
        return x


def latents():
    return torch.randn(1, 8, T, 7, 13)[:, :, :, :6, :12]  # 3 x 6 patches


def run(model, steps=3):
    for step in range(steps):
        for _guidance in range(2):
            model(latents(), timestep=torch.tensor([900.0 - 100 * step]))


class Capture(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.sdpa = F.scaled_dot_product_attention
        for name in os.listdir("."):
            if name.endswith(".h5"):
                os.unlink(name)

    def tearDown(self):
        self.assertIs(F.scaled_dot_product_attention, self.sdpa)
        self.assertEqual([name for name in os.listdir(".") if name.endswith(".tmp")], [])

    def test_passes_steps_and_layers_are_counted_and_chosen(self):
        with torch.no_grad(), lvsa_capture.record("run.h5", (model := Model()), layers=[0, 2], steps=[1, 2]):
            run(model)
        with h5py.File("run.h5") as file:
            self.assertEqual(sorted(file), ["layer0", "layer2"])
            self.assertEqual(sorted(file["layer2"]), ["step1", "step2"])
            self.assertEqual(sorted(file["layer2/step1"]), ["pass0", "pass1"])
            call = file["layer2/step1/pass1"]
            said = {name: int(call.attrs[name]) for name in ("T", "P", "text_tokens", "layer", "step", "pass", "seq_len")}
            self.assertEqual(said, {"T": T, "P": P, "text_tokens": 0, "layer": 2, "step": 1, "pass": 1, "seq_len": T * P})
            self.assertEqual(file.attrs["ended"], "complete")
            self.assertEqual(call["q"].shape, (1, T * P, HEADS, DIM))
            self.assertEqual(call["k"].shape, (1, T * P, KEY_HEADS, DIM))
            self.assertEqual(call["q"].compression, "gzip")

    def test_values_are_those_of_the_call(self):
        q, k, v = (torch.randn(2, heads, 80, DIM) for heads in (HEADS, KEY_HEADS, KEY_HEADS))
        for dtype, read in ((torch.float32, lambda x: x), (torch.float16, lambda x: x),
                            (torch.bfloat16, lambda x: (x.astype(np.uint32) << 16).view(np.float32))):
            with lvsa_capture.record("one.h5", frames=4, heads=[1, 3]):
                out = F.scaled_dot_product_attention(q.to(dtype), k.to(dtype), v.to(dtype), enable_gqa=True)
            with h5py.File("one.h5") as file:
                call = file["layer0/step0/pass0"]
                for name, x, heads in (("q", q, [1, 3]), ("k", k, [0, 1]), ("v", v, [0, 1]), ("out", out, [1, 3])):
                    due = x.to(dtype).transpose(1, 2)[:, :, heads].float().numpy()
                    np.testing.assert_array_equal(read(call[name][()]), due, name)
                self.assertEqual(call.attrs["heads"], "1,3")
                self.assertEqual(call["q"].attrs.get("dtype"), "bf16" if dtype == torch.bfloat16 else None)

    def test_what_is_no_plain_self_attention_is_left_out_and_counted(self):
        q = torch.randn(1, 2, 80, DIM)
        with lvsa_capture.record("one.h5", frames=4) as recorder:
            F.scaled_dot_product_attention(q, q, q, is_causal=True)
            F.scaled_dot_product_attention(q, q, q, torch.ones(80, 80, dtype=torch.bool))
            F.scaled_dot_product_attention(q, q, q, scale=0.5)
            F.scaled_dot_product_attention(q, q[:, :, :70], q[:, :, :70])
            F.scaled_dot_product_attention(q, q, q, scale=DIM**-0.5)
        self.assertEqual(dict(recorder.skipped),
                         {"masked": 2, "scale 0.5": 1, "cross-attention or few tokens": 1})
        with h5py.File("one.h5") as file:
            self.assertEqual(list(file), ["layer3"])

    def test_an_exception_keeps_the_calls_before_it(self):
        model = Model()
        with self.assertRaises(KeyboardInterrupt), lvsa_capture.record("run.h5", model):
            run(model, steps=1)
            raise KeyboardInterrupt
        with h5py.File("run.h5") as file:
            self.assertEqual((file.attrs["ended"], int(file.attrs["calls"])), ("KeyboardInterrupt", 6))

    def test_nothing_recorded_is_an_error_and_leaves_the_old_file(self):
        with open("run.h5", "w", encoding="utf-8") as file:
            file.write("old")
        with self.assertRaisesRegex(ValueError, "step 2 with 3 self-attention layers"):
            with lvsa_capture.record("run.h5", (model := Model()), layers=[7]):
                run(model)
        with open("run.h5", encoding="utf-8") as file:
            self.assertEqual(file.read(), "old")

    def test_no_more_than_max_bytes(self):
        size = T * P * DIM * (2 * HEADS + 2 * KEY_HEADS) * 4
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            with lvsa_capture.record("run.h5", (model := Model()), max_bytes=2 * size + 1):
                run(model, steps=1)
        self.assertIn("4 calls left out", str(said[0].message))
        with h5py.File("run.h5") as file:
            self.assertEqual(int(file.attrs["calls"]), 2)

    def test_dispatch_is_wrapped_wherever_it_was_imported_and_recorded_once(self):
        def dispatch_attention_fn(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None):
            turned = (x.transpose(1, 2) for x in (query, key, value))
            return F.scaled_dot_product_attention(*turned, scale=scale).transpose(1, 2)
        home, user = (types.ModuleType(name) for name in ("diffusers.models.attention_dispatch", "some_transformer"))
        home.dispatch_attention_fn = user.dispatch_attention_fn = dispatch_attention_fn
        sys.modules |= {home.__name__: home, user.__name__: user}
        try:
            q = torch.randn(1, 80, 2, DIM)
            with lvsa_capture.record("one.h5", patches=20, out=False):
                user.dispatch_attention_fn(query=q, key=q, value=q)
                home.dispatch_attention_fn(q, q, q, None, 0.0, True)
        finally:
            del sys.modules[home.__name__], sys.modules[user.__name__]
        self.assertIs(user.dispatch_attention_fn, dispatch_attention_fn)
        with h5py.File("one.h5") as file:
            call = file["layer0/step0/pass0"]
            np.testing.assert_array_equal(call["q"][()], q.numpy())
            self.assertEqual((sorted(call), int(call.attrs["T"])), (["k", "q", "v"], 4))
            self.assertIn("masked", file.attrs["skipped"])

    def test_implementations_are_wrapped_by_class(self):
        class Base:
            softmax_scale, causal = DIM**-0.5, False

            def forward(self, query, key, value, attn_metadata=None):
                turned = (x.transpose(1, 2) for x in (query, key, value))
                return F.scaled_dot_product_attention(*turned).transpose(1, 2)

        class Impl(Base):
            pass
        q = torch.randn(1, 80, 2, DIM)
        with lvsa_capture.record("one.h5", frames=4, impls=[Impl]) as recorder:
            for step in (3, 3, 9):
                recorder.forward(step=step)
                Impl().forward(q, q, q, types.SimpleNamespace(attn_mask=None))
                Impl().forward(q, q, q, attn_metadata=types.SimpleNamespace(attn_mask=q))
        self.assertNotIn("forward", vars(Impl))
        with h5py.File("one.h5") as file:
            self.assertEqual(sorted(file["layer0"]), ["step3", "step9"])
            self.assertEqual(sorted(file["layer0/step3"]), ["pass0", "pass1"])
            np.testing.assert_array_equal(file["layer0/step9/pass0/v"][()], q.numpy())

    def test_bad_arguments_are_named(self):
        for kind, more in ((ValueError, {"layers": [-1]}), (ValueError, {"steps": 3}), (ValueError, {"heads": []}),
                           (TypeError, {"model": "wan"}), (TypeError, {"impls": [3]})):
            with self.assertRaisesRegex(kind, next(iter(more))), lvsa_capture.record("x.h5", **more):
                pass
        q = torch.randn(1, 2, 80, DIM)
        with self.assertRaisesRegex(ValueError, "layer 0 has 2 heads"), lvsa_capture.record("x.h5", heads=[2]):
            F.scaled_dot_product_attention(q, q, q)
        with self.assertRaisesRegex(ValueError, "is there already"), lvsa_capture.record("x.h5") as recorder:
            for _ in range(2):
                F.scaled_dot_product_attention(q, q, q)
                recorder.layer = 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    with torch.no_grad():
        unittest.main()
