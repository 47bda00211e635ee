"""The contract of the clock model."""

from cases import Case
from contract import ModelContract


class TestClock(ModelContract):
    model = "clock"
    cases = (
        Case("wolff", "--states 4 --size 3x2 --coupling 0.6", slow=True),
        Case("five", "--states 5 --size 4 --dimension 1 --coupling 1.3", slow=True),
        Case("heat bath", "--states 4 --size 3x2 --coupling 0.6 --algorithm heat-bath", slow=True),
        Case("many states", "--states 16 --size 3 --dimension 1 --coupling 1", slow=True),
    )
    settings = ("--states 5 --size 8 --coupling 1.2 --chains 8",)
