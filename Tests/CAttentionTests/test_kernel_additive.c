/* The tile functions of additive scores: exponentials, magnitudes, scores and gradients, on both sides of the bound. */
#include <math.h>

#include "kernel_tables.h"
#include "tolerance.h"

/* A product with a rounded constant: 2 u |2x| in the exponent; the exponential 5 u; a division for positive x. */
static void exp_twice(const table_case *c) {
  if (c->type != c->real) return;
  double reach = c->real == ATTN_F64 ? 350 : 43;
  const double exact[][2] = {{0, 1}, {INFINITY, INFINITY}, {-INFINITY, 0}, {1e30, INFINITY}, {-1e30, 0}, {NAN, NAN}};
  for (int64_t vectors = 0; vectors <= 9; vectors++) {
    int64_t n = vectors * c->k->lanes;
    CONTEXT(c, "exp_twice n %d", (int)n);
    guarded x = guarded_new(c->real, n), to = guarded_new(c->real, n);
    randomize(c->r, c->real, x.data, n, vectors % 2 ? -reach : -2, vectors % 2 ? reach : 2);
    for (int64_t j = 0; j < 6 && j < n; j++) number_set(c->real, x.data, n - 1 - j, exact[j][0]);
    c->k->exp_twice(to.data, x.data, n);
    for (int64_t j = 0; j < n; j++) {
      long double at = number_get(c->real, x.data, j), want = expl(2 * at);
      if (n - 1 - j < 6) want = exact[n - 1 - j][1];
      EXPECT_NEAR(number_get(c->real, to.data, j), want, j + 6 < n ? (4 * fabsl(at) + 8) * 1.01L * c->u * want : 0);
    }
    /* In place. */
    c->k->exp_twice(x.data, x.data, n);
    EXPECT(memcmp(x.data, to.data, (size_t)x.bytes) == 0);
    guarded_free(&x), guarded_free(&to);
  }
}

static void spoil(const table_case *c, void *numbers, int64_t count, int64_t step) {
  const double specials[] = {NAN, INFINITY, -INFINITY};
  for (int64_t i = random_int(c->r, 0, step); i < count; i += random_int(c->r, 1, 2 * step))
    number_set(c->real, numbers, i, specials[random_int(c->r, 0, 2)]);
}

static double larger(double size, double x) { return isnan(x) ? INFINITY : fmax(size, fabs(x)); }

static void row_magnitudes(const table_case *c) {
  if (c->type != c->real) return;
  for (int64_t vectors = 1; vectors <= 5; vectors++)
    for (int64_t count = 0; count <= 5; count++)
      for (int specials = 0; specials < 2; specials++) {
        int64_t n = vectors * c->k->lanes, stride = n + c->k->lanes;
        CONTEXT(c, "row_magnitudes n %d count %d specials %d", (int)n, (int)count, specials);
        guarded rows = guarded_new(c->real, count * stride), to = guarded_new(c->real, count + 1);
        randomize(c->r, c->real, rows.data, count * stride, -9, 9);
        if (specials) spoil(c, rows.data, count * stride, stride);
        c->k->row_magnitudes(to.data, rows.data, stride, count, n);
        for (int64_t r = 0; r < count; r++) {
          double want = 0;
          for (int64_t i = 0; i < n; i++) want = larger(want, number_get(c->real, rows.data, r * stride + i));
          EXPECT_NEAR(number_get(c->real, to.data, r), want, 0);
        }
        EXPECT(still_blank(c->real, to.data, count));
        guarded_free(&rows), guarded_free(&to);
      }
}

static void column_magnitudes(const table_case *c) {
  if (c->type != c->real) return;
  int64_t width = c->k->panel_width;
  for (int64_t dim = 1; dim <= 9; dim++)
    for (int64_t slices = 0; slices <= 3; slices++)
      for (int specials = 0; specials < 2; specials++) {
        CONTEXT(c, "column_magnitudes dim %d slices %d specials %d", (int)dim, (int)slices, specials);
        int64_t count = slices * dim * width;
        guarded panels = guarded_new(c->real, count), to = guarded_new(c->real, slices * width + 1);
        randomize(c->r, c->real, panels.data, count, -9, 9);
        if (specials) spoil(c, panels.data, count, 4 * dim);
        c->k->column_magnitudes(to.data, panels.data, dim, slices);
        for (int64_t col = 0; col < slices * width; col++) {
          double want = 0;
          for (int64_t d = 0; d < dim; d++)
            want = larger(want, number_get(c->real, panels.data, (col / width * dim + d) * width + col % width));
          EXPECT_NEAR(number_get(c->real, to.data, col), want, 0);
        }
        EXPECT(still_blank(c->real, to.data, slices * width));
        guarded_free(&panels), guarded_free(&to);
      }
}

/* A sum of n terms in order is within n u of the sum of magnitudes. */
static void row_sums(const table_case *c) {
  if (c->type != c->real) return;
  for (int64_t n = 1; n <= 33; n++) {
    const int64_t count = 3;
    CONTEXT(c, "row_sums n %d", (int)n);
    void *rows = random_array(c->r, c->real, count * n, -9, 9);
    guarded sums = guarded_new(c->real, count + 1), sizes = guarded_new(c->real, count + 1);
    c->k->row_sums(sums.data, sizes.data, rows, count, n);
    for (int64_t r = 0; r < count; r++) {
      double sum = 0, magnitudes = 0, size = 0;
      for (int64_t i = 0; i < n; i++) {
        double x = number_get(c->real, rows, r * n + i);
        sum += x, magnitudes += fabs(x), size = fmax(size, fabs(x));
      }
      EXPECT_NEAR(number_get(c->real, sums.data, r), sum, (double)n * 2 * c->u * magnitudes);
      EXPECT_NEAR(number_get(c->real, sizes.data, r), size, 0);
    }
    EXPECT(still_blank(c->real, sums.data, count) && still_blank(c->real, sizes.data, count));
    guarded_free(&sums), guarded_free(&sizes);
    free(rows);
  }
}

/* Operands of additive scores, prepared as the driver does it. */
typedef struct operands {
  attn_additive t;
  guarded queries, exp_queries, query_sizes, keys, exp_keys, key_sizes;
  void *weights;
  int64_t rows, columns, width;
  guarded weight_sums, weight_sizes;
} operands;

static operands operands_make(const table_case *c, int64_t rows, int64_t slices, int64_t dim) {
  const double sizes[] = {0.01, 1, 5, 20, 100};
  int64_t width = c->k->panel_width, stride = (dim + width - 1) / width * width, bytes = c->k->real_bytes;
  operands o = {.rows = rows, .columns = slices * width, .width = width};
  o.queries = guarded_new(c->real, rows * stride), o.exp_queries = guarded_new(c->real, rows * stride);
  o.query_sizes = guarded_new(c->real, rows);
  o.keys = guarded_new(c->real, slices * dim * width), o.exp_keys = guarded_new(c->real, slices * dim * width);
  o.key_sizes = guarded_new(c->real, slices * width);
  memset(o.queries.data, 0, (size_t)o.queries.bytes);
  for (int64_t r = 0; r < rows; r++) {
    double size = sizes[random_int(c->r, 0, 4)], apart = random_chance(c->r, 0.3) ? 60 : 0;
    randomize(c->r, c->real, o.queries.data + r * stride * bytes, dim, apart - size, apart + size);
  }
  for (int64_t col = 0; col < o.columns; col++) {
    double size = sizes[random_int(c->r, 0, 4)], apart = random_chance(c->r, 0.3) ? -60 : 0;
    for (int64_t d = 0; d < dim; d++)
      number_set(c->real, o.keys.data, (col / width * dim + d) * width + col % width,
                 random_double(c->r, apart - size, apart + size));
  }
  c->k->exp_twice(o.exp_queries.data, o.queries.data, rows * stride);
  c->k->exp_twice(o.exp_keys.data, o.keys.data, slices * dim * width);
  c->k->row_magnitudes(o.query_sizes.data, o.queries.data, stride, rows, stride);
  c->k->column_magnitudes(o.key_sizes.data, o.keys.data, dim, slices);
  int64_t weight_rows = random_int(c->r, 1, 3);
  o.weights = random_array(c->r, c->real, weight_rows * dim, -2, 2);
  o.weight_sums = guarded_new(c->real, weight_rows), o.weight_sizes = guarded_new(c->real, weight_rows);
  c->k->row_sums(o.weight_sums.data, o.weight_sizes.data, o.weights, weight_rows, dim);
  o.t = (attn_additive){.dim = dim,
                        .query_stride = stride,
                        .queries = o.queries.data,
                        .exp_queries = o.exp_queries.data,
                        .query_sizes = o.query_sizes.data,
                        .weights = o.weights,
                        .weight_sums = o.weight_sums.data,
                        .weight_sizes = o.weight_sizes.data,
                        .weight_rows = weight_rows,
                        .first_row = random_int(c->r, 0, 5),
                        .keys = o.keys.data,
                        .exp_keys = o.exp_keys.data,
                        .key_sizes = o.key_sizes.data};
  return o;
}

static void operands_free(operands *o) {
  guarded_free(&o->queries), guarded_free(&o->exp_queries), guarded_free(&o->query_sizes);
  guarded_free(&o->keys), guarded_free(&o->exp_keys), guarded_free(&o->key_sizes);
  guarded_free(&o->weight_sums), guarded_free(&o->weight_sizes);
  free(o->weights);
}

static int64_t key_at(const operands *o, int64_t col, int64_t d) {
  return (col / o->width * o->t.dim + d) * o->width + col % o->width;
}
static double query_of(const table_case *c, const operands *o, int64_t r, int64_t d) {
  return number_get(c->real, o->t.queries, r * o->t.query_stride + d);
}
static double key_of(const table_case *c, const operands *o, int64_t col, int64_t d) {
  return number_get(c->real, o->t.keys, key_at(o, col, d));
}
static double weight_of(const table_case *c, const operands *o, int64_t r, int64_t d) {
  return number_get(c->real, o->weights, (o->t.first_row + r) % o->t.weight_rows * o->t.dim + d);
}

static const int64_t dims[] = {1, 2, 3, 4, 5, 7, 8, 9, 33};

/* The bound of tolerance.c. */
static void additive_scores(const table_case *c) {
  if (c->type != c->real) return;
  for (int n = 0; n < 9; n++)
    for (int64_t rows = 1; rows <= 5; rows++) {
      int64_t slices = 3, first = random_int(c->r, 0, 2), last = random_int(c->r, first, slices), dim = dims[n];
      CONTEXT(c, "additive_scores rows %d dim %d slices %d..%d", (int)rows, (int)dim, (int)first, (int)last);
      operands o = operands_make(c, rows, slices, dim);
      int64_t stride = o.columns + c->k->lanes;
      guarded to = guarded_new(c->real, rows * stride);
      c->k->additive_scores(to.data, stride, &o.t, rows, first, last);
      for (int64_t r = 0; r < rows; r++)
        for (int64_t col = 0; col < stride; col++) {
          if (col < first * o.width || col >= last * o.width) {
            EXPECT(still_blank(c->real, to.data, r * stride + col));
            continue;
          }
          long double want = 0, allowed = 0;
          for (int64_t d = 0; d < dim; d++) {
            double q = query_of(c, &o, r, d), k = key_of(c, &o, col, d), w = weight_of(c, &o, r, d);
            want += w * tanhl((long double)q + k);
            allowed += fabs(w) * (tolerance_tanh(q, k, c->u) + (double)(2 * dim + 24) * c->u);
          }
          EXPECT_NEAR(number_get(c->real, to.data, r * stride + col), want, allowed);
        }
      guarded_free(&to);
      operands_free(&o);
    }
}

/* A pair's bits do not depend on the rows and columns beside it, even where those are beyond the bound or NaN. */
static void pairs_alone(const table_case *c) {
  if (c->type != c->real) return;
  int64_t dim = 6, rows = 4, slices = 2, bytes = c->k->real_bytes;
  operands o = operands_make(c, rows, slices, dim);
  int64_t stride = o.columns;
  guarded before = guarded_new(c->real, rows * stride), after = guarded_new(c->real, rows * stride);
  c->k->additive_scores(before.data, stride, &o.t, rows, 0, slices);
  const double specials[] = {NAN, INFINITY, 1e5, 0};
  for (int64_t spoiled = 0; spoiled < o.columns; spoiled++) {
    CONTEXT(c, "additive_scores with column %d spoiled", (int)spoiled);
    for (int64_t d = 0; d < dim; d++) number_set(c->real, o.keys.data, key_at(&o, spoiled, d), specials[spoiled % 4]);
    c->k->exp_twice(o.exp_keys.data, o.keys.data, slices * dim * o.width);
    c->k->column_magnitudes(o.key_sizes.data, o.keys.data, dim, slices);
    c->k->additive_scores(after.data, stride, &o.t, rows, 0, slices);
    for (int64_t r = 0; r < rows; r++)
      EXPECT(memcmp(after.data + (r * stride + spoiled + 1) * bytes, before.data + (r * stride + spoiled + 1) * bytes,
                    (size_t)((o.columns - spoiled - 1) * bytes)) == 0);
  }
  guarded_free(&before), guarded_free(&after);
  operands_free(&o);
}

/* One element of a gradient: a sum of `terms` products on top of what it held. 1 - tanh^2 is within 2 e_t + 8 u of 1
 * (gradient_tolerance.c), 4 w and the products round. */
typedef struct sum {
  long double want, allowed, magnitude;
} sum;

static void add_term(sum *s, long double coefficient, long double x, double error) {
  s->want += coefficient * x;
  s->allowed += fabsl(coefficient) * error;
  s->magnitude += fabsl(coefficient) * (fabsl(x) + error);
}

static void expect_sum(const table_case *c, const void *got, int64_t at, const sum *s, double held, int64_t terms) {
  long double allowed = s->allowed + (double)(terms + 8) * c->u * (3 * s->magnitude + fabs(held));
  EXPECT_NEAR(number_get(c->real, got, at), s->want + held, allowed + (c->real == ATTN_F64 ? 0x1p-1022 : 0x1p-126));
}

/* Columns with gradient 0 may hold anything. */
static void additive_gradients(const table_case *c) {
  if (c->type != c->real) return;
  for (int n = 0; n < 9; n++)
    for (int64_t rows = 1; rows <= 4; rows++) {
      int64_t slices = 3, first = random_int(c->r, 0, 2), last = random_int(c->r, first, slices), dim = dims[n];
      CONTEXT(c, "additive_gradients rows %d dim %d slices %d..%d", (int)rows, (int)dim, (int)first, (int)last);
      operands o = operands_make(c, rows, slices, dim);
      int64_t stride = o.columns, q_count = rows * o.t.query_stride, k_count = slices * dim * o.width;
      guarded ds = guarded_new(c->real, rows * stride), dq = guarded_new(c->real, q_count);
      guarded dw = guarded_new(c->real, q_count), dk = guarded_new(c->real, k_count);
      guarded *held[3] = {&dq, &dw, &dk};
      double *before[3];
      randomize(c->r, c->real, ds.data, rows * stride, -1, 1);
      for (int i = 0; i < 3; i++) {
        int64_t count = i == 2 ? k_count : q_count;
        randomize(c->r, c->real, held[i]->data, count, -1, 1);
        before[i] = malloc((size_t)count * sizeof(double));
        for (int64_t j = 0; j < count; j++) before[i][j] = number_get(c->real, held[i]->data, j);
      }
      int64_t hidden = first < last && rows % 2 ? random_int(c->r, first * o.width, last * o.width - 1) : -1;
      if (hidden >= 0) {
        for (int64_t r = 0; r < rows; r++) number_set(c->real, ds.data, r * stride + hidden, 0);
        for (int64_t d = 0; d < dim; d++)
          number_set(c->real, o.keys.data, key_at(&o, hidden, d), d % 2 ? INFINITY : NAN);
        c->k->exp_twice(o.exp_keys.data, o.keys.data, k_count);
        c->k->column_magnitudes(o.key_sizes.data, o.keys.data, dim, slices);
      }
      c->k->additive_gradients(&o.t, ds.data, stride, rows, first, last, dq.data, dw.data, dk.data);
      sum *key_sums = calloc((size_t)k_count, sizeof *key_sums);
      for (int64_t r = 0; r < rows; r++)
        for (int64_t d = 0; d < o.t.query_stride; d++) {
          sum query = {0}, weight = {0};
          int64_t at = r * o.t.query_stride + d;
          for (int64_t col = first * o.width; d < dim && col < last * o.width; col++) {
            double g = number_get(c->real, ds.data, r * stride + col), w = weight_of(c, &o, r, d);
            if (g == 0) continue;
            double q = query_of(c, &o, r, d), k = key_of(c, &o, col, d), e_t = tolerance_tanh(q, k, c->u);
            long double t = tanhl((long double)q + k), slope = 1 - t * t;
            add_term(&query, (long double)g * w, slope, 2 * e_t + 8 * c->u);
            add_term(&key_sums[key_at(&o, col, d)], (long double)g * w, slope, 2 * e_t + 8 * c->u);
            add_term(&weight, g, t, e_t);
            weight.magnitude += fabs(g);
          }
          int64_t terms = d < dim ? (last - first) * o.width : 0;
          expect_sum(c, dq.data, at, &query, before[0][at], terms);
          expect_sum(c, dw.data, at, &weight, before[1][at], terms);
        }
      for (int64_t i = 0; i < k_count; i++) expect_sum(c, dk.data, i, &key_sums[i], before[2][i], rows);
      for (int i = 0; i < 3; i++) free(before[i]);
      free(key_sums);
      guarded_free(&ds), guarded_free(&dq), guarded_free(&dw), guarded_free(&dk);
      operands_free(&o);
    }
}

int main(void) {
  random_source r = {expect_seed()};
  for_each_table(exp_twice, &r);
  for_each_table(row_magnitudes, &r);
  for_each_table(column_magnitudes, &r);
  for_each_table(row_sums, &r);
  for_each_table(additive_scores, &r);
  for_each_table(pairs_alone, &r);
  for_each_table(additive_gradients, &r);
  return expect_finish();
}
