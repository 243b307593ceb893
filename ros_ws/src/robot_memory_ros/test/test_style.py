"""The ament linters."""

from pathlib import Path

import pytest
from ament_flake8.main import main_with_errors
from ament_pep257.main import main as pep257
from ament_xmllint.main import main as xmllint

PACKAGE = Path(__file__).parent.parent


@pytest.mark.flake8
def test_flake8():
    """Nothing to mend."""
    code, errors = main_with_errors(argv=[str(PACKAGE)])
    assert code == 0, '\n'.join(errors)


@pytest.mark.pep257
def test_pep257():
    """Every docstring is one."""
    assert pep257(argv=[str(PACKAGE)]) == 0


@pytest.mark.xmllint
def test_xmllint():
    """The manifest is valid."""
    assert xmllint(argv=[str(PACKAGE)]) == 0
