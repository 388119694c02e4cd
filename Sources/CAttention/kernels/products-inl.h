/*
 * The register tile of all matrix products: C (+)= A B over a few rows and vectors, with A read a number at a time
 * (broadcast) and B in panels read with unit stride. Each element of C is one chain of multiply-adds in the order of
 * the depth, whatever the tile, so blocking changes no bits. What is not added to begins with a product, not with 0: a
 * sum of zeros alone may be -0.
 */

/* Rows of the tile that reaches over two panels of attention's products. It reads 7 vectors and numbers for 12
 * multiply-adds where 6 x 2 reads 8: the same alone, 5 to 8 % faster beside a busy sibling thread of the core (AVX2,
 * products of 48 x 96 x 96 within the second-level cache). 4 x 3, which reads as much, and 2 x 6 were 1 to 10 % slower
 * than 6 x 2 there. */
#define PAIR_ROWS (TILE_ROWS / 2)
_Static_assert(TILE_VECTORS % 2 == 0, "panels are halved");

#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define MOST_ROWS LARGER(TILE_ROWS, PRODUCT_ROWS)
#define MOST_VECTORS LARGER(2 * TILE_VECTORS, PRODUCT_VECTORS)

/* Rows of A that share a pointer, by which the others are addressed. A pointer a row was an addition a row and step: 53
 * instructions for 24 multiply-adds, and two thirds of the peak beside a busy sibling thread of the core. */
#define ROW_GROUP 3
#define MOST_GROUPS ((MOST_ROWS + ROW_GROUP - 1) / ROW_GROUP)

/* What a tile covers and how its loop turns: `rows` by `panels` panels (1 or 2) of `vectors` vectors, `steps` steps of
 * the depth a turn (1, 2 or 4). */
typedef struct tile_shape {
  int rows, panels, vectors, steps;
} tile_shape;

/* Step k of the depth from where the pointers stand, added to the sums, or in their place where it is the first. Of the
 * two operands the one with fewer numbers is kept in registers and the other one comes a register at a time. */
ATTN_INLINE void product_step(int k, bool first, tile_shape t, vf sum[MOST_ROWS][MOST_VECTORS], const real *const *a,
                              int64_t a_row, int64_t a_step, const real *const *b, int64_t b_step) {
  const int width = t.panels * t.vectors;
  vf left[MOST_ROWS], right[MOST_VECTORS];
#define LEFT(r) vf_set1(a[(r) / ROW_GROUP][(r) % ROW_GROUP * a_row + k * a_step])
#define RIGHT(v) vf_load(b[(v) / t.vectors] + k * b_step + (v) % t.vectors * VF_LANES)
#define ADD(r, v) sum[r][v] = first ? vf_mul(left[r], right[v]) : vf_fma(left[r], right[v], sum[r][v])
  if (t.rows < width) {
    for (int r = 0; r < t.rows; r++) left[r] = LEFT(r);
    for (int v = 0; v < width; v++) {
      right[v] = RIGHT(v);
      for (int r = 0; r < t.rows; r++) ADD(r, v);
    }
  } else {
    for (int v = 0; v < width; v++) right[v] = RIGHT(v);
    for (int r = 0; r < t.rows; r++) {
      left[r] = LEFT(r);
      for (int v = 0; v < width; v++) ADD(r, v);
    }
  }
#undef ADD
#undef LEFT
#undef RIGHT
}

/* Element (r, k) of A is a[r * a_row + k * a_step]; row k of panel p of B starts at b + p * b_panel + k * b_step. */
ATTN_INLINE void product_tile(tile_shape t, bool accumulate, real *c, int64_t c_stride, const real *a, int64_t a_row,
                              int64_t a_step, const real *b, int64_t b_panel, int64_t b_step, int64_t depth) {
  const int width = t.panels * t.vectors, groups = (t.rows + ROW_GROUP - 1) / ROW_GROUP;
  vf sum[MOST_ROWS][MOST_VECTORS];
  const real *group[MOST_GROUPS], *panel[2];
  for (int g = 0; g < groups; g++) {
    group[g] = a + g * ROW_GROUP * a_row;
    /* Clang would make one pointer of them again. */
    __asm__("" : "+r"(group[g]));
  }
  for (int p = 0; p < t.panels; p++) {
    panel[p] = b + p * b_panel;
    __asm__("" : "+r"(panel[p]));
  }
  /* What is left of the depth beside whole turns goes first, so that the first step is in the turn or before it. */
  int64_t turns = depth / t.steps, single = depth % t.steps;
#define STEP(k, first) product_step(k, first, t, sum, group, a_row, a_step, panel, b_step)
#define MOVE(count)                                            \
  for (int g = 0; g < groups; g++) group[g] += (count)*a_step; \
  for (int p = 0; p < t.panels; p++) panel[p] += (count)*b_step
#define TURN(first)                \
  STEP(0, first);                  \
  if (t.steps > 1) STEP(1, false); \
  if (t.steps > 2) {               \
    STEP(2, false);                \
    STEP(3, false);                \
  }                                \
  MOVE(t.steps)
  if (accumulate || depth <= 0) {
    for (int r = 0; r < t.rows; r++)
      for (int v = 0; v < width; v++) sum[r][v] = accumulate ? vf_load(c + r * c_stride + v * VF_LANES) : vf_set1(0);
  } else if (single == 0) {
    /* Sums that are made by the first step need not be zeroed: 1 % of forward, D = 64 (AVX2, Zen 3). */
    TURN(true);
    turns--;
  } else {
    STEP(0, true);
    MOVE(1);
    single--;
  }
  for (; single > 0; single--) {
    STEP(0, false);
    MOVE(1);
  }
  for (; turns > 0; turns--) {
    TURN(false);
  }
#undef TURN
#undef MOVE
#undef STEP
  for (int r = 0; r < t.rows; r++)
    for (int v = 0; v < width; v++) vf_store(c + r * c_stride + v * VF_LANES, sum[r][v]);
}

/* The columns of a tile for any number of rows: tiles one below the other, whose rows of A are `tile` from those of the
 * one before; the last one, lower, takes a step a turn. */
ATTN_INLINE void product_slice(tile_shape t, bool accumulate, real *c, int64_t c_stride, attn_operand operand,
                               const real *b, int64_t b_panel, int64_t b_step, int64_t depth, int64_t rows) {
  int64_t r = 0, row = operand.row, step = operand.step;
  const real *a = (const real *)operand.data;
  for (; r + t.rows <= rows; r += t.rows, a += operand.tile)
    product_tile(t, accumulate, c + r * c_stride, c_stride, a, row, step, b, b_panel, b_step, depth);
#define LAST_ROWS(count)                                                                                              \
  case count:                                                                                                         \
    if (count < t.rows)                                                                                               \
      product_tile((tile_shape){count, t.panels, t.vectors, 1}, accumulate, c + r * c_stride, c_stride, a, row, step, \
                   b, b_panel, b_step, depth);                                                                        \
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

/* The left operand by rows, whose numbers lie one behind the other, or by columns, for tiles of `height` rows. */
ATTN_INLINE attn_operand rows_of(int height, const void *a, int64_t stride) {
  return (attn_operand){a, height * stride, stride, 1};
}

ATTN_INLINE attn_operand columns_of(int height, const void *a, int64_t stride) {
  return (attn_operand){a, height, 1, stride};
}

/* Panels from `first` on up to column `columns`: in twos, and what is left alone. Of the last panel the second half is
 * left out where no column is in it. The two kinds of operands are constants of the loops. By columns a turn is one
 * step: with four, and at -O2 with two, Clang 21 loads the operands of all of them before the first multiply-add and
 * keeps up to 76 vectors on the stack, half of the peak with AVX-512 (backward 1.2 to 1.5 times as long; registers.py
 * of the tests looks for that). GCC is at most 0.7 % of backward faster with four. */
ATTN_INLINE void product_panels(bool accumulate, real *c, int64_t c_stride, bool by_rows, const real *a, int64_t stride,
                                const real *b, int64_t b_panel, int64_t b_step, int64_t depth, int64_t rows,
                                int64_t first, int64_t columns) {
  const tile_shape two = {PAIR_ROWS, 2, TILE_VECTORS, by_rows ? PAIR_STEPS : 1};
  const tile_shape one = {TILE_ROWS, 1, TILE_VECTORS, by_rows ? TILE_STEPS : 1};
  const tile_shape half = {TILE_ROWS, 1, TILE_VECTORS / 2, by_rows ? TILE_STEPS : 1};
  const attn_operand in_twos = by_rows ? rows_of(PAIR_ROWS, a, stride) : columns_of(PAIR_ROWS, a, stride);
  const attn_operand alone = by_rows ? rows_of(TILE_ROWS, a, stride) : columns_of(TILE_ROWS, a, stride);
  int64_t p = first, whole = (columns + PANEL_WIDTH / 2 - 1) / PANEL_WIDTH;
#define SLICE(shape, operand)                                                                                       \
  product_slice(shape, accumulate, c + p * PANEL_WIDTH, c_stride, operand, b + p * b_panel, b_panel, b_step, depth, \
                rows)
  for (; p + 2 <= whole; p += 2) SLICE(two, in_twos);
  for (; p < whole; p++) SLICE(one, alone);
  if (p * PANEL_WIDTH < columns) SLICE(half, alone);
#undef SLICE
}

static void scores(void *out, int64_t stride, const void *queries, int64_t query_stride, int64_t dim,
                   const void *key_panels, int64_t rows, int64_t first, int64_t columns) {
  product_panels(false, (real *)out, stride, true, (const real *)queries, query_stride, (const real *)key_panels,
                 dim * PANEL_WIDTH, PANEL_WIDTH, dim, rows, first, columns);
}

static void accumulate(void *output, int64_t output_stride, const void *p, int64_t stride, const void *value_panels,
                       int64_t depth, int64_t rows, int64_t first, int64_t last, int64_t columns) {
  product_panels(true, (real *)output, output_stride, true, (const real *)p + first, stride,
                 (const real *)value_panels + first * PANEL_WIDTH, depth * PANEL_WIDTH, PANEL_WIDTH, last - first, rows,
                 0, columns);
}

static void accumulate_transposed(void *output, int64_t output_stride, const void *p, int64_t stride, int64_t first,
                                  int64_t last, const void *b, int64_t b_stride, int64_t rows, int64_t columns) {
  product_panels(true, (real *)output + first * output_stride, output_stride, false, (const real *)p + first, stride,
                 (const real *)b, PANEL_WIDTH, b_stride, rows, last - first, 0, columns);
}
