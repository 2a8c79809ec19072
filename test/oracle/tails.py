"""Tails from p = 0.5 to 1e-300 and samples from 2 to 10,000,000 rows, in fifty digits, for test/unit/stats/tails.test.ts.

Where a law has a series or a finite sum it is written out here in mpmath, since scipy itself loses digits at such ends; scipy only
finds the statistic that has about the wanted p. Pinned: numpy 2.4.6, scipy 1.17.1, mpmath 1.4.1.
usage: tails.py OUTPUT_FILE
"""

import json
import sys
from fractions import Fraction
from math import comb

import numpy as np
from mpmath import mp, mpf
from scipy import special, stats

mp.dps = 50
WANTED = (0.5, 0.05, 1e-3, 1e-10, 1e-30, 1e-100, 1e-200, 1e-300)
LEAST = mpf(10) ** -301


def lentz(a, b):
    """The continued fraction b₀ + a₁/(b₁ + a₂/(b₂ + …)), from functions of the step."""
    f = c = b(0)
    d = mpf(0)
    for k in range(1, 1_000_000):
        d = 1 / (b(k) + a(k) * d)
        c = b(k) + a(k) / c
        f *= c * d
        if abs(c * d - 1) < mpf(10) ** -40:
            return f
    raise ArithmeticError("the continued fraction does not end")


def upper_gamma(shape, x):
    """Q(shape, x): one less the series DLMF 8.11.4 below the mean, the fraction 8.9.2 above."""
    shape, x = mpf(shape), mpf(x)
    factor = mp.exp(shape * mp.log(x) - x - mp.loggamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        k = 1
        while term > total * mpf(10) ** -45:
            term *= x / (shape + k)
            total += term
            k += 1
        return 1 - factor * total
    return factor / lentz(lambda k: -k * (k - shape), lambda k: x + 1 - shape + 2 * k)


def lower_beta(a, b, x):
    """I_x(a, b) by its continued fraction DLMF 8.17.22, on the side where it converges."""
    a, b, x = mpf(a), mpf(b), mpf(x)
    if x > (a + 1) / (a + b + 2):
        return 1 - lower_beta(b, a, 1 - x)
    factor = mp.exp(a * mp.log(x) + b * mp.log1p(-x) - mp.loggamma(a) - mp.loggamma(b) + mp.loggamma(a + b)) / a

    def step(k):
        j = k // 2
        if k % 2 == 0:
            return j * (b - j) * x / ((a + k - 1) * (a + k))
        return -(a + j) * (a + b + j) * x / ((a + k - 1) * (a + k))

    return factor / lentz(step, lambda k: mpf(1))


def chi_square():
    out = []
    for df in (0.1, 1, 2, 3, 4, 9, 99, 398, 399, 400, 401, 999, 5000, 1e5, 1e7):
        for p in WANTED:
            x = float(stats.chi2.isf(p, df))
            out.append([x, df, float(upper_gamma(mpf(df) / 2, mpf(x) / 2))])
    return out


def snedecor():
    out = []
    for d1, d2 in ((0.1, 2.8), (0.5, 14), (1, 28), (4, 112), (2, 5), (11, 1e3), (99, 3e3), (1, 1e6), (4, 1e7), (300, 1e7), (5000, 1e5)):
        for p in WANTED:
            # stats.f.isf finds nothing below 1e-16: halve a range of logarithms.
            low, high = -10.0, 700.0
            for _ in range(60):
                middle = (low + high) / 2
                share = d2 / (d2 + d1 * np.exp(middle))
                low, high = (middle, high) if special.betainc(d2 / 2, d1 / 2, share) > p else (low, middle)
            x = float(np.exp(low))
            share = mpf(d2) / (mpf(d2) + mpf(d1) * mpf(x))
            out.append([x, d1, d2, float(lower_beta(mpf(d2) / 2, mpf(d1) / 2, share))])
    return out


def normal():
    return [[z, float(mp.erfc(mpf(z) / mp.sqrt(2)) / 2)] for z in (float(stats.norm.isf(p)) for p in WANTED)]


def kolmogorov():
    out = []
    for p in (0.9999, 0.9, *WANTED):
        x = float(stats.kstwobign.isf(p))
        out.append([x, float(2 * mp.nsum(lambda k: (-1) ** (int(k) - 1) * mp.exp(-2 * k * k * mpf(x) ** 2), [1, 200]))])
    return out


def ks_exact():
    """P(D ≥ d) as a fraction of lattice paths: whole numbers throughout."""
    out = []
    for n, m in ((2, 2), (2, 3), (2, 40), (3, 1000), (7, 11), (50, 50), (60, 90), (200, 200), (150, 600), (30, 3000), (700, 900)):
        steps = sorted({max(1, int(round(n * m * f))) for f in (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 1)})
        for step in steps:
            # Paths from (0, 0) to (n, m) that stay inside |i·m − j·n| < step.
            row = [0] * (m + 1)
            for i in range(n + 1):
                for j in range(m + 1):
                    if abs(i * m - j * n) >= step:
                        row[j] = 0
                    elif i == 0 and j == 0:
                        row[j] = 1
                    else:
                        row[j] = (row[j] if i > 0 else 0) + (row[j - 1] if j > 0 else 0)
            p = 1 - Fraction(row[m], comb(n + m, n))
            if p > Fraction(1, 10**300):
                out.append([step, n, m, float(p)])
    return out


def ks_large():
    """[D, n, m, p] beyond 100,000 lattice points: up to ten thousand rows by the lattice, as scipy's auto mode does; equal sizes above
    that by Gnedenko and Korolyuk's closed form."""
    out = []
    sizes = ((11, 10_000), (20, 20_000), (50, 3000), (200, 3250), (200, 20_000), (300, 400), (317, 331), (400, 400), (700, 900), (990, 1000), (1000, 3000), (2000, 5000), (9999, 10_000))
    for n, m in sizes:
        for p in (0.9, 0.5, 0.05, 1e-3, 1e-7, 1e-15, 1e-30, 1e-60, 1e-120, 1e-200):
            d = float(stats.kstwobign.isf(p)) / (n * m / (n + m)) ** 0.5
            if d >= 1:
                continue
            step = round(d * n * m)
            value = exact_float(step, n, m)
            if value > 1e-300:
                out.append([step / (n * m), n, m, value])
    for n in (10_000, 100_000, 10**6, 10**7):
        for p in (0.9, *WANTED):
            c = round(float(stats.kstwobign.isf(p)) * (2 * n) ** 0.5)
            value = 2 * sum((-1) ** (k - 1) * mp.exp(log_choose(2 * n, n - k * c) - log_choose(2 * n, n)) for k in range(1, min(n // c, 200) + 1))
            if value > LEAST:
                out.append([c / n, n, n, float(value)])
    return out


def exact_float(step, n, m):
    """The lattice recursion of reach probabilities in doubles, one antidiagonal at a time: all its terms are positive."""
    reached = np.zeros(n + 1)
    for s in range(n + m + 1):
        low, high = max(0, s - m), min(n, s)
        i = np.arange(low, high + 1)
        j = s - i
        outside = np.abs(i * m - j * n) >= step
        if s == 0:
            new = np.zeros(1)
        else:
            before = np.where(i > 0, reached[i - 1], 0.0)
            new = (i * before + j * reached[i]) / s
        new[outside] = 1.0
        fresh = np.zeros(n + 1)
        fresh[low : high + 1] = new
        reached = fresh
    return float(reached[n])


def log_choose(n, k):
    return mp.loggamma(mpf(n) + 1) - mp.loggamma(mpf(k) + 1) - mp.loggamma(mpf(n) - k + 1)


def hypergeometric_term(k, n, r, m):
    return mp.exp(log_choose(n, k) + log_choose(m, r - k) - log_choose(n + m, r))


def tail_sum(first, ratio, steps):
    """first·(1 + ratio(0) + ratio(0)·ratio(1) + …) over at most `steps` further terms, until they no longer count."""
    term = total = first
    for i in range(steps):
        factor = ratio(i)
        term *= factor
        total += term
        if factor < 1 and term < total * mpf(10) ** -45:
            break
    return total


def at_least(k, n, r, m):
    """P(X ≥ k) of r marked rows among n + m, n drawn."""
    return tail_sum(
        hypergeometric_term(k, n, r, m),
        lambda i: mpf((n - k - i) * (r - k - i)) / ((k + i + 1) * (m - r + k + i + 1)),
        min(n, r) - k,
    )


def share_excess():
    """[k, n, b, m, P(at least k)]: k flagged of n against b of m."""
    out = []
    for n, m, b in ((2, 2, 1), (10, 40, 2), (200, 20_000, 200), (5000, 20_000, 200), (1000, 10**7, 10**5), (10**6, 10**7, 10**5), (10**7, 10**7, 3), (10**7, 10**7, 10**6)):
        seen = set()
        for z in (0, 1, 2, 3.1, 6, 11, 21, 30, 37):
            p = b / m
            k = round(n * p + z * (n * p * (1 - p) * (1 + n / m)) ** 0.5)
            if k in seen or k > n or k < 1:
                continue
            seen.add(k)
            value = at_least(k, n, k + b, m)
            if value > LEAST:
                out.append([k, n, b, m, float(value)])
    return out


def fisher():
    """[a, n, b, m, two-sided p]: both tails, each from the first table that is at most as likely as the observed one."""
    out = []
    for n, m, b in ((2, 2, 0), (5, 12, 1), (900, 25_000, 2), (50, 20_000, 30), (10_000, 10**7, 40), (1000, 10**7, 4000), (10**7, 10**7, 3), (10**6, 10**6, 0)):
        for a in (0, 1, 2, 3, 5, 9, 20, 60, 200, 1000):
            r = a + b
            if a > n or r == 0:
                continue
            low, high = max(0, r - m), min(r, n)
            observed = hypergeometric_term(a, n, r, m)
            limit = observed * (1 + mpf(10) ** -9)
            terms = [hypergeometric_term(x, n, r, m) for x in range(low, high + 1)] if high - low < 6000 else None
            value = sum(t for t in terms if t <= limit)
            if value > LEAST:
                out.append([a, n, b, m, float(value)])
    return out


def counts():
    """[count, mean, dispersion, p]: twice the smaller tail of a negative binomial law."""
    out = []
    for mean, dispersion in ((2, 0.5), (40, 0.01), (900, 1e-3), (1e4, 0.02), (1e5, 1e-6), (1e7, 1e-4), (1e7, 1e-8), (3e6, 0.3)):
        size, success = 1 / mpf(dispersion), 1 / (1 + mpf(dispersion) * mean)
        deviation = (mean + dispersion * mean**2) ** 0.5
        for z in (-30, -20, -8, -3, -1, 0, 1, 3, 8, 20, 30, 37):
            count = round(mean + z * deviation)
            if count < 0:
                continue
            below = lower_beta(size, count + 1, success)
            above = mpf(1) if count == 0 else lower_beta(count, size, 1 - success)
            value = min(1, 2 * min(below, above))
            if value > LEAST:
                out.append([count, mean, dispersion, float(value)])
    return out


def exceedance():
    out = []
    for n, m in ((2, 2), (50, 20_000), (1000, 20_000), (10**5, 20_000), (10**7, 20_000), (10**7, 10**7), (500, 10**7)):
        for h in (1, 2, 5, 20, 60, 200, 400, 1000):
            if h > n:
                continue
            value = (mp.exp(log_choose(n, h + 1) - log_choose(n + m, h + 1)) if h < n else 0) + m * mp.exp(log_choose(n, h) - log_choose(n + m, h + 1))
            if value > LEAST:
                out.append([h, n, m, float(min(1, value))])
    return out


def pearson_three():
    """[z, skewness, upper tail] of the standardised law, to both ends: a negative skewness is the mirrored law."""
    out = []
    for skew in (0.002, 0.05, 0.4, 1.2, 3.0):
        shape = 4 / mpf(skew) ** 2
        for z in (-20, -8, -3, -1, 0, 1.5, 4, 9, 20, 30, 90, 300):
            x = shape + mp.sqrt(shape) * z
            if x <= 0:
                continue
            upper = upper_gamma(shape, x)
            lower = lower_gamma(shape, x)
            if upper > LEAST and lower > LEAST:
                out.append([z, skew, float(upper), float(lower)])
    return out


def lower_gamma(shape, x):
    shape, x = mpf(shape), mpf(x)
    if x >= shape + 1:
        return 1 - upper_gamma(shape, x)
    factor = mp.exp(shape * mp.log(x) - x - mp.loggamma(shape))
    return factor * tail_sum(1 / shape, lambda k: x / (shape + k + 1), 1_000_000)


vectors = {
    "chiSquare": chi_square(),
    "f": snedecor(),
    "normal": normal(),
    "kolmogorov": kolmogorov(),
    "ksExact": ks_exact(),
    "ksLarge": ks_large(),
    "shareExcess": share_excess(),
    "fisher": fisher(),
    "counts": counts(),
    "exceedance": exceedance(),
    "pearsonThree": pearson_three(),
}
with open(sys.argv[1], "w") as file:
    json.dump(vectors, file, separators=(",", ":"), allow_nan=False)
    file.write("\n")
