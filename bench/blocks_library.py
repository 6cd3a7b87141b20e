"""Block-sparse kernels and SpargeAttn's prediction out of a shared library, on PyTorch tensors,
through ctypes (core/blocks/lvsa_blocks.h, cuda/launch/block_plan.h, sparge_attention.h)."""
import ctypes

import torch

_I32, _I64, _U32, _F64 = ctypes.c_int32, ctypes.c_int64, ctypes.c_uint32, ctypes.c_double
_POINTER, _SIZE, _TEXT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
_DTYPES = {torch.float32: 2, torch.float16: 3, torch.bfloat16: 4}
_MESSAGE_BYTES = 512


class _Tensor(ctypes.Structure):
    _fields_ = [("data", _POINTER), ("strides", _I64 * 4)]


class _Map(ctypes.Structure):
    _fields_ = [("indptr", _POINTER), ("indices", _POINTER), ("entry_mask", _POINTER)]


class _Problem(ctypes.Structure):
    """lvsa_block_problem, ABI version 1."""
    _fields_ = (
        [("struct_size", _SIZE)]
        + [(name, _I64) for name in ("batch", "query_tokens", "key_tokens", "heads", "kv_heads",
                                     "head_dim")]
        + [("scale", _F64)]
        + [(name, ctypes.c_int) for name in ("dtype", "out_dtype", "memory", "p_dtype")]
        + [("threads", _I32)]
        + [(name, _Tensor) for name in ("q", "k", "v", "out")]
        + [("lse", _POINTER), ("lse_strides", _I64 * 3)]
        + [(name, _I64) for name in ("block_rows", "block_columns", "row_blocks", "column_blocks")]
        + [("row_begin", _POINTER), ("column_begin", _POINTER), ("map_count", _I64),
           ("maps", ctypes.POINTER(_Map)), ("map_of_head", _POINTER), ("mask_count", _I64),
           ("mask_words", _I64), ("mask_bits", _POINTER), ("order_count", _I64),
           ("orders", _POINTER), ("order_of_head", _POINTER), ("skip_threshold_log2", _POINTER),
           ("wanted_tokens", _POINTER), ("wanted_count", _I64)])


class _Capabilities(ctypes.Structure):
    _fields_ = (
        [("struct_size", _SIZE), ("dtypes", _U32), ("p_dtypes", _U32), ("memory", ctypes.c_int),
         ("head_dim_min", _I64), ("head_dim_max", _I64), ("head_dim_multiple", _I64),
         ("block_sizes", _I32), ("block_size", ctypes.POINTER(_I64 * 2)), ("block_max", _I64)]
        + [(name, _I32) for name in ("grouped_heads", "batch", "any_strides", "lse",
                                     "maps_per_head", "element_masks", "orders", "skip",
                                     "segments", "unequal_tokens")])


_Workspace = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Problem), ctypes.POINTER(_SIZE))
_Run = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Problem), _POINTER, _SIZE, _POINTER, _POINTER,
                        _SIZE)


class _Kernel(ctypes.Structure):
    _fields_ = [("abi_version", _U32), ("struct_size", _SIZE), ("name", _TEXT),
                ("description", _TEXT), ("capabilities", _Capabilities), ("numerics", _POINTER),
                ("workspace", _Workspace), ("run", _Run)]


class _Settings(ctypes.Structure):
    """lvsa_sparge_settings."""
    _fields_ = [("struct_size", _SIZE)] + [
        field for name in ("topk", "cdfthreshd", "simthreshd1", "pvthreshd")
        for field in ((name, _POINTER), (name + "_count", _I64))
    ] + [(name, _I32) for name in ("attention_sink", "smooth_k", "partial_kept", "round_p")]


class _SpargeMap(ctypes.Structure):
    _fields_ = [("row_count", _POINTER), ("indices", _POINTER), ("faults", _POINTER)]


class Refused(RuntimeError):
    """A call of the library that failed, with its message."""


def _stream(tensor):
    return torch.cuda.current_stream().cuda_stream if tensor.is_cuda else None


def _tensors(problem, tensors, lse=None):
    """Sizes, types and addresses of [B, S, H, D] views by name; q and k are among them."""
    q, k = tensors["q"], tensors["k"]
    problem.struct_size = ctypes.sizeof(_Problem)
    problem.batch, problem.query_tokens, problem.heads, problem.head_dim = q.shape
    problem.key_tokens, problem.kv_heads = k.shape[1], k.shape[2]
    problem.scale = q.shape[3] ** -0.5
    problem.dtype = _DTYPES[q.dtype]
    problem.out_dtype = _DTYPES[tensors.get("out", q).dtype]
    problem.memory = int(q.is_cuda)
    for name, tensor in tensors.items():
        field = getattr(problem, name)
        field.data = tensor.data_ptr()
        field.strides[:] = tensor.stride()
    if lse is not None:
        problem.lse = lse.data_ptr()
        problem.lse_strides[:] = lse.stride()


def _scratch(size, like):
    """Aligned to 128."""
    held = torch.empty(size + 128, dtype=torch.uint8, device=like.device)
    return held, held.data_ptr() + -held.data_ptr() % 128


class Library:
    """The block-sparse kernels of a shared library, by name."""

    def __init__(self, path):
        self.path = path
        self.handle = ctypes.CDLL(path)
        if not hasattr(self.handle, "lvsa_block_kernels"):
            raise Refused(f"{path}: offers no block-sparse kernels (lvsa_block_kernels)")
        entry = self.handle.lvsa_block_kernels
        entry.argtypes, entry.restype = [_U32, ctypes.POINTER(_U32)], _POINTER
        count = _U32()
        table = entry(1, ctypes.byref(count))
        if not table:
            raise Refused(f"{path}: does not speak version 1 of lvsa_blocks.h")
        kernels = ctypes.cast(table, ctypes.POINTER(_Kernel))
        self.kernels = {}
        for i in range(count.value):
            if kernels[i].struct_size != ctypes.sizeof(_Kernel):
                raise Refused(f"{path}: kernel {i} has {kernels[i].struct_size} bytes, "
                              f"{ctypes.sizeof(_Kernel)} are due")
            self.kernels[kernels[i].name.decode()] = kernels[i]

    def has_plans(self):
        return hasattr(self.handle, "lvsa_block_plan_create")

    def find(self, name):
        if name not in self.kernels:
            raise Refused(f"{self.path}: no kernel {name}, but {', '.join(self.kernels)}")
        return self.kernels[name]


class Maps:
    """What lvsa_block_problem says of blocks, as host tensors (int64 begins, int32 the rest).

    maps: (indptr, indices, entry_mask or None) each; map_of_head: one number a (batch, head);
    mask_bits: int64 [masks, block rows, words] or None; orders: int32 [orders, tokens] or None,
    order_of_head with it; skip: fp32 [heads] or None."""

    def __init__(self, block, row_begin, column_begin, maps, map_of_head, mask_bits=None,
                 orders=None, order_of_head=None, skip=None):
        def whole(x, dtype):
            return None if x is None else torch.as_tensor(x, dtype=dtype).cpu().contiguous()
        self.block = block
        self.row_begin, self.column_begin = (whole(x, torch.int64)
                                             for x in (row_begin, column_begin))
        self.maps = [tuple(whole(x, torch.int32) for x in one) for one in maps]
        self.map_of_head = whole(map_of_head, torch.int32)
        self.mask_bits = whole(mask_bits, torch.int64)
        self.orders, self.order_of_head = (whole(x, torch.int32) for x in (orders, order_of_head))
        self.skip = whole(skip, torch.float32)

    def fill(self, problem):
        """The arrays of this object, which must outlive the problem."""
        problem.block_rows, problem.block_columns = self.block
        problem.row_blocks = len(self.row_begin) - 1
        problem.column_blocks = len(self.column_begin) - 1
        problem.row_begin = self.row_begin.data_ptr()
        problem.column_begin = self.column_begin.data_ptr()
        self._c_maps = (_Map * len(self.maps))(*(
            _Map(*(None if x is None else x.data_ptr() for x in one)) for one in self.maps))
        problem.map_count, problem.maps = len(self.maps), self._c_maps
        problem.map_of_head = self.map_of_head.data_ptr()
        problem.mask_words = -(-self.block[1] // 64)
        if self.mask_bits is not None:
            problem.mask_count, problem.mask_bits = len(self.mask_bits), self.mask_bits.data_ptr()
        if self.orders is not None:
            problem.order_count, problem.orders = len(self.orders), self.orders.data_ptr()
            problem.order_of_head = self.order_of_head.data_ptr()
        if self.skip is not None:
            problem.skip_threshold_log2 = self.skip.data_ptr()


class Call:
    """A kernel with maps in host memory: each run() copies them as the kernel does."""

    def __init__(self, kernel, q, k, v, out, maps, lse=None):
        self._kernel, self._kept = kernel, (q, k, v, out, lse, maps)
        self._problem = _Problem()
        _tensors(self._problem, {"q": q, "k": k, "v": v, "out": out}, lse)
        maps.fill(self._problem)
        self._message = ctypes.create_string_buffer(_MESSAGE_BYTES)
        size = _SIZE()
        if kernel.workspace:
            status = kernel.workspace(ctypes.byref(self._problem), ctypes.byref(size))
            if status != 0:
                self._held, self._workspace, self._size = None, None, 0
                self.run()  # refuses too, and says why
                raise Refused(f"workspace of {kernel.name.decode()}: status {status}")
        self._size = size.value
        self._held, self._workspace = _scratch(self._size, q)

    def run(self):
        status = self._kernel.run(ctypes.byref(self._problem), self._workspace, self._size,
                                  _stream(self._kept[0]), self._message, _MESSAGE_BYTES)
        if status != 0:
            raise Refused(f"{self._kernel.name.decode()}: status {status}: "
                          f"{self._message.value.decode()}")


class Plan:
    """The kernel cuda-blocks with maps that are copied to the device once."""

    def __init__(self, library, q, k, v, out, maps, lse=None):
        self._call, self._kept = library.handle, (q, k, v, out, lse)
        problem = _Problem()
        _tensors(problem, {"q": q, "k": k, "v": v, "out": out}, lse)
        maps.fill(problem)
        self._message = ctypes.create_string_buffer(_MESSAGE_BYTES)
        self._handle = _POINTER()
        size = _SIZE()
        self._check(self._call.lvsa_block_plan_scratch_bytes(
            ctypes.byref(problem), ctypes.byref(size), self._message, _SIZE(_MESSAGE_BYTES)))
        self._held, scratch = _scratch(size.value, q)
        self._check(self._call.lvsa_block_plan_create(
            ctypes.byref(problem), _POINTER(scratch), _POINTER(_stream(q)),
            ctypes.byref(self._handle), self._message, _SIZE(_MESSAGE_BYTES)))

    def _check(self, status):
        if status != 0:
            raise Refused(f"block plan: status {status}: {self._message.value.decode()}")

    def run(self):
        self._check(self._call.lvsa_block_plan_run(
            self._handle, _POINTER(_stream(self._kept[0])), self._message, _SIZE(_MESSAGE_BYTES)))

    def __del__(self):
        if getattr(self, "_handle", None):
            self._call.lvsa_block_plan_destroy(self._handle)


class Sparge:
    """SpargeAttn with top-k: attention() predicts and attends, predict() and attend() do one of the
    two. `row_count` [B, H, rows] and `indices` [B, H, rows, columns] hold the maps; they may be
    written before attend(). pvthreshd: log2 units, 50 is off."""

    def __init__(self, library, q, k, v, out, block, topk=0.5, pvthreshd=50.0, simthreshd1=-0.1):
        self._call = library.handle
        self._kept = (q, k, v, out)
        self._problem = _Problem()
        _tensors(self._problem, {"q": q, "k": k, "v": v, "out": out})
        self._problem.block_rows, self._problem.block_columns = block
        rows, columns = -(-q.shape[1] // block[0]), -(-k.shape[1] // block[1])
        self.row_count = torch.zeros(q.shape[0], q.shape[2], rows, dtype=torch.int32,
                                     device=q.device)
        self.indices = torch.zeros(*self.row_count.shape, columns, dtype=torch.int32,
                                   device=q.device)
        self.faults = torch.zeros(q.shape[0], q.shape[2], dtype=torch.int32, device=q.device)
        self._map = _SpargeMap(*(x.data_ptr() for x in (self.row_count, self.indices, self.faults)))
        self._settings = _Settings()
        self._call.lvsa_sparge_defaults.restype = None
        self._call.lvsa_sparge_defaults(ctypes.byref(self._settings))
        self._numbers = [_F64(x) for x in (topk, simthreshd1, pvthreshd)]
        for name, number in zip(("topk", "simthreshd1", "pvthreshd"), self._numbers):
            setattr(self._settings, name, ctypes.addressof(number))
            setattr(self._settings, name + "_count", 1)
        self._message = ctypes.create_string_buffer(_MESSAGE_BYTES)
        sizes = [self._bytes(f"lvsa_sparge_{x}_scratch_bytes") for x in ("predict", "attention")]
        self._held, self._scratch = _scratch(max(sizes), q)

    def _check(self, name, status):
        if status != 0:
            raise Refused(f"{name}: status {status}: {self._message.value.decode()}")

    def _bytes(self, name):
        size = _SIZE()
        self._check(name, getattr(self._call, name)(
            ctypes.byref(self._problem), ctypes.byref(self._settings), ctypes.byref(size),
            self._message, _SIZE(_MESSAGE_BYTES)))
        return size.value

    def _queue(self, name):
        self._check(name, getattr(self._call, name)(
            ctypes.byref(self._problem), ctypes.byref(self._settings), ctypes.byref(self._map),
            _POINTER(self._scratch), _POINTER(_stream(self._kept[0])), self._message,
            _SIZE(_MESSAGE_BYTES)))

    def attention(self):
        self._queue("lvsa_sparge_attention")

    def predict(self):
        self._queue("lvsa_sparge_predict")

    def attend(self):
        self._queue("lvsa_sparge_attend")

    def kept(self):
        """The maps as [B, H, rows, columns] bools."""
        columns = self.indices.shape[-1]
        there = torch.arange(columns, device=self.indices.device) < self.row_count[..., None]
        # Past a row's end its indices mean nothing; they go into a column that is cut off.
        target = torch.where(there, self.indices, columns).long()
        kept = torch.zeros(*self.row_count.shape, columns + 1, dtype=torch.bool,
                           device=self.indices.device)
        return kept.scatter_(-1, target, True)[..., :columns]
