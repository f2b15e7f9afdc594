"""Erasure of a store, camera, run or track from every layer, its past included, with a proof.

What is meant (`selection`), what of each table that is (`rules`, `payloads`, `trail`), files
written anew (`files`, `rewriting`, `replacing`), jobs that still read (`work`), the past and its
files (`purging`), all of it in order (`erasing`); and the proof, which goes by rules of its own
(`scanning`, `recognising`).
"""
