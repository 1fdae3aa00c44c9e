"""Vectors of float32 for numba functions, as LLVM's own vector types: it serves them on every target.

``LANES`` is this machine's register width. Each public function of this module can be called from compiled code;
``at`` is an index into a flat array, neither checked nor wrapped around, and needs no alignment.
"""

from collections.abc import Callable
from inspect import Parameter, Signature
from operator import add, sub
from typing import Any

import llvmlite.binding
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, models, register_model, type_callable


def _features() -> str:
    """What the processor that numba compiles for can do, as LLVM names it."""
    config: Any = numba.config
    if config.CPU_FEATURES is not None:
        return str(config.CPU_FEATURES)
    try:
        return str(llvmlite.binding.get_host_cpu_features().flatten())
    except RuntimeError:
        return ""


LANES: int = 16 if "+avx512f" in _features() else 8 if "+avx" in _features() else 4

Builder = Any
Value = Any
Vector = Any
"""LANES numbers."""
Mask = Any
"""LANES truth values."""


class _Type(types.Type):
    """A numba type held in one LLVM vector of LANES."""

    def __init__(self, name: str, element: ir.Type) -> None:
        self.vector = ir.VectorType(element, LANES)
        super().__init__(name)


_VECTOR, _MASK = _Type(f"float32x{LANES}", ir.FloatType()), _Type(f"boolx{LANES}", ir.IntType(1))
_CODES = ir.VectorType(ir.IntType(8), LANES)


@register_model(_Type)
class _Model(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, fe_type.vector)  # type: ignore[no-untyped-call]


class _Array:
    """An array argument as ``emit`` sees it."""

    def __init__(self, context: Any, builder: Builder, array_type: Any, array: Value) -> None:
        self.builder = builder
        self.data = context.make_array(array_type)(context, builder, array).data

    def pointer(self, at: Value, to: ir.Type) -> Value:
        return self.builder.bitcast(self.builder.gep(self.data, [at]), to.as_pointer())


def _emits(returns: Any, *takes: Any, stands_for: Any = None) -> Callable[[Callable[..., Any]], Any]:
    """Make a function that compiled code can call of ``emit``, which writes its LLVM instructions.

    ``takes`` are numba types or, for arrays, the class; ``stands_for`` is an operator to extend to vectors.
    """

    def declare(emit: Callable[..., Any]) -> Any:
        def function(*_: Any) -> Any:
            raise NotImplementedError("for compiled code only")

        target = stands_for or function

        def typer(*given: Any) -> Any:
            if any(isinstance(want, _Type) and have != want for have, want in zip(given, takes, strict=True)):
                return None
            return returns(*(have if isinstance(want, type) else want for have, want in zip(given, takes, strict=True)))

        # numba folds a call's arguments by this signature.
        names = [Parameter(f"argument_{i}", Parameter.POSITIONAL_OR_KEYWORD) for i in range(len(takes))]
        typer.__signature__ = Signature(names)  # type: ignore[attr-defined]

        def lower(context: Any, builder: Builder, signature: Any, arguments: Any) -> Any:
            values = [
                _Array(context, builder, kind, value) if isinstance(kind, types.Array) else value
                for kind, value in zip(signature.args, arguments, strict=True)
            ]
            result = emit(builder, *values)
            return context.get_dummy_value() if returns is types.void else result

        register: Any = type_callable(target)
        register(lambda _: typer)
        lower_builtin(target, *takes)(lower)  # type: ignore[no-untyped-call]
        function.__doc__ = emit.__doc__
        return function

    return declare


def _constant(*numbers: int) -> ir.Constant:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(numbers)), list(numbers))


def _index(number: int) -> ir.Constant:
    return ir.Constant(ir.IntType(32), number)


def _in_every_lane(builder: Builder, number: Value) -> Value:
    first = builder.insert_element(ir.Constant(_VECTOR.vector, ir.Undefined), number, _index(0))
    return builder.shuffle_vector(first, first, _constant(*[0] * LANES))


@_emits(_VECTOR, types.float32)
def splat(builder: Builder, number: Value) -> Value:
    """``number`` in every lane."""
    return _in_every_lane(builder, number)


@_emits(_VECTOR, types.Array, types.intp)
def load(builder: Builder, array: _Array, at: Value) -> Value:
    """``array[at : at + LANES]``."""
    return builder.load(array.pointer(at, _VECTOR.vector), align=4)


@_emits(_VECTOR, types.Array, types.intp)
def spread(builder: Builder, array: _Array, at: Value) -> Value:
    """``array[at]`` in every lane."""
    return _in_every_lane(builder, builder.load(array.pointer(at, ir.FloatType()), align=4))


@_emits(types.void, types.Array, types.intp, _VECTOR)
def store(builder: Builder, array: _Array, at: Value, vector: Value) -> None:
    """Write ``vector`` to ``array[at : at + LANES]``."""
    builder.store(vector, array.pointer(at, _VECTOR.vector), align=4)


@_emits(_VECTOR, types.Array, types.intp)
def load_bytes(builder: Builder, array: _Array, at: Value) -> Value:
    """``array[at : at + LANES]`` of an array of bytes, as numbers."""
    codes = builder.load(array.pointer(at, _CODES), align=1)
    return builder.sitofp(builder.zext(codes, ir.VectorType(ir.IntType(32), LANES)), _VECTOR.vector)


@_emits(_VECTOR, _VECTOR, _VECTOR, _VECTOR)
def multiply_add(builder: Builder, a: Value, b: Value, c: Value) -> Value:
    """``a * b + c``, rounded once where the machine can."""
    kind = ir.FunctionType(_VECTOR.vector, [_VECTOR.vector] * 3)
    name = f"llvm.fmuladd.v{LANES}f32"
    function = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    return builder.call(function, [a, b, c])


@_emits(_VECTOR, _VECTOR, _VECTOR, stands_for=add)
def _add(builder: Builder, a: Value, b: Value) -> Value:
    return builder.fadd(a, b)


@_emits(_VECTOR, _VECTOR, _VECTOR, stands_for=sub)
def _subtract(builder: Builder, a: Value, b: Value) -> Value:
    return builder.fsub(a, b)


@_emits(_MASK, _VECTOR, _VECTOR)
def greater(builder: Builder, a: Value, b: Value) -> Value:
    """Where ``a > b``."""
    return builder.fcmp_ordered(">", a, b)


@_emits(_VECTOR, _MASK, _VECTOR, _VECTOR)
def choose(builder: Builder, mask: Value, yes: Value, no: Value) -> Value:
    """``yes`` where the mask is true, ``no`` elsewhere."""
    return builder.select(mask, yes, no)


@_emits(_MASK, _MASK, _MASK, _MASK)
def choose_mask(builder: Builder, mask: Value, yes: Value, no: Value) -> Value:
    """``choose`` for masks."""
    return builder.select(mask, yes, no)


@_emits(types.void, types.Array, types.intp, _MASK, _MASK, _MASK)
def store_flags(builder: Builder, array: _Array, at: Value, first: Value, second: Value, third: Value) -> None:
    """Write three masks as bits 0, 1 and 2 of LANES bytes."""
    bits = [builder.zext(mask, _CODES) for mask in (first, second, third)]
    shifted = [builder.shl(bit, ir.Constant(_CODES, [place] * LANES)) for place, bit in enumerate(bits)]
    builder.store(builder.or_(builder.or_(shifted[0], shifted[1]), shifted[2]), array.pointer(at, _CODES), align=1)


def _flag(place: int) -> Any:
    @_emits(_MASK, types.Array, types.intp)
    def flag(builder: Builder, array: _Array, at: Value) -> Value:
        codes = builder.load(array.pointer(at, _CODES), align=1)
        bit = builder.and_(codes, ir.Constant(_CODES, [1 << place] * LANES))
        return builder.icmp_unsigned("!=", bit, ir.Constant(_CODES, [0] * LANES))

    return flag


first_flag, second_flag, third_flag = _flag(0), _flag(1), _flag(2)


def _shuffle(lanes: list[int]) -> Any:
    @_emits(_VECTOR, _VECTOR, _VECTOR)
    def shuffle(builder: Builder, a: Value, b: Value) -> Value:
        return builder.shuffle_vector(a, b, _constant(*lanes))

    return shuffle


evens, odds = _shuffle(list(range(0, 2 * LANES, 2))), _shuffle(list(range(1, 2 * LANES, 2)))
zip_low = _shuffle([lane for i in range(LANES // 2) for lane in (i, LANES + i)])
zip_high = _shuffle([lane for i in range(LANES // 2, LANES) for lane in (i, LANES + i)])


@_emits(types.float32, _VECTOR)
def total(builder: Builder, vector: Value) -> Value:
    """The sum over the lanes, in halves."""
    width = LANES
    while width > 1:
        width //= 2
        vector = builder.fadd(
            builder.shuffle_vector(vector, vector, _constant(*range(width))),
            builder.shuffle_vector(vector, vector, _constant(*range(width, 2 * width))),
        )
    return builder.extract_element(vector, _index(0))


def _splitter(channels: int) -> Any:
    """Take 2 LANES pixels of interleaved channels apart: planes ``channel`` apart, with odd pixels ``half`` later."""
    pixels = ir.VectorType(ir.IntType(8), 2 * LANES * channels)

    @_emits(types.void, types.Array, types.intp, types.Array, types.intp, types.intp, types.intp)
    def split(builder: Builder, source: _Array, at: Value, out: _Array, to: Value, channel: Value, half: Value) -> None:
        bytes_ = builder.load(source.pointer(at, pixels), align=1)
        for c in range(channels):
            place = to
            for parity in range(2):
                lanes = [(2 * lane + parity) * channels + c for lane in range(LANES)]
                plane = builder.shuffle_vector(bytes_, bytes_, _constant(*lanes))
                builder.store(plane, out.pointer(place, _CODES), align=1)
                place = builder.add(place, half)
            to = builder.add(to, channel)

    return split


split_1, split_3 = _splitter(1), _splitter(3)
