"""``check``: the installed framework beside the program, on the same model and the same batch."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _keras, _torch
from ._binary import ModelensError
from ._framework import Framework, Pass
from ._inspect import Inspection, inspect_file
from ._models import ModelFile, kind_of, numbers
from ._run import Run, run_file

#: Differences up to this part of the largest value are rounding: float32 has 7 digits, and sums are long.
ROUNDING = 1e-3


@dataclass(frozen=True)
class Comparison:
    """How far the program and the framework are apart in one array, or in all statistics of one kind."""

    mode: str
    what: str
    #: The largest difference of two values.
    difference: float
    #: The largest value of the framework.
    scale: float

    @property
    def holds(self) -> bool:
        """Whether the difference is rounding."""
        return bool(self.difference <= ROUNDING * max(self.scale, 1e-3))


@dataclass(frozen=True)
class Claim:
    """A sentence of the program about this model, and whether it is true in this installation."""

    sentence: str
    holds: bool
    #: What the framework did.
    measured: str


@dataclass(frozen=True)
class Check:
    """What ``check`` found. Printed, it is a table."""

    framework: str
    rules: str
    comparisons: list[Comparison] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    #: What could not be compared.
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every number agrees and every sentence is true."""
        return all(one.holds for one in self.comparisons) and all(one.holds for one in self.claims)

    def __str__(self) -> str:
        width = max(len(one.what) for one in self.comparisons)
        lines = [
            f"modelens beside {self.framework}, by the rules {self.rules}",
            "",
            f"{'mode':10}{'':{width}}  largest difference  of values up to",
        ]
        for one in self.comparisons:
            mark = "" if one.holds else "   DIFFERS"
            lines.append(f"{one.mode:10}{one.what:{width}}  {one.difference:18.2g}  {one.scale:15.4g}{mark}")
        lines += ["", "sentences of the program about this model"]
        for claim in self.claims:
            lines.append(f"  {'holds ' if claim.holds else 'FAILS '} {claim.sentence}")
            if not claim.holds:
                lines.append(f"         {self.framework}: {claim.measured}")
        lines += [f"  not compared: {note}" for note in self.notes]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{one.mode}</td><td>{html.escape(one.what)}</td><td>{one.difference:.2g}</td>"
            f"<td>{one.scale:.4g}</td><td>{'✓' if one.holds else '✗'}</td></tr>"
            for one in self.comparisons
        )
        claims = "".join(
            f"<tr><td>{'✓' if one.holds else '✗'}</td><td style='text-align:left'>{html.escape(one.sentence)}</td>"
            f"<td style='text-align:left'>{html.escape(one.measured)}</td></tr>"
            for one in self.claims
        )
        return (
            f"<p>modelens beside {html.escape(self.framework)}, by the rules {html.escape(self.rules)}</p>"
            "<table><thead><tr><th>mode</th><th></th><th>largest difference</th><th>of values up to</th><th></th></tr>"
            f"</thead><tbody>{rows}</tbody></table>"
            "<table><thead><tr><th></th><th>sentence of the program</th><th>what the framework did</th></tr></thead>"
            f"<tbody>{claims}</tbody></table>"
            + "".join(f"<p>Not compared: {html.escape(note)}</p>" for note in self.notes)
        )


def check(
    model: object,
    x: object,
    taps: Sequence[str] | None = None,
    *,
    seed: int = 7,
) -> Check:
    """Runs the installed framework beside the program, in both modes, and says how far they are apart.

    The numbers are compared with dropout, noise and augmentation off, because two generators never draw the same;
    whether those layers draw is compared on its own. The model is as before afterwards: weights, statistics, flags.

    Args:
        model: a Keras model or a PyTorch module.
        x: a batch as the model takes it, of two or more images.
        taps: names of layers whose outputs are compared; by default up to four BatchNorm layers.
        seed: of the program's draws.

    Raises:
        ModelensError: the program cannot open or run the model, or it belongs to no framework.
    """
    kind = kind_of(model)
    if kind not in ("keras", "tf_keras", "torch"):
        raise ModelensError("check needs the model itself, a Keras model or a PyTorch module, to run the framework on it")
    batch = numbers(x)
    framework: Framework = _torch.Torch(model) if kind == "torch" else _keras.Keras(model, kind)
    with ModelFile(model, x=batch) as file:
        settings: dict[str, object] = {"seed": seed, "semantics": framework.rules}
        held = inspect_file(file, {})
        norms = framework.batch_norms()
        chosen = list(taps) if taps is not None else norms[:: max(1, len(norms) // 4)][:4]

        def program(training: bool | None, names: Sequence[str] = (), **more: object) -> Run:
            return run_file(file, batch, training, names, {**settings, "no_random": True, **more})

        found = Check(framework.label, framework.rules)
        passes = {training: framework.run(batch, training, random=False, taps=chosen) for training in framework.calls}
        runs = {training: program(training, chosen) for training in framework.calls}
        counted = (held.total_params, held.trainable_params)
        sentence = "The model has {:,} parameters, and an optimizer may change {:,} of them.".format(*counted)
        measured = framework.parameters()
        found.claims.append(Claim(sentence, counted == measured, "{:,} and {:,}".format(*measured)))
        for training in (True, False):
            found.comparisons.extend(_compared(training, runs[training], passes[training]))
        for call in framework.calls:
            _claim_call(found, framework, held, batch, call, runs[call], passes[call])
        frozen = framework.run(batch, True, random=False, frozen=True)
        _claim_frozen(found, framework, program(True, trainable="none"), frozen, runs, passes)
        return found


def _compared(training: bool, run: Run, done: Pass) -> list[Comparison]:
    mode = "training" if training else "inference"
    rows = [_comparison(mode, "output", [(run.y, done.y)])]
    rows += [_comparison(mode, f"tap {name}", [(run.taps[name], value)]) for name, value in done.taps.items()]
    both = [(run.batch_norm[name], after) for name, after in done.statistics.items() if name in run.batch_norm]
    if both:
        rows.append(_comparison(mode, "moving means that follow", [(ours.mean, after.mean) for ours, after in both]))
        rows.append(
            _comparison(mode, "moving variances that follow", [(ours.variance, after.variance) for ours, after in both])
        )
    return rows


def _comparison(mode: str, what: str, pairs: Sequence[tuple[Any, Any]]) -> Comparison:
    difference = scale = 0.0
    for ours, theirs in pairs:
        if np.shape(ours) != np.shape(theirs):
            return Comparison(mode, f"{what}: shapes {np.shape(ours)} and {np.shape(theirs)}", float("inf"), 0.0)
        if np.size(theirs):
            # A value that is no number must not count as agreement.
            gap = np.nan_to_num(np.abs(np.asarray(ours) - np.asarray(theirs)), nan=np.inf)
            difference = max(difference, float(np.max(gap)))
            scale = max(scale, float(np.max(np.abs(np.asarray(theirs)))))
    return Comparison(mode, what, difference, scale)


def _claim_call(
    found: Check, framework: Framework, held: Inspection, batch: Any, training: bool | None, run: Run, done: Pass
) -> None:
    """What the program's table of releases says of a call."""
    call = {True: "fit", False: "predict", None: "model(x)"}[training]
    row = next(one for one in held["releases"] if one["rules"] == framework.rules and one["call"] == call)
    mode = framework.call_of(training)
    drawn = framework.draws(batch, training)
    for key, what in (("augmentation", "augmentation layers"), ("noise", "dropout and noise layers")):
        claimed, of = row[key]["active"], row[key]["of"]
        layers = drawn.get(key, {})
        if len(layers) != of:
            note = f"{mode}: the program has {of} {what}, and {len(layers)} of the framework show whether they draw"
            found.notes.append(note)
        elif of:
            active = sum(layers.values())
            found.claims.append(Claim(f"{mode}: {claimed} of {of} {what} draw.", active == claimed, f"{active} of {of}"))
    found.claims.extend(_norm_claims(f"{mode}:", row["statistics"]["active"], run, done))


def _claim_frozen(
    found: Check,
    framework: Framework,
    ours: Run,
    theirs: Pass,
    runs: Mapping[bool | None, Run],
    passes: Mapping[bool | None, Pass],
) -> None:
    """What freezing every layer changes, and how far the two modes are apart."""
    start = f"Frozen ({framework.freezing}), {framework.call_of(True)}:"
    if theirs.statistics:
        found.claims.extend(_norm_claims(start, _moving(ours, runs[False]), ours, theirs))
        same = bool(np.array_equal(ours.y, runs[False].y))
        gap = _gap(theirs.y, passes[False].y)
        sentence = f"{start} the output {'equals' if same else 'differs from'} that of inference."
        measured = f"they are {gap:.2g} of the largest value apart"
        found.claims.append(Claim(sentence, (gap <= ROUNDING) == same, measured))
    ours_gap, gap = _gap(runs[True].y, runs[False].y), _gap(passes[True].y, passes[False].y)
    sentence = f"The outputs of the two modes are {ours_gap:.2g} of the largest value apart, without draws."
    found.claims.append(Claim(sentence, abs(ours_gap - gap) <= ROUNDING, f"{gap:.2g}"))


def _norm_claims(start: str, claimed: int, ours: Run, theirs: Pass) -> list[Claim]:
    of = len(theirs.statistics)
    if not of:
        return []
    moved = sum(one.moved for one in theirs.statistics.values())
    from_batch = sum(one.batch_mean is not None for one in ours.batch_norm.values())
    used = 0
    for name, one in theirs.statistics.items():
        # Where nothing shows it, the program is believed.
        claimed_batch = name in ours.batch_norm and ours.batch_norm[name].batch_mean is not None
        used += claimed_batch if one.used_batch is None else one.used_batch
    return [
        Claim(f"{start} {from_batch} of {of} BatchNorm layers normalise with the batch.", used == from_batch, f"{used} of {of}"),
        Claim(f"{start} the statistics of {claimed} of {of} BatchNorm layers move.", moved == claimed, f"{moved} of {of}"),
    ]


def _moving(run: Run, before: Run) -> int:
    return sum(not np.array_equal(run.batch_norm[name].mean, before.batch_norm[name].mean) for name in run.batch_norm)


def _gap(one: Any, other: Any) -> float:
    """The largest difference as a part of the largest value of both."""
    largest = max(float(np.max(np.abs(one))), float(np.max(np.abs(other)))) or 1.0
    return float(np.max(np.abs(one - other))) / largest
