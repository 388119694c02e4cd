/*
 * |x - oracle| <= 2 |naive - oracle| + a bound on the rounding errors of any evaluation in the compute type, to first
 * order in its unit roundoff u, times e^(2 R) for the orders above (R is the largest relative error of a weight).
 *
 * A score. The folded scale and the scaled query each round once, the dot product of D terms in any order has relative
 * error D u on the sum of magnitudes (Higham, Accuracy and Stability, section 3.1), so with A = |scale| sum |q_d k_d|
 * the product is off by at most (D + 3) u A. The softcap has slope at most 1 and size at most A; a tanh within 4 u, the
 * folded cap and two products add 8 u A. Bias and ALiBi round when folded to base 2, multiplied and added: 3 u of each,
 * and every addition rounds a sum of at most A + |bias| + |alibi|. In total
 *
 *   E = u ((D + 14) A + 6 (|bias| + |alibi|)).
 *
 * Additive scores, sum w tanh(q + k), may be taken as sum w (1 - 2 r), r = 1 / (1 + e^(2q) e^(2k)), several fractions
 * to a division, while |q| + |k| is at most S = 10.5 (float) or 20 (double). The exponents 2q and 2k come from products
 * with a rounded constant: relative errors of 4 u (|q| + |k|) in e^(2q) e^(2k), 11 u more from two exponentials and a
 * division, 2 u from product and sum. dr/r is (1 - r) times that, r (1 - r) <= 1/4 and tanh takes twice r:
 * (2 (|q| + |k|) + 7) u. Four fractions over one denominator: two levels of a product and a multiply-add above, of a
 * product below, and the division, 7 u of 2 r. Beyond S the sum rounds, u |q + k| (1 - tanh^2) <= u, and a tanh is
 * within 4 u. Either way a tanh is off by
 *
 *   e_t = (2 min(|q| + |k|, S) + 24) u.
 *
 * The sums over D of w and of the fractions of four, with tails, are within (D + 2 (D / 4 + 6)) u of W = sum |scale w|;
 * the folded scale times w 3 u, the cap 8 u, as above:  E = sum |scale w| e_t + (2 D + 24) u W.
 *
 * A weight before normalisation, exp(s - top): the subtraction and, in an online softmax, the rescaling by successive
 * maxima telescope to u |top - s|; each exponential is within 5 u (for float at most 2.9 u of the polynomial, 0.7 u of
 * its argument and 1.4 u of its operations), and there is one for the weight and one a tile of at least 32 keys,
 * T = Sk / 32 + 1 tiles:
 *
 *   rho = E + u |top - s| + 5 (T + 1) u.
 *
 * Sums over Sk keys, rescaled T times, then divided, multiplied by the dropout factor and stored: kappa =
 * (Sk + T + 8) u. From o = sum w v / sum w an output is off by at most
 *
 *   sum_j w_j (rho_j + kappa) (kept_j |v_j| / (1 - p) + |o|) + kappa |o|,
 *
 * plus Sk max |v| times the least normal number, since smaller weights may flush to 0, plus half an ulp of a storage
 * type narrower than the compute type. The log-sum-exp is off by sum w_j rho_j + kappa + 3 u |lse|.
 */
#include "tolerance.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "expect.h"
#include "number.h"

static long double *numbers(int64_t count) { return calloc((size_t)(count > 0 ? count : 1), sizeof(long double)); }

static naive_result arrays(const naive_problem *p) {
  int64_t rows = p->batch * p->heads * p->queries;
  return (naive_result){numbers(rows * p->value_dim), numbers(rows), numbers(rows * p->keys), numbers(rows * p->keys)};
}

static void free_arrays(naive_result *r) { free(r->output), free(r->lse), free(r->scores), free(r->weights); }

double tolerance_tanh(double q, double k, double u) {
  return (2 * fmin(fabs(q) + fabs(k), u > 1e-10 ? 10.5 : 20) + 24) * u;
}

double tolerance_product(const naive_problem *p, int64_t h, const double *q, const double *k, double u) {
  const double *w = p->additive ? p->additive + h * p->additive_stride : NULL;
  double error = 0;
  for (int64_t d = 0; d < p->dim; d++)
    error += w ? fabs(w[d]) * (tolerance_tanh(q[d], k[d], u) + (double)(2 * p->dim + 24) * u)
               : fabs(q[d] * k[d]) * (double)(p->dim + 14) * u;
  return fabs(p->scale) * error;
}

static double score_error(const naive_problem *p, int64_t b, int64_t h, int64_t i, int64_t j, double u) {
  int64_t g = h / (p->heads / p->kv_heads);
  const double *q = p->query + ((b * p->heads + h) * p->queries + i) * p->dim;
  const double *k = p->key + ((b * p->kv_heads + g) * p->keys + j) * p->dim;
  return tolerance_product(p, h, q, k, u) +
         6 * u * (fabs(naive_bias(p, b, h, i, j)) + fabs(naive_alibi(p, b, h, i, j)));
}

/* The bounds of one row, added to what `allowed` holds. */
static void bound_row(const naive_problem *p, attn_type type, int64_t b, int64_t h, int64_t i, tolerance *t,
                      double *rho) {
  attn_type real = number_compute_type(type);
  double u = number_unit(real), least = real == ATTN_F64 ? DBL_MIN : (double)FLT_MIN;
  int64_t g = h / (p->heads / p->kv_heads), at = (b * p->heads + h) * p->queries + i;
  const long double *w = t->truth.weights + at * p->keys, *s = t->truth.scores + at * p->keys;
  double tiles = (double)(p->keys / 32 + 1), kappa = ((double)p->keys + tiles + 8) * u;
  double top = p->sinks ? p->sinks[h] : -INFINITY, worst = 0, mean = 0, lse = (double)t->truth.lse[at];
  for (int64_t j = 0; j < p->keys; j++) top = fmax(top, (double)s[j]);
  for (int64_t j = 0; j < p->keys; j++) {
    rho[j] = 0;
    if (!(w[j] > 0)) continue;
    double error = score_error(p, b, h, i, j, u);
    rho[j] = error + u * (top - (double)s[j]) + 5 * (tiles + 1) * u;
    worst = fmax(worst, rho[j]);
    mean += (double)w[j] * rho[j];
    t->allowed.scores[at * p->keys + j] += error + 3 * u * fabs((double)s[j]);
  }
  double higher = exp(2 * worst), lse_error = (mean + kappa) * higher + 3 * u * fabs(lse);
  t->allowed.lse[at] += isfinite(lse) ? lse_error : 0;
  /* A weight is 2^(s - lse) from the score and the stored log-sum-exp, each rounded in base 2. */
  for (int64_t j = 0; j < p->keys; j++)
    if (w[j] > 0)
      t->allowed.weights[at * p->keys + j] +=
          (double)w[j] * higher * (rho[j] + lse_error + 3 * u * (fabs((double)s[j]) + fabs(lse))) + least;

  for (int64_t d = 0; d < p->value_dim; d++) {
    double o = fabs((double)t->truth.output[at * p->value_dim + d]), bound = kappa * o, largest = 0;
    if (!isfinite(o)) continue;
    for (int64_t j = 0; j < p->keys; j++) {
      if (!(w[j] > 0)) continue;
      double v = fabs(p->value[((b * p->kv_heads + g) * p->keys + j) * p->value_dim + d]);
      bool kept = naive_kept(p, b, h, i, j);
      largest = fmax(largest, v);
      bound += (double)w[j] * (rho[j] + kappa) * ((kept ? v / (1 - p->dropout_probability) : 0) + o);
    }
    bound = bound * higher + (double)p->keys * largest * least / (1 - p->dropout_probability);
    long double *allowed = &t->allowed.output[at * p->value_dim + d];
    *allowed += bound;
    if (type != real) *allowed += number_half_ulp(type, o + (double)*allowed);
  }
}

static void add_naive_error(long double *allowed, const long double *truth, const long double *naive, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (isfinite(truth[i])) allowed[i] += 2 * fabsl(naive[i] - truth[i]);
}

static void add_naive_errors(const naive_problem *p, attn_type type, tolerance *t) {
  naive_result plain = arrays(p);
  (type == ATTN_F64 ? naive_double : naive_float)(p, &plain);
  int64_t rows = p->batch * p->heads * p->queries;
  add_naive_error(t->allowed.output, t->truth.output, plain.output, rows * p->value_dim);
  add_naive_error(t->allowed.lse, t->truth.lse, plain.lse, rows);
  add_naive_error(t->allowed.scores, t->truth.scores, plain.scores, rows * p->keys);
  add_naive_error(t->allowed.weights, t->truth.weights, plain.weights, rows * p->keys);
  free_arrays(&plain);
}

static void add_bounds(const naive_problem *p, attn_type type, tolerance *t) {
  double *rho = malloc((size_t)(p->keys + 1) * sizeof *rho);
  for (int64_t b = 0; b < p->batch; b++)
    for (int64_t h = 0; h < p->heads; h++)
      for (int64_t i = 0; i < p->queries; i++) bound_row(p, type, b, h, i, t, rho);
  free(rho);
}

static tolerance exact(const naive_problem *p, attn_type type) {
  tolerance t = {arrays(p), arrays(p)};
  (type == ATTN_F64 ? naive_long_double : naive_double)(p, &t.truth);
  return t;
}

tolerance tolerance_make(const naive_problem *p, attn_type type) {
  tolerance t = exact(p, type);
  add_naive_errors(p, type, &t);
  add_bounds(p, type, &t);
  return t;
}

tolerance tolerance_bounds(const naive_problem *p, attn_type type) {
  tolerance t = exact(p, type);
  add_bounds(p, type, &t);
  return t;
}

void tolerance_free(tolerance *t) {
  free_arrays(&t->truth);
  free_arrays(&t->allowed);
}

static double check(const double *got, const long double *want, const long double *allowed, int64_t count,
                    const char *name) {
  double worst = 0;
  for (int64_t i = 0; got && i < count; i++) {
    if (!expect_near(got[i], want[i], allowed[i], name, __FILE__, __LINE__)) return INFINITY;
    if (isfinite(want[i]) && got[i] != want[i]) worst = fmax(worst, (double)(fabsl(got[i] - want[i]) / allowed[i]));
  }
  return worst;
}

double tolerance_check(const tolerance *t, const naive_problem *p, const double *output, const double *lse,
                       const double *scores, const double *weights) {
  int64_t rows = p->batch * p->heads * p->queries;
  double worst = check(output, t->truth.output, t->allowed.output, rows * p->value_dim, "output");
  worst = fmax(worst, check(lse, t->truth.lse, t->allowed.lse, rows, "lse"));
  worst = fmax(worst, check(scores, t->truth.scores, t->allowed.scores, rows * p->keys, "scores"));
  return fmax(worst, check(weights, t->truth.weights, t->allowed.weights, rows * p->keys, "weights"));
}
