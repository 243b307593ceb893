"""The recording that the tests of the memory itself read is played here; helpers lie beside."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4] / 'tests'))
sys.path.insert(0, str(Path(__file__).parent))
