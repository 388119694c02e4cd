/* attn_weights of chosen rows and heads against its own dense weights, which test_weights holds against the oracle. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "number.h"
#include "trial.h"

#define GUARD 16

static void *blank(int64_t bytes) {
  void *array = malloc((size_t)bytes + GUARD);
  memset(array, 0xA5, (size_t)bytes + GUARD);
  return array;
}

static void expect_guard(const void *array, int64_t bytes) {
  for (int i = 0; i < GUARD; i++)
    if (!EXPECT_INT(((const uint8_t *)array)[bytes + i], 0xA5)) return;
}

/* What a request came to, as doubles; arrays of what was not asked for are null. */
typedef struct answer {
  int64_t lines, keys, top; /* B * H' * R, Sk, k */
  int64_t streams;          /* B * H' */
  double *scores, *weights, *top_weights, *column_sums;
  int64_t *top_keys;
} answer;

static double *numbers(attn_type real, void *stored, int64_t count) {
  double *result = trial_numbers(count);
  for (int64_t i = 0; i < count; i++) result[i] = number_get(real, stored, i);
  expect_guard(stored, count * number_bytes(real));
  free(stored);
  return result;
}

static answer ask(const attn_problem *p, const void *lse, attn_weights_request q, bool matrices) {
  attn_type real = number_compute_type(p->type);
  int64_t heads = q.averaged ? 1 : q.heads ? q.head_count : p->query_heads, bytes = number_bytes(real);
  int64_t rows = q.rows ? q.row_count : p->query_length;
  answer a = {.streams = p->batch * heads, .lines = p->batch * heads * rows, .keys = p->key_length, .top = q.top};
  void *scores = matrices && !q.averaged ? blank(a.lines * a.keys * bytes) : NULL;
  void *weights = matrices ? blank(a.lines * a.keys * bytes) : NULL;
  void *top_weights = blank(a.lines * a.top * bytes), *sums = blank(a.streams * a.keys * bytes);
  a.top_keys = blank(a.lines * a.top * 8);
  q.scores = scores, q.weights = weights, q.column_sums = sums;
  q.top_keys = a.top_keys, q.top_weights = top_weights;
  if (!EXPECT_INT(attn_weights(p, lse, &q), ATTN_OK)) printf("  %s\n", attn_error_message());
  expect_guard(a.top_keys, a.lines * a.top * 8);
  if (scores) a.scores = numbers(real, scores, a.lines * a.keys);
  if (weights) a.weights = numbers(real, weights, a.lines * a.keys);
  a.top_weights = numbers(real, top_weights, a.lines * a.top);
  a.column_sums = numbers(real, sums, a.streams * a.keys);
  return a;
}

static void forget(answer *a) {
  free(a->scores), free(a->weights), free(a->top_weights), free(a->column_sums), free(a->top_keys);
}

/* The k best of a row, found by looking for each in turn. */
static void expect_top(const answer *a) {
  for (int64_t line = 0; line < a->lines; line++) {
    const double *row = a->weights + line * a->keys;
    bool *taken = calloc((size_t)a->keys + 1, sizeof *taken);
    for (int64_t n = 0; n < a->top; n++) {
      int64_t best = -1;
      for (int64_t j = 0; j < a->keys; j++) {
        if (taken[j] || !(row[j] > 0 || isnan(row[j]))) continue;
        bool first = best < 0 || (isnan(row[j]) && !isnan(row[best])) || row[j] > row[best];
        if (first) best = j;
      }
      EXPECT_INT(a->top_keys[line * a->top + n], best);
      EXPECT_SAME(a->top_weights + line * a->top + n, best < 0 ? &(double){0} : &row[best], 1);
      if (best >= 0) taken[best] = true;
    }
    free(taken);
  }
}

/* Summed in double and rounded once to the compute type; the additions' own error is R * 2^-53 of the sum. */
static void expect_columns(const answer *a, attn_type real) {
  double roundoff = real == ATTN_F64 ? 0x1p-53 : 0x1p-24;
  int64_t rows = a->streams ? a->lines / a->streams : 0;
  for (int64_t s = 0; s < a->streams; s++)
    for (int64_t j = 0; j < a->keys; j++) {
      long double sum = 0;
      for (int64_t i = 0; i < rows; i++) sum += a->weights[(s * rows + i) * a->keys + j];
      EXPECT_NEAR(a->column_sums[s * a->keys + j], sum, (double)sum * (roundoff + (double)(rows + 1) * 0x1p-53));
    }
}

/* Rows and heads of `part` are those of the dense answer, to the bit. */
static void expect_part(const answer *part, const answer *all, const attn_problem *p, const attn_weights_request *q) {
  int64_t heads = q->heads ? q->head_count : p->query_heads, rows = q->rows ? q->row_count : p->query_length;
  for (int64_t b = 0, line = 0; b < p->batch; b++)
    for (int64_t h = 0; h < heads; h++)
      for (int64_t i = 0; i < rows; i++, line++) {
        int64_t head = q->heads ? q->heads[h] : h, row = q->rows ? q->rows[i] : i;
        int64_t from = ((b * p->query_heads + head) * p->query_length + row) * p->key_length;
        EXPECT_SAME(part->weights + line * p->key_length, all->weights + from, p->key_length);
        EXPECT_SAME(part->scores + line * p->key_length, all->scores + from, p->key_length);
      }
}

/* The mean of n weights in the compute type: n - 1 additions and a division, each within u of its result. */
static void expect_mean(const answer *mean, const answer *all, const attn_problem *p, const attn_weights_request *q,
                        attn_type real) {
  int64_t heads = q->heads ? q->head_count : p->query_heads, rows = q->rows ? q->row_count : p->query_length;
  double roundoff = real == ATTN_F64 ? 0x1p-53 : 0x1p-24, smallest = real == ATTN_F64 ? 0x1p-1074 : 0x1p-149;
  for (int64_t b = 0, line = 0; b < p->batch; b++)
    for (int64_t i = 0; i < rows; i++, line++)
      for (int64_t j = 0; j < p->key_length; j++) {
        long double sum = 0;
        for (int64_t h = 0; h < heads; h++) {
          int64_t head = q->heads ? q->heads[h] : h, row = q->rows ? q->rows[i] : i;
          sum += all->weights[((b * p->query_heads + head) * p->query_length + row) * p->key_length + j];
        }
        sum /= (long double)heads;
        EXPECT_NEAR(mean->weights[line * p->key_length + j], sum, (double)sum * (double)heads * roundoff + smallest);
      }
}

static void a_case(attn_type type, const char *isa, int64_t index, random_source *r) {
  trial t = trial_random(r, 2e5);
  while (t.problem.type != type) {
    trial_free(&t);
    t = trial_random(r, 2e5);
  }
  attn_problem *p = &t.problem;
  p->isa = isa;
  trial_describe(&t, isa, index);
  attn_type real = number_compute_type(type);
  double *output = trial_numbers(trial_outputs(&t)), *lse_numbers = trial_numbers(trial_rows(&t));
  trial_run(&t, isa, 1, NULL, output, lse_numbers);
  void *lse = blank(trial_rows(&t) * number_bytes(real));
  for (int64_t i = 0; i < trial_rows(&t); i++) number_set(real, lse, i, lse_numbers[i]);

  answer all = ask(p, lse, (attn_weights_request){.top = random_int(r, 0, p->key_length + 2)}, true);
  expect_top(&all);
  expect_columns(&all, real);

  enum { MOST = 100 };
  int64_t heads[MOST], rows[MOST];
  attn_weights_request q = {.heads = heads, .rows = rows, .top = random_int(r, 0, 5)};
  q.head_count = random_int(r, 1, 4);
  q.row_count = p->query_length ? random_int(r, 0, MOST) : 0;
  for (int64_t i = 0; i < q.head_count; i++) heads[i] = random_int(r, 0, p->query_heads - 1);
  /* Runs of neighbours, single rows, repeats and steps back. */
  for (int64_t i = 0; i < q.row_count; i++) {
    bool next = i > 0 && rows[i - 1] + 1 < p->query_length && random_chance(r, 0.8);
    rows[i] = next ? rows[i - 1] + 1 : random_int(r, 0, p->query_length - 1);
  }
  if (random_chance(r, 0.2)) q.heads = NULL;
  if (random_chance(r, 0.2)) q.rows = NULL;
  answer part = ask(p, lse, q, true);
  expect_part(&part, &all, p, &q);
  expect_top(&part);
  expect_columns(&part, real);

  q.averaged = true;
  answer mean = ask(p, lse, q, true);
  expect_mean(&mean, &all, p, &q, real);
  expect_top(&mean);
  expect_columns(&mean, real);

  /* The same without the matrices, on other numbers of threads. */
  for (int threads = 1; threads <= 3; threads++) {
    p->threads = threads;
    answer alone = ask(p, lse, q, false);
    EXPECT_SAME(alone.top_weights, mean.top_weights, mean.lines * mean.top);
    EXPECT_SAME(alone.column_sums, mean.column_sums, mean.streams * mean.keys);
    EXPECT(memcmp(alone.top_keys, mean.top_keys, (size_t)(mean.lines * mean.top * 8)) == 0);
    forget(&alone);
  }
  forget(&all), forget(&part), forget(&mean);
  free(lse), free(output), free(lse_numbers);
  trial_free(&t);
}

static void refusals(void) {
  enum { H = 2, S = 4, D = 4 };
  float query[H * S * D] = {0}, lse[H * S * S] = {0}, weights[H * S * S] = {0};
  attn_problem p = attn_problem_init(ATTN_F32, 1, H, H, S, S, D, D);
  p.query.data = p.key.data = query;
  const int64_t bad[] = {0, 4}, negative[] = {-1};
  int64_t keys[H * S];
  expect_context("refusals");
  const struct {
    attn_weights_request request;
    attn_status status;
    const char *part;
  } cases[] = {
      {{.weights = weights, .rows = bad, .row_count = 2}, ATTN_ERROR_SELECTION, "rows[1] is 4; there are 4"},
      {{.weights = weights, .heads = negative, .head_count = 1}, ATTN_ERROR_SELECTION, "heads[0] is -1; there are 2"},
      {{.weights = weights, .rows = bad, .row_count = -1}, ATTN_ERROR_SELECTION, "-1 rows"},
      {{.weights = weights, .heads = bad, .averaged = true}, ATTN_ERROR_SELECTION, "mean over no head"},
      {{.scores = weights, .averaged = true}, ATTN_ERROR_SELECTION, "scores"},
      {{.top_keys = keys, .top_weights = weights, .top = -1}, ATTN_ERROR_SELECTION, "top is -1"},
      {{.top_keys = keys, .top = 1}, ATTN_ERROR_NULL_POINTER, "top_weights"},
      {{.top_weights = weights, .top = 1}, ATTN_ERROR_NULL_POINTER, "top_keys"},
      {{.weights = lse}, ATTN_ERROR_OVERLAP, "weights overlaps lse"},
      {{.weights = weights, .column_sums = weights + 1}, ATTN_ERROR_OVERLAP, "column_sums overlaps weights"},
      {{.top_keys = keys, .top_weights = weights, .top = INT64_MAX}, ATTN_ERROR_OVERFLOW, "top_keys"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    EXPECT_INT(attn_weights(&p, lse, &cases[i].request), cases[i].status);
    EXPECT_CONTAINS(attn_error_message(), cases[i].part);
  }
  for (int i = 0; i < H * S * S; i++) EXPECT(weights[i] == 0);
}

/* No query: columns that receive nothing. No key: rows without a best one. */
static void empty_shapes(void) {
  attn_problem p = attn_problem_init(ATTN_F32, 1, 2, 2, 0, 3, 4, 4);
  float sums[6] = {7, 7, 7, 7, 7, 7}, zeros[6] = {0}, best[4] = {7, 7, 7, 7};
  int64_t keys[4] = {7, 7, 7, 7};
  expect_context("empty shapes");
  EXPECT_INT(attn_weights(&p, NULL, &(attn_weights_request){.column_sums = sums}), ATTN_OK);
  EXPECT(memcmp(sums, zeros, sizeof sums) == 0);
  p = attn_problem_init(ATTN_F32, 1, 2, 2, 1, 0, 4, 4);
  attn_weights_request q = {.top = 2, .top_keys = keys, .top_weights = best};
  EXPECT_INT(attn_weights(&p, NULL, &q), ATTN_OK);
  for (int i = 0; i < 4; i++) EXPECT(keys[i] == -1 && best[i] == 0);
}

int main(void) {
  random_source r = {expect_seed()};
  int cases = expect_cases(25);
  for (int i = 0; i < attn_isa_count(); i++) {
    if (!attn_isa_available(i)) continue;
    for (int type = ATTN_F32; type <= ATTN_BF16; type++)
      for (int index = 0; index < cases; index++) a_case((attn_type)type, attn_isa_name(i), index, &r);
  }
  refusals();
  empty_shapes();
  return expect_finish();
}
