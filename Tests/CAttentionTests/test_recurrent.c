/*
 * attn_lstm_* and attn_gru_* against the formulas in long double, on every instruction set.
 *
 * The tolerance is a running error bound (Higham, Accuracy and Stability, section 3.3): every number of the oracle
 * carries how far the library's may be from it, by the roundings so far in the library's order. A sigmoid, whose slope
 * is at most 1/4, adds (5 + 2 max(0, -x)) u of itself, a tanh, whose slope is at most 1, 4 u. The backward pass starts
 * from what the library's forward pass left.
 */
#include <math.h>
#include <stdlib.h>

#include "expect.h"
#include "number.h"
#include "recurrent_problem.h"

typedef struct approx {
  long double v, e; /* value, bound of the error */
} approx;

/* Of the type under test; u has room for the oracle's own roundings. */
static long double u, smallest;

static approx rounded(long double v, long double e) { return (approx){v, e + u * (fabsl(v) + e) + smallest}; }
static approx exact(long double v) { return (approx){v, 0}; }
static approx add(approx x, approx y) { return rounded(x.v + y.v, x.e + y.e); }
static approx sub(approx x, approx y) { return rounded(x.v - y.v, x.e + y.e); }
static approx mul(approx x, approx y) { return rounded(x.v * y.v, fabsl(x.v) * y.e + fabsl(y.v) * x.e + x.e * y.e); }
/* Fused or not. */
static approx fma_(approx x, approx y, approx z) { return add(mul(x, y), z); }
static approx sigmoid(approx x) {
  long double s = 1 / (1 + expl(-x.v)), below = fmaxl(0, x.e - x.v);
  return (approx){s, (x.e / 4) + (5 + 2 * below) * u * (s + x.e / 4) + smallest};
}
static approx tanh_(approx x) {
  long double t = tanhl(x.v);
  return (approx){t, x.e + 4 * u * (fabsl(t) + x.e) + smallest};
}
static approx sigmoid_slope(approx s) { return mul(s, sub(exact(1), s)); }
static approx tanh_slope(approx t) { return sub(exact(1), mul(t, t)); }

static approx get(const recurrent_problem *p, const void *array, int64_t i) {
  return exact(array ? number_get(p->layer.type, array, i) : 0);
}

/* Largest error allowed so far as a share of the largest value: tells whether the bounds mean anything. */
static long double largest_bound, largest_value;

static void expect_close(const recurrent_problem *p, const void *array, int64_t i, approx want) {
  EXPECT_NEAR(number_get(p->layer.type, array, i), want.v, want.e);
  largest_bound = fmaxl(largest_bound, want.e);
  largest_value = fmaxl(largest_value, fabsl(want.v));
}

static approx *states(const recurrent_problem *p, const void *from) {
  int64_t count = p->layer.batch * p->layer.hidden;
  approx *s = malloc((size_t)(count + 1) * sizeof *s);
  for (int64_t i = 0; i < count; i++) s[i] = get(p, from, i);
  return s;
}

/* The step before t in the order of the recurrence that sequence b has; -1 for none. */
static int64_t step_before(const recurrent_problem *p, int64_t b, int64_t t) {
  if (!p->layer.reverse) return t - 1;
  return t + 1 < p->lengths[b] ? t + 1 : -1;
}

static void check_forward(const recurrent_problem *p) {
  const attn_recurrence *l = &p->layer;
  int64_t h = l->hidden, wide = p->gates * h;
  approx *hidden = states(p, l->initial_hidden), *cell = states(p, l->initial_cell);
  approx *next = malloc((size_t)h * sizeof *next);
  for (int64_t b = 0; b < l->batch; b++) {
    for (int64_t i = 0; i < p->lengths[b]; i++) {
      int64_t t = l->reverse ? p->lengths[b] - 1 - i : i, row = p->starts[t] + b;
      for (int64_t unit = 0; unit < h; unit++) {
        approx a[4], q[4];
        for (int64_t g = 0; g < p->gates; g++) {
          a[g] = add(get(p, p->input, row * wide + g * h + unit), get(p, l->input_bias, g * h + unit));
          q[g] = get(p, l->hidden_bias, g * h + unit);
          for (int64_t k = 0; k < h; k++)
            q[g] = fma_(hidden[b * h + k], get(p, l->weight, (g * h + unit) * h + k), q[g]);
        }
        approx gates[4], kept, *c = &cell[b * h + unit];
        if (p->lstm) {
          for (int g = 0; g < 4; g++) gates[g] = g == 2 ? tanh_(add(a[g], q[g])) : sigmoid(add(a[g], q[g]));
          *c = fma_(gates[1], *c, mul(gates[0], gates[2]));
          kept = *c;
          next[unit] = mul(gates[3], tanh_(*c));
        } else {
          for (int g = 0; g < 2; g++) gates[g] = sigmoid(add(a[g], q[g]));
          gates[2] = tanh_(fma_(gates[0], q[2], a[2]));
          kept = q[2];
          next[unit] = fma_(gates[1], sub(hidden[b * h + unit], gates[2]), gates[2]);
        }
        for (int64_t g = 0; g < p->gates; g++) expect_close(p, p->states.gates, row * wide + g * h + unit, gates[g]);
        expect_close(p, p->states.cell, row * h + unit, kept);
        expect_close(p, p->states.hidden, row * p->states.hidden_row + unit, next[unit]);
      }
      for (int64_t unit = 0; unit < h; unit++) hidden[b * h + unit] = next[unit];
    }
    for (int64_t i = b * h; i < (b + 1) * h; i++) {
      if (p->states.final_hidden) expect_close(p, p->states.final_hidden, i, hidden[i]);
      if (p->states.final_cell) expect_close(p, p->states.final_cell, i, cell[i]);
    }
  }
  free(hidden), free(cell), free(next);
}

/* Gradients of a step's x W_ih^T + b_ih and h W_hh^T + b_hh of one unit. */
static void unit_gradients(const recurrent_problem *p, int64_t b, int64_t t, int64_t unit, approx *dh, approx *dc,
                           approx *input, approx *recurrent) {
  int64_t h = p->layer.hidden, row = p->starts[t] + b, before = step_before(p, b, t);
  approx g[4];
  for (int64_t i = 0; i < p->gates; i++) g[i] = get(p, p->states.gates, row * p->gates * h + i * h + unit);
  approx cell = get(p, p->states.cell, row * h + unit), one = exact(1);
  approx d = p->gradients.hidden ? add(*dh, get(p, p->gradients.hidden, row * p->gradients.hidden_row + unit)) : *dh;
  if (p->lstm) {
    approx previous = before < 0 ? get(p, p->layer.initial_cell, b * h + unit)
                                 : get(p, p->states.cell, (p->starts[before] + b) * h + unit);
    approx tanh_c = tanh_(cell), d_cell = fma_(mul(d, g[3]), tanh_slope(tanh_c), *dc);
    input[0] = mul(mul(d_cell, g[2]), sigmoid_slope(g[0]));
    input[1] = mul(mul(d_cell, previous), sigmoid_slope(g[1]));
    input[2] = mul(mul(d_cell, g[0]), tanh_slope(g[2]));
    input[3] = mul(mul(d, tanh_c), sigmoid_slope(g[3]));
    for (int i = 0; i < 4; i++) recurrent[i] = input[i];
    *dc = mul(d_cell, g[1]);
    *dh = exact(0);
  } else {
    approx previous = before < 0 ? get(p, p->layer.initial_hidden, b * h + unit)
                                 : get(p, p->states.hidden, (p->starts[before] + b) * p->states.hidden_row + unit);
    input[2] = mul(mul(d, sub(one, g[1])), tanh_slope(g[2]));
    input[1] = mul(mul(d, sub(previous, g[2])), sigmoid_slope(g[1]));
    input[0] = mul(mul(input[2], cell), sigmoid_slope(g[0]));
    recurrent[0] = input[0], recurrent[1] = input[1], recurrent[2] = mul(input[2], g[0]);
    *dh = mul(d, g[1]);
  }
}

static void check_backward(const recurrent_problem *p) {
  const attn_recurrence *l = &p->layer;
  const attn_recurrence_gradients *d = &p->gradients;
  int64_t h = l->hidden, wide = p->gates * h;
  approx *dh = states(p, d->final_hidden), *dc = states(p, d->final_cell);
  approx *input = malloc((size_t)(p->rows * wide + 1) * sizeof *input);
  approx *recurrent = malloc((size_t)(p->rows * wide + 1) * sizeof *recurrent);
  for (int64_t b = 0; b < l->batch; b++) {
    for (int64_t i = 0; i < p->lengths[b]; i++) {
      int64_t t = l->reverse ? i : p->lengths[b] - 1 - i, row = p->starts[t] + b;
      for (int64_t unit = 0; unit < h; unit++) {
        approx in[4], re[4];
        unit_gradients(p, b, t, unit, &dh[b * h + unit], &dc[b * h + unit], in, re);
        for (int64_t g = 0; g < p->gates; g++) {
          expect_close(p, d->gates, row * wide + g * h + unit, in[g]);
          input[row * wide + g * h + unit] = in[g], recurrent[row * wide + g * h + unit] = re[g];
        }
      }
      for (int64_t unit = 0; unit < h; unit++)
        for (int64_t k = 0; k < wide; k++)
          dh[b * h + unit] = fma_(recurrent[row * wide + k], get(p, l->weight, k * h + unit), dh[b * h + unit]);
    }
    for (int64_t i = b * h; i < (b + 1) * h; i++) {
      if (d->initial_hidden) expect_close(p, d->initial_hidden, i, dh[i]);
      if (d->initial_cell) expect_close(p, d->initial_cell, i, dc[i]);
    }
  }
  for (int64_t k = 0; k < wide; k++) {
    approx bias = exact(0), hidden_bias = exact(0);
    for (int64_t row = 0; row < p->rows; row++) {
      bias = add(bias, input[row * wide + k]);
      hidden_bias = add(hidden_bias, recurrent[row * wide + k]);
    }
    expect_close(p, d->input_bias, k, bias);
    expect_close(p, d->hidden_bias, k, hidden_bias);
    for (int64_t unit = 0; unit < h; unit++) {
      approx sum = exact(0);
      for (int64_t t = 0; t < l->steps; t++)
        for (int64_t b = 0; b < p->step_rows[t]; b++) {
          int64_t before = step_before(p, b, t);
          approx previous = before < 0
                                ? get(p, l->initial_hidden, b * h + unit)
                                : get(p, p->states.hidden, (p->starts[before] + b) * p->states.hidden_row + unit);
          sum = fma_(recurrent[(p->starts[t] + b) * wide + k], previous, sum);
        }
      expect_close(p, d->weight, k * h + unit, sum);
    }
  }
  free(dh), free(dc), free(input), free(recurrent);
}

static void set_type(attn_type type) {
  u = 1.01L * number_unit(type);
  smallest = type == ATTN_F64 ? 0x1p-1022L : 0x1p-126L;
}

static void random_cases(random_source *r) {
  static const int64_t sizes[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 65};
  static const int64_t batches[] = {0, 1, 2, 3, 5, 7, 12, 13, 25};
  for (int form = 0; form < 4; form++)
    for (int n = 0, count = expect_cases(40); n < count; n++) {
      recurrent_shape s = {.lstm = form & 1,
                           .type = form & 2 ? ATTN_F64 : ATTN_F32,
                           .batch = RANDOM_OF(r, batches),
                           .hidden = RANDOM_OF(r, sizes),
                           .steps = random_int(r, 0, 6),
                           .reverse = random_chance(r, 0.5),
                           .biases = random_chance(r, 0.7),
                           .initial = random_chance(r, 0.6),
                           .finals = random_chance(r, 0.6),
                           .gap = random_chance(r, 0.5) ? 0 : random_int(r, 1, 40),
                           .reach = random_chance(r, 0.2) ? 30 : 2};
      /* Deeper than a block of the product. */
      if (n == 0) s.hidden = 259, s.batch = 3, s.steps = 2;
      set_type(s.type);
      expect_context("%s %s %s batch %lld hidden %lld steps %lld reverse %d biases %d initial %d finals %d gap %lld",
                     attn_isa_default(), s.lstm ? "lstm" : "gru", number_type_name(s.type), (long long)s.batch,
                     (long long)s.hidden, (long long)s.steps, s.reverse, s.biases, s.initial, s.finals,
                     (long long)s.gap);
      recurrent_problem p = recurrent_problem_make(r, s);
      largest_bound = 0, largest_value = 0;
      recurrent_forward(&p, 2);
      check_forward(&p);
      EXPECT(recurrent_gaps_intact(&p));
      recurrent_backward(&p, 2);
      check_backward(&p);
      EXPECT(largest_bound <= 1e5L * u * fmaxl(1, largest_value));
      recurrent_problem_free(&p);
    }
}

/* Gates of sums that are exact, over the whole range: the bounds of sigmoid and tanh themselves. */
static void ranges(random_source *r) {
  const double specials[] = {0, -0.0, 1e30, -1e30, INFINITY, -INFINITY, NAN, -87, -88, -90, -104, -745, 1e-40, -1e-5};
  for (int form = 0; form < 2; form++) {
    attn_type type = form ? ATTN_F64 : ATTN_F32;
    set_type(type);
    for (int n = 0; n < 40; n++) {
      expect_context("%s %s range %d", attn_isa_default(), number_type_name(type), n);
      recurrent_problem p = recurrent_problem_make(r, (recurrent_shape){.lstm = true,
                                                                        .type = type,
                                                                        .batch = 3,
                                                                        .hidden = 21,
                                                                        .steps = 1,
                                                                        .finals = true,
                                                                        .reach = n < 20 ? 110 : 3});
      for (int64_t i = 0; i < 14 && n % 20 == 0 && i < p.rows * 84; i++)
        number_set(type, p.input, i + 21 * (i % 4), specials[i]);
      for (int64_t i = 0; i < 84 * 21; i++) number_set(type, (void *)p.layer.weight, i, 0);
      recurrent_forward(&p, 1);
      for (int64_t i = 0; i < p.rows * 84; i++) {
        long double x = number_get(type, p.input, i);
        approx want = i / 21 % 4 == 2 ? tanh_(exact(x)) : sigmoid(exact(x));
        if (x == -INFINITY && i / 21 % 4 != 2) want = exact(0);
        EXPECT_NEAR(number_get(type, p.states.gates, i), want.v, want.e);
      }
      recurrent_problem_free(&p);
    }
  }
}

int main(void) {
  random_source r = {expect_seed()};
  for (int isa = 0; isa < attn_isa_count(); isa++) {
    if (!attn_isa_available(isa)) continue;
    setenv("ATTENTION_ISA", attn_isa_name(isa), 1);
    random_cases(&r);
    ranges(&r);
  }
  return expect_finish();
}
