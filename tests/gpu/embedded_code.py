#!/usr/bin/env python3
"""Lists the device code inside a program: `sm_90a` for machine code, `compute_90` for PTX. With --expect, fails when one of
the named ones is missing.

Reads the ELF sections .nv_fatbin. NVIDIA does not document their layout; it is taken from the fatBinaryHeader of older
toolkits' fatbinary.h and from github.com/GrigoryEvko/nvopen-tools (fatbin/FORMAT_SPECIFICATION.md), and what is read here
was compared with the targets given to nvcc 13.0, `a` and without:

  container   u32 magic 0xBA55ED50, u16 version, u16 bytes of this header, u64 bytes of the entries
  entry       u16 kind (1 PTX, 2 machine code), u16 version, u32 bytes of this header, u64 bytes of the payload, 8 bytes,
              u32 version, u32 architecture (90), 8 bytes, u64 flags (bit 20: an architecture with features of its own, `a`)
"""

import argparse
import pathlib
import struct
import sys

MAGIC = 0xBA55ED50
PREFIX = {1: "compute", 2: "sm"}


def sections(elf: bytes, wanted: str) -> list[bytes]:
    """Contents of the sections of that name in a 64-bit little-endian ELF image."""
    if elf[:6] != b"\x7fELF\x02\x01":
        raise ValueError("expected a 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", elf, 40)
    size, count, names_at = struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQ", elf, table + i * size) for i in range(count)]
    names = headers[names_at][4]
    found = []
    for name, _, _, _, offset, n_bytes in headers:
        text = elf[names + name:elf.index(b"\0", names + name)].decode()
        if text == wanted:
            found.append(elf[offset:offset + n_bytes])
    return found


def code_in(section: bytes) -> set[str]:
    """Targets of every entry of every container."""
    found, at = set(), 0
    while (at := section.find(struct.pack("<I", MAGIC), at)) >= 0:
        header_bytes, n_bytes = struct.unpack_from("<6xHQ", section, at)
        entry, at = at + header_bytes, at + header_bytes + n_bytes
        while entry < at:
            kind, own_bytes, payload_bytes, architecture, flags = struct.unpack_from("<H2xIQ12xI8xQ", section, entry)
            if kind in PREFIX:
                found.add(f"{PREFIX[kind]}_{architecture}{'a' if flags >> 20 & 1 else ''}")
            entry += own_bytes + payload_bytes
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--expect", nargs="*", default=[], metavar="TARGET", help="e.g. sm_80 compute_90")
    args = parser.parse_args()
    found = set().union(*map(code_in, sections(args.program.read_bytes(), ".nv_fatbin")))
    print(f"{args.program.name}: {', '.join(sorted(found)) or 'no device code'}")
    missing = sorted(set(args.expect) - found)
    if missing:
        print(f"{args.program.name}: expected also {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
