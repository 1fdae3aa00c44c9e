"""Vectors of float32 for numba functions, as LLVM vector types, which LLVM supports on every target.

``LANES`` numbers fill a register of this machine, or two short registers. An octet is eight numbers on every machine.
The public functions of this module can be called from compiled code; ``at`` is an index into a flat array,
without bounds checks or wraparound, and need not be aligned.
"""

import contextlib
from collections.abc import Callable
from inspect import Parameter, Signature
from operator import add, mul, sub
from typing import Any

import llvmlite.binding
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, models, register_model, type_callable


def processor() -> str:
    """The name and features of the processor that numba compiles for, in LLVM's terms."""
    config: Any = numba.config
    name, features = config.CPU_NAME, config.CPU_FEATURES
    with contextlib.suppress(RuntimeError):
        name = name or llvmlite.binding.get_host_cpu_name()
        if features is None:
            features = str(llvmlite.binding.get_host_cpu_features().flatten())
    return f"{name} {features or ''}"


LANES: int = 16 if "+avx512f" in processor() else 8

Builder = Any
Value = Any
Vector = Any
"""LANES numbers."""
Mask = Any
"""LANES truth values."""
Octet = Any
"""Eight numbers."""


class _Type(types.Type):
    """A numba type held in one LLVM vector."""

    def __init__(self, name: str, element: ir.Type, lanes: int) -> None:
        self.vector = ir.VectorType(element, lanes)
        super().__init__(f"{name}x{lanes}")


_VECTOR, _MASK = _Type("float32", ir.FloatType(), LANES), _Type("bool", ir.IntType(1), LANES)
_OCTET = _Type("float32", ir.FloatType(), 8)
_CODES, _WORD = ir.VectorType(ir.IntType(8), LANES), ir.IntType(64)


@register_model(_Type)
class _Model(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, fe_type.vector)  # type: ignore[no-untyped-call]


class _Array:
    """An array argument of ``emit``."""

    def __init__(self, context: Any, builder: Builder, array_type: Any, array: Value) -> None:
        self.builder = builder
        self.data = context.make_array(array_type)(context, builder, array).data

    def pointer(self, at: Value, to: ir.Type) -> Value:
        return self.builder.bitcast(self.builder.gep(self.data, [at]), to.as_pointer())


def _emits(returns: Any, *takes: Any, stands_for: Any = None) -> Callable[[Callable[..., Any]], Any]:
    """Turn ``emit``, which writes LLVM instructions, into a function that compiled code can call.

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


def _in_every_lane(builder: Builder, number: Value, kind: _Type) -> Value:
    first = builder.insert_element(ir.Constant(kind.vector, ir.Undefined), number, _index(0))
    return builder.shuffle_vector(first, first, _constant(*[0] * kind.vector.count))


def _splat(kind: _Type) -> Any:
    @_emits(kind, types.float32)
    def splat(builder: Builder, number: Value) -> Value:
        """``number`` in every lane."""
        return _in_every_lane(builder, number, kind)

    return splat


def _load(kind: _Type) -> Any:
    @_emits(kind, types.Array, types.intp)
    def load(builder: Builder, array: _Array, at: Value) -> Value:
        """As many numbers as the vector has lanes, from ``array[at]``."""
        return builder.load(array.pointer(at, kind.vector), align=4)

    return load


def _spread(kind: _Type) -> Any:
    @_emits(kind, types.Array, types.intp)
    def spread(builder: Builder, array: _Array, at: Value) -> Value:
        """``array[at]`` in every lane."""
        return _in_every_lane(builder, builder.load(array.pointer(at, ir.FloatType()), align=4), kind)

    return spread


def _store(kind: _Type) -> Any:
    @_emits(types.void, types.Array, types.intp, kind)
    def store(builder: Builder, array: _Array, at: Value, vector: Value) -> None:
        """Write ``vector`` to ``array`` from ``array[at]``."""
        builder.store(vector, array.pointer(at, kind.vector), align=4)

    return store


def _multiply_add(kind: _Type) -> Any:
    @_emits(kind, kind, kind, kind)
    def multiply_add(builder: Builder, a: Value, b: Value, c: Value) -> Value:
        """``a * b + c``, rounded once if the machine supports it."""
        signature = ir.FunctionType(kind.vector, [kind.vector] * 3)
        name = f"llvm.fmuladd.v{kind.vector.count}f32"
        function = cgutils.get_or_insert_function(builder.module, signature, name)  # type: ignore[no-untyped-call]
        return builder.call(function, [a, b, c])

    return multiply_add


splat, load, spread, store, multiply_add = (make(_VECTOR) for make in (_splat, _load, _spread, _store, _multiply_add))
splat_8, load_8, spread_8, store_8, multiply_add_8 = (
    make(_OCTET) for make in (_splat, _load, _spread, _store, _multiply_add)
)


for _kind in {_VECTOR, _OCTET}:

    @_emits(_kind, _kind, _kind, stands_for=add)
    def _add(builder: Builder, a: Value, b: Value) -> Value:
        return builder.fadd(a, b)


@_emits(_VECTOR, _VECTOR, _VECTOR, stands_for=sub)
def _subtract(builder: Builder, a: Value, b: Value) -> Value:
    return builder.fsub(a, b)


@_emits(_VECTOR, _VECTOR, _VECTOR, stands_for=mul)
def _multiply(builder: Builder, a: Value, b: Value) -> Value:
    return builder.fmul(a, b)


@_emits(_VECTOR, types.Array, types.intp)
def load_bytes(builder: Builder, array: _Array, at: Value) -> Value:
    """``array[at : at + LANES]`` of an array of bytes, as numbers."""
    codes = builder.load(array.pointer(at, _CODES), align=1)
    return builder.sitofp(builder.zext(codes, ir.VectorType(ir.IntType(32), LANES)), _VECTOR.vector)


@_emits(_MASK, _VECTOR, _VECTOR)
def greater(builder: Builder, a: Value, b: Value) -> Value:
    """A mask of ``a > b``."""
    return builder.fcmp_ordered(">", a, b)


@_emits(_VECTOR, _MASK, _VECTOR, _VECTOR)
def choose(builder: Builder, mask: Value, yes: Value, no: Value) -> Value:
    """``yes`` where the mask is true, ``no`` elsewhere."""
    return builder.select(mask, yes, no)


@_emits(_MASK, _MASK, _MASK, _MASK)
def choose_mask(builder: Builder, mask: Value, yes: Value, no: Value) -> Value:
    """``choose`` for masks."""
    return builder.select(mask, yes, no)


@_emits(types.void, types.Array, types.intp, _MASK)
def store_bits(builder: Builder, array: _Array, at: Value, mask: Value) -> None:
    """Write the mask as LANES bits to an array of bytes, the first lane to the lowest bit."""
    bits = ir.IntType(LANES)
    builder.store(builder.bitcast(mask, bits), array.pointer(at, bits), align=1)


@_emits(types.int32, types.Array, types.intp)
def load_word(builder: Builder, array: _Array, at: Value) -> Value:
    """Four bytes of an array of bytes."""
    return builder.load(array.pointer(at, ir.IntType(32)), align=1)


@_emits(types.void, types.Array, types.intp, types.int32)
def store_word(builder: Builder, array: _Array, at: Value, word: Value) -> None:
    """Write four bytes to an array of bytes."""
    builder.store(word, array.pointer(at, ir.IntType(32)), align=1)


@_emits(types.intp, types.int64)
def lowest_bit(builder: Builder, word: Value) -> Value:
    """The index of the lowest set bit; the word must not be zero."""
    signature = ir.FunctionType(_WORD, [_WORD, ir.IntType(1)])
    function = cgutils.get_or_insert_function(builder.module, signature, "llvm.cttz.i64")  # type: ignore[no-untyped-call]
    return builder.call(function, [word, ir.Constant(ir.IntType(1), 1)])


def _shuffle(lanes: list[int], kind: _Type) -> Any:
    @_emits(kind, kind, kind)
    def shuffle(builder: Builder, a: Value, b: Value) -> Value:
        return builder.shuffle_vector(a, b, _constant(*lanes))

    return shuffle


def _zips(kind: _Type) -> list[Any]:
    """Functions that interleave the first and the second halves of two vectors."""
    n = kind.vector.count
    halves = range(n // 2), range(n // 2, n)
    return [_shuffle([lane for i in half for lane in (i, n + i)], kind) for half in halves]


evens, odds = (_shuffle(list(range(first, 2 * LANES, 2)), _VECTOR) for first in (0, 1))
zip_low, zip_high = _zips(_OCTET)


@_emits(_OCTET, types.Array, types.intp)
def load_two_pixels(builder: Builder, array: _Array, at: Value) -> Value:
    """Two RGB pixels of an array of bytes, each as three numbers and an arbitrary fourth; reads eight bytes."""
    codes = ir.VectorType(ir.IntType(8), 8)
    bytes_ = builder.load(array.pointer(at, codes), align=1)
    apart = builder.shuffle_vector(bytes_, bytes_, _constant(0, 1, 2, 2, 3, 4, 5, 5))
    return builder.sitofp(builder.zext(apart, ir.VectorType(ir.IntType(32), 8)), _OCTET.vector)


def _splitter(channels: int) -> Any:
    """Deinterleave 2 LANES pixels into planes with stride ``channel``; odd pixels go to an offset of ``half``."""
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
