#!/usr/bin/env python3
"""Draws default.png beside itself: the picture of an account that has none. Needs Python alone."""
import pathlib
import struct
import zlib

SIDE = 256
SAMPLES = 4  # a side of the grid within a pixel
GROUND = (0xE4, 0xE7, 0xEB)
FIGURE = (0xA3, 0xAD, 0xB8)


def within(x, y):
    """Whether the point belongs to the figure: a head and shoulders."""
    head = (x - 128) ** 2 + (y - 104) ** 2 <= 46**2
    shoulders = ((x - 128) / 86) ** 2 + ((y - 256) / 88) ** 2 <= 1
    return head or shoulders


def cover(column, row):
    """How many of the samples of a pixel belong to the figure."""
    steps = [(step + 0.5) / SAMPLES for step in range(SAMPLES)]
    return sum(within(column + dx, row + dy) for dx in steps for dy in steps)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


full = SAMPLES * SAMPLES
palette = b"".join(
    bytes(round(g + (f - g) * shade / full) for g, f in zip(GROUND, FIGURE)) for shade in range(full + 1)
)
rows = b"".join(b"\0" + bytes(cover(x, y) for x in range(SIDE)) for y in range(SIDE))
png = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 3, 0, 0, 0))
    + chunk(b"PLTE", palette)
    + chunk(b"IDAT", zlib.compress(rows, 9))
    + chunk(b"IEND", b"")
)
pathlib.Path(__file__).with_name("default.png").write_bytes(png)
