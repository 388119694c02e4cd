/* scores, accumulate and product, for every tail of the register tile. */
#include <math.h>

#include "kernel_tables.h"

/* A dot product of n terms in any order, and fused or not, is within n u of the sum of magnitudes. */
static void scores(const table_case *c) {
  if (c->type != c->real) return; /* storage types end at the panels */
  int64_t width = c->k->panel_width;
  const int64_t dims[] = {1, 2, 7, 64, 129};
  for (int64_t rows = 1; rows <= 2 * c->k->tile_rows + 1; rows++)
    for (int n = 0; n < 5; n++)
      for (int64_t first = 0; first < 3; first++) {
        int64_t dim = dims[n], slices = 3, last = random_int(c->r, first, slices), stride = slices * width + 5;
        CONTEXT(c, "scores rows %d dim %d slices %d..%d", (int)rows, (int)dim, (int)first, (int)last);
        void *queries = random_array(c->r, c->real, rows * dim, -1, 1);
        guarded panels = guarded_new(c->real, slices * dim * width), to = guarded_new(c->real, rows * stride);
        randomize(c->r, c->real, panels.data, slices * dim * width, -1, 1);
        c->k->scores(to.data, stride, queries, dim, dim, panels.data, rows, first, last);
        for (int64_t r = 0; r < rows; r++)
          for (int64_t col = 0; col < stride; col++) {
            if (col < first * width || col >= last * width) {
              EXPECT(still_blank(c->real, to.data, r * stride + col));
              continue;
            }
            long double want = 0, magnitude = 0;
            for (int64_t d = 0; d < dim; d++) {
              long double x = number_get(c->real, queries, r * dim + d);
              x *= number_get(c->real, panels.data, (col / width * dim + d) * width + col % width);
              want += x, magnitude += fabsl(x);
            }
            EXPECT_NEAR(number_get(c->real, to.data, r * stride + col), want,
                        (double)(dim + 1) * c->u * magnitude);
          }
        guarded_free(&panels);
        guarded_free(&to);
        free(queries);
      }
}

static void accumulate(const table_case *c) {
  if (c->type != c->real) return;
  int64_t width = c->k->panel_width, depth = 37;
  for (int64_t rows = 1; rows <= 2 * c->k->tile_rows + 1; rows++)
    for (int64_t slices = 1; slices <= 3; slices++) {
      int64_t first = random_int(c->r, 0, 8), last = random_int(c->r, first, depth), stride = depth + 3;
      int64_t output_stride = slices * width + 2;
      CONTEXT(c, "accumulate rows %d slices %d keys %d..%d", (int)rows, (int)slices, (int)first, (int)last);
      void *p = random_array(c->r, c->real, rows * stride, 0, 1);
      guarded panels = guarded_new(c->real, slices * depth * width), to = guarded_new(c->real, rows * output_stride);
      randomize(c->r, c->real, panels.data, slices * depth * width, -1, 1);
      for (int64_t r = 0; r < rows; r++)
        randomize(c->r, c->real, to.data + r * output_stride * c->k->real_bytes, slices * width, -1, 1);
      /* Outside [first, last) nothing is read: NaN there would show. */
      for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < stride; j++)
          if (j < first || j >= last) number_set(c->real, p, r * stride + j, NAN);
      double *before = malloc((size_t)(rows * output_stride) * sizeof *before);
      for (int64_t i = 0; i < rows * output_stride; i++) before[i] = number_get(c->real, to.data, i);
      c->k->accumulate(to.data, output_stride, p, stride, panels.data, depth, rows, first, last, slices);
      for (int64_t r = 0; r < rows; r++)
        for (int64_t col = 0; col < output_stride; col++) {
          if (col >= slices * width) {
            EXPECT(still_blank(c->real, to.data, r * output_stride + col));
            continue;
          }
          long double want = before[r * output_stride + col], magnitude = fabsl(want);
          for (int64_t j = first; j < last; j++) {
            long double x = number_get(c->real, p, r * stride + j);
            x *= number_get(c->real, panels.data, (col / width * depth + j) * width + col % width);
            want += x, magnitude += fabsl(x);
          }
          EXPECT_NEAR(number_get(c->real, to.data, r * output_stride + col), want,
                      (double)(last - first + 2) * c->u * magnitude);
        }
      free(before);
      guarded_free(&panels);
      guarded_free(&to);
      free(p);
    }
}

/* A by rows and by columns, in place of what C held and on top of it. */
static void product(const table_case *c) {
  if (c->type != c->real) return;
  int64_t width = c->k->panel_width;
  const int64_t depths[] = {0, 1, 2, 7, 64};
  for (int64_t rows = 1; rows <= 2 * c->k->tile_rows + 1; rows++)
    for (int n = 0; n < 20; n++) {
      int64_t depth = depths[n % 5], slices = random_int(c->r, 1, 3), stride = slices * width + 3;
      bool by_columns = n % 10 >= 5, add = n >= 10;
      int64_t a_row = by_columns ? 1 : depth + 2, a_step = by_columns ? rows + 2 : 1;
      CONTEXT(c, "product rows %d depth %d slices %d by columns %d add %d", (int)rows, (int)depth, (int)slices,
              by_columns, add);
      int64_t reach = depth > 0 ? (rows - 1) * a_row + (depth - 1) * a_step + 1 : 0;
      void *a = random_array(c->r, c->real, reach, -1, 1);
      guarded panels = guarded_new(c->real, slices * depth * width), to = guarded_new(c->real, rows * stride);
      randomize(c->r, c->real, panels.data, slices * depth * width, -1, 1);
      for (int64_t r = 0; r < rows; r++)
        randomize(c->r, c->real, to.data + r * stride * c->k->real_bytes, slices * width, -1, 1);
      double *before = malloc((size_t)(rows * stride) * sizeof *before);
      for (int64_t i = 0; i < rows * stride; i++) before[i] = number_get(c->real, to.data, i);
      attn_operand operand = {a, c->k->tile_rows * a_row, a_row, a_step};
      c->k->product(to.data, stride, &operand, panels.data, depth, rows, slices, add);
      for (int64_t i = 0; i < rows * stride; i++) {
        int64_t r = i / stride, col = i % stride;
        if (col >= slices * width) {
          EXPECT(still_blank(c->real, to.data, i));
          continue;
        }
        long double want = add ? before[i] : 0, magnitude = fabsl(want);
        for (int64_t l = 0; l < depth; l++) {
          long double x = number_get(c->real, a, r * a_row + l * a_step);
          x *= number_get(c->real, panels.data, (col / width * depth + l) * width + col % width);
          want += x, magnitude += fabsl(x);
        }
        EXPECT_NEAR(number_get(c->real, to.data, i), want, (double)(depth + 1) * c->u * magnitude);
      }
      free(before), free(a);
      guarded_free(&panels), guarded_free(&to);
    }
}

static void pack_columns(const table_case *c) {
  if (c->type != c->real) return;
  int64_t tile = c->k->tile_rows;
  for (int64_t rows = 1; rows <= 3 * tile + 1; rows++)
    for (int64_t depth = 0; depth <= 5; depth++) {
      int64_t stride = rows + random_int(c->r, 0, 3), tiles = (rows + tile - 1) / tile;
      CONTEXT(c, "pack_columns rows %d depth %d", (int)rows, (int)depth);
      void *src = random_array(c->r, c->real, depth > 0 ? (depth - 1) * stride + rows : 0, -1, 1);
      guarded to = guarded_new(c->real, tiles * depth * tile);
      c->k->pack_columns(to.data, src, stride, depth, rows);
      for (int64_t r = 0; r < tiles * tile; r++)
        for (int64_t l = 0; l < depth; l++) {
          int64_t at = r / tile * depth * tile + l * tile + r % tile;
          if (r >= rows)
            EXPECT(still_blank(c->real, to.data, at));
          else
            EXPECT_NEAR(number_get(c->real, to.data, at), number_get(c->real, src, l * stride + r), 0);
        }
      guarded_free(&to);
      free(src);
    }
}

/* A row's bits do not depend on the rows computed beside it. */
static void rows_alone(const table_case *c) {
  if (c->type != c->real) return;
  int64_t width = c->k->panel_width, dim = 61, rows = 2 * c->k->tile_rows + 3;
  void *queries = random_array(c->r, c->real, rows * dim, -1, 1);
  guarded panels = guarded_new(c->real, dim * width);
  guarded together = guarded_new(c->real, rows * width), alone = guarded_new(c->real, width);
  randomize(c->r, c->real, panels.data, dim * width, -1, 1);
  c->k->scores(together.data, width, queries, dim, dim, panels.data, rows, 0, 1);
  for (int64_t r = 0; r < rows; r++) {
    CONTEXT(c, "scores of row %d of %d", (int)r, (int)rows);
    c->k->scores(alone.data, width, (char *)queries + r * dim * c->k->real_bytes, dim, dim, panels.data, 1, 0, 1);
    EXPECT(memcmp(alone.data, together.data + r * width * c->k->real_bytes, (size_t)(width * c->k->real_bytes)) == 0);
  }
  guarded_free(&panels);
  guarded_free(&together);
  guarded_free(&alone);
  free(queries);
}

int main(void) {
  random_source r = {expect_seed()};
  for_each_table(scores, &r);
  for_each_table(accumulate, &r);
  for_each_table(product, &r);
  for_each_table(pack_columns, &r);
  for_each_table(rows_alone, &r);
  return expect_finish();
}
