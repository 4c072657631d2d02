"""Compiled loops: numba, imported when a kernel is first called, and one compilation on a machine, whoever calls first.

Importing numba takes longer than many commands, so that `kernel` only remembers a function until it is called. What is
compiled is kept where numba keeps it (beside the source, or in the user's cache folder if that is read-only, or in
`NUMBA_CACHE_DIR`), and not at all where nothing can be written. Processes that meet the same types at the same time
wait for the first of them, by a lock that ends with its owner.
"""

from __future__ import annotations

import sys
import threading
from functools import cache, partial, update_wrapper
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from landloom.processes import importing

try:
    import fcntl
except ImportError:  # Windows: every process compiles for itself
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import IO

R = TypeVar("R")

_LOCK: Final = "landloom.lock"
"""Name of the lock file in numba's cache folder."""
_BLAS: Final = "scipy.linalg.cython_blas"
_COMPILED: Final = ("numba", "numba.core.typing.templates", "numba.np.arraymath", "numba.np.npyimpl", "numba.np.linalg")
"""What every process needs to call a kernel."""
_resolving = threading.RLock()


@overload
def kernel(function: Callable[..., R], /) -> Callable[..., R]: ...
@overload
def kernel(**options: Any) -> Callable[[Callable[..., R]], Callable[..., R]]: ...
def kernel(function: Any = None, /, **options: Any) -> Any:
    """Compile a function when it is first called, without the interpreter's lock, and keep the result on disk.

    Args:
        function: loops over arrays and numbers; it may call other kernels.
        options: numba's, such as `error_model`, `fastmath` or `inline`.

    Example:
        >>> @kernel
        ... def doubled(values):
        ...     return values * 2
        >>> doubled(21)
        42
    """
    if function is None:
        return partial(Kernel, options=options)
    return Kernel(function, options=options)


class Kernel:
    """A function that is compiled when it is first called."""

    def __init__(self, function: Callable[..., Any], *, options: dict[str, Any]) -> None:
        """Remember the function."""
        self._function = function
        self._options = options
        self._compiled: Any = None
        update_wrapper(self, function)

    def __call__(self, *args: Any) -> Any:
        """Call the compiled function."""
        compiled = self._compiled or self.compiled()
        return compiled(*args)

    def compiled(self) -> Any:
        """Numba's dispatcher; the kernels that the function calls have theirs first."""
        with _resolving:
            if self._compiled is None:
                names = self._function.__globals__
                for name in _names(self._function.__code__):
                    if isinstance(names.get(name), Kernel):
                        names[name] = names[name].compiled()
                self._compiled = _dispatcher(self._function, self._options)
            return self._compiled


def _names(code: CodeType) -> set[str]:
    inner = (_names(part) for part in code.co_consts if hasattr(part, "co_names"))
    return set(code.co_names).union(*inner)


class _Later(ModuleType):
    """Stands for a module that is only asked for, not used; the first use of any name imports it."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


@cache
def load_compiler() -> ModuleType:
    """Numba, with what every kernel needs of it.

    Numba imports SciPy's linear algebra, which takes half as long as numba itself, only to know whether it is there.
    Kernels that use it import it then.

    Example:
        >>> load_compiler().__name__
        'numba'
    """
    with importing():
        stands = _BLAS not in sys.modules and find_spec("scipy") is not None
        if stands:
            sys.modules[_BLAS] = _Later(_BLAS)
        try:
            for name in _COMPILED:
                import_module(name)
        finally:
            if stands and isinstance(sys.modules.get(_BLAS), _Later):
                del sys.modules[_BLAS]
    return sys.modules["numba"]


def _dispatcher(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    dispatcher = load_compiler().njit(nogil=True, **options)(function)
    try:
        dispatcher.enable_caching()
    except RuntimeError:  # neither beside the source nor in the user's folder can anything be written
        return dispatcher
    dispatcher._cache = _SharedCache(dispatcher._cache)  # noqa: SLF001 - numba has no hook before it compiles
    compile_types = dispatcher.compile

    def compiled(types: Any) -> Any:
        with _compiling:
            return compile_types(types)

    dispatcher.compile = compiled
    return dispatcher


class _Compiling(threading.local):
    """A thread's compilations, one inside the other, and the lock that the outermost may hold."""

    depth = 0
    lock: IO[bytes] | None = None

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        if not self.depth and self.lock is not None:
            self.lock.close()
            self.lock = None

    def alone(self, path: Path) -> bool:
        """Wait until no other process compiles there; False if this thread did not wait, or cannot."""
        if self.lock is not None or fcntl is None:
            return False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.lock = path.open("ab")
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        except OSError:  # a file system without locks: every process compiles for itself
            return False
        return True


_compiling = _Compiling()


class _SharedCache:
    """Numba's cache of a function, in which one process compiles what is missing while others wait for it."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What is there, perhaps after another process has compiled it; None if it is for this process to compile."""
        found = self._cache.load_overload(sig, target_context)
        if found is None and _compiling.alone(Path(self._cache.cache_path) / _LOCK):
            found = self._cache.load_overload(sig, target_context)
        return found
