from .examine import CHECKS as CHECKS
from .examine import Diagnosis as Diagnosis
from .examine import examine as examine
from .findings import EXIT_CODES as EXIT_CODES
from .findings import Finding as Finding
from .findings import gravest as gravest
