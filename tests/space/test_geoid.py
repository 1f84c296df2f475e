"""The geoid gives NGA's published EGM96 heights within its stated error, at the seam and the poles too."""

from __future__ import annotations

import numpy as np
import pytest

from keepclear.errors import UsageError
from keepclear.space.geoid import INTERPOLATION_ERROR_M, undulation_m


@pytest.fixture(autouse=True)
def _grid_is_there() -> None:
    try:
        undulation_m(0.0, 0.0)
    except UsageError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("lat", "lon", "published"),
    [(38.6281550, 269.7791550, -31.628), (-14.6212170, 305.0211140, -2.969), (46.8743190, 102.4487290, -43.575),
     (-23.6174460, 133.8747120, 15.871), (38.6254730, 359.9995000, 50.066), (-0.4667440, 0.0023000, 17.329)],
)  # fmt: skip
def test_published_points_of_the_model(lat: float, lon: float, published: float) -> None:
    """The test output that NGA distributes with its program F477 (OUTPT.DAT)."""
    assert float(undulation_m(lat, lon)) == pytest.approx(published, abs=0.02)
    assert INTERPOLATION_ERROR_M >= 0.02


def test_poles_seam_and_unknown_places() -> None:
    assert np.ptp(undulation_m(90.0, np.linspace(-180, 180, 9))) < 1e-5
    assert float(undulation_m(90.0, 0.0)) == pytest.approx(13.606, abs=0.01)
    assert float(undulation_m(-90.0, 0.0)) == pytest.approx(-29.535, abs=0.01)
    assert float(undulation_m(10.0, -180.0)) == float(undulation_m(10.0, 180.0))
    assert float(undulation_m(10.0, -1e-9)) == pytest.approx(float(undulation_m(10.0, 0.0)), abs=1e-5)
    assert np.isnan(undulation_m(np.nan, 1.0))
    assert undulation_m(np.zeros((2, 1)), np.zeros(3)).shape == (2, 3)


def test_grid_values_are_met_and_the_surface_is_continuous() -> None:
    lat = np.linspace(49.99, 50.01, 400)
    steps = np.diff(undulation_m(lat, 10.1))
    assert np.abs(steps).max() < 0.002
