#include "matmul.h"

#include <string.h>

#include "parallel.h"
#include "plan.h"
#include "scratch.h"
#include "view.h"

/*
 * A work item is a block of C. For each stretch of the depth it packs the panels of B that its columns need, and then
 * each panel, in the first-level cache, meets all rows of A, whose block stays in the second-level cache. Every element
 * of C is one chain of multiply-adds in the order of the depth, in memory between stretches: blocks change no bits, so
 * caches and threads may choose them.
 */

/* Rows of a block, and of a stretch of the depth, come in multiples of these. */
#define ROW_STEP ATTN_BLOCK_ROWS
#define DEPTH_STEP 16
#define LONGEST_DEPTH 256

/* Items enough, a thread, to keep all threads busy to the end, and what is too small to be divided for that. */
#define ENOUGH_ITEMS 8
#define LEAST_PANELS 2

typedef struct blocking {
  int64_t rows, columns, depth; /* of a block; columns a multiple of the panels' width */
  int64_t row_blocks, column_blocks;
} blocking;

typedef struct product_call {
  const attn_product *product;
  blocking blocks;
  int64_t thread_bytes;
  char *scratch;
} product_call;

static int64_t real_bytes(const attn_product *p) { return p->type == ATTN_F64 ? 8 : 4; }

static int64_t parts_of(int64_t size, int64_t part) { return (size + part - 1) / part; }

/* `size` in `parts` parts of one length, a multiple of `step`. */
static int64_t even(int64_t size, int64_t parts, int64_t step) {
  return attn_round_up(attn_max(1, parts_of(size, attn_max(1, parts))), step);
}

static void count_blocks(const attn_product *p, blocking *b) {
  b->row_blocks = parts_of(p->m, b->rows);
  b->column_blocks = parts_of(p->n, b->columns);
}

/* Halves the longer side: the shorter one is how often what was packed is used. False where both are short. */
static bool halve(const attn_product *p, blocking *b) {
  int64_t width = p->kernels->panel_width;
  bool rows = b->rows > 2 * ROW_STEP, columns = b->columns > LEAST_PANELS * width;
  if (rows && (!columns || b->rows > b->columns))
    b->rows = even(p->m, 2 * b->row_blocks, ROW_STEP);
  else if (columns)
    b->columns = even(p->n, 2 * b->column_blocks, width);
  count_blocks(p, b);
  return rows || columns;
}

static blocking blocking_of(const attn_product *p) {
  int64_t bytes = real_bytes(p), width = p->kernels->panel_width;
  int64_t depth = attn_cache_bytes(1) * 3 / 4 / (width * bytes) / DEPTH_STEP * DEPTH_STEP;
  depth = attn_max(DEPTH_STEP, attn_min(LONGEST_DEPTH, depth));
  blocking b = {.depth = even(p->k, parts_of(p->k, depth), DEPTH_STEP)};
  int64_t quarter = attn_cache_bytes(2) / 4 / (b.depth * bytes);
  b.rows = even(p->m, parts_of(p->m, attn_max(ROW_STEP, quarter / ROW_STEP * ROW_STEP)), ROW_STEP);
  b.columns = even(p->n, parts_of(p->n, attn_max(width, quarter / width * width)), width);
  count_blocks(p, &b);
  /* A block of C that is read and written for each stretch stays in the second-level cache too. */
  int64_t most = p->k > b.depth ? attn_cache_bytes(2) / 4 / bytes : INT64_MAX;
  int64_t enough = p->threads > 1 ? ENOUGH_ITEMS * (int64_t)p->threads : 1;
  while (b.rows * b.columns > most || b.row_blocks * b.column_blocks < enough)
    if (!halve(p, &b)) break;
  return b;
}

/* Scratch of a thread: panels of B, a block of transposed A, the last columns of C where they fill no panel, pointers to
 * rows of B. */
typedef struct product_tiles {
  char *panels, *a, *c;
  const void **rows;
} product_tiles;

static product_tiles tiles_at(const attn_product *p, const blocking *b, char *memory, int64_t *end) {
  int64_t bytes = real_bytes(p), at = 0;
  const int64_t sizes[] = {b->depth * b->columns * bytes, p->transpose_a ? b->depth * b->rows * bytes : 0,
                           b->rows * p->kernels->panel_width * bytes,
                           attn_max(b->depth, b->columns) * (int64_t)sizeof(void *)};
  char *parts[4];
  for (int i = 0; i < 4; i++) {
    parts[i] = memory ? memory + at : NULL;
    at += attn_round_up(sizes[i], ATTN_SCRATCH_ALIGNMENT);
  }
  if (end) *end = at;
  return (product_tiles){parts[0], parts[1], parts[2], (const void **)(void *)parts[3]};
}

static int64_t thread_bytes(const attn_product *p, const blocking *b) {
  int64_t end;
  tiles_at(p, b, NULL, &end);
  return end;
}

static int threads_for(const attn_product *p, const blocking *b) {
  return (int)attn_max(1, attn_min(p->threads, b->row_blocks * b->column_blocks));
}

int64_t attn_product_bytes(const attn_product *p) {
  blocking b = blocking_of(p);
  return thread_bytes(p, &b) * threads_for(p, &b);
}

/* Panels of op(B), rows [depth, depth + count) and columns [column, column + columns). */
static void pack_panels(const attn_product *p, product_tiles *t, int64_t depth, int64_t count, int64_t column,
                        int64_t columns) {
  int64_t bytes = real_bytes(p);
  if (p->transpose_b) {
    for (int64_t j = 0; j < columns; j++) t->rows[j] = p->b + ((column + j) * p->ldb + depth) * bytes;
    p->kernels->pack_keys(t->panels, t->rows, p->type, columns, count);
  } else {
    for (int64_t i = 0; i < count; i++) t->rows[i] = p->b + ((depth + i) * p->ldb + column) * bytes;
    p->kernels->pack_rows(t->panels, t->rows, p->type, count, count, columns);
  }
}

/* op(A), rows [row, row + rows) and columns [depth, depth + count). */
static attn_operand left_operand(const attn_product *p, product_tiles *t, int64_t row, int64_t rows, int64_t depth,
                                 int64_t count) {
  int64_t bytes = real_bytes(p), tile = p->kernels->tile_rows;
  if (!p->transpose_a) return (attn_operand){p->a + (row * p->lda + depth) * bytes, tile * p->lda, p->lda, 1};
  /* Each number of the depth lies a row of A apart, often on a page of its own. */
  p->kernels->pack_columns(t->a, p->a + (depth * p->lda + row) * bytes, p->lda, count, rows);
  return (attn_operand){t->a, tile * count, 1, tile};
}

static void copy_rows(char *to, int64_t to_stride, const char *from, int64_t from_stride, int64_t rows, int64_t bytes) {
  for (int64_t r = 0; r < rows; r++) memcpy(to + r * to_stride, from + r * from_stride, (size_t)bytes);
}

static void product_item(void *context, int thread, int64_t index) {
  const product_call *call = context;
  const attn_product *p = call->product;
  const blocking *b = &call->blocks;
  int64_t bytes = real_bytes(p), width = p->kernels->panel_width;
  int64_t row = index / b->column_blocks * b->rows, column = index % b->column_blocks * b->columns;
  int64_t rows = attn_min(b->rows, p->m - row), columns = attn_min(b->columns, p->n - column);
  int64_t whole = columns / width, rest = columns % width, pitch = p->ldc * bytes;
  product_tiles t = tiles_at(p, b, call->scratch + thread * call->thread_bytes, NULL);
  char *c = p->c + (row * p->ldc + column) * bytes, *last = c + whole * width * bytes;

  if (rest > 0) memset(t.c, 0, (size_t)(rows * width * bytes));
  if (rest > 0 && p->accumulate) copy_rows(t.c, width * bytes, last, pitch, rows, rest * bytes);
  for (int64_t depth = 0; depth < attn_max(1, p->k); depth += b->depth) {
    int64_t count = attn_min(b->depth, p->k - depth);
    bool accumulate = p->accumulate || depth > 0;
    attn_operand operand = {t.panels, 0, 0, 0};
    /* Without depth the operands may have no memory. */
    if (count > 0) {
      pack_panels(p, &t, depth, count, column, columns);
      operand = left_operand(p, &t, row, rows, depth, count);
    }
    p->kernels->product(c, p->ldc, &operand, t.panels, count, rows, whole, accumulate);
    if (rest > 0)
      p->kernels->product(t.c, width, &operand, t.panels + whole * count * width * bytes, count, rows, 1, true);
  }
  if (rest > 0) copy_rows(last, pitch, t.c, width * bytes, rows, rest * bytes);
}

void attn_product_run(const attn_product *p, char *scratch) {
  product_call call = {.product = p, .blocks = blocking_of(p), .scratch = scratch};
  call.thread_bytes = thread_bytes(p, &call.blocks);
  attn_parallel(threads_for(p, &call.blocks), call.blocks.row_blocks * call.blocks.column_blocks, product_item, &call);
}
