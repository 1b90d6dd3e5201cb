from .kappa import agree as agree
from .results import AgreementResult as AgreementResult
from .results import PairAgreement as PairAgreement
