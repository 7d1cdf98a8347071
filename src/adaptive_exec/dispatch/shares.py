"""One call's share of a sample that was taken of several, as of a chunk of a `map`."""

from __future__ import annotations

from ..sample import Sample

__all__ = ["per_call"]


def per_call(sample: Sample, items: int) -> Sample:
    """One call's share of a sample that holds several."""
    if items <= 1:
        return sample

    def share(value: int | None) -> int | None:
        return None if value is None else value // items

    return sample._replace(
        wall_ns=sample.wall_ns // items,
        cpu_ns=sample.cpu_ns // items,
        sampled_ns=sample.sampled_ns // items,
        blocked_ns=sample.blocked_ns // items,
        gil_wait_ns=sample.gil_wait_ns // items,
        window_ns=sample.window_ns // items,
        free_ns=sample.free_ns // items,
        argument_bytes=share(sample.argument_bytes),
        result_bytes=share(sample.result_bytes),
        pickle_ns=share(sample.pickle_ns),
    )
