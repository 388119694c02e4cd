/*
 * The two matrix products, from one register tile: C (+)= A B over TILE_ROWS x PANEL_WIDTH, with A read a number at a
 * time (broadcast) and B a panel read with unit stride. Each element of C is one chain of multiply-adds in the order of
 * the depth, whatever the tile's height, so blocking changes no bits.
 */

ATTN_INLINE void product_tile(int rows, bool accumulate, real *c, int64_t c_stride, const real *a, int64_t a_stride,
                              const real *b, int64_t depth) {
  vf sum[TILE_ROWS][TILE_VECTORS];
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < TILE_VECTORS; v++)
      sum[r][v] = accumulate ? vf_load(c + r * c_stride + v * VF_LANES) : vf_set1(0);
  for (int64_t k = 0; k < depth; k++) {
    vf panel[TILE_VECTORS];
    for (int v = 0; v < TILE_VECTORS; v++) panel[v] = vf_load(b + k * PANEL_WIDTH + v * VF_LANES);
    for (int r = 0; r < rows; r++) {
      vf x = vf_set1(a[r * a_stride + k]);
      for (int v = 0; v < TILE_VECTORS; v++) sum[r][v] = vf_fma(x, panel[v], sum[r][v]);
    }
  }
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < TILE_VECTORS; v++) vf_store(c + r * c_stride + v * VF_LANES, sum[r][v]);
}

/* One slice of columns for any number of rows. */
ATTN_INLINE void product_slice(bool accumulate, real *c, int64_t c_stride, const real *a, int64_t a_stride,
                               const real *b, int64_t depth, int64_t rows) {
  int64_t r = 0;
  for (; r + TILE_ROWS <= rows; r += TILE_ROWS)
    product_tile(TILE_ROWS, accumulate, c + r * c_stride, c_stride, a + r * a_stride, a_stride, b, depth);
#define LAST_ROWS(count)                                                                                       \
  case count:                                                                                                  \
    product_tile(count, accumulate, c + r * c_stride, c_stride, a + r * a_stride, a_stride, b, depth);         \
    break;
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

static void scores(void *out, int64_t stride, const void *queries, int64_t dim, const void *key_panels, int64_t rows,
                   int64_t first, int64_t last) {
  for (int64_t slice = first; slice < last; slice++)
    product_slice(false, (real *)out + slice * PANEL_WIDTH, stride, (const real *)queries, dim,
                  (const real *)key_panels + slice * dim * PANEL_WIDTH, dim, rows);
}

static void accumulate(void *output, int64_t output_stride, const void *p, int64_t stride, const void *value_panels,
                       int64_t depth, int64_t rows, int64_t first, int64_t last, int64_t slices) {
  for (int64_t slice = 0; slice < slices; slice++)
    product_slice(true, (real *)output + slice * PANEL_WIDTH, output_stride, (const real *)p + first, stride,
                  (const real *)value_panels + (slice * depth + first) * PANEL_WIDTH, last - first, rows);
}
