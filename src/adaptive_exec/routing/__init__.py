"""DECIDE: where a call runs. `policy` is a pure function of facts; `safety` says whether a call may leave."""
