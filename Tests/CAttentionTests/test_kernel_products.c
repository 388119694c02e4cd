/* scores, accumulate and product, for every tail of the register tile. */
#include <math.h>

#include "kernel_tables.h"

/* What is written of panels of which `columns` columns are asked for. */
static int64_t written(const table_case *c, int64_t columns) {
  int64_t half = c->k->panel_width / 2;
  return (columns + half - 1) / half * half;
}

/* A dot product of n terms in any order, and fused or not, is within n u of the sum of magnitudes. */
static void scores(const table_case *c) {
  if (c->type != c->real) return; /* storage types end at the panels */
  int64_t width = c->k->panel_width;
  const int64_t dims[] = {1, 2, 7, 64, 129};
  for (int64_t rows = 1; rows <= 2 * c->k->tile_rows + 1; rows++)
    for (int n = 0; n < 5; n++)
      for (int64_t first = 0; first < 3; first++) {
        int64_t dim = dims[n], slices = 3, stride = slices * width + 5;
        int64_t columns = random_int(c->r, first * width, slices * width), end = written(c, columns);
        CONTEXT(c, "scores rows %d dim %d slice %d columns %d", (int)rows, (int)dim, (int)first, (int)columns);
        void *queries = random_array(c->r, c->real, rows * dim, -1, 1);
        guarded panels = guarded_new(c->real, slices * dim * width), to = guarded_new(c->real, rows * stride);
        randomize(c->r, c->real, panels.data, slices * dim * width, -1, 1);
        c->k->scores(to.data, stride, queries, dim, dim, panels.data, rows, first, columns);
        for (int64_t r = 0; r < rows; r++)
          for (int64_t col = 0; col < stride; col++) {
            if (col < first * width || col >= end) {
              EXPECT(still_blank(c->real, to.data, r * stride + col));
              continue;
            }
            long double want = 0, magnitude = 0;
            for (int64_t d = 0; d < dim; d++) {
              long double x = number_get(c->real, queries, r * dim + d);
              x *= number_get(c->real, panels.data, (col / width * dim + d) * width + col % width);
              want += x, magnitude += fabsl(x);
            }
            EXPECT_NEAR(number_get(c->real, to.data, r * stride + col), want, (double)(dim + 1) * c->u * magnitude);
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
      int64_t output_stride = slices * width + 2, columns = random_int(c->r, (slices - 1) * width + 1, slices * width);
      int64_t end = written(c, columns);
      CONTEXT(c, "accumulate rows %d columns %d keys %d..%d", (int)rows, (int)columns, (int)first, (int)last);
      void *p = random_array(c->r, c->real, rows * stride, 0, 1);
      guarded panels = guarded_new(c->real, slices * depth * width), to = guarded_new(c->real, rows * output_stride);
      randomize(c->r, c->real, panels.data, slices * depth * width, -1, 1);
      for (int64_t r = 0; r < rows; r++)
        randomize(c->r, c->real, to.data + r * output_stride * c->k->real_bytes, end, -1, 1);
      /* Outside [first, last) nothing is read: NaN there would show. */
      for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < stride; j++)
          if (j < first || j >= last) number_set(c->real, p, r * stride + j, NAN);
      double *before = malloc((size_t)(rows * output_stride) * sizeof *before);
      for (int64_t i = 0; i < rows * output_stride; i++) before[i] = number_get(c->real, to.data, i);
      c->k->accumulate(to.data, output_stride, p, stride, panels.data, depth, rows, first, last, columns);
      for (int64_t r = 0; r < rows; r++)
        for (int64_t col = 0; col < output_stride; col++) {
          if (col >= end) {
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

/* Where b[k][j] lies in panels of `columns` columns. */
static int64_t panel_at(const attn_kernels *k, int64_t depth, int64_t columns, int64_t row, int64_t column) {
  int64_t first = column / k->product_width * k->product_width, lanes = k->lanes;
  int64_t rest = (columns - first + lanes - 1) / lanes * lanes,
          width = rest < k->product_width ? rest : k->product_width;
  return first * depth + row * width + column - first;
}

static int64_t panel_numbers(const attn_kernels *k, int64_t depth, int64_t columns) {
  return depth * ((columns + k->lanes - 1) / k->lanes * k->lanes);
}

/* A by rows and by columns, in place of what C held and on top of it, columns that fill vectors and panels or do not. */
static void product(const table_case *c) {
  if (c->type != c->real) return;
  const int64_t depths[] = {0, 1, 2, 7, 64};
  for (int64_t rows = 1; rows <= 2 * c->k->product_rows + 1; rows++)
    for (int n = 0; n < 20; n++) {
      int64_t depth = depths[n % 5], columns = random_int(c->r, 1, 2 * c->k->product_width + 1), stride = columns + 3;
      if (random_int(c->r, 0, 1))
        columns = (columns + c->k->lanes - 1) / c->k->lanes * c->k->lanes, stride = columns + 1;
      bool by_columns = n % 10 >= 5, add = n >= 10;
      int64_t tile = c->k->product_rows, a_row = by_columns ? 1 : depth + 2, a_step = by_columns ? tile : 1;
      int64_t a_tile = by_columns ? tile * depth + 3 : tile * a_row;
      CONTEXT(c, "product rows %d depth %d columns %d by columns %d add %d", (int)rows, (int)depth, (int)columns,
              by_columns, add);
      int64_t last = (rows - 1) / tile * a_tile + (rows - 1) % tile * a_row;
      /* Columns of a tile that has fewer rows are still `tile` apart. */
      void *a = random_array(c->r, c->real, depth > 0 ? last + (depth - 1) * a_step + 1 : 0, -1, 1);
      guarded panels = guarded_new(c->real, panel_numbers(c->k, depth, columns));
      guarded to = guarded_new(c->real, rows * stride);
      randomize(c->r, c->real, panels.data, panel_numbers(c->k, depth, columns), -1, 1);
      for (int64_t r = 0; r < rows; r++)
        randomize(c->r, c->real, to.data + r * stride * c->k->real_bytes, columns, -1, 1);
      double *before = malloc((size_t)(rows * stride) * sizeof *before);
      for (int64_t i = 0; i < rows * stride; i++) before[i] = number_get(c->real, to.data, i);
      attn_operand operand = {a, a_tile, a_row, a_step};
      c->k->product(to.data, stride, &operand, panels.data, depth, rows, columns, add);
      for (int64_t i = 0; i < rows * stride; i++) {
        int64_t r = i / stride, col = i % stride;
        if (col >= columns) {
          EXPECT(still_blank(c->real, to.data, i));
          continue;
        }
        long double want = add ? before[i] : 0, magnitude = fabsl(want);
        for (int64_t l = 0; l < depth; l++) {
          long double x = number_get(c->real, a, r / tile * a_tile + r % tile * a_row + l * a_step);
          x *= number_get(c->real, panels.data, panel_at(c->k, depth, columns, l, col));
          want += x, magnitude += fabsl(x);
        }
        EXPECT_NEAR(number_get(c->real, to.data, i), want, (double)(depth + 1) * c->u * magnitude);
      }
      free(before), free(a);
      guarded_free(&panels), guarded_free(&to);
    }
}

/* Both ways, NaN and infinity kept, zeros in columns that are not there. */
static void pack_panels(const table_case *c) {
  if (c->type != c->real) return;
  const double numbers[] = {NAN, INFINITY, -INFINITY, 0};
  for (int64_t columns = 1; columns <= 2 * c->k->product_width + 1; columns++)
    for (int transposed = 0; transposed < 2; transposed++) {
      int64_t depth = random_int(c->r, 0, 2 * c->k->lanes + 1), rows = transposed ? columns : depth;
      int64_t across = transposed ? depth : columns, stride = across + random_int(c->r, 0, 3);
      CONTEXT(c, "pack_panels columns %d depth %d transposed %d", (int)columns, (int)depth, transposed);
      int64_t reach = rows > 0 && across > 0 ? (rows - 1) * stride + across : 0;
      void *src = random_array(c->r, c->real, reach, -1, 1);
      for (int i = 0; reach > 0 && i < 4; i++) number_set(c->real, src, random_int(c->r, 0, reach - 1), numbers[i]);
      guarded to = guarded_new(c->real, panel_numbers(c->k, depth, columns));
      (transposed ? c->k->pack_panels_transposed : c->k->pack_panels)(to.data, src, stride, depth, columns);
      for (int64_t l = 0; l < depth; l++)
        for (int64_t j = 0; j < (columns + c->k->lanes - 1) / c->k->lanes * c->k->lanes; j++) {
          int64_t from = transposed ? j * stride + l : l * stride + j;
          EXPECT_NEAR(number_get(c->real, to.data, panel_at(c->k, depth, columns, l, j)),
                      j < columns ? number_get(c->real, src, from) : 0, 0);
        }
      guarded_free(&to);
      free(src);
    }
}

static void pack_columns(const table_case *c) {
  if (c->type != c->real) return;
  int64_t tile = c->k->product_rows;
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

/* The bits of a row in a panel do not depend on the rows and panels computed beside them. */
static void rows_alone(const table_case *c) {
  if (c->type != c->real) return;
  enum { SLICES = 3 };
  int64_t width = c->k->panel_width, dim = 61, rows = 2 * c->k->tile_rows + 3, bytes = c->k->real_bytes;
  void *queries = random_array(c->r, c->real, rows * dim, -1, 1);
  guarded panels = guarded_new(c->real, SLICES * dim * width);
  guarded together = guarded_new(c->real, rows * SLICES * width), alone = guarded_new(c->real, SLICES * width);
  randomize(c->r, c->real, panels.data, SLICES * dim * width, -1, 1);
  c->k->scores(together.data, SLICES * width, queries, dim, dim, panels.data, rows, 0, SLICES * width);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t slice = 0; slice < SLICES; slice++) {
      CONTEXT(c, "scores of row %d of %d, slice %d", (int)r, (int)rows, (int)slice);
      c->k->scores(alone.data, SLICES * width, (char *)queries + r * dim * bytes, dim, dim, panels.data, 1, slice,
                   (slice + 1) * width);
      EXPECT(memcmp(alone.data + slice * width * bytes, together.data + (r * SLICES + slice) * width * bytes,
                    (size_t)(width * bytes)) == 0);
      /* Nor on whether the panel is halved. */
      memset(alone.data + slice * width * bytes, 0, (size_t)(width * bytes));
      c->k->scores(alone.data, SLICES * width, (char *)queries + r * dim * bytes, dim, dim, panels.data, 1, slice,
                   slice * width + width / 2);
      EXPECT(memcmp(alone.data + slice * width * bytes, together.data + (r * SLICES + slice) * width * bytes,
                    (size_t)(width / 2 * bytes)) == 0);
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
  for_each_table(pack_panels, &r);
  for_each_table(rows_alone, &r);
  return expect_finish();
}
