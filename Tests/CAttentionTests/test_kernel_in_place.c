/* scores_in_place and accumulate_in_place: the bits of panels, without panels, and nothing read or written beyond. */
#include <math.h>

#include "kernel_tables.h"

static int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

static void scores(const table_case *c) {
  int64_t lanes = c->k->lanes, width = c->k->panel_width;
  const int64_t counts[] = {1, lanes - 1, lanes, lanes + 1, 2 * lanes, 2 * lanes + 1, 5 * lanes - 1};
  const int64_t dims[] = {1, lanes - 1, lanes, lanes + 1, 2 * lanes, 40, 64};
  for (int64_t rows = 1; rows <= c->k->in_place_rows; rows++)
    for (int n = 0; n < 7; n++)
      for (int d = 0; d < 7; d++) {
        int64_t count = counts[n], dim = dims[d], query_stride = dim + 3;
        int64_t stride = round_up(count, width) + 5, written = round_up(count, lanes);
        CONTEXT(c, "scores rows %d keys %d dim %d", (int)rows, (int)count, (int)dim);
        const void **keys = random_rows(c, count, dim);
        void *queries = random_array(c->r, c->real, (rows - 1) * query_stride + dim, -1, 1);
        /* Zeros that tell a chain which begins with a product from one that begins with 0. */
        for (int64_t i = 0; i < dim && d % 2 == 0; i++) number_set(c->real, queries, i, -0.0);
        guarded panels = guarded_new(c->real, round_up(count, width) * dim);
        guarded want = guarded_new(c->real, rows * stride), got = guarded_new(c->real, rows * stride);
        c->k->pack_keys(panels.data, keys, c->type, count, dim);
        c->k->scores(want.data, stride, queries, query_stride, dim, panels.data, rows, 0, count);
        c->k->scores_in_place(got.data, stride, queries, query_stride, dim, keys, c->type, count, rows);
        for (int64_t r = 0; r < rows; r++) {
          int64_t at = r * stride * c->k->real_bytes;
          EXPECT(memcmp(got.data + at, want.data + at, (size_t)(count * c->k->real_bytes)) == 0);
          for (int64_t col = written; col < stride; col++) EXPECT(still_blank(c->real, got.data, r * stride + col));
        }
        guarded_free(&panels), guarded_free(&want), guarded_free(&got);
        free_rows(c, keys, count, dim);
        free(queries);
      }
}

static void accumulate(const table_case *c) {
  enum { KEYS = 37 };
  int64_t lanes = c->k->lanes, width = c->k->panel_width;
  const int64_t dims[] = {1, lanes - 1, lanes, lanes + 1, 4 * lanes, 8 * lanes, 13 * lanes + 3};
  for (int64_t rows = 1; rows <= c->k->in_place_rows; rows++)
    for (int d = 0; d < 7; d++)
      for (int trial = 0; trial < 4; trial++) {
        int64_t dim = dims[d], stride = KEYS + 2, output_stride = round_up(dim, width) + 3;
        int64_t first = random_int(c->r, 0, KEYS), last = random_int(c->r, first, KEYS), written = round_up(dim, lanes);
        CONTEXT(c, "accumulate rows %d dim %d keys %d..%d", (int)rows, (int)dim, (int)first, (int)last);
        const void **values = random_rows(c, KEYS, dim);
        void *p = random_array(c->r, c->real, rows * stride, 0, 1);
        guarded panels = guarded_new(c->real, KEYS * round_up(dim, width));
        guarded want = guarded_new(c->real, rows * output_stride), got = guarded_new(c->real, rows * output_stride);
        for (int64_t r = 0; r < rows; r++)
          randomize(c->r, c->real, want.data + r * output_stride * c->k->real_bytes, round_up(dim, width), -1, 1);
        memcpy(got.data, want.data, (size_t)got.bytes);
        EXPECT(c->k->pack_values(panels.data, values, c->type, KEYS, KEYS, dim));
        c->k->accumulate(want.data, output_stride, p, stride, panels.data, KEYS, rows, first, last, dim);
        guarded before = guarded_new(c->real, rows * output_stride);
        memcpy(before.data, got.data, (size_t)got.bytes);
        c->k->accumulate_in_place(got.data, output_stride, p, stride, values, c->type, dim, rows, first, last);
        for (int64_t r = 0; r < rows; r++) {
          int64_t at = r * output_stride * c->k->real_bytes, bytes = c->k->real_bytes;
          EXPECT(memcmp(got.data + at, want.data + at, (size_t)(dim * bytes)) == 0);
          EXPECT(memcmp(got.data + at + written * bytes, before.data + at + written * bytes,
                        (size_t)((output_stride - written) * bytes)) == 0);
        }
        guarded_free(&panels), guarded_free(&want), guarded_free(&got), guarded_free(&before);
        free_rows(c, values, KEYS, dim);
        free(p);
      }
}

/* One number that is not finite is noticed wherever it stands, and the largest finite ones raise no alarm. */
static void finite_rows(const table_case *c) {
  enum { COUNT = 3 };
  const int64_t dims[] = {1, c->k->lanes, 4 * c->k->lanes, 5 * c->k->lanes + 1};
  const double numbers[] = {NAN, INFINITY, -INFINITY};
  for (int d = 0; d < 4; d++) {
    int64_t dim = dims[d];
    const void **rows = random_rows(c, COUNT, dim);
    CONTEXT(c, "rows_finite dim %d", (int)dim);
    EXPECT(c->k->rows_finite(rows, c->type, COUNT, dim));
    EXPECT(c->k->rows_finite(rows, c->type, 0, dim));
    for (int64_t place = 0; place < COUNT * dim; place++) {
      void *row = (void *)(uintptr_t)rows[place / dim];
      number_set(c->type, row, place % dim, numbers[place % 3]);
      EXPECT(!c->k->rows_finite(rows, c->type, COUNT, dim));
      number_set(c->type, row, place % dim, place % 2 ? number_largest(c->type) : -number_largest(c->type));
    }
    EXPECT(c->k->rows_finite(rows, c->type, COUNT, dim));
    free_rows(c, rows, COUNT, dim);
  }
}

int main(void) {
  random_source r = {expect_seed()};
  for_each_table(scores, &r);
  for_each_table(accumulate, &r);
  for_each_table(finite_rows, &r);
  return expect_finish();
}
