/*
 * |x - oracle| <= 2 |naive - oracle| + a bound on the rounding errors of any evaluation in the compute type with unit
 * roundoff u, for gradients from the output and log-sum-exp that attn_forward stored. Errors of what a row is made of:
 *
 * p, a weight recomputed as exp(s - lse): e_p as for attn_weights in tolerance.c. It holds the score's error, that of
 * the stored log-sum-exp L, u |L| for its rounding in storage and again when it is brought to base 2, and the least
 * normal number, below which an exponential may flush to 0.
 *
 * a = m <do, v>, m = 1 / (1 - probability) or 0: Dv products and additions, m rounded, one product:
 *   e_a = (Dv + 3) u m sum |do v|.
 * delta = <do, o>: it may cancel, so its error goes with the magnitudes,
 *   e_delta = (Dv + 1) u sum |do o| + sum |do| e_o,
 * with e_o the forward's bound of an output. Half types round o far more coarsely than that; there the oracle is given
 * the stored output that the kernel reads, and e_o = 0.
 *
 * g = p (a - delta), with x = |a - delta| <= the computed difference + e_a + e_delta: the difference and the product
 * round, e_x = e_a + e_delta + u x and
 *   e_g = e_p x + (p + e_p) (e_x + u (x + e_x)).
 * c = 1 - t^2 of the cap, t = tanh(s / cap): |t| <= A / cap with A = |scale| sum |q k|, and t comes from the capped
 * score within e_t = (D + 14) u A / cap (the score's error: the tanh has slope at most 1, and the factors and products
 * that fold the cap in and out are counted there); its square and the difference round:
 *   e_c = (2 |t| + e_t) e_t + 3 u.
 * ds = g c: e_ds = e_g c + (|g| + e_g) (e_c + u).
 *
 * Sums of n products in any order, fused or not, are within (n + 1) u of the sum of magnitudes. Factors around them:
 *   dq: n = Sk; the scale rounds and multiplies:                              gamma = (Sk + 4) u
 *   dk: n = R = Sq H / G; queries carry scale log2 e or scale / cap, folded, rounded and multiplied in, and a rounded
 *       ln 2 or cap takes it back: 4 roundings of constants, 3 of products:   gamma = (R + 8) u
 *   dv: n = R; m rounds and multiplies:                                       gamma = (R + 3) u
 *   dbias: the number of pairs that share an element:                         gamma = n u
 * and an element is off by sum of (e + gamma (|x| + e)) |factor|.
 *
 * dsink = -sum y delta, y = exp(sink - L): e_y = y (e_L + 3 u (|sink| + |L|) + 2 u), B Sq additions.
 *
 * Additive scores, with e_t and t of tolerance.c and v = 4 r (1 - r) = 1 - t^2: r is off by e_t / 2 and v by
 * e_v = 2 e_t + 8 u. The scale times w is folded, rounded, multiplied by 4 and taken back: within the gammas of dk,
 * with n = Sk for dq:
 *   dq, dk: the sum of |scale w| (e_ds v + (ds + e_ds) (e_v + gamma (v + e_v)))
 *   dw: sum of ds - 2 ds r over N = B Sq H Sk pairs (H = 1 where heads have their own), rows first: each part is within
 *       (N + 8) u of its magnitudes, at most 1 and 2: |scale| (e_ds |t| + (ds + e_ds) (e_t + 3 (N + 8) u)).
 *
 * A product that underflows loses less than the least normal number: n of those; and a storage type narrower than the
 * compute type rounds by half an ulp.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "expect.h"
#include "gradients.h"
#include "number.h"
#include "tolerance.h"

static long double *numbers(int64_t count) { return calloc((size_t)(count > 0 ? count : 1), sizeof(long double)); }

static naive_gradients arrays(const trial *t, const gradients *shape) {
  naive_gradients g = {.query = numbers(gradients_queries(t)),
                       .key = numbers(gradients_keys(t)),
                       .value = numbers(gradients_values(t)),
                       .bias = numbers(shape->bias_elements),
                       .sinks = numbers(t->problem.query_heads),
                       .additive = numbers(gradients_weights(t)),
                       .bias_elements = shape->bias_elements};
  for (int axis = 0; axis < 4; axis++) g.bias_strides[axis] = shape->bias_strides[axis];
  return g;
}

static void free_arrays(naive_gradients *g) {
  free(g->query), free(g->key), free(g->value), free(g->bias), free(g->sinks), free(g->additive);
}

static void add_scaled(long double *sum, double coefficient, const double *vector, int64_t n) {
  for (int64_t d = 0; d < n; d++) sum[d] += coefficient * fabs(vector[d]);
}

/* For a gradient ds of a score within e_ds, of a query and a key with factors gamma_q and gamma_k. */
static void add_additive(const naive_problem *p, int64_t h, const double *q, const double *k, double ds, double e_ds,
                         double gamma_q, double gamma_k, double gamma_w, double u, long double *query, long double *key,
                         long double *weights) {
  const double *w = p->additive + h * p->additive_stride;
  for (int64_t d = 0; d < p->dim; d++) {
    double t = tanh(q[d] + k[d]), v = 1 - t * t, e_t = tolerance_tanh(q[d], k[d], u), e_v = 2 * e_t + 8 * u;
    double size = fabs(p->scale * w[d]);
    query[d] += size * (e_ds * v + (ds + e_ds) * (e_v + gamma_q * (v + e_v)));
    key[d] += size * (e_ds * v + (ds + e_ds) * (e_v + gamma_k * (v + e_v)));
    weights[d] += fabs(p->scale) * (e_ds * fabs(t) + (ds + e_ds) * (e_t + gamma_w));
  }
}

/* What the rows of a problem share. */
typedef struct bounds {
  const naive_problem *p;
  const saved *s;
  const tolerance *forward;
  naive_gradients *allowed;
  bool given_output;
  double u, least; /* unit roundoff and least normal number */
  double summed;   /* pairs that share an element of the bias' gradient */
} bounds;

static void bound_row(const bounds *c, int64_t b, int64_t h, int64_t i) {
  const naive_problem *p = c->p;
  naive_gradients *allowed = c->allowed;
  double u = c->u, kept = 1 / (1 - p->dropout_probability), delta = 0, e_delta = 0;
  int64_t group = p->heads / p->kv_heads, stream = b * p->kv_heads + h / group;
  int64_t at = (b * p->heads + h) * p->queries + i;
  const double *q = p->query + at * p->dim, *o_gradient = c->s->output_gradient + at * p->value_dim;
  double lse = (double)c->forward->truth.lse[at], rows = (double)(p->queries * group);
  if (lse == -INFINITY) return;
  for (int64_t d = 0; d < p->value_dim; d++) {
    int64_t n = at * p->value_dim + d;
    double o = c->given_output ? c->s->output[n] : (double)c->forward->truth.output[n];
    delta += o_gradient[d] * o;
    e_delta += fabs(o_gradient[d]) * ((double)(p->value_dim + 1) * u * fabs(o) +
                                      (c->given_output ? 0 : (double)c->forward->allowed.output[n]));
  }
  if (p->sinks) {
    double y = exp(p->sinks[h] - lse);
    double e_y = y * ((double)c->forward->allowed.lse[at] + 3 * u * (fabs(p->sinks[h]) + fabs(lse)) + 2 * u);
    double gamma = (double)(p->batch * p->queries + 2) * u;
    allowed->sinks[h] += y * e_delta + e_y * (fabs(delta) + e_delta) + gamma * (y + e_y) * (fabs(delta) + e_delta);
  }
  for (int64_t j = 0; j < p->keys; j++) {
    if (!naive_visible(p, b, h, i, j)) continue;
    const double *k = p->key + (stream * p->keys + j) * p->dim, *v = p->value + (stream * p->keys + j) * p->value_dim;
    double w = (double)c->forward->truth.weights[at * p->keys + j];
    double e_p = (double)c->forward->allowed.weights[at * p->keys + j];
    double m = naive_kept(p, b, h, i, j) ? kept : 0, along = 0, size = 0, t = 0, e_c = 0;
    for (int64_t d = 0; d < p->value_dim; d++) {
      along += o_gradient[d] * v[d];
      size += fabs(o_gradient[d] * v[d]);
    }
    if (p->softcap != 0) {
      t = tanh(naive_product(p, h, q, k) * p->scale / p->softcap);
      double e_t = tolerance_product(p, h, q, k, u) / p->softcap;
      e_c = (2 * fabs(t) + e_t) * e_t + 3 * u;
    }
    double e_a = (double)(p->value_dim + 3) * u * m * size, x = fabs(m * along - delta) + e_a + e_delta;
    double g = w * x, slope = 1 - t * t, e_x = e_a + e_delta + u * x;
    double e_g = e_p * x + (w + e_p) * (e_x + u * (x + e_x));
    double ds = g * slope, e_ds = e_g * slope + (g + e_g) * (e_c + u);
    double weight = m * w, e_weight = m * e_p;

    if (p->additive) {
      double pairs = (double)(p->batch * p->queries * p->keys * (p->additive_stride ? 1 : p->heads));
      add_additive(p, h, q, k, ds, e_ds, (double)(p->keys + 8) * u, (rows + 8) * u, 3 * (pairs + 8) * u, u,
                   allowed->query + at * p->dim, allowed->key + (stream * p->keys + j) * p->dim,
                   allowed->additive + h * p->additive_stride);
    } else {
      add_scaled(allowed->query + at * p->dim, fabs(p->scale) * (e_ds + (double)(p->keys + 4) * u * (ds + e_ds)), k,
                 p->dim);
      add_scaled(allowed->key + (stream * p->keys + j) * p->dim, fabs(p->scale) * (e_ds + (rows + 8) * u * (ds + e_ds)),
                 q, p->dim);
    }
    add_scaled(allowed->value + (stream * p->keys + j) * p->value_dim,
               e_weight + (rows + 3) * u * (weight + e_weight), o_gradient, p->value_dim);
    const int64_t *strides = allowed->bias_strides;
    allowed->bias[b * strides[0] + h * strides[1] + i * strides[2] + j * strides[3]] += e_g + c->summed * u * (g + e_g);
  }
}

static void finish(long double *allowed, const long double *truth, const long double *naive, int64_t count,
                   attn_type type, double underflow) {
  for (int64_t i = 0; i < count; i++) {
    allowed[i] += 2 * fabsl(naive[i] - truth[i]) + underflow;
    if (type != number_compute_type(type)) allowed[i] += number_half_ulp(type, (double)(fabsl(truth[i]) + allowed[i]));
  }
}

gradient_tolerance gradient_tolerance_make(const trial *t, const saved *s, const gradients *shape) {
  const naive_problem *p = &t->naive;
  attn_type type = t->problem.type, real = number_compute_type(type);
  gradient_tolerance made = {arrays(t, shape), arrays(t, shape)};
  naive_gradients naive = arrays(t, shape);
  tolerance forward = tolerance_bounds(p, type);
  bounds c = {p, s, &forward, &made.allowed, type != real, number_unit(real),
              real == ATTN_F64 ? DBL_MIN : (double)FLT_MIN, 1};
  const int64_t sizes[4] = {p->batch, p->heads, p->queries, p->keys};
  for (int axis = 0; axis < 4; axis++)
    if (shape->bias_strides[axis] == 0) c.summed *= (double)sizes[axis];
  const double *output = c.given_output ? s->output : NULL;
  (real == ATTN_F64 ? naive_gradients_long_double : naive_gradients_double)(p, output, s->output_gradient, &made.truth);
  (real == ATTN_F64 ? naive_gradients_double : naive_gradients_float)(p, output, s->output_gradient, &naive);
  for (int64_t b = 0; b < p->batch; b++)
    for (int64_t h = 0; h < p->heads; h++)
      for (int64_t i = 0; i < p->queries; i++) bound_row(&c, b, h, i);
  double rows = (double)(p->queries * (p->heads / p->kv_heads));
  naive_gradients *allowed = &made.allowed, *truth = &made.truth;
  finish(allowed->query, truth->query, naive.query, gradients_queries(t), type, (double)p->keys * c.least);
  finish(allowed->key, truth->key, naive.key, gradients_keys(t), type, rows * c.least);
  finish(allowed->value, truth->value, naive.value, gradients_values(t), type, rows * c.least);
  finish(allowed->bias, truth->bias, naive.bias, shape->bias_elements, real, c.summed * c.least);
  if (p->additive) finish(allowed->additive, truth->additive, naive.additive, gradients_weights(t), real, c.least);
  finish(allowed->sinks, truth->sinks, naive.sinks, p->heads, real, c.least);
  free_arrays(&naive);
  tolerance_free(&forward);
  return made;
}

void gradient_tolerance_free(gradient_tolerance *tolerance) {
  free_arrays(&tolerance->truth);
  free_arrays(&tolerance->allowed);
}

static double check(const double *got, const long double *want, const long double *allowed, int64_t count,
                    const char *name) {
  double worst = 0;
  for (int64_t i = 0; got && i < count; i++) {
    if (!expect_near(got[i], want[i], allowed[i], name, __FILE__, __LINE__)) return INFINITY;
    if (got[i] != want[i]) worst = fmax(worst, (double)(fabsl(got[i] - want[i]) / allowed[i]));
  }
  return worst;
}

double gradient_tolerance_check(const gradient_tolerance *tolerance, const trial *t, const gradients *got) {
  const naive_gradients *truth = &tolerance->truth, *allowed = &tolerance->allowed;
  double worst = check(got->query, truth->query, allowed->query, gradients_queries(t), "query gradient");
  worst = fmax(worst, check(got->key, truth->key, allowed->key, gradients_keys(t), "key gradient"));
  worst = fmax(worst, check(got->value, truth->value, allowed->value, gradients_values(t), "value gradient"));
  worst = fmax(worst, check(got->bias, truth->bias, allowed->bias, got->bias_elements, "bias gradient"));
  worst = fmax(worst, check(got->additive, truth->additive, allowed->additive, gradients_weights(t), "w gradient"));
  return fmax(worst, check(got->sinks, truth->sinks, allowed->sinks, t->problem.query_heads, "sinks gradient"));
}
