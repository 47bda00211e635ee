"""The contract of the Potts model."""

from cases import Case
from contract import ModelContract


class TestPotts(ModelContract):
    model = "potts"
    cases = (
        Case("swendsen-wang", "--states 3 --size 3x2 --coupling 0.7"),
        Case("wolff", "--states 3 --size 3x2 --coupling 0.7 --algorithm wolff", slow=True),
        Case("heat bath", "--states 4 --size 3x2 --coupling 0.7 --algorithm heat-bath", slow=True),
        Case("four states", "--states 4 --size 2x3 --coupling 0.9", slow=True),
        Case("two states", "--states 2 --size 4x2 --coupling 0.6", slow=True),
        Case("chain", "--dimension 1 --states 5 --size 4 --coupling 1", slow=True),
        Case("cube", "--dimension 3 --states 2 --size 2 --coupling 0.2", slow=True),
        Case(
            "cube by heat bath",
            "--dimension 3 --states 2 --size 2 --coupling 0.2 --algorithm heat-bath",
            slow=True,
        ),
    )
    settings = ("--states 3 --size 8 --coupling 0.9 --chains 8",)
