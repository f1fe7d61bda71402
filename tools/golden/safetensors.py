"""Reading and writing safetensors: an 8-byte little-endian header length, a JSON header, then raw tensors."""

import json
import struct

import numpy as np

BYTES = {"F32": 4, "F16": 2, "BF16": 2}


def encode(values: np.ndarray, dtype: str) -> bytes:
    """Raw little-endian bytes of `values` in a stored type; BF16 rounds to nearest even."""
    if dtype == "BF16":
        bits = values.astype("<f4").view("<u4").astype(np.uint64)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()
    return values.astype({"F32": "<f4", "F16": "<f2"}[dtype]).tobytes()


def decode(raw: bytes, dtype: str, dims: list) -> np.ndarray:
    """The stored values as float64."""
    if dtype == "BF16":
        values = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
    else:
        values = np.frombuffer(raw, {"F32": "<f4", "F16": "<f2"}[dtype])
    return values.astype(np.float64).reshape(dims)


def write(path, tensors: dict, dtype: str) -> int:
    """Writes name -> float array in the given order, header padded to 8 bytes; returns the tensors' bytes."""
    header, parts, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, values in tensors.items():
        raw = encode(values, dtype)
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [at, at + len(raw)]}
        parts.append(raw)
        at += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))
    return at


def read(path) -> dict:
    """All tensors of a file as float64 arrays by name."""
    raw = path.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            tensors[name] = decode(raw[begin:end], entry["dtype"], entry["shape"])
    return tensors
