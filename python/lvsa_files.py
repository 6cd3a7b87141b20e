"""Files of `lvsa-verify export` that are not HDF5, with as much of h5py's interface as lvsa_fill.py uses.

    with lvsa_files.File("cases.safetensors") as file:      # or "cases.npy", a folder
        group = file["case0000"]
        q, scale = group["q"][()], float(group.attrs["scale"])
        group["out"] = out                                  # float32

bfloat16 and float16 come as their bits, uint16. What was changed is written at the end of the `with`.
"""
import json
import os
import struct

import numpy as np


class _Group:
    def __init__(self, file, name):
        self.file, self.name, self.attrs = file, name, file.index.setdefault(name, {})

    def __iter__(self):
        return (name.rpartition("/")[2] for name in self.file.tensors if name.startswith(self.name + "/"))

    def __getitem__(self, name):
        return self.file.tensors[f"{self.name}/{name}"]

    def __setitem__(self, name, data):
        self.file.tensors[f"{self.name}/{name}"] = np.ascontiguousarray(data)

    def __delitem__(self, name):
        del self.file.tensors[f"{self.name}/{name}"]


class File:
    """A .safetensors file, or a folder of .npy files. Data are mapped and read when they are asked for."""

    def __init__(self, path, mode="r+"):
        self.path, self.folder, self.mode = path, os.path.isdir(path), mode
        self.index, self.tensors = {}, {}  # attributes by object ("/" is the root), arrays by name
        (self._open_folder if self.folder else self._open_safetensors)()
        self.attrs, self.old = self.index.setdefault("/", {}), dict(self.tensors)

    def __iter__(self):
        return iter(dict.fromkeys(name.partition("/")[0] for name in self.tensors))

    def __getitem__(self, name):
        return _Group(self, name)

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure is None and self.mode != "r":
            (self._save_folder if self.folder else self._save_safetensors)()

    def _open_folder(self):
        with open(os.path.join(self.path, "cases.json"), encoding="utf-8") as file:
            self.index = json.load(file)
        for folder, _, names in os.walk(self.path):
            for name in (name for name in names if name.endswith(".npy")):
                full = os.path.join(folder, name)
                data = np.load(full, mmap_mode="r" if os.path.getsize(full) > 4096 else None)
                self.tensors[os.path.relpath(full, self.path)[:-4].replace(os.sep, "/")] = (
                    data.view(np.uint16) if data.dtype == np.float16 else data)

    def _save_folder(self):
        for name in self.old.keys() - self.tensors.keys():
            os.remove(os.path.join(self.path, name + ".npy"))
        for name, data in self.tensors.items():
            if data is not self.old.get(name):
                np.save(os.path.join(self.path, name + ".npy"), data)
        with open(os.path.join(self.path, "cases.json"), "w", encoding="utf-8") as file:
            json.dump(self.index, file, indent=1)

    _TYPES = {"BF16": "<u2", "F16": "<u2", "U16": "<u2", "U8": "u1", "F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8"}

    def _open_safetensors(self):
        with open(self.path, "rb") as file:
            start = 8 + (length := struct.unpack("<Q", file.read(8))[0])
            header = json.loads(file.read(length))
        data = np.memmap(self.path, np.uint8, "r") if os.path.getsize(self.path) > start else np.empty(0, np.uint8)
        for key, value in header.pop("__metadata__", {}).items():
            self.index.setdefault(key.rpartition("/")[0] or "/", {})[key.rpartition("/")[2]] = value
        self.dtypes = {name: entry["dtype"] for name, entry in header.items()}
        for name, entry in header.items():
            begin, end = (start + at for at in entry["data_offsets"])
            self.tensors[name] = data[begin:end].view(self._TYPES[entry["dtype"]]).reshape(entry["shape"])

    def _save_safetensors(self):
        """The whole file anew: the new outputs are in memory until then."""
        codes = {np.dtype(code): name for name, code in self._TYPES.items()}
        header, at = {"__metadata__": {}}, 0
        for name, attrs in self.index.items():
            header["__metadata__"].update({(name + "/" + key).lstrip("/"): str(attrs[key]) for key in attrs})
        for name, data in self.tensors.items():
            same = data is self.old.get(name)
            header[name] = {"dtype": self.dtypes[name] if same else codes[data.dtype], "shape": data.shape,
                            "data_offsets": [at, at := at + data.nbytes]}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(self.path + ".tmp", "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for data in self.tensors.values():
                data.tofile(file)
        os.replace(self.path + ".tmp", self.path)
