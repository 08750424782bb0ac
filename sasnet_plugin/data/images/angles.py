"""From a pixel of a flat detector to exit angles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]


def exit_angles(
    y: ArrayLike, z: ArrayLike, *, distance: float, alpha_i: float, perpendicular_to: str = "beam"
) -> tuple[FloatArray, FloatArray]:
    r"""Exit angles at points of a flat detector.

    In the sample's frame x runs along the surface in the plane of incidence, z along the surface normal, and
    the scattered wave vector is :math:`k_f \propto (\cos\alpha_f\cos\varphi, \cos\alpha_f\sin\varphi,
    \sin\alpha_f)` (G. Renaud, R. Lazzari, F. Leroy, Surf. Sci. Rep. 64 (2009) 255, eq. 1; the same convention
    as BornAgain's, G. Pospelov et al., J. Appl. Cryst. 53 (2020) 262). A point (y, z) of a detector
    perpendicular to the direct beam lies in the direction (L, y, z) of the beam's frame, which is the
    sample's frame turned by :math:`\alpha_i` about y:

    .. math::

        k_x = L\cos\alpha_i + z\sin\alpha_i, \quad k_y = y, \quad k_z = z\cos\alpha_i - L\sin\alpha_i,

    and with a detector perpendicular to the sample's x axis, met by the direct beam at
    :math:`-L\tan\alpha_i`, (L, y, :math:`z - L\tan\alpha_i`) is the direction in the sample's frame. Then

    .. math::

        \varphi = \arctan(k_y / k_x), \quad \alpha_f = \arctan(k_z / \sqrt{k_x^2 + k_y^2}).

    Parameters
    ----------
    y, z : float arrays that broadcast
        Position on the detector from the direct beam, mm; z along the (projected) surface normal.
    distance : float
        From the sample to the detector plane, along its normal, mm.
    alpha_i : float
        Angle of incidence, degrees.
    perpendicular_to : str
        ``beam`` or ``sample``.

    Returns
    -------
    phi, alpha_f : float arrays of the broadcast shape
        Degrees; the direct beam is at phi 0, alpha_f = -alpha_i.
    """
    y, z = np.broadcast_arrays(np.asarray(y, dtype=np.float64), np.asarray(z, dtype=np.float64))
    incidence = np.radians(alpha_i)
    if perpendicular_to == "sample":
        forward = np.full(y.shape, float(distance))
        upward = z - distance * np.tan(incidence)
    else:
        forward = distance * np.cos(incidence) + z * np.sin(incidence)
        upward = z * np.cos(incidence) - distance * np.sin(incidence)
    phi = np.degrees(np.arctan2(y, forward))
    alpha_f = np.degrees(np.arctan2(upward, np.hypot(forward, y)))
    return phi, alpha_f


def incidence_from_beams(height: float, *, distance: float, perpendicular_to: str = "beam") -> float:
    r"""Angle of incidence from the height of the specular beam over the direct beam.

    The two beams enclose :math:`2\alpha_i`: the height is :math:`L\tan 2\alpha_i` on a detector perpendicular
    to the direct beam, and :math:`2L\tan\alpha_i` on one perpendicular to the sample.

    Parameters
    ----------
    height, distance : float
        mm.
    perpendicular_to : str
        ``beam`` or ``sample``.

    Returns
    -------
    float
        Degrees.
    """
    if perpendicular_to == "sample":
        return float(np.degrees(np.arctan2(height, 2.0 * distance)))
    return float(np.degrees(np.arctan2(height, distance))) / 2.0


def specular_height(alpha_i: float, *, distance: float, perpendicular_to: str = "beam") -> float:
    """Height of the specular over the direct beam, mm: the inverse of `incidence_from_beams`."""
    angle = np.radians(alpha_i)
    if perpendicular_to == "sample":
        return float(2.0 * distance * np.tan(angle))
    return float(distance * np.tan(2.0 * angle))
