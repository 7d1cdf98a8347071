"""Functions that know nothing of the classes of what they are given, nor of what late calls bring."""

from __future__ import annotations

import configparser
import contextlib
import csv
import io
import itertools
import json
import pickle
import random
import re
import struct
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

_header = struct.Struct("<I")


def total(values: Iterable[int]) -> int:
    """Adds up a list, and later what an iterator has."""
    return sum(values)


def first_two(values: Iterable[int]) -> list[int]:
    """Takes two of a list, and later of an iterator."""
    return [value for value, _ in zip(values, "ab", strict=False)]


def has_three(values: Iterable[int]) -> bool:
    """Looks into a list, and later into an iterator."""
    return 3 in values


def in_pairs(job: dict[str, Any]) -> list[tuple[int, int]]:
    """Pairs what a job holds, which later is an iterator."""
    return list(itertools.pairwise(job["rows"]))


def lengths(source: Iterable[str]) -> list[int]:
    """Goes through lines, and later through a text file in memory."""
    return [len(line) for line in source]


def table(source: Iterable[str]) -> list[list[str]]:
    """Parses lines, and later a text file in memory."""
    return list(csv.reader(source))


def loaded(source: Any) -> Any:
    """Loads from a file in memory, later."""
    return json.loads(source) if isinstance(source, str) else json.load(source)


def unpickled(source: Any) -> Any:
    """Loads from a file of bytes in memory, later."""
    return source if isinstance(source, int) else pickle.load(source)


def configured(source: Any) -> list[str]:
    """Parses a configuration, later from a file in memory."""
    parser = configparser.ConfigParser()
    parser.read_file(source)
    return parser.sections()


def root_of(source: Any) -> str:
    """Parses XML, later from a file in memory."""
    return source if isinstance(source, str) else str(ET.parse(source).getroot().tag)


def zipped(target: Any, n: int) -> int:
    """Writes into a file in memory, later."""
    if n > 45:
        with zipfile.ZipFile(target, "a") as archive:
            archive.writestr(zipfile.ZipInfo("n"), str(n))  # which has no date of its own
    return n


def row_written(target: Any, n: int) -> int:
    """Writes a row into a file in memory, later."""
    if n > 45:
        csv.writer(target).writerow([n])
    return n


def closed_at_the_end(target: Any, n: int) -> int:
    """Closes a file in memory, later."""
    if n > 45:
        with contextlib.closing(target):
            pass
    return n


def called_at_the_end(items: list[int], n: int) -> int:
    """Leaves a note in its argument at the end, later."""
    if n > 45:
        with contextlib.ExitStack() as stack:
            stack.callback(items.append, n)
    return n


def header_packed(buffer: bytearray, n: int) -> int:
    """Packs a number into a buffer, later."""
    if n > 45:
        _header.pack_into(buffer, 0, n)
    return n


def read_into(buffer: bytearray, n: int) -> int:
    """Reads into a buffer, later."""
    if n > 45:
        io.BytesIO(b"abcd").readinto(buffer)
    return n


def shuffled_by_its_own(items: list[int]) -> int:
    """Shuffles its argument, of which there is only one item first."""
    random.Random(7).shuffle(items)
    return items[0]


def replaced(text: str, replacement: Any) -> str:
    """Replaces with what a function says, which later notes."""
    return re.compile("a").sub(replacement, text)


def until_none(step: Callable[[], Any]) -> int:
    """Calls what it is given until that says None, which later notes."""
    return len(list(iter(step, None)))


def dumped(value: Any, default: Any) -> str:
    """Dumps with a function, which later notes."""
    return json.dumps(value, default=default)


def square_of(thing: Any) -> int:
    """Reads a property that keeps what nobody sees."""
    return int(thing.square)


def length_of(thing: Any) -> int:
    """Asks for a length that is kept."""
    return len(thing)


def items_of(thing: Any) -> list[int]:
    """Goes through a thing."""
    return [each for each in thing]  # noqa: C416


def item_of(thing: Any) -> int:
    """Takes an item of a thing."""
    return int(thing[1])


def has_item(thing: Any) -> bool:
    """Looks into a thing."""
    return 1 in thing


def formatted(thing: Any) -> str:
    """Writes a thing out."""
    return f"{thing:x}"


def total_of(cart: Any) -> int:
    """Reads a property of a class of another module."""
    return int(cart.total)


def checked_out(cart: Any) -> int:
    """Calls a method of a class of another module."""
    return int(cart.checkout())


def size_of(cart: Any) -> int:
    """Asks for the length of a thing of another module."""
    return len(cart)


def goods_of(cart: Any) -> list[int]:
    """Goes through a thing of another module."""
    return list(cart)


def added_to(cart: Any) -> int:
    """Adds to a thing of another module."""
    return int(cart + 1)


def text_of(cart: Any) -> str:
    """Writes out a thing of another module."""
    return f"for {cart}"


def rate_of(cart: Any) -> int:
    """Reads what the class of a thing holds."""
    return int(cart.rate) * int(cart.price)


def mode_of(traveller: Any) -> str:
    """Reads a property that reads the environment."""
    return str(traveller.mode)


def place_of(traveller: Any) -> str:
    """Calls a method that reads the environment."""
    return str(traveller.place())


def plain_of(traveller: Any) -> int:
    """Calls a method that has been replaced meanwhile."""
    return int(traveller.plain())


def added_into(array: Any, n: int) -> float:
    """Adds into its argument by the place of a parameter, later."""
    import numpy as np

    if n > 45:
        np.add(array, 1, array)
    return float(array.sum())


def partitioned(array: Any, n: int) -> int:
    """Puts its argument into another order, later."""
    if n > 45:
        array.partition(1)
    return int(array[0])


def added_at(array: Any, n: int) -> int:
    """Adds at some places of its argument, later."""
    import numpy as np

    if n > 45:
        np.add.at(array, [0], n)
    return int(array[0])


def shuffled_array(array: Any, n: int) -> int:
    """Shuffles its argument by a generator of its own, later."""
    import numpy as np

    if n > 45:
        np.random.default_rng(3).shuffle(array)
    return int(array[0])


def shares_memory(one: Any, other: Any) -> bool:
    """Asks whether two arrays lie upon each other."""
    import numpy as np

    return bool(np.shares_memory(one, other))


def is_writeable(array: Any) -> bool:
    """Asks for a flag that does not travel."""
    return bool(array.flags.writeable)


def sorts_a_copy(items: list[int], key: Any) -> list[int]:
    """Sorts a copy by what it is given."""
    mine = list(items)
    mine.sort(key=key)
    return mine
