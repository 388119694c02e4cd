/*
 * Products of whole matrices, and their operands packed. A tile of the left operand stays in the first-level cache
 * while the panels pass, which come from the second: of a core whose sibling thread is busy half the first-level cache
 * is another's, and a panel kept there instead was read anew for each tile (products with AVX-512 beside such a thread:
 * 65 % of the peak against 80 %, and the same without).
 */

#define PRODUCT_WIDTH (PRODUCT_VECTORS * VF_LANES)

/* Width of the panel that begins at a column: the last one is as narrow as whole vectors allow. */
ATTN_INLINE int64_t panel_width_at(int64_t column, int64_t columns) {
  int64_t rest = (columns - column + VF_LANES - 1) / VF_LANES * VF_LANES;
  return rest < PRODUCT_WIDTH ? rest : PRODUCT_WIDTH;
}

/* A tile of rows, at most PRODUCT_ROWS, and `width` columns. Strides of 1 are constants of the loops; by columns a turn
 * is one step, as in attention's products. */
static __attribute__((noinline)) void product_block(bool add, real *c, int64_t c_stride, const attn_operand *a,
                                                    const real *panel, int64_t width, int64_t depth, int64_t rows) {
  switch (width / VF_LANES) {
#define PRODUCT_OF(vectors)                                                                                \
  case vectors:                                                                                            \
    if (vectors > PRODUCT_VECTORS) break;                                                                  \
    if (a->step == 1)                                                                                      \
      product_slice((tile_shape){PRODUCT_ROWS, 1, vectors, PRODUCT_STEPS}, add, c, c_stride,               \
                    rows_of(PRODUCT_ROWS, a->data, a->row), panel, 0, vectors *VF_LANES, depth, rows);     \
    else                                                                                                   \
      product_slice((tile_shape){PRODUCT_ROWS, 1, vectors, 1}, add, c, c_stride,                           \
                    columns_of(PRODUCT_ROWS, a->data, a->step), panel, 0, vectors *VF_LANES, depth, rows); \
    break;
    PRODUCT_OF(1)
    PRODUCT_OF(2)
#if PRODUCT_VECTORS > 2
    PRODUCT_OF(3)
#endif
#if PRODUCT_VECTORS > 3
#error "add the widths of a wider tile"
#endif
#undef PRODUCT_OF
  }
}

/* The same where the columns fill no vector: through a block of whole ones. */
static void product_edge(bool add, real *c, int64_t c_stride, const attn_operand *a, const real *panel, int64_t columns,
                         int64_t depth, int64_t rows) {
  real block[PRODUCT_ROWS * PRODUCT_WIDTH];
  int64_t width = panel_width_at(0, columns);
  memset(block, 0, (size_t)(rows * width) * sizeof(real));
  for (int64_t r = 0; add && r < rows; r++) memcpy(block + r * width, c + r * c_stride, (size_t)columns * sizeof(real));
  product_block(add, block, width, a, panel, width, depth, rows);
  for (int64_t r = 0; r < rows; r++) memcpy(c + r * c_stride, block + r * width, (size_t)columns * sizeof(real));
}

static void product(void *c, int64_t c_stride, const attn_operand *a, const void *panels, int64_t depth, int64_t rows,
                    int64_t columns, bool add) {
  attn_operand operand = *a;
  for (int64_t r = 0; r < rows; r += PRODUCT_ROWS, operand.data = (const real *)operand.data + operand.tile) {
    int64_t count = rows - r < PRODUCT_ROWS ? rows - r : PRODUCT_ROWS;
    real *to = (real *)c + r * c_stride;
    for (int64_t column = 0; column < columns; column += PRODUCT_WIDTH) {
      const real *panel = (const real *)panels + column * depth;
      int64_t width = panel_width_at(column, columns);
      /* The next tile of a large C comes from afar, and its multiply-adds would wait for it: 10 % of a product of
       * 4192 x 768 x 600. */
      for (int64_t i = 0; column + PRODUCT_WIDTH < columns && i < count; i++)
        for (int v = 0; v < PRODUCT_VECTORS; v++)
          __builtin_prefetch(to + i * c_stride + column + PRODUCT_WIDTH + v * VF_LANES, 1);
      if (columns - column < width)
        product_edge(add, to + column, c_stride, &operand, panel, columns - column, depth, count);
      else
        product_block(add, to + column, c_stride, &operand, panel, width, depth, count);
    }
  }
}

static void pack_columns(void *dst, const void *src, int64_t stride, int64_t depth, int64_t rows) {
  const int64_t whole = rows / PRODUCT_ROWS, rest = rows % PRODUCT_ROWS, tile = depth * PRODUCT_ROWS;
  for (int64_t k = 0; k < depth; k++) {
    const real *from = (const real *)src + k * stride;
    real *to = (real *)dst + k * PRODUCT_ROWS;
    for (int64_t t = 0; t < whole; t++) memcpy(to + t * tile, from + t * PRODUCT_ROWS, PRODUCT_ROWS * sizeof(real));
    if (rest > 0) memcpy(to + whole * tile, from + whole * PRODUCT_ROWS, (size_t)rest * sizeof(real));
  }
}

static void pack_panels(void *dst, const void *src, int64_t stride, int64_t depth, int64_t columns) {
  for (int64_t k = 0; k < depth; k++) {
    const real *from = (const real *)src + k * stride;
    for (int64_t column = 0; column < columns; column += PRODUCT_WIDTH) {
      int64_t width = panel_width_at(column, columns);
      real *to = (real *)dst + column * depth + k * width;
      for (int64_t i = 0; i < width; i += VF_LANES) {
        int64_t rest = columns - column - i;
        vf_store(to + i,
                 rest < VF_LANES ? load_partial(from, REAL_TYPE, column + i, rest) : vf_load(from + column + i));
      }
    }
  }
}

static void pack_panels_transposed(void *dst, const void *src, int64_t stride, int64_t depth, int64_t columns) {
  for (int64_t column = 0; column < columns; column += VF_LANES) {
    int64_t first = column / PRODUCT_WIDTH * PRODUCT_WIDTH, width = panel_width_at(first, columns);
    int64_t present = columns - column < VF_LANES ? columns - column : VF_LANES;
    real *to = (real *)dst + first * depth + (column - first);
    const real *from = (const real *)src + column * stride;
    for (int64_t k = 0; k < depth; k += VF_LANES) {
      int64_t count = depth - k < VF_LANES ? depth - k : VF_LANES;
      vf block[VF_LANES];
      for (int i = 0; i < VF_LANES; i++)
        block[i] = i >= present        ? vf_set1(0)
                   : count == VF_LANES ? vf_load(from + i * stride + k)
                                       : load_partial(from + i * stride, REAL_TYPE, k, count);
      vf_transpose(block);
      for (int i = 0; i < count; i++) vf_store(to + (k + i) * width, block[i]);
    }
  }
}
