/*
 * attn_matmul against the plain triple loop, on every instruction set. A sum of k products and what was there before,
 * in one chain of multiply-adds, is within (k + 1) u of the sum of magnitudes (Higham, Accuracy and Stability, section
 * 3.1).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "number.h"
#include "random.h"

/* Elements before and behind C, and the pattern that they and the gaps between its rows keep. */
#define GUARD 37
#define PATTERN 0xA5

/* C is between guard bands; A and B end where their memory does. */
typedef struct product {
  attn_type type;
  bool transpose_a, transpose_b, accumulate;
  int64_t m, n, k, lda, ldb, ldc;
  void *a, *b, *c_buffer;
  int64_t c_elements;
} product;

static int64_t rows_of_a(const product *p) { return p->transpose_a ? p->k : p->m; }
static int64_t columns_of_a(const product *p) { return p->transpose_a ? p->m : p->k; }
static int64_t rows_of_b(const product *p) { return p->transpose_b ? p->n : p->k; }
static int64_t columns_of_b(const product *p) { return p->transpose_b ? p->k : p->n; }
static int64_t at_a(const product *p, int64_t i, int64_t l) { return p->transpose_a ? l * p->lda + i : i * p->lda + l; }
static int64_t at_b(const product *p, int64_t l, int64_t j) { return p->transpose_b ? j * p->ldb + l : l * p->ldb + j; }

/* Gaps are NaN: what is read from them shows. */
static void *matrix(random_source *r, attn_type type, int64_t rows, int64_t columns, int64_t ld) {
  int64_t elements = rows > 0 && columns > 0 ? (rows - 1) * ld + columns : 0;
  void *x = malloc((size_t)(elements > 0 ? elements * number_bytes(type) : 1));
  for (int64_t i = 0; i < elements; i++)
    number_set(type, x, i, i % ld < columns ? random_double(r, -1, 1) : (double)NAN);
  return x;
}

static char *c_of(const product *p, void *buffer) { return (char *)buffer + GUARD * number_bytes(p->type); }

static product product_make(random_source *r, attn_type type, bool transpose_a, bool transpose_b, bool accumulate,
                            int64_t m, int64_t n, int64_t k) {
  product p = {type, transpose_a, transpose_b, accumulate, m, n, k, .c_elements = 2 * GUARD};
  int64_t gap = random_chance(r, 0.5) ? 0 : random_int(r, 1, 9);
  p.lda = columns_of_a(&p) + gap + 1, p.ldb = columns_of_b(&p) + 2 * gap + 1, p.ldc = n + (gap ? gap : 1);
  if (gap == 0) p.lda--, p.ldb--, p.ldc--;
  if (p.lda == 0) p.lda = 1;
  if (p.ldb == 0) p.ldb = 1;
  p.a = matrix(r, type, rows_of_a(&p), columns_of_a(&p), p.lda);
  p.b = matrix(r, type, rows_of_b(&p), columns_of_b(&p), p.ldb);
  if (m > 0 && n > 0) p.c_elements += (m - 1) * p.ldc + n;
  p.c_buffer = malloc((size_t)(p.c_elements * number_bytes(type)));
  memset(p.c_buffer, PATTERN, (size_t)(p.c_elements * number_bytes(type)));
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) number_set(type, c_of(&p, p.c_buffer), i * p.ldc + j, random_double(r, -1, 1));
  return p;
}

static void product_free(product *p) { free(p->a), free(p->b), free(p->c_buffer); }

static void describe(const product *p, const char *what) {
  expect_context("%s %s %s ta %d tb %d accumulate %d m %lld n %lld k %lld ld %lld %lld %lld", attn_isa_default(),
                 number_type_name(p->type), what, p->transpose_a, p->transpose_b, p->accumulate, (long long)p->m,
                 (long long)p->n, (long long)p->k, (long long)p->lda, (long long)p->ldb, (long long)p->ldc);
}

/* The buffer of C after the call; the caller frees it. */
static void *product_run(const product *p, int threads) {
  size_t bytes = (size_t)(p->c_elements * number_bytes(p->type));
  void *buffer = malloc(bytes);
  memcpy(buffer, p->c_buffer, bytes);
  if (!EXPECT_INT(attn_matmul(p->type, p->transpose_a, p->transpose_b, p->m, p->n, p->k, p->a, p->lda, p->b, p->ldb,
                              c_of(p, buffer), p->ldc, p->accumulate, threads),
                  ATTN_OK))
    printf("  %s\n", attn_error_message());
  return buffer;
}

/* Whether all bytes but C's are as they were. */
static bool guards_intact(const product *p, const void *buffer) {
  int64_t bytes = number_bytes(p->type);
  char *copy = malloc((size_t)(p->c_elements * bytes));
  memcpy(copy, buffer, (size_t)(p->c_elements * bytes));
  for (int64_t i = 0; i < p->m; i++) memset(c_of(p, copy) + i * p->ldc * bytes, PATTERN, (size_t)(p->n * bytes));
  bool intact = true;
  for (int64_t i = 0; i < p->c_elements * bytes; i++) intact = intact && (uint8_t)copy[i] == PATTERN;
  free(copy);
  return intact;
}

static long double element(const product *p, int64_t i, int64_t j, long double *magnitude) {
  long double sum = p->accumulate ? number_get(p->type, c_of(p, p->c_buffer), i * p->ldc + j) : 0;
  *magnitude = fabsl(sum);
  for (int64_t l = 0; l < p->k; l++) {
    long double x = number_get(p->type, p->a, at_a(p, i, l));
    x *= number_get(p->type, p->b, at_b(p, l, j));
    sum += x, *magnitude += fabsl(x);
  }
  return sum;
}

/* All elements, or with many of them a random sample and the edges of blocks. */
static void against_loops(const product *p, random_source *r) {
  describe(p, "product");
  void *buffer = product_run(p, 2);
  double gamma = (double)(p->k + 1) * number_unit(p->type);
  EXPECT(guards_intact(p, buffer));
  bool all = (double)p->m * (double)p->n * (double)p->k <= 30000;
  for (int64_t n = 0; n < (all ? p->m * p->n : p->m * p->n > 0 ? 300 : 0); n++) {
    int64_t i = all ? n / p->n : random_int(r, 0, p->m - 1), j = all ? n % p->n : random_int(r, 0, p->n - 1);
    if (!all && n % 4 == 1) i = p->m - 1;
    if (!all && n % 4 == 2) j = p->n - 1;
    long double magnitude, want = element(p, i, j, &magnitude);
    EXPECT_NEAR(number_get(p->type, c_of(p, buffer), i * p->ldc + j), want, gamma * magnitude);
  }
  free(buffer);
}

static void sizes(random_source *r) {
  /* Around 1, the register tiles, and the blocks of rows, columns and depth. */
  static const int64_t small[] = {0, 1, 2, 5, 6, 7, 11, 12, 13, 15, 16, 17, 31, 33};
  static const int64_t rows[] = {1, 13, 97, 192, 385, 700}, columns[] = {1, 17, 64, 129, 257, 530};
  static const int64_t depths[] = {0, 1, 40, 255, 256, 257, 513};
  for (int form = 0; form < 16; form++) {
    attn_type type = form & 8 ? ATTN_F64 : ATTN_F32;
    for (int n = 0; n < 60; n++) {
      bool large = n < 14;
      int64_t m = large ? rows[n % 6] : RANDOM_OF(r, small), k = large ? depths[n % 7] : RANDOM_OF(r, small);
      int64_t wide = large ? RANDOM_OF(r, columns) : RANDOM_OF(r, small);
      product p = product_make(r, type, form & 1, form & 2, form & 4, m, wide, k);
      against_loops(&p, r);
      product_free(&p);
    }
  }
}

/* The same bits at any number of threads and for any part of the rows or columns alone. */
static void same_bits(random_source *r) {
  for (int form = 0; form < 8; form++) {
    product p = product_make(r, form & 4 ? ATTN_F64 : ATTN_F32, form & 1, form & 2, form % 3 == 0, 400, 300, 300);
    int64_t bytes = number_bytes(p.type);
    void *want = product_run(&p, 1);
    const int threads[] = {2, 3, 7, 0};
    for (int i = 0; i < 4; i++) {
      describe(&p, "threads");
      void *got = product_run(&p, threads[i]);
      EXPECT(memcmp(got, want, (size_t)(p.c_elements * bytes)) == 0);
      free(got);
    }
    for (int i = 0; i < 4; i++) {
      int64_t row = random_int(r, 0, p.m - 1), column = random_int(r, 0, p.n - 1);
      double lone[1];
      memcpy(lone, c_of(&p, p.c_buffer) + (row * p.ldc + column) * bytes, (size_t)bytes);
      EXPECT_INT(attn_matmul(p.type, p.transpose_a, p.transpose_b, 1, 1, p.k, (char *)p.a + at_a(&p, row, 0) * bytes,
                             p.lda, (char *)p.b + at_b(&p, 0, column) * bytes, p.ldb, lone, 1, p.accumulate, 1),
                 ATTN_OK);
      EXPECT(memcmp(lone, c_of(&p, want) + (row * p.ldc + column) * bytes, (size_t)bytes) == 0);
    }
    free(want);
    product_free(&p);
  }
}

/* NaN and infinity reach the row of A's or column of B's results, as sums of products have it, and no others. */
static void not_finite(random_source *r) {
  const double specials[] = {NAN, INFINITY, -INFINITY};
  for (int form = 0; form < 24; form++) {
    product p = product_make(r, form & 4 ? ATTN_F64 : ATTN_F32, form & 1, form & 2, false, 14, 21, 9);
    double special = specials[form % 3];
    bool in_a = form & 8;
    int64_t i = random_int(r, 0, p.m - 1), j = random_int(r, 0, p.n - 1), l = random_int(r, 0, p.k - 1);
    number_set(p.type, in_a ? p.a : p.b, in_a ? at_a(&p, i, l) : at_b(&p, l, j), special);
    /* Infinity times 0. */
    number_set(p.type, in_a ? p.b : p.a, in_a ? at_b(&p, l, 3) : at_a(&p, 3, l), 0);
    against_loops(&p, r);
    product_free(&p);
  }
}

/* k = 0 gives zeros, or C itself; null operands are then as good as any. */
static void empty(void) {
  double c[6] = {1, 2, 3, 4, 5, 6};
  expect_context("k 0");
  EXPECT_INT(attn_matmul(ATTN_F64, false, false, 2, 3, 0, NULL, 0, NULL, 3, c, 3, true, 1), ATTN_OK);
  EXPECT(c[0] == 1 && c[5] == 6);
  EXPECT_INT(attn_matmul(ATTN_F64, true, true, 2, 2, 0, NULL, 2, NULL, 0, c, 3, false, 1), ATTN_OK);
  EXPECT(c[0] == 0 && c[1] == 0 && c[2] == 3 && c[3] == 0 && c[4] == 0 && c[5] == 6);
  /* Strides that would step far from a null operand, over several blocks. */
  float wide[60 * 40];
  for (int form = 0; form < 4; form++) {
    for (int i = 0; i < 60 * 40; i++) wide[i] = 1;
    EXPECT_INT(attn_matmul(ATTN_F32, form & 1, form & 2, 60, 40, 0, NULL, 99, NULL, 99, wide, 40, false, 2), ATTN_OK);
    for (int i = 0; i < 60 * 40; i++) EXPECT(wide[i] == 0);
  }
  expect_context("m or n 0");
  EXPECT_INT(attn_matmul(ATTN_F64, false, false, 0, 3, 5, NULL, 5, NULL, 3, NULL, 3, false, 0), ATTN_OK);
  EXPECT_INT(attn_matmul(ATTN_F32, false, false, 3, 0, 5, NULL, 5, NULL, 1, NULL, 1, true, 0), ATTN_OK);
}

/* A call that succeeds, for each test to spoil. */
typedef struct call {
  attn_type type;
  int64_t m, n, k, lda, ldb, ldc;
  const void *a, *b;
  void *c;
  int threads;
} call;

static float call_a[6], call_b[12], call_c[8];

static void expect_refused(call x, attn_status want, const char *part) {
  memset(call_c, PATTERN, sizeof call_c);
  expect_context("status %d, %s", (int)want, part);
  EXPECT_INT(attn_matmul(x.type, false, false, x.m, x.n, x.k, x.a, x.lda, x.b, x.ldb, x.c, x.ldc, false, x.threads),
             want);
  EXPECT_CONTAINS(attn_error_message(), part);
  bool blank = true;
  for (size_t i = 0; i < sizeof call_c; i++) blank = blank && ((uint8_t *)call_c)[i] == PATTERN;
  EXPECT(blank);
}

#define REFUSE(status, part, ...)                                     \
  do {                                                                \
    call x = {ATTN_F32, 2, 4, 3, 3, 4, 4, call_a, call_b, call_c, 1}; \
    __VA_ARGS__;                                                      \
    expect_refused(x, status, part);                                  \
  } while (0)

static void statuses(void) {
  REFUSE(ATTN_ERROR_TYPE, "type", x.type = ATTN_F16);
  REFUSE(ATTN_ERROR_TYPE, "type", x.type = ATTN_BF16);
  REFUSE(ATTN_ERROR_TYPE, "type", x.type = (attn_type)7);
  REFUSE(ATTN_ERROR_THREADS, "threads", x.threads = -1);
  REFUSE(ATTN_ERROR_NEGATIVE_SIZE, "m is -1", x.m = -1);
  REFUSE(ATTN_ERROR_NEGATIVE_SIZE, "n is -1", x.n = -1);
  REFUSE(ATTN_ERROR_NEGATIVE_SIZE, "k is -1", x.k = -1);
  REFUSE(ATTN_ERROR_OVERFLOW, "m is", x.m = (int64_t)INT32_MAX + 1);
  REFUSE(ATTN_ERROR_OVERFLOW, "k is", x.k = INT64_MAX);
  REFUSE(ATTN_ERROR_OVERFLOW, "a", x.lda = INT64_MAX / 2);
  REFUSE(ATTN_ERROR_OVERFLOW, "b", x.ldb = INT64_MAX / 2);
  REFUSE(ATTN_ERROR_OVERFLOW, "c", x.ldc = INT64_MAX / 2);
  REFUSE(ATTN_ERROR_NULL_POINTER, "a is null", x.a = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "b is null", x.b = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "c is null", x.c = NULL);
  REFUSE(ATTN_ERROR_OVERLAP, "c overlaps a", x.c = call_a);
  REFUSE(ATTN_ERROR_OVERLAP, "c overlaps b", x.c = call_b + 4);
  REFUSE(ATTN_ERROR_OVERLAP, "c make its elements overlap", x.ldc = 3);
  REFUSE(ATTN_ERROR_OVERLAP, "c make its elements overlap", x.ldc = 0);
  setenv("ATTENTION_ISA", "quantum", 1);
  REFUSE(ATTN_ERROR_ISA, "quantum", x.m = 2);
  unsetenv("ATTENTION_ISA");
}

int main(void) {
  random_source r = {expect_seed()};
  for (int isa = 0; isa < attn_isa_count(); isa++) {
    if (!attn_isa_available(isa)) continue;
    setenv("ATTENTION_ISA", attn_isa_name(isa), 1);
    sizes(&r);
    same_bits(&r);
    not_finite(&r);
    unsetenv("ATTENTION_ISA");
  }
  empty();
  statuses();
  return expect_finish();
}
