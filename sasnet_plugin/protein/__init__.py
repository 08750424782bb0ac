"""What a curve of a protein in solution says: size, shape, molecular weight and quality, with errors."""

from .api import protein
from .results import MolecularWeight, Oligomer, ProteinResult, Quality, StructureFit, Value

__all__ = ["MolecularWeight", "Oligomer", "ProteinResult", "Quality", "StructureFit", "Value", "protein"]
