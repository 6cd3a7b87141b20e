"""A case of block_table.py: tensors, what is timed on them, and whether it is right."""
import math
import random

import torch

import blocks_inputs as inputs
import blocks_timing as timing

WORST_ERROR = 6e-3  # relative, of bf16 output against fp64
SAMPLED_HEADS, SAMPLED_ROWS = 3, 48


def label(block):
    return f"{block[0]}x{block[1]}"


class Case:
    """Tensors, and what is timed on them."""

    def __init__(self, bench, section, name, q, k, v):
        self.bench, self.section, self.name = bench, section, name
        self.q, self.k, self.v = q, k, v
        self.out = torch.empty_like(q)
        self.runs, self.facts = {}, {}
        self.dense_run = timing.dense(q, k, v)
        self.runs["dense"] = self.dense_run
        tokens = q.shape[1]
        self.facts["dense"] = {"useful_pairs": tokens * k.shape[1]}
        self.check("dense", lambda: self.out.copy_(self.dense_run()),
                   lambda head, rows: torch.ones(len(rows), tokens, dtype=torch.bool,
                                                 device=q.device))

    def add(self, name, make, visible=None, **facts):
        """make() gives what is run; one that refuses is left out, and said. visible(head, rows):
        bool [rows, S], the keys that these queries attend."""
        try:
            run = make()
            if visible is None:
                run()
            else:
                self.facts[name] = facts
                self.check(name, run, visible)
        except Exception as error:  # whoever fails is left out, the others go on
            reason = (str(error) or type(error).__name__).splitlines()[0][:300]
            self.bench.faults.append(f"{self.name}: {name}: {reason}")
            self.facts.pop(name, None)
            return
        self.facts.setdefault(name, facts)
        self.runs[name] = run

    def check(self, name, run, visible):
        self.out.fill_(math.nan)
        run()
        getattr(run, "after", lambda: None)()
        tokens, heads = self.q.shape[1], self.q.shape[2]
        some = min(SAMPLED_ROWS, tokens)
        rows = torch.tensor(sorted({*random.sample(range(tokens), some), 0, tokens - 1}),
                            device=self.q.device)
        worst = 0.0
        for head in random.sample(range(heads), min(SAMPLED_HEADS, heads)):
            due = inputs.due_rows(self.q, self.k, self.v, rows, head, visible(head, rows))
            error = inputs.relative_error(self.out[0, rows, head], due)
            worst = error if math.isnan(error) else max(worst, error)
        if not bool(torch.isfinite(self.out).all()):
            worst = math.nan
        self.facts[name]["error"] = worst
        if not worst < WORST_ERROR:
            self.bench.faults.append(f"{self.name}: {name}: error {worst:.1e} against fp64")

    def measure(self, **facts):
        options = self.bench.options
        with timing.ClockLog() as clocks:
            times = timing.interleaved(self.runs, options.rounds, self.q.is_cuda,
                                       options.flush << 20)
        row = {"section": self.section, "name": self.name, "shape": list(self.q.shape),
               "kv_heads": self.k.shape[2], "dtype": str(self.q.dtype), **facts,
               "clocks": clocks.summary(), "contestants": {}}
        flops = 4 * self.q.shape[3] * self.q.shape[2]
        for name, samples in times.items():
            one = {**self.facts[name], **timing.figures(samples), "samples_ms": samples}
            for pairs in ("useful_pairs", "computed_pairs"):
                if pairs in one:
                    key = pairs.replace("pairs", "tflops")
                    one[key] = flops * one[pairs] / one["median_ms"] / 1e9
            row["contestants"][name] = one
        base = row["contestants"]["dense"]["median_ms"]
        for one in row["contestants"].values():
            one["speedup"] = base / one["median_ms"]
        self.bench.rows.append(row)
        self.bench.save()
        return row


def show(row, extra=""):
    spread = row["clocks"].get("sm_mhz", {})
    clock = f", {spread['least']:.0f} to {spread['most']:.0f} MHz" if spread else ""
    print(f"{row['section']} {row['name']}{extra}{clock}")
    print(f"  {'':30s}{'ms':>9s} {'10th and 90th':>19s}{'useful':>9s}{'computed':>9s}{'x dense':>9s}"
          f"{'kept':>7s}  error")
    for name, one in row["contestants"].items():
        def cell(key, form):
            return format(one[key], form) if key in one else " " * int(form.split(".")[0])
        between = f"[{one['p10_ms']:.3f} {one['p90_ms']:.3f}]"
        print(f"  {name:30s}{one['median_ms']:9.3f} {between:>19s}{cell('useful_tflops', '9.1f')}"
              f"{cell('computed_tflops', '9.1f')}{one['speedup']:9.3f}{cell('kept_share', '7.3f')}"
              f"  {cell('error', '7.1e')}", flush=True)
