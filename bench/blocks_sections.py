"""The sections of block_table.py."""
import math
import random
import traceback

import torch

import blocks_flex
import blocks_inputs as inputs
import blocks_library as blocks
import blocks_timing as timing
import hopper_library
from blocks_case import Case, label, show

# Tokens of the plugin RFC's table and a grid (frames, rows, columns) of so many.
GRIDS = {6630: (17, 15, 26), 12870: (33, 15, 26), 29700: (33, 30, 30)}
# Its milliseconds on an A100: dense, top-k 0.5, 0.3, 0.2.
RFC_MS = {6630: (10.8, 10.1, 7.6, 6.4), 12870: (39.5, 31.5, 22.1, 17.1),
          29700: (206.1, 146.7, 95.6, 70.0)}
GEOMETRIES = inputs.GEOMETRIES
WORST_MAP = 0.005  # share of blocks that differ from the rule in fp64: near ties


class Bench:
    def __init__(self, library, options):
        self.library, self.options = library, options
        self.rows, self.faults = [], []
        self.device = "cpu" if options.host else "cuda"
        self.dtype = torch.float32 if options.host else torch.bfloat16
        self.kernel = library.find(options.kernel)
        self.planned = (options.kernel == "cuda-blocks" and library.has_plans()
                        and not options.unplanned)
        self.maps_where = ("on the device, by a plan" if self.planned
                           else "of the host, copied by each call")
        self.heads = 2 if options.host else options.heads
        self.head_dim = 64 if options.host else 128
        self.flex_block = next((b for b in options.blocks if b[0] == 128), None)
        self.save = lambda: None

    def guarded(self, name, case):
        """A case that fails is said, and the others go on."""
        try:
            case()
        except Exception as error:
            traceback.print_exc()
            self.faults.append(f"{name}: {error}")
        if not self.options.host:
            torch.cuda.empty_cache()

    def normal(self, tokens, heads=None):
        return inputs.normal(tokens, heads or self.heads, self.head_dim, self.device, self.dtype)

    def call(self, case, maps):
        """A run of the kernel, by a plan where there is one."""
        tensors = (case.q, case.k, case.v, case.out)
        if self.planned:
            return blocks.Plan(self.library, *tensors, maps).run
        return blocks.Call(self.kernel, *tensors, maps).run

    def evidence(self, case):
        """That dense is cuDNN."""
        if self.options.host:
            return {}
        verdict, names = timing.cudnn_evidence(case.dense_run)
        if verdict == "not seen":
            self.faults.append(f"{case.name}: dense attention is not cuDNN's: {', '.join(names)}")
        return {"dense_kernel": verdict, "dense_kernel_names": names}

    # --- the RFC's table

    def rfc(self):
        for tokens in self.options.tokens or GRIDS:
            for kind in self.options.inputs:
                self.guarded(f"{tokens} {kind}", lambda t=tokens, k=kind: self.rfc_case(t, k))
        self.rfc_summary()

    def rfc_case(self, tokens, kind):
        grid = (5, 10, 13) if self.options.host else GRIDS[tokens]
        tokens = math.prod(grid)
        if kind == "smooth":
            q, k = inputs.smooth(grid, self.heads, self.head_dim, self.device, self.dtype)
        else:
            q, k = self.normal(tokens), self.normal(tokens)
        case = Case(self, "rfc", f"{tokens} {kind}", q, k, self.normal(tokens))
        facts = self.evidence(case)
        for block in self.options.blocks:
            for topk in self.options.topk:
                self.add_sparge(case, block, topk)
        show(case.measure(grid=list(grid), inputs=kind, **facts))

    def add_sparge(self, case, block, topk):
        name = f"{topk:g} {label(block)}"
        try:
            sparge = blocks.Sparge(self.library, case.q, case.k, case.v, case.out, block, topk)
            sparge.predict()
            kept = sparge.kept()
        except Exception as error:  # whoever fails is left out, the others go on
            self.faults.append(f"{case.name}: prediction {name}: {error}")
            return
        if bool(sparge.faults.any()):
            self.faults.append(f"{case.name}: prediction {name}: says that inputs are not finite")
        tokens = case.q.shape[1]
        facts = self.judge_map(case, name, kept, block, topk)
        sizes = [torch.tensor(inputs.begins(tokens, b), device=kept.device).diff() for b in block]
        # In fp64: products of bools and sizes; below 2^53.
        pairs = (kept.double() @ sizes[1].double() @ sizes[0].double()).mean().item()
        of_column = torch.arange(tokens, device=kept.device) // block[1]

        def visible(head, rows):
            return kept[0, head][rows // block[0]][:, of_column]
        facts.update(topk=topk, block=list(block), useful_pairs=pairs)
        case.add(f"sparge {name}", lambda: sparge.attention, visible, kind="sparge", **facts)
        case.add(f"attention {name}", lambda: sparge.attend, visible, kind="attention", **facts)
        case.add(f"prediction {name}", lambda: sparge.predict, None, kind="prediction", topk=topk,
                 block=list(block))
        if self.options.flex and block == self.flex_block:
            case.add(f"flex {name}", lambda: blocks_flex.make(
                case.q, case.k, case.v, case.out, kept, block, not self.options.host), visible,
                kind="flex", **facts)

    def judge_map(self, case, name, kept, block, topk):
        """How many blocks a row keeps, and the map of two heads against the rule in fp64."""
        columns = kept.shape[-1]
        nominal = topk * columns
        whole = case.q.shape[1] // block[0]
        off = (kept[:, :, :whole].sum(-1).double() - nominal).abs()
        differ = 0
        heads = random.sample(range(kept.shape[1]), 2)
        for head in heads:
            due = inputs.sparge_topk(case.q[0, :, head], case.k[0, :, head], block, topk)
            differ += int((due != kept[0, head]).sum())
        share = differ / (len(heads) * kept[0, 0].numel())
        if share > WORST_MAP:
            self.faults.append(f"{case.name}: map {name}: {share:.4f} of the blocks of heads {heads} "
                               "are not the rule's")
        return {"kept_share": kept.double().mean().item(), "nominal_blocks": nominal,
                "most_off_nominal_blocks": off.max().item(),
                "rows_within_one_block": (off <= 1).double().mean().item(),
                "map_differs_from_fp64": share}

    def rfc_summary(self):
        """The RFC's form, for the fastest block size of each row."""
        print("\nSpeedup over dense cuDNN in the same run, prediction included "
              "(the RFC's on an A100 in brackets)")
        for row in (r for r in self.rows if r["section"] == "rfc"):
            tokens, cells = row["shape"][1], []
            for topk in self.options.topk:
                ours = [one for one in row["contestants"].values()
                        if one.get("kind") == "sparge" and one["topk"] == topk]
                if not ours:
                    continue
                best = min(ours, key=lambda one: one["median_ms"])
                published = ""
                if tokens in RFC_MS and topk in (0.5, 0.3, 0.2):
                    dense, *others = RFC_MS[tokens]
                    published = f" ({dense / others[(0.5, 0.3, 0.2).index(topk)]:.2f})"
                cells.append(f"top-k {topk:g}: {best['median_ms']:.3f} ms, {best['speedup']:.2f}x"
                             f"{published}, {label(best['block'])}")
            dense = row["contestants"]["dense"]["median_ms"]
            off = [one["most_off_nominal_blocks"] for one in row["contestants"].values()
                   if "most_off_nominal_blocks" in one]
            kept = f"; rows at most {max(off):.2f} blocks off the nominal share" if off else ""
            print(f"  {row['name']:14s} dense {dense:.3f} ms; {'; '.join(cells)}{kept}", flush=True)

    # --- LVSA's own pattern

    def lvsa(self):
        for name in ["small"] if self.options.host else self.options.geometry:
            self.guarded(name, lambda n=name: self.lvsa_case(n))

    def lvsa_case(self, name):
        frames, patches, heads, kv_heads, _, text, _ = GEOMETRIES[name]
        tokens, frame_rows = frames * patches + text, inputs.lvsa_frames(name)
        q, k, v = self.normal(tokens, heads), self.normal(tokens, kv_heads), self.normal(
            tokens, kv_heads)
        case = Case(self, "lvsa", name, q, k, v)
        facts = self.evidence(case)
        allowed = inputs.allowed_groups(frame_rows, text).to(self.device)
        group = inputs.group_of_token(frames, patches, text).to(self.device)
        sizes = group.bincount().double()
        pairs = (allowed.double() * sizes[:, None] * sizes).sum().item()

        def visible(_, rows):
            return allowed[group[rows]][:, group]
        if hasattr(self.library.handle, "lvsa_hopper_plan_create"):
            case.add("cuda", lambda: self.lvsa_plan(case, frames, patches, text, frame_rows),
                     visible, useful_pairs=pairs)
        for block in self.options.blocks:
            for aligned in (False, True):
                maps = inputs.frame_maps(frame_rows, patches, text, heads, block, aligned)
                kind = "frame ends" if aligned else "masks"
                case.add(f"{label(block)} {kind}", lambda: self.call(case, maps), visible,
                         block=list(block), aligned=aligned, useful_pairs=pairs,
                         computed_pairs=inputs.computed_pairs(maps),
                         masks=0 if maps.mask_bits is None else len(maps.mask_bits))
        row = case.measure(density=pairs / tokens ** 2, maps=self.maps_where, **facts)
        show(row, f", density {row['density']:.3f}")
        ours = row["contestants"].get("cuda")
        for contestant, one in row["contestants"].items():
            if ours and "block" in one:
                one["of_lvsa_kernel"] = ours["median_ms"] / one["median_ms"]
                print(f"    {contestant}: {one['of_lvsa_kernel']:.3f} of the LVSA kernel's rate")

    def lvsa_plan(self, case, frames, patches, text, frame_rows):
        ends = torch.tensor([0] + [len(row) for row in frame_rows]).cumsum(0)
        offsets = ends.to(dtype=torch.int64, device=self.device)
        listed = torch.tensor(sum(frame_rows, []), dtype=torch.int32, device=self.device)
        library = hopper_library.load(self.options.library)
        return hopper_library.Plan(library, case.q, case.k, case.v, case.out, frames, patches, text,
                                   offsets, listed).run

    # --- random maps

    def random_case(self, section):
        grid = (5, 10, 13) if self.options.host else GRIDS[29700]
        tokens = math.prod(grid)
        case = Case(self, section, f"{tokens} random", self.normal(tokens), self.normal(tokens),
                    self.normal(tokens))
        return case, tokens, grid

    def add_random(self, case, name, block, density, orders=None, reference=None, **more):
        """orders: int [1, S], the token at each place, of all heads."""
        tokens, heads = case.q.shape[1], case.q.shape[2]
        if orders is not None:
            more.update(orders=orders, order_of_head=[0] * heads)
        maps, kept = inputs.random_maps(tokens, heads, block, density, **more)
        kept = kept.to(self.device)
        place = torch.arange(tokens) if orders is None else orders[0].argsort()
        place = place.to(self.device)

        def visible(_, rows):
            return kept[place[rows] // block[0]][:, place // block[1]]
        pairs = inputs.computed_pairs(maps)
        case.add(name, lambda: self.call(case, maps), visible, block=list(block), density=density,
                 useful_pairs=pairs, kept_share=kept.double().mean().item())

    def density(self):
        self.guarded("density", self.density_case)

    def density_case(self):
        case, _, _ = self.random_case("density")
        for block in self.options.blocks:
            for density in self.options.density:
                self.add_random(case, f"{density:g} {label(block)}", block, density)
        show(case.measure(maps="one for all heads, " + self.maps_where))

    # --- orders and the skip

    def extras(self):
        self.guarded("orders", self.orders_case)
        self.guarded("skip", self.skip_case)

    def orders_case(self):
        case, tokens, grid = self.random_case("extras")
        frames, patches = grid[0], grid[1] * grid[2]
        by_place = torch.arange(tokens).view(frames, patches).T.reshape(1, -1)
        orders = {"sequence": None, "order: none moved": torch.arange(tokens)[None],
                  "order: by place": by_place, "order: random": torch.randperm(tokens)[None]}
        off = torch.full((self.heads,), 50.0)
        for block in self.options.blocks:
            # The same map each time: what differs is the order, or the skip, alone.
            state = torch.get_rng_state()
            for name, order in orders.items():
                torch.set_rng_state(state)
                self.add_random(case, f"{name} {label(block)}", block, 0.3, order)
            torch.set_rng_state(state)
            self.add_random(case, f"skip that never is {label(block)}", block, 0.3, skip=off)
        show(case.measure(maps="one for all heads, " + self.maps_where))

    def skip_case(self):
        """Smooth inputs, all blocks kept, thresholds in log2 units: what is saved, and how far the
        output moves (sum |o - o'| / sum |o|)."""
        grid = (5, 10, 13) if self.options.host else GRIDS[29700]
        tokens = math.prod(grid)
        q, k = inputs.smooth(grid, self.heads, self.head_dim, self.device, self.dtype)
        case = Case(self, "extras", f"{tokens} smooth, skip", q, k, self.normal(tokens))
        for block in self.options.blocks:
            whole = None
            for threshold in (math.inf, 50.0, 20.0, 10.0, 5.0):
                skip = None if threshold == math.inf else torch.full((self.heads,), threshold)
                maps, _ = inputs.random_maps(tokens, self.heads, block, 1.0, skip=skip)
                name = f"skip {threshold:g} {label(block)}"
                case.add(name, lambda: self.call(case, maps),
                         block=list(block), threshold_log2=None if skip is None else threshold)
                if name not in case.runs:
                    continue
                whole = case.out.float() if whole is None else whole
                moved = (case.out.float() - whole).abs().sum() / whole.abs().sum()
                case.facts[name]["error"] = case.facts[name]["relative_l1"] = moved.item()
        row = case.measure(maps="one for all heads, " + self.maps_where)
        show(row, " (error: relative L1 to no skip)")
