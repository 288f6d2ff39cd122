"""Writes small files of each format into a folder a target, for the fuzzer to start from: seeds.py FOLDER"""

import gzip
import io
import json
import shutil
import struct
import sys
import zipfile
from pathlib import Path

ASSETS = Path(__file__).parent / "../../../assets"
VECTORS = Path(__file__).parent / "../../../tests/vectors/nnc"
NORM = ["weight", "bias", "running_mean", "running_var"]
BETWEEN_PARTS = b"\xffPART\xff"  # as in fuzz_targets/dataset.rs


def safetensors(metadata, tensors):
    header, data = {"__metadata__": metadata}, b""
    for name, (dtype, shape, values) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    header = json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + data


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def idx(sizes, values):
    return struct.pack(f">HBB{len(sizes)}I", 0, 8, len(sizes), *sizes) + values


def npy(descr, shape, values, fortran=False):
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + values


def npz(method, **arrays):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", array)
    return file.getvalue()


def seeds():
    x, y = npy("|u1", (2, 1, 2), b"\0\1\2\3"), npy("<i8", (2,), struct.pack("<2q", 0, 1))
    images, labels = idx([2, 1, 2], b"\0\1\2\3"), idx([2], b"\0\1")
    ours = safetensors(
        {"format": "ecqx-dataset", "version": "1", "classes": '["a","b"]', "x_scale": "2"},
        {
            "train.x": ("U8", [2, 2], b"\0\1\2\3"),
            "train.y": ("U8", [2], b"\0\1"),
            "test.x": ("F32", [1, 2], floats(0.5, -1)),
            "test.y": ("I64", [1], struct.pack("<q", 1)),
        },
    )
    yield "dataset", "ours", ours
    yield "dataset", "ours-gzip", gzip.compress(ours, mtime=0)
    yield "dataset", "moons", (ASSETS / "datasets/moons.safetensors").read_bytes()
    yield "dataset", "idx", images + BETWEEN_PARTS + labels
    yield "dataset", "idx-gzip", gzip.compress(images, mtime=0) + BETWEEN_PARTS + gzip.compress(labels, mtime=0)
    yield "dataset", "cifar", b"\3" + bytes(3072)
    yield "dataset", "npz-stored", npz(zipfile.ZIP_STORED, x_train=x, y_train=y, x_test=x, y_test=y)
    yield "dataset", "npz-deflated", npz(zipfile.ZIP_DEFLATED, x=npy("<f4", (2, 2), floats(1, 2, 3, 4), True), y=y)
    yield "dataset", "csv", b"x1,x2,kind\n1,2.5,a\r\n-3e0,4,\"b \"\"c\"\"\"\n"
    yield "dataset", "csv-parts", b"1;2,5;1\n" + BETWEEN_PARTS + b"3;4;2.0\n"
    yield "dataset", "npz-more", npz(zipfile.ZIP_DEFLATED, x=x, y=y, other=b"") + b"after"
    limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 0  # all sizes and offsets in 64 bits
    yield "dataset", "npz-64-bit", npz(zipfile.ZIP_DEFLATED, x=x, y=y)
    zipfile.ZIP64_LIMIT = limit
    layers = [
        {"name": "flat", "kind": "flatten"},
        {"name": "fc1", "kind": "dense", "units": 2},
        {"name": "relu1", "kind": "relu", "inputs": ["fc1"]},
        {"name": "fc2", "kind": "dense", "units": 2, "bias": False},
    ]
    architecture = json.dumps({"input": [1, 1, 2], "layers": layers})
    model = {
        "fc1.weight": ("F32", [2, 2], floats(1, 2, 3, 4)),
        "fc1.bias": ("F32", [2], floats(0, 1)),
        "fc2.weight": ("F32", [2, 2], floats(1, 0, -0.5, 2)),
        "fc2.weight.index": ("I8", [2, 2], b"\2\0\xff\4"),
        "fc2.weight.step": ("F32", [], floats(0.5)),
    }
    metadata = {"format": "ecqx-model", "version": "1", "architecture": architecture, "classes": '["a","b"]'}
    yield "model", "small", safetensors(metadata, model)
    yield "tensors", "model", safetensors(metadata, model)
    yield "tensors", "dataset", ours
    integers = {"a": ("I16", [1], b"\0\1"), "b": ("I64", [0, 4], b""), "c": ("I32", [1, 1], b"\0\1\2\3")}
    yield "tensors", "integers", safetensors({}, integers)
    yield "tensors", "half", safetensors({}, {"a": ("BF16", [2], b"\0\1\2\3")})
    # Every kind of layer: a residual net with all settings, and one with none but the needed.
    full = [
        {"name": "c1", "kind": "conv2d", "filters": 2, "kernel": [3, 3], "stride": [1, 1], "padding": [1, 1], "bias": False},
        {"name": "n1", "kind": "batch_norm", "eps": 1e-3, "momentum": 0.2},
        {"name": "r1", "kind": "relu"},
        {"name": "c2", "kind": "conv2d", "filters": 2, "kernel": [1, 1], "groups": 2, "inputs": ["r1"]},
        {"name": "sum", "kind": "add", "inputs": ["c2", "r1", "input"]},
        {"name": "mp", "kind": "max_pool2d", "kernel": [2, 2], "stride": [1, 1]},
        {"name": "ap", "kind": "avg_pool2d", "kernel": [2, 2]},
        {"name": "g", "kind": "global_avg_pool"},
        {"name": "n2", "kind": "batch_norm"},
        {"name": "fc", "kind": "dense", "units": 2},
    ]
    plain = [
        {"name": "c", "kind": "conv2d", "filters": 2, "kernel": [2, 1], "stride": [2, 1]},
        {"name": "mp", "kind": "max_pool2d", "kernel": [1, 2]},
        {"name": "flat", "kind": "flatten"},
    ]
    norm = lambda name, n: {f"{name}.{part}": ("F32", [n], floats(*[0.5] * n)) for part in NORM}
    full_tensors = {
        "c1.weight": ("F32", [2, 2, 3, 3], floats(*range(36))),
        **norm("n1", 2),
        "c2.weight": ("F32", [2, 1, 1, 1], floats(1, -1)),
        "c2.bias": ("F32", [2], floats(0, 1)),
        **norm("n2", 2),
        "fc.weight": ("F32", [2, 2], floats(1, 0, -0.5, 2)),
        "fc.bias": ("F32", [2], floats(0, 1)),
    }
    plain_tensors = {"c.weight": ("F32", [2, 1, 2, 1], floats(1, 2, 3, 4)), "c.bias": ("F32", [2], floats(0, 1))}
    nets = [("all-kinds", [2, 4, 4], full, full_tensors), ("plain", [1, 2, 4], plain, plain_tensors)]
    for name, shape, layers, tensors in nets:
        text = json.dumps({"input": shape, "layers": layers})
        yield "architecture", name, text.encode()
        yield "model", name, safetensors({"format": "ecqx-model", "version": "1", "architecture": text}, tensors)
    yield "architecture", "small", architecture.encode()
    for path in sorted((ASSETS / "models").glob("*.json")):
        yield "architecture", path.stem, path.read_bytes()
    for path in sorted(VECTORS.glob("*.nnc")):
        if path.stat().st_size < 3000:
            yield "nnc", path.stem, path.read_bytes()


folder = Path(sys.argv[1])
for target, name, content in seeds():
    (folder / target).mkdir(parents=True, exist_ok=True)
    (folder / target / name).write_bytes(content)
for finding in (Path(__file__).parent / "../../../tests/findings").iterdir():
    if finding.suffix != ".md":
        for target in ["dataset", "model", "tensors", "architecture", "nnc"]:
            shutil.copy(finding, folder / target / finding.name)
