"""A program that ends while LLVM is at work; its arguments are how it ends, and a seed.

What ran after LLVM's tables were taken down had no time to come to grief as a rule, so the end is
drawn out: the C library sleeps between that and the death of the process.
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
import sys
import threading
import time

#: How long the end is drawn out, in microseconds: several times what is emitted takes.
_DRAWN_OUT = 500_000
#: Functions that are written out in one kernel: a tenth of a second's work and more.
_FUNCTIONS = 8


def draw_out_the_end() -> None:
    """To be called before LLVM is loaded: what was registered first is called last."""
    library = ctypes.CDLL(None)
    sleep = ctypes.cast(library.usleep, ctypes.c_void_p)
    library.__cxa_atexit(sleep, ctypes.c_void_p(_DRAWN_OUT), None)


def work_for_llvm() -> str:
    """The text of a module that keeps LLVM busy."""
    from workbench.core.codegen.host import target
    from workbench.core.codegen.module import module_text
    from workbench.core.codegen.specs import LoopSpec, Operand, Step, Store
    from workbench.core.fusion.lowering import lower

    found = target()
    assert found is not None
    steps = [Step("load", (), "float32", 0)]
    steps += [Step("tan", (number,), "float32") for number in range(_FUNCTIONS)]
    operands = (Operand("float32", (1,)), Operand("float32", (1,)))
    spec = LoopSpec((4096,), operands, tuple(steps), (Store(_FUNCTIONS, 1),))
    return module_text(call.code for call in lower(spec, found).calls)


def compile_all_the_time(text: str, began: threading.Event) -> None:
    """Has LLVM make the same again and again, in the background."""
    from workbench.core.codegen.compiler import emit
    from workbench.core.codegen.host import target_machine

    machine = target_machine()
    while True:
        began.set()
        emit(text, machine)


def train_in_the_background() -> None:
    """Runs steps that are compiled meanwhile, in a thread that nobody ends."""
    import numpy as np

    import workbench as tf

    images = hidden = tf.placeholder(tf.float32, [None, 8, 8, 2])
    for filters in range(3, 8):
        hidden = tf.layers.conv2d(hidden, filters, 3, padding="same", activation=tf.tan)
    loss = tf.reduce_mean(tf.erfc(hidden))
    train = tf.train.AdamOptimizer().minimize(loss)
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    while True:
        session.run(train, {images: np.ones([4, 8, 8, 2], np.float32)})


def main(how: str, seed: int) -> None:
    """Ends as `how` says; the exit code is 3, but for "return".

    "signals": the handler of a signal exits, and more signals follow. "steps": while a step runs
    that is being compiled.
    """
    draw_out_the_end()
    delay = random.Random(seed).uniform(0.0, 0.3)
    if how == "steps":
        threading.Thread(target=train_in_the_background, daemon=True).start()
        from workbench.core.codegen.compiler import KernelLibrary

        kernels = KernelLibrary.shared()
        while not kernels.statistics.compiled:
            time.sleep(0.001)
        time.sleep(delay)
        sys.exit(3)
    began = threading.Event()
    text = work_for_llvm()
    threading.Thread(target=compile_all_the_time, args=(text, began), daemon=True).start()
    began.wait()
    time.sleep(delay)
    if how == "signals":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
        threading.Thread(target=_signals, daemon=True).start()
        signal.pause()
    elif how == "exit":
        sys.exit(3)


def _signals() -> None:
    for _ in range(20):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.002)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
