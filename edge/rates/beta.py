"""The beta distribution, which the exact bounds of a rate come from, by the standard library alone.

The box has no scipy; ``tests/edge/rates`` compares with it.
"""

import math
from itertools import count

TINY = 1e-300
STEPS_AT_MOST = 200_000
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), 0..1; *a*, *b* above 0.

    Source: the continued fraction of DLMF 8.17.22, evaluated by Lentz's method, with the symmetry
    of 8.17.4 where it converges slowly; its factor as Didonato and Morris (1992, TOMS 708) have it,
    which keeps its digits where *a* or *b* is large.

    >>> round(beta_cdf(0.01, 1, 299), 6)
    0.950464
    """
    if not 0.0 < x < 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _from_below(1.0 - x, b, a, math.log1p(-x), math.log(x))
    return _from_below(x, a, b, math.log(x), math.log1p(-x))


def beta_quantile(chance: float, a: float, b: float) -> float:
    """Return the x at which I_x(a, b) is *chance*, 0..1, by bisection with Newton's steps.

    >>> round(beta_quantile(0.95, 1, 299), 9)
    0.009969147
    """
    low, high = 0.0, 1.0
    x = a / (a + b)
    while True:
        below = beta_cdf(x, a, b) < chance
        low, high = (x, high) if below else (low, x)
        if high - low <= 1e-15 * high:
            return x
        nearer = x - (beta_cdf(x, a, b) - chance) / max(_density(x, a, b), TINY)
        if abs(nearer - x) <= 1e-15 * x:
            return nearer
        x = nearer if low < nearer < high else (low + high) / 2


def log_beta(a: float, b: float) -> float:
    """Return the logarithm of the beta function, its digits kept where *a* or *b* is large."""
    whole = a + b
    return (
        HALF_LOG_2PI
        - 0.5 * math.log(a * b / whole)
        - a * math.log1p(b / a)
        - b * math.log1p(a / b)
        + _stirling_rest(a)
        + _stirling_rest(b)
        - _stirling_rest(whole)
    )


def _from_below(x: float, a: float, b: float, log_x: float, log_rest: float) -> float:
    """Return I_x(a, b) for an x below the mean; *log_x*, *log_rest*: of x and of 1 - x."""
    return math.exp(_log_factor(a, b, log_x, log_rest)) * _fraction(x, a, b) / a


def _density(x: float, a: float, b: float) -> float:
    log_x, log_rest = math.log(x), math.log1p(-x)
    return math.exp(_log_factor(a, b, log_x, log_rest) - log_x - log_rest)


def _log_factor(a: float, b: float, log_x: float, log_rest: float) -> float:
    """Return the logarithm of x^a (1 - x)^b / B(a, b): terms near one another are taken first."""
    whole = a + b
    rests = _stirling_rest(a) + _stirling_rest(b) - _stirling_rest(whole)
    return (
        a * (log_x + math.log1p(b / a))
        + b * (log_rest + math.log1p(a / b))
        + 0.5 * math.log(a * b / whole)
        - HALF_LOG_2PI
        - rests
    )


def _stirling_rest(z: float) -> float:
    """Return what Stirling's formula leaves out of the logarithm of the gamma function at *z*.

    Source: DLMF 5.11.1.
    """
    if z < 16.0:
        return math.lgamma(z) - ((z - 0.5) * math.log(z) - z + HALF_LOG_2PI)
    inverse = 1.0 / (z * z)
    series = 1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680)))
    return series / z


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of I_x(a, b), by Lentz's method."""
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in count(1):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / _away(1.0 + term * d)
            c = _away(1.0 + term / c)
            value *= d * c
        if abs(d * c - 1.0) < 1e-16 or m >= STEPS_AT_MOST:
            break
    return value


def _away(value: float) -> float:
    """Keep a divisor from zero."""
    return value if abs(value) > TINY else TINY
