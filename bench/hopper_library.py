"""liblvsa_cuda.so on PyTorch tensors, through ctypes (cuda/launch/hopper_plan.h)."""
import ctypes

import torch

_I64 = ctypes.c_int64
_DTYPES = {torch.float16: 3, torch.bfloat16: 4, torch.float8_e4m3fn: 5}


class _Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("strides", _I64 * 4)]


class _HostLists(ctypes.Structure):
    _fields_ = [("offsets", ctypes.c_void_p), ("list", ctypes.c_void_p)]


class _BlockCsr(ctypes.Structure):
    _fields_ = [("block_rows", _I64), ("block_cols", _I64), ("rows", _I64),
                ("indptr", ctypes.c_void_p), ("indices", ctypes.c_void_p)]


class _Problem(ctypes.Structure):
    """lvsa_problem of core/kernel/lvsa_kernel.h, ABI version 1."""
    _fields_ = (
        [("struct_size", ctypes.c_size_t)]
        + [(name, _I64) for name in ("batch", "frames", "patches_per_frame", "text_tokens", "heads",
                                     "kv_heads", "head_dim")]
        + [("scale", ctypes.c_double)]
        + [(name, ctypes.c_int) for name in ("dtype", "out_dtype", "memory", "p_dtype")]
        + [("threads", ctypes.c_int32)]
        + [(name, _Tensor) for name in ("q", "k", "v", "out")]
        + [("lse", ctypes.c_void_p), ("lse_strides", _I64 * 3), ("frame_lists", _HostLists),
           ("block_csr", _BlockCsr), ("wanted_tokens", ctypes.c_void_p), ("wanted_count", _I64),
           ("q_scale", ctypes.c_void_p), ("k_scale", ctypes.c_void_p),
           ("v_scale", ctypes.c_void_p)])


class _DeviceLists(ctypes.Structure):
    _fields_ = [("offsets", ctypes.c_void_p), ("offsets_64", ctypes.c_int32),
                ("list", ctypes.c_void_p)]


def load(path):
    library = ctypes.CDLL(path)
    library.lvsa_hopper_scratch_bytes.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_size_t]
    library.lvsa_hopper_plan_create.argtypes = [ctypes.c_void_p] * 5 + [ctypes.c_size_t]
    library.lvsa_frame_mass_scratch_bytes.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_size_t]
    library.lvsa_frame_mass.argtypes = [ctypes.c_void_p] * 6 + [ctypes.c_size_t]
    library.lvsa_hopper_plan_run.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_size_t]
    library.lvsa_hopper_plan_destroy.argtypes = [ctypes.c_void_p]
    library.lvsa_hopper_plan_destroy.restype = None
    return library


def _problem(frames, patches, text, tensors):
    """The lvsa_problem of [B, S, H, D] views by name."""
    batch, tokens, heads, head_dim = tensors["q"].shape
    if tokens != frames * patches + text:
        raise ValueError(f"{tokens} tokens are not {frames} x {patches} + {text}")
    out = tensors.get("out", tensors["q"])
    problem = _Problem(struct_size=ctypes.sizeof(_Problem), batch=batch, frames=frames,
                       patches_per_frame=patches, text_tokens=text, heads=heads,
                       kv_heads=tensors["k"].shape[2], head_dim=head_dim, scale=head_dim ** -0.5,
                       dtype=_DTYPES[tensors["q"].dtype], out_dtype=_DTYPES[out.dtype], memory=1)
    for name, tensor in tensors.items():
        field = getattr(problem, name)
        field.data = tensor.data_ptr()
        field.strides[:] = tensor.stride()
    return problem


class Plan:
    """Attention of q, k, v into out, all [B, S, H, D] views with any strides of head and token;
    offsets (int32 or int64) and frames (int32) are the pattern, lse [B, S, H] float32 or None;
    scales are those of q, k, v, each [B, heads] float32, or None."""

    def __init__(self, library, q, k, v, out, frames, patches, text, offsets, frame_list, lse=None,
                 scales=None):
        problem = _problem(frames, patches, text, {"q": q, "k": k, "v": v, "out": out})
        if lse is not None:
            problem.lse = lse.data_ptr()
            problem.lse_strides[:] = lse.stride()
        for name, scale in zip(("q_scale", "k_scale", "v_scale"), scales or ()):
            setattr(problem, name, scale.data_ptr())
        lists = _DeviceLists(offsets.data_ptr(), int(offsets.dtype == torch.int64),
                             frame_list.data_ptr())
        self._library = library
        self._handle = ctypes.c_void_p()
        self._message = ctypes.create_string_buffer(256)
        size = ctypes.c_size_t()
        self._check(library.lvsa_hopper_scratch_bytes(ctypes.byref(problem), ctypes.byref(size),
                                                      self._message, len(self._message)))
        self._scratch = torch.empty(size.value, dtype=torch.uint8, device=q.device)
        self._kept = (q, k, v, out, offsets, frame_list, lse, scales)
        self._check(library.lvsa_hopper_plan_create(
            ctypes.byref(problem), ctypes.byref(lists), self._scratch.data_ptr(),
            ctypes.byref(self._handle), self._message, len(self._message)))

    def _check(self, status):
        if status != 0:
            raise RuntimeError(f"status {status}: {self._message.value.decode()}")

    def run(self):
        stream = torch.cuda.current_stream().cuda_stream
        self._check(self._library.lvsa_hopper_plan_run(self._handle, stream, self._message,
                                                       len(self._message)))

    def __del__(self):
        if getattr(self, "_handle", None):
            self._library.lvsa_hopper_plan_destroy(self._handle)


class FrameMass:
    """Softmax mass of each frame's queries on each frame's keys, dense attention: run() fills
    `mass`, [B, H, G, G] float32, G the frames and one more for the text."""

    def __init__(self, library, q, k, frames, patches, text):
        self._library = library
        self._kept = (q, k)
        self._problem = _problem(frames, patches, text, {"q": q, "k": k})
        self._message = ctypes.create_string_buffer(256)
        size = ctypes.c_size_t()
        self._check(library.lvsa_frame_mass_scratch_bytes(
            ctypes.byref(self._problem), ctypes.byref(size), self._message, len(self._message)))
        groups = frames + (text > 0)
        self._scratch = torch.empty(size.value, dtype=torch.uint8, device=q.device)
        self.mass = torch.empty(q.shape[0], q.shape[2], groups, groups, device=q.device)

    def _check(self, status):
        if status != 0:
            raise RuntimeError(f"status {status}: {self._message.value.decode()}")

    def run(self):
        stream = torch.cuda.current_stream().cuda_stream
        self._check(self._library.lvsa_frame_mass(
            ctypes.byref(self._problem), None, self.mass.data_ptr(), self._scratch.data_ptr(),
            stream, self._message, len(self._message)))
