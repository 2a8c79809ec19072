"""Writes codecs.json: one text packed by the codecs' own tools (lz4 and zstd command line, Google's snappy by pyarrow).

usage: python test/oracle/codecs.py    (needs the lz4 and zstd programs, and pyarrow)
"""
import base64
import hashlib
import json
import pathlib
import subprocess

import pyarrow

# Repetition near and far, overlapping matches, and a stretch that does not compress.
lines = "".join(f'{{"prediction_id":"r{i}","x":{(i * 7919) % 1000 / 8},"plan":"{"pro" * (i % 3)}"}}\n' for i in range(1500))
noise = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(40))
PLAIN = lines.encode() + noise + b"a" * 70_000 + lines.encode()[:5000]


def tool(*command):
    return subprocess.run(command, input=PLAIN, capture_output=True, check=True).stdout


packed = {
    "lz4": tool("lz4", "-c", "-B4"),
    "lz4 linked blocks, content size, block checksums": tool("lz4", "-c", "-B4", "-BD", "-BX", "--content-size"),
    "lz4 large blocks, high compression": tool("lz4", "-c", "-9", "-B7", "--no-frame-crc"),
    "zstd": tool("zstd", "-c", "-q"),
    "zstd without content size": tool("zstd", "-c", "-q", "-19", "--no-content-size"),
    "snappy": pyarrow.compress(PLAIN, codec="snappy", asbytes=True),
}
pathlib.Path(__file__).with_suffix(".json").write_text(
    json.dumps(
        {
            "bytes": len(PLAIN),
            "sha256": hashlib.sha256(PLAIN).hexdigest(),
            "packed": {name: base64.b64encode(data).decode() for name, data in packed.items()},
        },
        indent=1,
    )
    + "\n"
)
