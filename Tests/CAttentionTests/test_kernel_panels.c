/* Packing: the layout of the panels, zeros where they are promised, nothing written beyond. */
#include <math.h>

#include "kernel_tables.h"

static void keys(const table_case *c) {
  int64_t width = c->k->panel_width, lanes = c->k->lanes;
  const int64_t counts[] = {1, lanes - 1, lanes, lanes + 1, width - 1, width, width + 1, 2 * width, 2 * width + 1};
  const int64_t dims[] = {1, lanes - 1, lanes, lanes + 1, 2 * lanes, 33};
  for (int n = 0; n < 9; n++)
    for (int d = 0; d < 6; d++) {
      int64_t count = counts[n], dim = dims[d], slices = (count + width - 1) / width;
      CONTEXT(c, "pack_keys count %d dim %d", (int)count, (int)dim);
      const void **rows = random_rows(c, count, dim);
      guarded to = guarded_new(c->real, slices * dim * width);
      c->k->pack_keys(to.data, rows, c->type, count, dim);
      for (int64_t key = 0; key < slices * width; key++)
        for (int64_t i = 0; i < dim; i++) {
          double want = key < count ? number_get(c->type, rows[key], i) : 0;
          EXPECT_NEAR(number_get(c->real, to.data, (key / width * dim + i) * width + key % width), want, 0);
        }
      guarded_free(&to);
      free_rows(c, rows, count, dim);
    }
}

/* With `specials` numbers that are not finite, at random places. */
static void values_of(const table_case *c, int64_t count, int64_t depth, int64_t dim, int specials) {
  int64_t width = c->k->panel_width, slices = (dim + width - 1) / width;
  const double numbers[] = {NAN, INFINITY, -INFINITY};
  CONTEXT(c, "pack_values count %d depth %d dim %d specials %d", (int)count, (int)depth, (int)dim, specials);
  const void **rows = random_rows(c, count, dim);
  for (int n = 0; n < specials; n++) {
    int64_t row = random_int(c->r, 0, count - 1);
    number_set(c->type, (void *)(uintptr_t)rows[row], random_int(c->r, 0, dim - 1), numbers[random_int(c->r, 0, 2)]);
  }
  guarded to = guarded_new(c->real, slices * depth * width);
  EXPECT_INT(c->k->pack_values(to.data, rows, c->type, count, depth, dim), specials == 0);
  for (int64_t j = 0; j < depth; j++)
    for (int64_t d = 0; d < slices * width; d++) {
      int64_t at = (d / width * depth + j) * width + d % width;
      if (j >= count) {
        EXPECT(still_blank(c->real, to.data, at));
        continue;
      }
      double want = d < dim ? number_get(c->type, rows[j], d) : 0;
      EXPECT_NEAR(number_get(c->real, to.data, at), isfinite(want) ? want : 0, 0);
    }
  guarded_free(&to);
  free_rows(c, rows, count, dim);
}

static void values(const table_case *c) {
  int64_t width = c->k->panel_width, lanes = c->k->lanes;
  const int64_t dims[] = {1, lanes - 1, lanes, lanes + 1, width - 1, width, width + 1, 2 * width + lanes};
  for (int d = 0; d < 8; d++)
    for (int64_t count = 1; count <= 9; count += 2)
      for (int specials = 0; specials < 3; specials++) {
        values_of(c, count, count, dims[d], specials);
        values_of(c, count, count + 3, dims[d], specials);
      }
}

/* One number that is not finite is noticed wherever it stands, and the largest finite ones raise no alarm. */
static void every_place(const table_case *c) {
  enum { COUNT = 3 };
  int64_t dim = 2 * c->k->panel_width + 1, slices = 3;
  const void **rows = random_rows(c, COUNT, dim);
  guarded to = guarded_new(c->real, slices * COUNT * c->k->panel_width);
  double largest = number_largest(c->type);
  for (int64_t place = 0; place < COUNT * dim; place++) {
    void *row = (void *)(uintptr_t)rows[place / dim];
    double before = number_get(c->type, row, place % dim);
    CONTEXT(c, "pack_values special at %d", (int)place);
    number_set(c->type, row, place % dim, -INFINITY);
    EXPECT(!c->k->pack_values(to.data, rows, c->type, COUNT, COUNT, dim));
    number_set(c->type, row, place % dim, largest);
    EXPECT(c->k->pack_values(to.data, rows, c->type, COUNT, COUNT, dim));
    number_set(c->type, row, place % dim, before);
  }
  guarded_free(&to);
  free_rows(c, rows, COUNT, dim);
}

int main(void) {
  random_source r = {expect_seed()};
  for_each_table(keys, &r);
  for_each_table(values, &r);
  for_each_table(every_place, &r);
  return expect_finish();
}
