"""Replaces relaxed minima and maxima in a WebAssembly file by exact ones.

usage: exact_minima.py FILE.wasm

LLVM takes `f32x4.relaxed_min` for every `b < a ? b : a` of a program that has relaxed SIMD. Browsers answer it with
either operand where one is NaN: a NaN in a network would be lost, and so would edges of letters, whose slopes may be
infinite. `f32x4.pmin` takes the same operands and is what the source says. Both have three bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

#: By number after the byte 0xfd: f32x4 and f64x2, minimum and maximum.
EXACT = {0x10D: 0xEA, 0x10E: 0xEB, 0x10F: 0xF6, 0x110: 0xF7}
CODE_SECTION = 10


class Reader:
    def __init__(self, data: bytearray, at: int) -> None:
        self.data = data
        self.at = at

    def number(self) -> int:
        """An integer of variable length; the sign of a signed one is lost."""
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def numbers(self, count: int) -> None:
        for _ in range(count):
            self.number()

    def address(self) -> None:
        # Bit 6 of the alignment: a memory has been named.
        if self.number() & 0x40:
            self.number()
        self.number()

    def operands(self, code: int) -> None:
        """Skips what follows an instruction of one byte."""
        if code in (0x02, 0x03, 0x04, 0x0C, 0x0D, 0x10, 0x12, 0x3F, 0x40, 0x41, 0x42, 0xD0, 0xD2) or 0x20 <= code <= 0x26:
            self.number()
        elif code in (0x11, 0x13):
            self.numbers(2)
        elif code in (0x0E, 0x1C):
            self.numbers(self.number() + (code == 0x0E))
        elif 0x28 <= code <= 0x3E:
            self.address()
        elif code in (0x43, 0x44):
            self.at += 4 if code == 0x43 else 8
        elif code == 0xFC:
            sub = self.number()
            self.numbers({8: 2, 10: 2, 12: 2, 14: 2}.get(sub, 1 if sub > 7 else 0))
        elif code not in (0x00, 0x01, 0x05, 0x0B, 0x0F, 0x1A, 0x1B, 0xD1) and not 0x45 <= code <= 0xC4:
            raise SystemExit(f"an instruction that this script does not know: {code:#x}")

    def vector_operands(self, code: int) -> None:
        """Skips what follows an instruction with vectors."""
        if code <= 11 or 92 <= code <= 93:
            self.address()
        elif code in (12, 13):
            self.at += 16
        elif 21 <= code <= 34:
            self.at += 1
        elif 84 <= code <= 91:
            self.address()
            self.at += 1


def replace(data: bytearray) -> None:
    section = Reader(data, 8)
    while section.at < len(data):
        kind = data[section.at]
        section.at += 1
        end = section.number() + section.at
        if kind == CODE_SECTION:
            for _ in range(section.number()):
                replace_in_function(section)
        section.at = end


def replace_in_function(code: Reader) -> None:
    end = code.number() + code.at
    for _ in range(code.number()):
        code.numbers(2)
    while code.at < end:
        first = code.data[code.at]
        code.at += 1
        if first != 0xFD:
            code.operands(first)
            continue
        start = code.at
        vector = code.number()
        if vector in EXACT:
            code.data[start:code.at] = bytes((EXACT[vector], 1))
        code.vector_operands(vector)
    if code.at != end:
        raise SystemExit("an instruction goes beyond its function")


if __name__ == "__main__":
    path = Path(sys.argv[1])
    program = bytearray(path.read_bytes())
    replace(program)
    path.write_bytes(program)
