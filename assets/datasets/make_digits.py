"""Writes digits.safetensors from scikit-learn's copy of the UCI handwritten digits (1,797 images, 8x8, 17 grey levels).

    python3 -m venv venv && venv/bin/pip install -r assets/datasets/requirements.txt
    venv/bin/python assets/datasets/make_digits.py

The split is stratified: of each class one fifth goes to the test set, drawn by the seed below; then 360 samples are
test samples in all. The order within each split is drawn by the same generator. The same versions give the same bytes.
"""

import hashlib
import json
import pathlib

import numpy as np
from sklearn.datasets import load_digits

SEED = 20220101
TEST_SAMPLES = 360
OUT = pathlib.Path(__file__).with_name("digits.safetensors")


def stratified_split(labels: np.ndarray, test_samples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Train and test positions; each class gives its share to the test set, remainders go to the largest fractions."""
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * test_samples / len(labels)
    quota = np.floor(exact).astype(int)
    for index in np.argsort(quota - exact, kind="stable")[: test_samples - quota.sum()]:
        quota[index] += 1
    test = np.concatenate(
        [rng.permutation(np.flatnonzero(labels == label))[:take] for label, take in zip(classes, quota)]
    )
    train = np.setdiff1d(np.arange(len(labels)), test)
    return rng.permutation(train), rng.permutation(test)


def write_safetensors(path: pathlib.Path, metadata: dict[str, str], tensors: dict[str, np.ndarray]) -> None:
    """The format is small; writing it here fixes the order of the header, so that the bytes are reproducible."""
    header: dict[str, object] = {"__metadata__": metadata}
    position = 0
    for name, tensor in tensors.items():
        assert tensor.dtype == np.uint8
        offsets = [position, position + tensor.nbytes]
        header[name] = {"dtype": "U8", "shape": list(tensor.shape), "data_offsets": offsets}
        position += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(
        len(text).to_bytes(8, "little") + text + b"".join(np.ascontiguousarray(t).tobytes() for t in tensors.values())
    )


def main() -> None:
    digits = load_digits()
    images = digits.images.astype(np.uint8)  # whole numbers 0 to 16
    assert images.shape == (1797, 8, 8) and images.max() == 16 and (images == digits.images).all()
    labels = digits.target.astype(np.uint8)
    train, test = stratified_split(labels, TEST_SAMPLES, np.random.Generator(np.random.PCG64(SEED)))
    metadata = {
        "format": "ecqx-dataset",
        "version": "1",
        "name": "digits",
        "classes": json.dumps([str(d) for d in range(10)]),
        "x_scale": "16",
        "split": f"stratified by class, {len(train)} train, {len(test)} test",
        "seed": str(SEED),
        "license": "CC BY 4.0",
        "source": "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
        "Repository, 1998, doi:10.24432/C50P49 (its test part, as shipped with scikit-learn)",
    }
    tensors = {}
    for name, chosen in {"train": train, "test": test}.items():
        tensors[f"{name}.x"] = images[chosen][:, None]
        tensors[f"{name}.y"] = labels[chosen]
    write_safetensors(OUT, metadata, tensors)
    print(OUT.name, OUT.stat().st_size, "bytes, sha256", hashlib.sha256(OUT.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
