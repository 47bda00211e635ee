"""The contract: one set of tests that every registered model passes.

A model is registered by a file ``test_NAME.py`` in this folder with a class that derives from
`ModelContract`. The class says which command lines sample the model (`cases`), and how the states
of its smallest lattice are enumerated where they are not all +-1. CONTRIBUTING.md, "Add a model",
walks through an example.
"""

from __future__ import annotations

from contract_files import FileContract
from contract_probabilities import ProbabilityContract
from contract_sampling import SamplingContract


class ModelContract(SamplingContract, ProbabilityContract, FileContract):
    """What is promised of a model, as tests for pytest.

    A subclass sets ``model``, ``cases`` and ``settings`` (see `contract_base.Registration`), and
    overrides what is special: ``block``, ``states``, ``wrong``, ``corrupted``.
    """
