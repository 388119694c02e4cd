/*
 * The register tile of all matrix products: C (+)= A B over a few rows and vectors, with A read a number at a time
 * (broadcast) and B a panel read with unit stride. Each element of C is one chain of multiply-adds in the order of the
 * depth, whatever the tile, so blocking changes no bits.
 */

#define MOST_ROWS (TILE_ROWS > PRODUCT_ROWS ? TILE_ROWS : PRODUCT_ROWS)
#define MOST_VECTORS (TILE_VECTORS > PRODUCT_VECTORS ? TILE_VECTORS : PRODUCT_VECTORS)

/* Rows of A that share a pointer, by which the others are addressed. A pointer a row was an addition a row and step: 53
 * instructions for 24 multiply-adds, and two thirds of the peak beside a busy sibling thread of the core. */
#define ROW_GROUP 3
#define MOST_GROUPS ((MOST_ROWS + ROW_GROUP - 1) / ROW_GROUP)

/* Step k of the depth from where the pointers stand, added to the sums. */
ATTN_INLINE void product_step(int k, int rows, int vectors, vf sum[MOST_ROWS][MOST_VECTORS], const real *const *a,
                              int64_t a_row, int64_t a_step, const real *b, int64_t b_step) {
  vf panel[MOST_VECTORS];
  for (int v = 0; v < vectors; v++) panel[v] = vf_load(b + k * b_step + v * VF_LANES);
  for (int r = 0; r < rows; r++) {
    vf x = vf_set1(a[r / ROW_GROUP][r % ROW_GROUP * a_row + k * a_step]);
    for (int v = 0; v < vectors; v++) sum[r][v] = vf_fma(x, panel[v], sum[r][v]);
  }
}

/* Element (r, k) of A is a[r * a_row + k * a_step], row k of B starts at b + k * b_step. A turn of the loop takes 1, 2 or
 * 4 steps of the depth. */
ATTN_INLINE void product_tile(int rows, int vectors, int steps, bool accumulate, real *c, int64_t c_stride,
                              const real *a, int64_t a_row, int64_t a_step, const real *b, int64_t b_step,
                              int64_t depth) {
  vf sum[MOST_ROWS][MOST_VECTORS];
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) sum[r][v] = accumulate ? vf_load(c + r * c_stride + v * VF_LANES) : vf_set1(0);
  const int groups = (rows + ROW_GROUP - 1) / ROW_GROUP;
  const real *group[MOST_GROUPS];
  for (int g = 0; g < groups; g++) {
    group[g] = a + g * ROW_GROUP * a_row;
    /* Clang would make one pointer of them again. */
    __asm__("" : "+r"(group[g]));
  }
  int64_t k = 0;
#define STEP(k) product_step(k, rows, vectors, sum, group, a_row, a_step, b, b_step)
#define MOVE(count)                                            \
  for (int g = 0; g < groups; g++) group[g] += (count)*a_step; \
  b += (count)*b_step
  for (; steps > 1 && k + steps <= depth; k += steps) {
    STEP(0);
    STEP(1);
    if (steps > 2) {
      STEP(2);
      STEP(3);
    }
    MOVE(steps);
  }
  for (; k < depth; k++) {
    STEP(0);
    MOVE(1);
  }
#undef MOVE
#undef STEP
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) vf_store(c + r * c_stride + v * VF_LANES, sum[r][v]);
}

/* One slice of columns for any number of rows, in tiles of `height`, whose rows of A are `tile` from those of the one
 * before; the last one, lower, takes a step a turn. */
ATTN_INLINE void product_slice(int height, int vectors, int steps, bool accumulate, real *c, int64_t c_stride,
                               attn_operand operand, const real *b, int64_t b_step, int64_t depth, int64_t rows) {
  int64_t r = 0, row = operand.row, step = operand.step;
  const real *a = (const real *)operand.data;
  for (; r + height <= rows; r += height, a += operand.tile)
    product_tile(height, vectors, steps, accumulate, c + r * c_stride, c_stride, a, row, step, b, b_step, depth);
#define LAST_ROWS(count)                                                                                       \
  case count:                                                                                                  \
    if (count < height)                                                                                        \
      product_tile(count, vectors, 1, accumulate, c + r * c_stride, c_stride, a, row, step, b, b_step, depth); \
    break;
  switch (rows - r) {
    LAST_ROWS(1)
    LAST_ROWS(2)
    LAST_ROWS(3)
#if TILE_ROWS > 4 || PRODUCT_ROWS > 4
    LAST_ROWS(4)
    LAST_ROWS(5)
#endif
#if TILE_ROWS > 6 || PRODUCT_ROWS > 6
    LAST_ROWS(6)
    LAST_ROWS(7)
    LAST_ROWS(8)
#endif
#if TILE_ROWS > 9 || PRODUCT_ROWS > 9
    LAST_ROWS(9)
    LAST_ROWS(10)
    LAST_ROWS(11)
#endif
#if TILE_ROWS > 12 || PRODUCT_ROWS > 12
#error "add the tail heights of a higher register tile"
#endif
  }
#undef LAST_ROWS
}

/* The left operand by rows, whose numbers lie one behind the other, or by columns. */
ATTN_INLINE attn_operand rows_of(int height, const void *a, int64_t stride) {
  return (attn_operand){a, height * stride, stride, 1};
}

ATTN_INLINE attn_operand columns_of(int height, const void *a, int64_t stride) {
  return (attn_operand){a, height, 1, stride};
}

static void scores(void *out, int64_t stride, const void *queries, int64_t query_stride, int64_t dim,
                   const void *key_panels, int64_t rows, int64_t first, int64_t last) {
  for (int64_t slice = first; slice < last; slice++)
    product_slice(TILE_ROWS, TILE_VECTORS, TILE_STEPS, false, (real *)out + slice * PANEL_WIDTH, stride,
                  rows_of(TILE_ROWS, queries, query_stride), (const real *)key_panels + slice * dim * PANEL_WIDTH,
                  PANEL_WIDTH, dim, rows);
}

static void accumulate(void *output, int64_t output_stride, const void *p, int64_t stride, const void *value_panels,
                       int64_t depth, int64_t rows, int64_t first, int64_t last, int64_t slices) {
  for (int64_t slice = 0; slice < slices; slice++)
    product_slice(TILE_ROWS, TILE_VECTORS, TILE_STEPS, true, (real *)output + slice * PANEL_WIDTH, output_stride,
                  rows_of(TILE_ROWS, (const real *)p + first, stride),
                  (const real *)value_panels + (slice * depth + first) * PANEL_WIDTH, PANEL_WIDTH, last - first, rows);
}

static void accumulate_transposed(void *output, int64_t output_stride, const void *p, int64_t stride, int64_t first,
                                  int64_t last, const void *b, int64_t b_stride, int64_t rows, int64_t width) {
  for (int64_t c = 0; c < width; c += PANEL_WIDTH)
    product_slice(TILE_ROWS, TILE_VECTORS, TILE_STEPS, true, (real *)output + first * output_stride + c, output_stride,
                  columns_of(TILE_ROWS, (const real *)p + first, stride), (const real *)b + c, b_stride, rows,
                  last - first);
}
