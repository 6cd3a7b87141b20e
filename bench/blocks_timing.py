"""Times of several runs side by side, and what is needed to judge them."""
import platform
import random
import statistics
import subprocess
import tempfile
import time

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

SMI_FIELDS = "clocks.sm,clocks.mem,power.draw,power.limit,temperature.gpu"


def smi(fields):
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


class ClockLog:
    """Clock in MHz and power in watts while something runs, five times a second."""

    def __enter__(self):
        self._file = tempfile.TemporaryFile(mode="w+")
        try:
            self._process = subprocess.Popen(
                ["nvidia-smi", "--query-gpu=clocks.sm,power.draw", "--format=csv,noheader,nounits",
                 "-lms", "200"], stdout=self._file, stderr=subprocess.DEVNULL)
        except OSError:
            self._process = None
        return self

    def __exit__(self, *_):
        if self._process:
            self._process.terminate()
            self._process.wait()

    def summary(self):
        self._file.seek(0)
        rows = []
        for line in self._file:
            try:
                rows.append([float(x) for x in line.split(",")])
            except ValueError:
                continue
        names = ("sm_mhz", "power_w")
        return {name: {"least": min(x), "median": statistics.median(x), "most": max(x),
                       "readings": len(x)}
                for name, x in zip(names, zip(*rows))} if rows else {}


def interleaved(runs, rounds, on_device, flush_bytes=0):
    """Milliseconds of each run: in each round all of them in a random order, then in that order
    backwards, so that what rises or falls evenly is the same for all. On a device times are between
    events of the stream; each round begins behind a wait on the device, so that the host is ahead
    and queues what follows without gaps."""
    times = {name: [] for name in runs}
    order = list(runs.items())
    flushed = torch.empty(flush_bytes, dtype=torch.int8, device="cuda" if on_device else "cpu")
    for _ in range(rounds):
        random.shuffle(order)
        events = []
        if on_device:
            torch.cuda._sleep(4_000_000)
        for name, run in order + order[::-1]:
            if flush_bytes:
                flushed.zero_()
            if on_device:
                begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
                begin.record()
                run()
                end.record()
                events.append((name, begin, end))
            else:
                begin = time.perf_counter()
                run()
                times[name].append((time.perf_counter() - begin) * 1e3)
        if on_device:
            torch.cuda.synchronize()
        for name, begin, end in events:
            times[name].append(begin.elapsed_time(end))
    return times


def figures(samples):
    ordered = sorted(samples)
    tenth = len(ordered) // 10
    return {"median_ms": statistics.median(ordered), "p10_ms": ordered[tenth],
            "p90_ms": ordered[-1 - tenth]}


def dense(q, k, v):
    """Dense attention by cuDNN through PyTorch, which refuses when cuDNN cannot; on the host
    PyTorch's own choice."""
    views = [x.transpose(1, 2) for x in (q, k, v)]
    gqa = {"enable_gqa": True} if q.shape[2] != k.shape[2] else {}

    def run():
        if not q.is_cuda:
            return scaled_dot_product_attention(*views, **gqa).transpose(1, 2)
        with sdpa_kernel([SDPBackend.CUDNN_ATTENTION]):
            return scaled_dot_product_attention(*views, **gqa).transpose(1, 2)
    return run


def kernel_names(run):
    """Names of the device's kernels that a run launches; none where the profiler sees none."""
    run()
    torch.cuda.synchronize()
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        run()
        torch.cuda.synchronize()
    return sorted({event.name for event in profile.events()
                   if event.device_type == torch.autograd.DeviceType.CUDA})


def cudnn_evidence(run):
    """"cudnn", "not seen" or why it is not known, and the names."""
    try:
        names = kernel_names(run)
    except RuntimeError as error:
        return f"not known: {str(error).splitlines()[0]}", []
    if not names:
        return "not known: the profiler saw no kernel", []
    return ("cudnn" if any("cudnn" in name for name in names) else "not seen"), names


def provenance(commit, on_device):
    record = {"commit": commit, "torch": torch.__version__, "python": platform.python_version(),
              "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    if on_device:
        record.update(device=torch.cuda.get_device_name(), driver=smi("driver_version"),
                      cudnn=torch.backends.cudnn.version(), clocks_before=smi(SMI_FIELDS))
    else:
        record.update(device="host")
    return record
