/* load_rows and store_row: rows of numbers in and out of the compute type. */
#include <math.h>

#include "half.h"
#include "kernel_tables.h"

/* As long as the longest vector of floats. */
#define WHOLE_ROW 16

/* Rows that end where their memory does, written apart from each other, with zeros up to the width. */
static void load_rows(const table_case *c) {
  const double factors[] = {1, 0, -1, 0.36067376022224085, 1e10};
  for (int64_t n = 0; n <= 4 * c->k->lanes + 1; n++)
    for (int f = 0; f < 5; f++) {
      int64_t rows = random_int(c->r, 0, 3), src_stride = n + random_int(c->r, 0, 3);
      int64_t width = n + random_int(c->r, 0, c->k->lanes), stride = width + random_int(c->r, 0, 2);
      CONTEXT(c, "load_rows rows %d n %d width %d factor %g", (int)rows, (int)n, (int)width, factors[f]);
      void *source = random_array(c->r, c->type, rows > 0 ? (rows - 1) * src_stride + n : 0, -2, 2);
      guarded to = guarded_new(c->real, rows > 0 ? (rows - 1) * stride + width : 0);
      c->k->load_rows(to.data, stride, width, source, src_stride, c->type, rows, n, factors[f]);
      for (int64_t at = 0; at < to.bytes / c->k->real_bytes; at++) {
        int64_t r = at / (stride > 0 ? stride : 1), i = at - r * stride;
        if (i >= n) {
          EXPECT(i < width ? number_get(c->real, to.data, at) == 0 : still_blank(c->real, to.data, at));
          continue;
        }
        double x = number_get(c->type, source, r * src_stride + i), got = number_get(c->real, to.data, at);
        double factor = number_round(c->real, factors[f]);
        /* One multiplication of two numbers of the compute type. */
        EXPECT_NEAR(got, (long double)x * factor, c->u * fabs(x * factor));
        EXPECT(factors[f] != 1 || (got == x && signbit(got) == signbit(x)));
      }
      guarded_free(&to);
      free(source);
    }
}

/* Every number that F16 and BF16 have, NaN and infinities too. */
static void every_half(const table_case *c) {
  if (number_bytes(c->type) != 2) return;
  uint16_t *codes = malloc(65536 * sizeof *codes), *back = malloc(65536 * sizeof *back);
  float *numbers = malloc(65536 * sizeof *numbers);
  for (int i = 0; i < 65536; i++) codes[i] = (uint16_t)i;
  c->k->load_rows(numbers, 65536, 65536, codes, 65536, c->type, 1, 65536, 1);
  c->k->store_row(back, numbers, NULL, c->type, 65536, 1);
  for (int i = 0; i < 65536; i++) {
    double want = number_get(c->type, codes, i);
    CONTEXT(c, "code %04x", (unsigned)i);
    EXPECT_NEAR(numbers[i], want, 0);
    EXPECT_NEAR(number_get(c->type, back, i), want, 0);
  }
  free(codes), free(back), free(numbers);
}

/* Halfway between neighbours, just beside it, and anywhere: rounded to nearest, ties to even. */
static void rounding(const table_case *c) {
  if (number_bytes(c->type) != 2) return;
  for (int i = 0; i < 65535; i += 7) {
    const uint16_t codes[2] = {(uint16_t)i, (uint16_t)(i + 1)};
    double low = number_get(c->type, codes, 0), high = number_get(c->type, codes, 1);
    if (!isfinite(low) || !isfinite(high) || low == high) continue;
    float middle = (float)(low / 2 + high / 2);
    const float beside[4] = {middle, nextafterf(middle, INFINITY), nextafterf(middle, -INFINITY),
                             (float)random_double(c->r, fmin(low, high), fmax(low, high))};
    /* In whole vectors and, behind them, alone. */
    float row[WHOLE_ROW + 4];
    uint16_t got[WHOLE_ROW + 4];
    for (int n = 0; n < WHOLE_ROW + 4; n++) row[n] = beside[n % 4];
    c->k->store_row(got, row, NULL, c->type, WHOLE_ROW + 4, 1);
    CONTEXT(c, "rounding beside code %04x", (unsigned)i);
    for (int n = 0; n < WHOLE_ROW + 4; n++)
      EXPECT_NEAR(number_get(c->type, got, n), number_round(c->type, (double)row[n]), 0);
  }
}

/* Any 32 bits that are a float, a NaN's payload too, to the bits of half.h, which rounds numbers one at a time. */
static void any_bits(const table_case *c) {
  if (number_bytes(c->type) != 2) return;
  for (int trial = 0; trial < 4096; trial++) {
    float row[WHOLE_ROW + 3];
    uint32_t bits[WHOLE_ROW + 3];
    uint16_t got[WHOLE_ROW + 3];
    for (int n = 0; n < WHOLE_ROW + 3; n++) {
      bits[n] = (uint32_t)random_int(c->r, 0, UINT32_MAX);
      if (trial % 4 == 0) bits[n] |= 0x7f800000; /* NaN and, rarely, infinity */
    }
    memcpy(row, bits, sizeof row);
    c->k->store_row(got, row, NULL, c->type, WHOLE_ROW + 3, 1);
    for (int n = 0; n < WHOLE_ROW + 3; n++) {
      CONTEXT(c, "the float %08x", (unsigned)bits[n]);
      float finished = row[n] * 1.0f + 0.0f; /* -0 becomes +0, a signalling NaN quiet */
      EXPECT(got[n] == (c->type == ATTN_F16 ? attn_f32_to_f16(finished) : attn_f32_to_bf16(finished)));
    }
  }
}

static void store_row(const table_case *c) {
  for (int64_t n = 0; n <= 4 * c->k->lanes + 1; n++)
    for (int with_extra = 0; with_extra < 2; with_extra++) {
      CONTEXT(c, "store_row n %d extra %d", (int)n, with_extra);
      double factor = number_round(c->real, random_double(c->r, -3, 3));
      void *output = random_array(c->r, c->real, n, -2, 2), *extra = random_array(c->r, c->real, n, -2, 2);
      if (n > 1) number_set(c->real, output, 0, -0.0), number_set(c->real, extra, 0, 0);
      guarded to = guarded_new(c->type, n);
      c->k->store_row(to.data, output, with_extra ? extra : NULL, c->type, n, factor);
      for (int64_t i = 0; i < n; i++) {
        long double product = (long double)number_get(c->real, output, i) * factor;
        long double want = product + (with_extra ? number_get(c->real, extra, i) : 0);
        /* The product rounds, then the sum, then the storage type. */
        double bound = c->u * (double)(fabsl(product) + fabsl(want)) * (1 + c->u);
        if (c->type != c->real) bound += number_half_ulp(c->type, (double)fabsl(want) + bound);
        double got = number_get(c->type, to.data, i);
        EXPECT_NEAR(got, want, bound);
        EXPECT(got != 0 || !signbit(got));
      }
      guarded_free(&to);
      free(output), free(extra);
    }
  /* What the exact path adds comes through; -0 becomes +0. */
  void *output = random_array(c->r, c->real, 3, 1, 2), *extra = random_array(c->r, c->real, 3, 0, 1);
  number_set(c->real, output, 2, -0.0);
  number_set(c->real, extra, 0, INFINITY);
  number_set(c->real, extra, 1, NAN);
  number_set(c->real, extra, 2, -0.0);
  guarded to = guarded_new(c->type, 3);
  CONTEXT(c, "store_row of special numbers");
  c->k->store_row(to.data, output, extra, c->type, 3, 1);
  EXPECT(number_get(c->type, to.data, 0) == INFINITY);
  EXPECT(isnan(number_get(c->type, to.data, 1)));
  EXPECT(!signbit(number_get(c->type, to.data, 2)));
  c->k->store_row(to.data, output, NULL, c->type, 3, 1);
  EXPECT(number_get(c->type, to.data, 2) == 0 && !signbit(number_get(c->type, to.data, 2)));
  guarded_free(&to);
  free(output), free(extra);
}

int main(void) {
  random_source r = {expect_seed()};
  for_each_table(load_rows, &r);
  for_each_table(store_row, &r);
  for_each_table(every_half, &r);
  for_each_table(rounding, &r);
  for_each_table(any_bits, &r);
  return expect_finish();
}
