"""Atomic structures: reading PDB and mmCIF files, a hydration shell, and curves computed by AUSAXS.

AUSAXS (K. Lytje and J. S. Pedersen, J. Appl. Cryst. 58 (2025), 10.1107/S160057672500562X) sums over all pairs
of atoms with their form factors, hydrogens and displaced water. Waters of the shell are placed here, on a
lattice with the density of water, as its own placement is random.
"""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..arrays import Floats
from ..model_free.results import Refused
from ..names import describe_install
from . import sentences


class StructureSettings(NamedTuple):
    """How curves are computed from atoms."""

    atoms: tuple[int, int] = (50, 150_000)  #: Fewest and most.
    #: Å, from a water's centre to that of the nearest atom: a layer of one molecule's thickness.
    shell: tuple[float, float] = (3.0, 6.0)
    water_volume: float = 29.9  #: Å³ of a molecule of water.
    #: Relative excess of the shell's density, and displaced volume over that of the atoms, between which
    #: curves are computed.
    contrasts: tuple[float, float, float] = (0.0, 0.15, 0.3)
    volumes: tuple[float, float, float] = (0.9, 1.0, 1.1)
    #: Share of atoms in other residues than amino acids and nucleotides from which on it is said.
    unusual: float = 0.02


SETTINGS = StructureSettings()
#: AUSAXS has one state for the process.
_LOCK = threading.Lock()
#: Atomic numbers that AUSAXS has form factors for: up to Ba, Hf to Au, and Tl to Po.
_KNOWN = (*range(2, 57), *range(72, 80), *range(81, 85))
#: Å, of the coordinates of a PDB file.
_FARTHEST = 9000.0
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Atoms(NamedTuple):
    """Atoms of a structure, without hydrogens, water and alternative places."""

    file: str
    places: Floats  #: (n, 3) Å
    labels: tuple[tuple[str, str, str, int, str], ...]  #: Name, residue, chain, number, element of each.
    unusual: tuple[str, ...]  #: Names of residues that are no amino acids or nucleotides, if many.


class AtomCurves(NamedTuple):
    """Curves of a structure, at the values of `StructureSettings.contrasts` and `volumes`."""

    q: Floats  #: (n,) Å⁻¹
    curves: Floats  #: (contrasts, volumes, n)

    def interpolate(self, contrast: float, volume: float, settings: StructureSettings = SETTINGS) -> Floats:
        """(n,) Intensity; it is quadratic in the shell's contrast, and nearly in the volume."""
        first = _lagrange(np.array(settings.contrasts), contrast)
        second = _lagrange(np.array(settings.volumes), volume)
        curve: Floats = np.einsum("c,v,cvn->n", first, second, self.curves)
        return curve


def _lagrange(nodes: Floats, place: float) -> Floats:
    weights = np.ones(nodes.size)
    for k, node in enumerate(nodes):
        rest = np.delete(nodes, k)
        weights[k] = np.prod((place - rest) / (node - rest))
    return weights


def find_missing_package() -> Refused | None:
    """Return why no curve can be computed, if a package is not installed."""
    missing = [name for name in ("gemmi", "pyausaxs") if find_spec(name) is None]
    return _refuse_package(missing[0]) if missing else None


def _refuse_package(name: str) -> Refused:
    return Refused(sentences.NO_PACKAGE(package=name, install=describe_install("protein").rstrip(".")))


def read_structure(file: str | Path, settings: StructureSettings = SETTINGS) -> Atoms | Refused:
    """Read the first model of a PDB or mmCIF file; a `Refused` says in a sentence why it is none."""
    import gemmi

    name = Path(file).name
    if not Path(file).is_file():
        return Refused(sentences.NO_FILE(file=str(file)))
    try:
        structure = gemmi.read_structure(str(file), format=gemmi.CoorFormat.Detect)
    except (RuntimeError, ValueError, IndexError, OSError):
        return Refused(sentences.NO_STRUCTURE(file=name))
    if not len(structure):
        return Refused(sentences.NO_ATOMS(file=name))
    while len(structure) > 1:
        del structure[-1]
    structure.remove_hydrogens()
    structure.remove_waters()
    structure.remove_alternative_conformations()
    places, labels, unknown = [], [], Counter[str]()
    others: Counter[str] = Counter()
    for chain in structure[0]:
        for residue in chain:
            standard = gemmi.find_tabulated_residue(residue.name).is_standard()
            for atom in residue:
                if atom.element.atomic_number not in _KNOWN:
                    unknown[atom.element.name if atom.element.atomic_number else atom.name] += 1
                    continue
                if not standard:
                    others[residue.name] += 1
                places.append(atom.pos.tolist())
                number = residue.seqid.num or 0
                labels.append((atom.name, residue.name, chain.name, number, atom.element.name))
    if unknown:
        names = ", ".join(sorted(unknown)[:5])
        return Refused(sentences.UNKNOWN_ATOMS(file=name, count=sum(unknown.values()), names=names))
    array = np.array(places, dtype=float).reshape(-1, 3)
    if not len(array) or not np.abs(array - array.mean(axis=0)).max() < _FARTHEST:
        return Refused(sentences.NO_ATOMS(file=name))
    least, most = settings.atoms
    if len(array) < least:
        return Refused(sentences.FEW_ATOMS(file=name, count=len(array), least=least))
    if len(array) > most:
        return Refused(sentences.MANY_ATOMS(file=name, count=len(array), most=most))
    many = sum(others.values()) > settings.unusual * len(array)
    return Atoms(str(file), array, tuple(labels), tuple(sorted(others)) if many else ())


def place_waters(places: Floats, settings: StructureSettings = SETTINGS) -> Floats:
    """(m, 3) Places of the waters of a shell, Å, on a cubic lattice with one molecule in its volume."""
    from scipy.spatial import cKDTree

    near, far = settings.shell
    edge = settings.water_volume ** (1 / 3)
    # The lattice moves with the atoms. Cubes of 4 × 4 × 4 of its points that lie near atoms are searched.
    middle, cube = places.mean(axis=0), 4 * edge
    around = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    occupied = np.unique(np.floor((places - middle) / cube).astype(np.int64), axis=0)
    cubes = np.unique((occupied[:, None] + around).reshape(-1, 3), axis=0)
    within = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    lattice = (4 * cubes[:, None] + within).reshape(-1, 3) * edge + middle
    distance = cKDTree(places).query(lattice, distance_upper_bound=far)[0]
    return lattice[(distance >= near) & np.isfinite(distance)]


def _as_pdb(atoms: Atoms, waters: Floats) -> str:
    """As a PDB file that AUSAXS reads; its atoms stand about the origin."""
    middle = atoms.places.mean(axis=0)
    chains = {chain: k for k, chain in enumerate(dict.fromkeys(label[2] for label in atoms.labels))}
    rows: list[str] = []

    def add(kind: str, name: str, residue: str, chain: str, number: int, place: Floats, element: str) -> None:
        spelled = f"{name:<4s}" if len(name) > 3 or len(element) > 1 else f" {name:<3s}"
        label = f"{spelled[:4]} {residue[:3]:>3s} {chain}{number % 10000:4d}"
        coordinates = "".join(f"{value:8.3f}" for value in place)
        serial = (len(rows) + 1) % 100000
        rows.append(
            f"{kind:<6s}{serial:5d} {label}    {coordinates}  1.00  0.00          {element.upper():>2s}  \n"
        )

    for label, place in zip(atoms.labels, atoms.places - middle, strict=True):
        name, residue, chain, number, element = label
        add("ATOM", name, residue, _LETTERS[chains[chain] % len(_LETTERS)], number, place, element)
    for number, place in enumerate(waters - middle):
        add("HETATM", "O", "HOH", "w", number, place, "O")
    return "".join(rows)


def compute_curves(atoms: Atoms, q: Floats, settings: StructureSettings = SETTINGS) -> AtomCurves | Refused:
    """Compute the curves of a structure with AUSAXS at q (Å⁻¹)."""
    text = _as_pdb(atoms, place_waters(atoms.places, settings))
    try:
        import pyausaxs
    except ImportError:
        return _refuse_package("pyausaxs")
    with _LOCK, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "atoms.pdb"
        path.write_text(text, encoding="ascii", errors="replace")
        try:
            # What it prints would mix with output for programs.
            pyausaxs.set_output_callback(lambda line: None)
            try:
                # Offline: unknown residues are not asked of a server.
                pyausaxs.settings.general(offline=True, verbose=False, warnings=False, threads=1)
                pyausaxs.settings.molecule(implicit_hydrogens=True, throw_on_unknown_atom=True)
                pyausaxs.settings.set("allow_unknown_residues", "1")
                pyausaxs.settings.exv("fraser")
                pyausaxs.settings.fit(fit_hydration=True, fit_excluded_volume=True)
                molecule = pyausaxs.create_molecule(str(path))
                session = pyausaxs.manual_fit(molecule, q)
                curves = [
                    # AUSAXS scales the radius of what an atom displaces.
                    [session.evaluate([contrast, volume ** (1 / 3)], q) for volume in settings.volumes]
                    for contrast in settings.contrasts
                ]
                del session, molecule
            finally:
                # A callback that outlives the interpreter's end would crash it.
                pyausaxs.reset_output_callback()
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1].strip('" .')
            return Refused(sentences.NOT_COMPUTED(file=Path(atoms.file).name, reason=reason))
    array = np.array(curves, dtype=float)
    if not np.isfinite(array).all() or not (array[1:] > 0).all():
        return Refused(sentences.NOT_COMPUTED(file=Path(atoms.file).name, reason="it is not finite"))
    return AtomCurves(q, array)
