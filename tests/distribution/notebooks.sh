#!/bin/sh
# The notebooks as they are stored: valid, without outputs, each with its commands and an end that says
# what to try, named in their README. ./dev notebooks runs them.
set -eu
command -v python3 >/dev/null || exit 77
cat >check.py <<'PY'
import ast, json, os, pathlib, re, sys

folder = pathlib.Path(os.environ["LVSA_SOURCE_DIR"]) / "notebooks"
found = []


def complain(where, what):
    found.append(f"{where}: {what}")


def check(name, text):
    try:
        book = json.loads(text)
    except ValueError as error:
        return complain(name, f"no JSON: {error}")
    if (book.get("nbformat"), book.get("nbformat_minor")) != (4, 5):
        complain(name, "not nbformat 4.5")
    if set(book["metadata"]) != {"kernelspec", "language_info"} or set(book["metadata"]["language_info"]) != {"name"}:
        complain(name, "metadata of somebody's Jupyter")
    if book["metadata"].get("kernelspec", {}).get("name") != "python3":
        complain(name, "not for the kernel python3")
    cells = book["cells"]
    ids = [cell.get("id") for cell in cells]
    if None in ids or len(set(ids)) != len(ids):
        complain(name, "cells without ids of their own")
    for cell in cells:
        where = f"{name}, cell {cell.get('id')}"
        source = "".join(cell["source"])
        if cell["metadata"]:
            complain(where, "has metadata")
        if not source.strip():
            complain(where, "is empty")
        if cell["cell_type"] == "code":
            if cell["outputs"] or cell["execution_count"] is not None:
                complain(where, "has outputs: jupyter nbconvert --clear-output --inplace FILE")
            try:
                ast.parse(source)
            except SyntaxError as error:
                complain(where, f"no Python: {error}")
        elif cell["cell_type"] == "markdown":
            for target in re.findall(r"\]\((?!http)([^)#]+)", source):
                if not (folder / target).exists():
                    complain(where, f"names {target}, which is not there")
        else:
            complain(where, f"is a {cell['cell_type']} cell")
    words = "".join(cells[0]["source"])
    if not re.match(r"# [1-9]\. ", words):
        complain(name, "does not begin with a numbered title")
    if "lvsa_verify(" not in "".join("".join(c["source"]) for c in cells[:2]):
        complain(name, "does not begin with the commands that make its files")
    if "## What to try" not in "".join(cells[-1]["source"]):
        complain(name, "does not end with what to try")
    try:
        import nbformat
        nbformat.validate(nbformat.reads(text, as_version=4))
    except ImportError:
        pass
    except nbformat.ValidationError as error:
        complain(name, f"not valid: {error.message}")


if sys.argv[1:]:
    for path in sys.argv[1:]:
        check(path, pathlib.Path(path).read_text(encoding="utf-8"))
else:
    books = sorted(folder.glob("*.ipynb"))
    about = (folder / "README.md").read_text(encoding="utf-8")
    for path in books:
        check(path.name, path.read_text(encoding="utf-8"))
        if f"({path.name})" not in about:
            complain(path.name, "is not in notebooks/README.md")
    if [path.name[:2] for path in books] != ["01", "02", "03", "04", "05"]:
        complain(folder, f"01 to 05 are due, there are {[path.name for path in books]}")
print("\n".join(found))
sys.exit(1 if found else 0)
PY
python3 check.py

# The check itself must see what it is for.
book=$LVSA_SOURCE_DIR/notebooks/01_pattern.ipynb
spoilt() { # spoilt TEXT SED-SCRIPT
  sed "$2" "$book" >spoilt.ipynb
  if python3 check.py spoilt.ipynb >out.txt || ! grep -qF -- "$1" out.txt; then
    echo "FAILED: '$1' is due:"
    cat out.txt
    exit 1
  fi
}
spoilt 'has outputs' 's/"execution_count": null/"execution_count": 3/'
spoilt 'no Python' 's/"import json/"import json (/'
spoilt 'no JSON' '1d'
spoilt 'does not end with' 's/What to try/The end/'
