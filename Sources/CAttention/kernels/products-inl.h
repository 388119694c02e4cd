/*
 * The two matrix products, from one register tile: C (+)= A B over TILE_ROWS x PANEL_WIDTH, with A read a number at a
 * time (broadcast) and B a panel read with unit stride. Each element of C is one chain of multiply-adds in the order of
 * the depth, whatever the tile's height, so blocking changes no bits.
 */

/* Rows of A that share a pointer, by which the others are addressed. A pointer a row was an addition a row and step: 53
 * instructions for 24 multiply-adds, and two thirds of the peak beside a busy sibling thread of the core. */
#define ROW_GROUP 3
#define ROW_GROUPS ((TILE_ROWS + ROW_GROUP - 1) / ROW_GROUP)

/* Step k of the depth from where the pointers stand, added to the sums. */
ATTN_INLINE void product_step(int k, int rows, vf sum[TILE_ROWS][TILE_VECTORS], const real *const *a, int64_t a_row,
                              int64_t a_step, const real *b, int64_t b_step) {
  vf panel[TILE_VECTORS];
  for (int v = 0; v < TILE_VECTORS; v++) panel[v] = vf_load(b + k * b_step + v * VF_LANES);
  for (int r = 0; r < rows; r++) {
    vf x = vf_set1(a[r / ROW_GROUP][r % ROW_GROUP * a_row + k * a_step]);
    for (int v = 0; v < TILE_VECTORS; v++) sum[r][v] = vf_fma(x, panel[v], sum[r][v]);
  }
}

/* Element (r, k) of A is a[r * a_row + k * a_step], row k of B starts at b + k * b_step. */
ATTN_INLINE void product_tile(int rows, bool accumulate, real *c, int64_t c_stride, const real *a, int64_t a_row,
                              int64_t a_step, const real *b, int64_t b_step, int64_t depth) {
  vf sum[TILE_ROWS][TILE_VECTORS];
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < TILE_VECTORS; v++)
      sum[r][v] = accumulate ? vf_load(c + r * c_stride + v * VF_LANES) : vf_set1(0);
  const real *group[ROW_GROUPS];
  for (int g = 0; g < ROW_GROUPS; g++) group[g] = a + g * ROW_GROUP * a_row;
  int64_t k = 0;
#define STEP(k) product_step(k, rows, sum, group, a_row, a_step, b, b_step)
#define MOVE(steps)                                                \
  for (int g = 0; g < ROW_GROUPS; g++) group[g] += (steps)*a_step; \
  b += (steps)*b_step
  for (; k + TILE_STEPS <= depth; k += TILE_STEPS) {
    STEP(0);
#if TILE_STEPS > 1
    STEP(1);
#endif
#if TILE_STEPS > 2
    STEP(2);
    STEP(3);
#endif
#if TILE_STEPS > 4 || TILE_STEPS == 3
#error "1, 2 or 4 steps in a turn of the loop"
#endif
    MOVE(TILE_STEPS);
  }
  for (; k < depth; k++) {
    STEP(0);
    MOVE(1);
  }
#undef MOVE
#undef STEP
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < TILE_VECTORS; v++) vf_store(c + r * c_stride + v * VF_LANES, sum[r][v]);
}

/* One slice of columns for any number of rows. */
ATTN_INLINE void product_slice(bool accumulate, real *c, int64_t c_stride, attn_operand operand, const real *b,
                               int64_t b_step, int64_t depth, int64_t rows) {
  int64_t r = 0, row = operand.row, step = operand.step;
  const real *a = (const real *)operand.data;
  for (; r + TILE_ROWS <= rows; r += TILE_ROWS, a += operand.tile)
    product_tile(TILE_ROWS, accumulate, c + r * c_stride, c_stride, a, row, step, b, b_step, depth);
#define LAST_ROWS(count) \
  case count: product_tile(count, accumulate, c + r * c_stride, c_stride, a, row, step, b, b_step, depth); break;
  switch (rows - r) {
    LAST_ROWS(1)
    LAST_ROWS(2)
    LAST_ROWS(3)
#if TILE_ROWS > 4
    LAST_ROWS(4)
    LAST_ROWS(5)
#endif
#if TILE_ROWS > 6
    LAST_ROWS(6)
    LAST_ROWS(7)
#endif
#if TILE_ROWS > 8
    LAST_ROWS(8)
    LAST_ROWS(9)
    LAST_ROWS(10)
    LAST_ROWS(11)
#endif
#if TILE_ROWS > 12
#error "add the tail heights of a higher register tile"
#endif
  }
#undef LAST_ROWS
}

ATTN_INLINE attn_operand rows_of(const void *a, int64_t stride) {
  return (attn_operand){a, TILE_ROWS * stride, stride, 1};
}

ATTN_INLINE attn_operand columns_of(const void *a, int64_t stride) { return (attn_operand){a, TILE_ROWS, 1, stride}; }

static void scores(void *out, int64_t stride, const void *queries, int64_t query_stride, int64_t dim,
                   const void *key_panels, int64_t rows, int64_t first, int64_t last) {
  for (int64_t slice = first; slice < last; slice++)
    product_slice(false, (real *)out + slice * PANEL_WIDTH, stride, rows_of(queries, query_stride),
                  (const real *)key_panels + slice * dim * PANEL_WIDTH, PANEL_WIDTH, dim, rows);
}

static void accumulate(void *output, int64_t output_stride, const void *p, int64_t stride, const void *value_panels,
                       int64_t depth, int64_t rows, int64_t first, int64_t last, int64_t slices) {
  for (int64_t slice = 0; slice < slices; slice++)
    product_slice(true, (real *)output + slice * PANEL_WIDTH, output_stride, rows_of((const real *)p + first, stride),
                  (const real *)value_panels + (slice * depth + first) * PANEL_WIDTH, PANEL_WIDTH, last - first, rows);
}

static void accumulate_transposed(void *output, int64_t output_stride, const void *p, int64_t stride, int64_t first,
                                  int64_t last, const void *b, int64_t b_stride, int64_t rows, int64_t width) {
  for (int64_t c = 0; c < width; c += PANEL_WIDTH)
    product_slice(true, (real *)output + first * output_stride + c, output_stride,
                  columns_of((const real *)p + first, stride), (const real *)b + c, b_stride, rows, last - first);
}

static void product(void *c, int64_t c_stride, const attn_operand *a, const void *panels, int64_t depth, int64_t rows,
                    int64_t slices, bool add) {
  for (int64_t slice = 0; slice < slices; slice++) {
    const real *panel = (const real *)panels + slice * depth * PANEL_WIDTH;
    real *to = (real *)c + slice * PANEL_WIDTH;
    attn_operand operand = *a;
    for (int64_t r = 0; r < rows; r += TILE_ROWS) {
      int64_t count = rows - r < TILE_ROWS ? rows - r : TILE_ROWS;
      /* The next tile of a large C comes from afar, and its multiply-adds would wait for it: 10 % of a product of
       * 4192 x 768 x 600. */
      for (int64_t i = r + count; i < rows && i < r + count + TILE_ROWS; i++)
        for (int v = 0; v < TILE_VECTORS; v++)
          __builtin_prefetch((real *)c + i * c_stride + slice * PANEL_WIDTH + v * VF_LANES, 1);
      /* Strides of 1 are constants of the loop. */
      if (operand.step == 1)
        product_slice(add, to, c_stride, rows_of(operand.data, operand.row), panel, PANEL_WIDTH, depth, count);
      else
        product_slice(add, to, c_stride, columns_of(operand.data, operand.step), panel, PANEL_WIDTH, depth, count);
      to += count * c_stride;
      operand.data = (const real *)operand.data + operand.tile;
    }
  }
}

static void pack_columns(void *dst, const void *src, int64_t stride, int64_t depth, int64_t rows) {
  const int64_t whole = rows / TILE_ROWS, rest = rows % TILE_ROWS, tile = depth * TILE_ROWS;
  for (int64_t k = 0; k < depth; k++) {
    const real *from = (const real *)src + k * stride;
    real *to = (real *)dst + k * TILE_ROWS;
    for (int64_t t = 0; t < whole; t++) memcpy(to + t * tile, from + t * TILE_ROWS, TILE_ROWS * sizeof(real));
    if (rest > 0) memcpy(to + whole * tile, from + whole * TILE_ROWS, (size_t)rest * sizeof(real));
  }
}
