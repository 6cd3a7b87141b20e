"""What the notebooks share: how they run lvsa-verify, where its files go, how pictures look.

Commands run from the top of the project, without the LVSA_* variables of whoever runs the notebook, so
that a notebook shows the same to everybody. LVSA_VERIFY names the executable (build/lvsa-verify),
LVSA_NOTEBOOKS_OUT the folder for all files (build/notebooks).
"""

import os
import shlex
import subprocess
from pathlib import Path

import matplotlib.pyplot as plt

root = Path(__file__).resolve().parent.parent
os.chdir(root)

# Okabe and Ito's colours, which people of all colour visions tell apart.
black, orange, sky, green, yellow, blue, vermilion, purple = (
    "#1a1a2e", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
pale = "#ececec"

plt.rcParams.update({
    "figure.dpi": 110, "savefig.dpi": 110, "figure.constrained_layout.use": True,
    "font.size": 9, "axes.titlesize": 10, "axes.titlelocation": "left", "axes.labelsize": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": False, "axes.axisbelow": True, "grid.color": "#dddddd",
    "axes.prop_cycle": plt.cycler(color=[blue, orange, green, vermilion, purple, sky, black]),
    "svg.hashsalt": "lvsa"})


def folder(name):
    """The folder for a notebook's files, as a path from the top of the project where it lies there."""
    out = Path(os.environ.get("LVSA_NOTEBOOKS_OUT", root / "build/notebooks")).absolute() / name
    out.mkdir(parents=True, exist_ok=True)
    return out.relative_to(root) if out.is_relative_to(root) else out


def shell(command, due=(0,), quiet=False):
    """Runs one command line, prints it as it could be typed, and gives back what it wrote to stdout."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LVSA_")}
    environment.setdefault("OMP_WAIT_POLICY", "passive")  # small cases: threads that spin cost more than they do
    done = subprocess.run(shlex.split(command), env=environment, capture_output=True, text=True)
    if not quiet:
        print("$", command)
    if done.returncode not in due:
        raise RuntimeError(f"exit code {done.returncode}: {command}\n{done.stderr}{done.stdout}")
    return done.stdout


def lvsa_verify(arguments, due=(0,), quiet=False):
    """Runs lvsa-verify; `due` are the exit codes that are no surprise (1: a check failed)."""
    tool = os.environ.get("LVSA_VERIFY", "build/lvsa-verify")
    if not Path(tool).exists():
        raise FileNotFoundError(f"{tool}: ./dev build lvsa-verify makes it, or set LVSA_VERIFY")
    return shell(f"{tool} {arguments}", due, quiet)


def below(figure, columns=4, **arguments):
    """A legend below all that the figure holds, from its left end on."""
    inches = 0.3
    share = inches / figure.get_figheight()
    figure.get_layout_engine().set(rect=(0, share, 1, 1 - share))
    figure.legend(loc="lower left", ncol=columns, frameon=False, handlelength=1.2, **arguments)


def keep(figure, path):
    """Saves a figure beside the files that it shows, with the same bytes for the same figure."""
    figure.savefig(path, metadata={"Software": None})
