"""Every translation against the interpreter's kernel: samples, random and special numbers.

Steps are run here by a small interpreter of their own (`translating`), so what is compared is the
meaning of a translation and the order of its roundings. `test_translation_compiled` runs the code.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from tests.core.codegen.translating import compute, interpreted, make_node
from tests.core.codegen.translation_cases import DECLARATIONS, TRANSLATED, Case, all_cases
from tests.core.codegen.translation_comparison import assert_close
from workbench.core.codegen.translation import unsupported
from workbench.core.codegen.translation.omission import OMITTED
from workbench.core.codegen.translation.table import TRANSLATIONS
from workbench.core.codegen.unsupported import Unsupported

CASES: dict[str, list[Case]] = defaultdict(list)
for _case in all_cases():
    CASES[_case.type_name].append(_case)


def test_elementwise_operations_are_translated_or_left_out_for_a_reason() -> None:
    elementwise = {t for t, d in DECLARATIONS.items() if d.elementwise}
    assert elementwise - TRANSLATIONS.keys() == OMITTED.keys()
    assert not OMITTED.keys() & set(TRANSLATED)
    assert set(TRANSLATED) <= DECLARATIONS.keys()


@pytest.mark.parametrize("type_name", TRANSLATED)
def test_translation_means_what_the_kernel_does(type_name: str) -> None:
    outcomes: Counter[str] = Counter()
    for case in CASES[type_name]:
        node = make_node(type_name, case.arrays, case.attrs)
        try:
            got, functions = compute(node, case.arrays)
        except Unsupported as reason:
            assert unsupported(node) == str(reason)
            outcomes[str(reason)] += 1
            continue
        reason = unsupported(node)
        # There may be no code for a function of integers.
        assert reason is None or (case.arrays[0].dtype.kind in "iu" and "no vector code" in reason)
        want = interpreted(type_name, case.arrays, node.attrs)
        assert len(got) >= len(want), case
        for result, expected in zip(got, want, strict=False):
            assert_close(result, np.asarray(expected), functions, str(case))
        outcomes["as the kernel"] += 1
    assert outcomes["as the kernel"], outcomes
