"""Goals → steps → checks: what a robot does with its memory.

`goals` reads words, `candidates` and `search` say where a thing may be, `planner` makes plans and
carries them out through the seams of `body`, `critic` checks each step on fresh observations,
`outcomes` remembers how it went.
"""
