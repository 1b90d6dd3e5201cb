"""What every analysis returns and every figure carries: results, intervals, provenance, passports."""
