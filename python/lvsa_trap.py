"""What the traps of all libraries have in common."""
import collections
import re

import numpy as np
import torch

# spring(q, k, v, pattern) -> (verdict, what was seen); what: what is known of the library; avoid: how a user avoids it;
# known: verdicts beside `caught` and `fine` that are no surprise.
Trap = collections.namedtuple("Trap", "spring what avoid known", defaults=(("trap",),))

REFUSALS = (ValueError, RuntimeError, AssertionError, TypeError, IndexError)


def definition(q, k, v, counts, scale):
    """One batch element by the definition in float64: q [S, H, D], k and v [S, Hkv, D]; counts [S, S] or [H, S, S]:
    how often a pair counts. out [S, H, D] and natural lse [S, H]; rows without keys: 0 and -inf."""
    q, k, v = (x.detach().double().cpu().numpy() for x in (q, k, v))
    counts = np.broadcast_to(np.asarray(counts, np.float64), (q.shape[1], q.shape[0], k.shape[0]))
    out, lse = np.zeros(q.shape), np.full(q.shape[:2], -np.inf)
    for head in range(q.shape[1]):
        own = head // (q.shape[1] // k.shape[1])
        weight = counts[head] * np.exp(scale * (q[:, head] @ k[:, own].T))
        some = weight.sum(axis=1) > 0
        out[some, head] = weight[some] / weight[some].sum(axis=1, keepdims=True) @ v[:, own]
        lse[some, head] = np.log(weight[some].sum(axis=1))
    return out, lse


def numbers(x):
    return x.detach().double().cpu().numpy() if isinstance(x, torch.Tensor) else np.asarray(x, np.float64)


def close(got, due):
    """Equal but for rounding: within 3 % of the size of what is due, which no wrong set of keys comes near."""
    got, due = numbers(got), numbers(due)
    if got.shape != due.shape or not np.isfinite(got).all():
        return False
    return bool(np.linalg.norm(got - due) <= 0.03 * np.linalg.norm(due) + 1e-6)


def refusal(error):
    """The first line of an error, without what differs from machine to machine."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {re.sub(r'0x[0-9a-f]+', '0x..', lines[0])[:160]}"


def first_row_with_columns(indptr):
    rows = np.flatnonzero(np.diff(indptr))
    if not len(rows):
        raise NotImplementedError("a map without blocks")
    return int(rows[0])
