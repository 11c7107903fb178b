#!/usr/bin/env python3
"""Makes the reference tables of the distributions: python3 make_fixtures.py [FOLDER [TABLE...]].

Needs: pip install scipy==1.17.1 mpmath==1.4.1 gmpy2 (the tests themselves need neither). Every expected
value comes from mpmath with at least 30 correct digits and is rounded once, to the nearest double;
arguments are the exact doubles that the tests read. SciPy computes every point as well: it starts
the search for quantiles, and its worst relative difference is stored per table as
`scipy_difference`, so that a mistake in this script would show.
"""

import json
import math
import os
import sys

import mpmath
from mpmath import mp, mpf
from scipy import special, stats

FOLDER = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
# 17 probabilities: far tails, the levels of everyday intervals, next to the median, next to 1.
PROBABILITIES = [1e-300, 1e-200, 1e-100, 1e-50, 1e-20, 1e-10, 1e-5, 0.001, 0.025, 0.05, 0.25,
                 0.4999, 0.5, 0.75, 0.975, 0.999, 1 - 1e-10]


def beta_tails(a, b, x):
    """(I_x(a, b), 1 - I_x(a, b)) by the power series of the side below 1/2."""
    a, b, x = mpf(a), mpf(b), mpf(x)
    if x > 0.5:
        upper, lower = beta_tails(b, a, 1 - x)
        return lower, upper
    term = total = mpf(1)
    n = 0
    while True:
        ratio = (a + b + n) * x / (a + 1 + n)
        term *= ratio
        total += term
        n += 1
        if ratio < 1 and term * ratio < total * (1 - ratio) * mp.eps / 16:
            break
    log_front = a * mp.log(x) + b * mp.log1p(-x) - mp.log(a) - log_beta(a, b)
    lower = mp.exp(log_front) * total
    return lower, 1 - lower


def log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def gamma_tails(a, x):
    a, x = mpf(a), mpf(x)
    term = total = 1 / a
    n = 0
    ratio = mp.inf
    while ratio >= 1 or term * ratio > total * (1 - ratio) * mp.eps / 16:
        n += 1
        ratio = x / (a + n)
        term *= ratio
        total += term
    lower = mp.exp(a * mp.log(x) - x - mp.loggamma(a)) * total
    return lower, 1 - lower


def digits_for(p):
    """Working digits with which 1 - (a tail as small as p) keeps 40 digits."""
    tail = min(p, 1 - p)
    return 50 + int(-math.log10(tail)) if tail > 0 else 50


def solve(p, start, tails, density, end=mp.inf):
    """x in (0, end) with tails(x)[0] = p: Newton in log x on the log of the smaller tail."""
    p = mpf(p)
    q = 1 - p
    x = mpf(start)
    low, high = mpf(0), mpf(end)
    for _ in range(200):
        lower, upper = tails(x)
        gap = mp.log(lower / p) if p <= q else -mp.log(upper / q)
        if gap > 0:
            high = min(high, x)
        else:
            low = max(low, x)
        move = -gap * (lower if p <= q else upper) / (x * density(x))
        if abs(move) < mpf(10) ** -32:
            return x
        step = x * mp.exp(max(-60, min(60, move)))
        x = step if low < step < high else (low + high) / 2 if high < mp.inf else x * 2
    raise ArithmeticError(f"no convergence for p={p}, start={start}")


def beta_density(a, b):
    front = log_beta(mpf(a), mpf(b))
    return lambda x: mp.exp((mpf(a) - 1) * mp.log(x) + (mpf(b) - 1) * mp.log1p(-x) - front)


def beta_quantile(a, b, p):
    guess = float(stats.beta.ppf(p, a, b))
    if not 0 < guess < 1:
        guess = a / (a + b)
    return solve(p, guess, lambda x: beta_tails(a, b, x), beta_density(a, b), 1)


def t_tails(t, v):
    """(P(|T| <= t), P(|T| > t))."""
    upper, lower = beta_tails(mpf(v) / 2, mpf(1) / 2, v / (v + mpf(t) ** 2))
    return lower, upper


def t_density(v):
    front = log_beta(mpf(v) / 2, mpf(1) / 2) + mp.log(mpf(v)) / 2
    return lambda t: 2 * mp.exp(-(mpf(v) + 1) / 2 * mp.log1p(t * t / v) - front)


def t_quantile(v, p):
    if p == 0.5:
        return mpf(0)
    tail = mpf(p) if p < 0.5 else 1 - mpf(p)
    guess = abs(float(stats.t.ppf(p, v)))
    if not (0 < guess < math.inf):
        guess = 1.0
    root = solve(1 - 2 * tail, guess, lambda t: t_tails(t, v), t_density(v))
    return -root if p < 0.5 else root


def chi_square_quantile(v, p):
    a = mpf(v) / 2
    density = lambda x: mp.exp((a - 1) * mp.log(x) - x - mp.loggamma(a))
    guess = float(stats.chi2.ppf(p, v)) / 2
    return 2 * solve(p, guess if guess > 0 else 1e-3, lambda x: gamma_tails(a, x), density)


def normal_tail(z):
    return mp.erfc(mpf(z) / mp.sqrt(2)) / 2


def normal_quantile(p):
    """Through the chi-square distribution with one degree of freedom: Z² below a point."""
    if p == 0.5:
        return mpf(0)
    tail = mpf(p) if p < 0.5 else 1 - mpf(p)
    z = mpf(float(-stats.norm.ppf(min(p, 1 - p))))
    for _ in range(12):
        z += (normal_tail(z) / tail - 1) * tail / (mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi))
    assert abs(normal_tail(z) / tail - 1) < mpf(10) ** -30
    return -z if p < 0.5 else z


def binomial_tails(k, n, p):
    upper, lower = beta_tails(k + 1, n - k, p)
    return lower, upper


def hypergeometric_tails(k, population, marked, drawn):
    """Sums of exact terms; the larger side is 1 minus the smaller."""
    rest = population - marked

    def log_binomial(n, m):
        return mp.loggamma(n + 1) - mp.loggamma(m + 1) - mp.loggamma(n - m + 1)

    def mass(j):
        return mp.exp(log_binomial(mpf(marked), j) + log_binomial(mpf(rest), drawn - j)
                      - log_binomial(mpf(population), drawn))

    down = k < drawn * marked / population
    j = k if down else k + 1
    term = total = mass(j)
    while term > total * mp.eps:
        if down:
            term *= mpf(j * (rest - drawn + j)) / ((marked - j + 1) * (drawn - j + 1))
            j -= 1
        else:
            term *= mpf((marked - j) * (drawn - j)) / ((j + 1) * (rest - drawn + j + 1))
            j += 1
        total += term
    return (total, 1 - total) if down else (1 - total, total)


class Table:
    def __init__(self, name):
        self.name = name
        self.functions = {}
        self.worst = {}

    def add(self, function, arguments, value, scipy_value):
        expected = float(value)
        if expected != 0 and abs(expected) < 1e-305:
            return
        rows = self.functions.setdefault(function, [])
        rows.append([*arguments, expected])
        if math.isfinite(scipy_value) and expected != 0:
            difference = abs(scipy_value / expected - 1)
        else:
            difference = 0.0 if scipy_value == expected else math.inf
        self.worst.setdefault(function, []).append(difference)

    def write(self):
        lines = ["{", f'  "made_by": "make_fixtures.py, SciPy {scipy_version()}, '
                      f'mpmath {mpmath.__version__}",']
        lines.append('  "scipy_difference": {')
        notes = []
        for function, found in self.worst.items():
            finite = sorted(x for x in found if x < math.inf)
            notes.append(f'    "{function}": {{"median": {finite[len(finite) // 2]:.1e}, '
                         f'"max": {finite[-1]:.1e}, "not_finite": {len(found) - len(finite)}}}')
        lines.append(",\n".join(notes))
        lines.append("  },")
        blocks = []
        for function, rows in self.functions.items():
            body = ",\n".join("    " + json.dumps(row) for row in rows)
            blocks.append(f'  "{function}": [\n{body}\n  ]')
        lines.append(",\n".join(blocks))
        lines.append("}")
        with open(os.path.join(FOLDER, f"{self.name}.json"), "w") as file:
            file.write("\n".join(lines) + "\n")
        print(self.name, {f: len(r) for f, r in self.functions.items()}, flush=True)


def scipy_version():
    import scipy
    return scipy.__version__


def make_special():
    table = Table("special")
    mp.dps = 60
    for z in [1e-300, 1e-10, 0.01, 0.3, 0.5, 0.75, 0.999999, 1.0000001, 1.3, 1.5, 1.9999, 2.00001,
              2.5, 3, 4.7, 7.9, 8, 11.5, 25, 170.6, 1e4, 1e7, 1e15]:
        table.add("logGamma", [z], mp.loggamma(mpf(z)), float(special.gammaln(z)))
    for a in [0.001, 0.5, 1, 3.25, 40, 1e4, 1e7]:
        for b in [0.001, 0.5, 2, 17.5, 1e3, 1e7]:
            table.add("logBeta", [a, b], log_beta(mpf(a), mpf(b)), float(special.betaln(a, b)))
    for x in [-6, -2, -0.5, 1e-300, 1e-8, 0.1, 0.5, 0.9, 1.4999, 1.5, 2, 3, 4.5, 6, 10, 15, 20,
              26]:
        table.add("erf", [x], mp.erf(mpf(x)), float(special.erf(x)))
        table.add("erfc", [x], mp.erfc(mpf(x)), float(special.erfc(x)))
    table.write()


def make_normal():
    table = Table("normal")
    extra = [1e-308, 1e-150, 1e-15, 0.0749, 0.0751, 0.1, 0.9249, 0.9251, 0.49999999, 1 - 1e-15]
    for p in sorted(PROBABILITIES + extra):
        mp.dps = 60
        table.add("normalQuantile", [p], normal_quantile(p), float(stats.norm.ppf(p)))
    for z in [-37.2, -30, -20, -10, -5, -3, -2.51, -2.49, -2, -1.5, -1, -0.5, -1e-5, 0, 1e-5, 0.5,
              1, 1.96, 2.5, 3, 5, 8]:
        mp.dps = 60
        table.add("normalCdf", [z], normal_tail(-mpf(z)), float(stats.norm.cdf(z)))
    table.write()


def make_student_t():
    table = Table("student_t")
    for v in [0.5, 1, 1.5, 2, 3, 4, 5, 9, 30, 100, 1e3, 1e5, 1e7]:
        for p in PROBABILITIES:
            mp.dps = digits_for(p)
            value = t_quantile(v, p)
            if abs(value) < 1e300:
                table.add("studentTQuantile", [p, v], value, float(stats.t.ppf(p, v)))
        for t in [-40, -10, -3, -1.02, -1, -0.1, -1e-6, 2.5]:
            mp.dps = 400
            lower, upper = t_tails(abs(t), v)
            value = upper / 2 if t < 0 else 1 - upper / 2
            table.add("studentTCdf", [t, v], value, float(stats.t.cdf(t, v)))
    table.write()


BETA_SHAPES = [(1, 1e7), (1e7, 1), (0.5, 0.5), (0.5, 50.5), (50.5, 0.5), (1, 1), (1, 50), (2, 3),
               (10, 91), (11, 90), (0.1, 0.2), (0.1, 30), (5, 1e5), (1e5, 5), (100, 100),
               (1000.5, 3.5), (3000, 7000), (1e4, 1e4), (1e5, 1e6), (2.5, 1e7), (1e7, 40.5),
               (300, 1e7), (0.5, 1e7), (1.5, 0.25), (30, 0.75), (1e6, 1e6)]


def make_beta():
    table = Table("beta")
    for a, b in BETA_SHAPES:
        for p in PROBABILITIES:
            mp.dps = digits_for(p)
            value = beta_quantile(a, b, p)
            if 1e-305 < value and 1 - value > 0:
                table.add("betaQuantile", [p, a, b], value, float(stats.beta.ppf(p, a, b)))
        mean = a / (a + b)
        deviation = math.sqrt(a * b / (a + b + 1)) / (a + b)
        for sigmas in [-20, -6, -1, -0.01, 0.01, 1, 6, 20]:
            x = mean + sigmas * deviation
            if 0 < x < 1:
                mp.dps = 400
                lower, upper = beta_tails(a, b, x)
                table.add("betaCdf", [x, a, b], lower, float(stats.beta.cdf(x, a, b)))
                table.add("betaSurvival", [x, a, b], upper, float(stats.beta.sf(x, a, b)))
    table.write()


def make_binomial():
    table = Table("binomial")
    shapes = [(1, 0.3), (10, 0.5), (30, 0.0005), (100, 0.1), (100, 0.97), (1000, 0.001),
              (1000, 0.5), (10**5, 1e-4), (10**5, 0.9), (10**6, 1e-7), (10**7, 0.5), (10**7, 0.01)]
    for n, p in shapes:
        mean, deviation = n * p, math.sqrt(n * p * (1 - p))
        around = [round(mean + s * deviation) for s in (-36, -20, -8, -3, -1, 0, 1, 3, 8, 20, 36)]
        for k in sorted({k for k in [0, *around, n - 1] if 0 <= k < n}):
            mp.dps = 400
            lower, upper = binomial_tails(k, n, p)
            table.add("binomialCdf", [k, n, p], lower, float(stats.binom.cdf(k, n, p)))
            table.add("binomialSurvival", [k, n, p], upper, float(stats.binom.sf(k, n, p)))
    table.write()


def make_hypergeometric():
    table = Table("hypergeometric")
    shapes = [(10, 4, 5), (50, 10, 20), (100, 1, 50), (100, 60, 70), (1000, 30, 100),
              (1000, 999, 500), (10**5, 500, 10**4), (10**6, 10**5, 10**5), (10**7, 20, 10**6),
              (10**7, 5 * 10**6, 10**4), (10**9, 10**6, 10**6), (10**9, 10**8, 10**7)]
    for population, marked, drawn in shapes:
        mean = drawn * marked / population
        deviation = math.sqrt(mean * (1 - marked / population)
                              * (population - drawn) / (population - 1))
        low, high = max(0, drawn + marked - population), min(drawn, marked)
        around = [round(mean + s * deviation) for s in (-36, -20, -8, -3, -1, 0, 1, 3, 8, 20, 36)]
        for k in sorted({k for k in [low, *around, high - 1] if low <= k < high}):
            mp.dps = 400
            arguments = [k, population, marked, drawn]
            lower, upper = hypergeometric_tails(*arguments)
            theirs = stats.hypergeom(population, marked, drawn)
            fast = population <= 10**7
            table.add("hypergeometricCdf", arguments, lower,
                      float(theirs.cdf(k)) if fast else float(lower))
            table.add("hypergeometricSurvival", arguments, upper,
                      float(theirs.sf(k)) if fast else float(upper))
    table.write()


def make_chi_square():
    table = Table("chi_square")
    for v in [0.5, 1, 2, 3, 10, 49, 99, 255, 1e4, 1e5]:
        for p in PROBABILITIES:
            mp.dps = digits_for(p)
            value = chi_square_quantile(v, p)
            if value > 1e-305:
                table.add("chiSquareQuantile", [p, v], value, float(stats.chi2.ppf(p, v)))
        for sigmas in [-1, -0.01, 1, 6, 20]:
            x = v + sigmas * math.sqrt(2 * v)
            if x > 0:
                mp.dps = 400
                lower, upper = gamma_tails(mpf(v) / 2, mpf(x) / 2)
                table.add("chiSquareCdf", [x, v], lower, float(stats.chi2.cdf(x, v)))
                table.add("chiSquareSurvival", [x, v], upper, float(stats.chi2.sf(x, v)))
    table.write()


MAKERS = {"special": make_special, "normal": make_normal, "student_t": make_student_t,
          "beta": make_beta, "binomial": make_binomial, "hypergeometric": make_hypergeometric,
          "chi_square": make_chi_square}

if __name__ == "__main__":
    for name in sys.argv[2:] or MAKERS:
        MAKERS[name]()
