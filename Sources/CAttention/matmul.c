#include "matmul.h"

#include "parallel.h"
#include "plan.h"
#include "scratch.h"
#include "view.h"

/*
 * A work item is a block of C. For each stretch of the depth it packs its columns of B, which then stay in the
 * second-level cache, and passes over its rows of A: a tile of them, in the first-level cache, meets all panels. Rows of
 * A are read where they lie, columns of it packed a strip of rows at a time. Every element of C is one chain of
 * multiply-adds in the order of the depth, in memory between stretches: blocks change no bits, so caches and threads may
 * choose them.
 */

/* A stretch of the depth is a multiple of the one, and of the others C is passed over seldom enough. With 512 instead of
 * 768 a product of 544 x 4180 x 768 took 2 % longer; with 768 where A is transposed, one of 4180 x 768 x 544 took 3 %. */
#define DEPTH_STEP 16
#define LONGEST_DEPTH 768
#define LONGEST_DEPTH_TRANSPOSED 512

/* Items enough, a thread, to keep all threads busy to the end, and what is too small to be divided for that. Small blocks
 * pack more: 4 items a thread took 5 to 9 % longer over products of 256 columns. */
#define ENOUGH_ITEMS 2
#define LEAST_ROWS 48
#define LEAST_PANELS 2

typedef struct blocking {
  int64_t rows, columns, depth; /* of a block; rows and columns multiples of the register tile's */
  int64_t strip;                /* rows of transposed A packed at a time */
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

/* `size` in equal parts of at most `most`, but for rounding up to a multiple of `step`. */
static int64_t even(int64_t size, int64_t most, int64_t step) {
  int64_t parts = attn_max(1, parts_of(size, attn_max(step, most / step * step)));
  return attn_round_up(attn_max(1, parts_of(size, parts)), step);
}

static void count_blocks(const attn_product *p, blocking *b) {
  b->row_blocks = parts_of(p->m, b->rows);
  b->column_blocks = parts_of(p->n, b->columns);
}

/* Halves the longer side: the shorter one is how often what was packed is used. False where both are short. */
static bool halve(const attn_product *p, blocking *b) {
  int64_t width = p->kernels->product_width;
  bool rows = b->rows >= 2 * LEAST_ROWS, columns = b->columns >= 2 * LEAST_PANELS * width;
  if (rows && (!columns || b->rows > b->columns))
    b->rows = even(p->m, b->rows / 2, p->kernels->product_rows);
  else if (columns)
    b->columns = even(p->n, b->columns / 2, width);
  count_blocks(p, b);
  return rows || columns;
}

/* A number of blocks that leaves no thread waiting for the last of them: 7 on two threads are 4 against 3, and took 6 %
 * longer than 8 (544 x 4180 x 768). */
static void even_out(const attn_product *p, blocking *b) {
  int64_t over = b->row_blocks * b->column_blocks % p->threads, width = p->kernels->product_width;
  if (b->row_blocks > 1 || over == 0 || b->column_blocks < p->threads) return;
  int64_t blocks = b->column_blocks + p->threads - over;
  b->columns = attn_round_up(parts_of(p->n, blocks), width);
  count_blocks(p, b);
}

static blocking blocking_of(const attn_product *p) {
  int64_t bytes = real_bytes(p), height = p->kernels->product_rows, width = p->kernels->product_width;
  int64_t tile_depth = attn_cache_bytes(1) / 2 / (height * bytes);
  blocking b = {
      .depth = even(p->k, attn_min(p->transpose_a ? LONGEST_DEPTH_TRANSPOSED : LONGEST_DEPTH, tile_depth), DEPTH_STEP)};
  b.columns = even(p->n, attn_cache_bytes(2) / 2 / (b.depth * bytes), width);
  b.rows = even(p->m, p->m, height);
  count_blocks(p, &b);
  int64_t enough = p->threads > 1 ? ENOUGH_ITEMS * (int64_t)p->threads : 1;
  while (b.row_blocks * b.column_blocks < enough)
    if (!halve(p, &b)) break;
  even_out(p, &b);
  b.strip = even(b.rows, attn_cache_bytes(2) / 8 / (b.depth * bytes), height);
  return b;
}

/* Scratch of a thread: panels of B and a strip of transposed A. */
typedef struct product_tiles {
  char *panels, *a;
} product_tiles;

static product_tiles tiles_at(const attn_product *p, const blocking *b, char *memory, int64_t *end) {
  int64_t bytes = real_bytes(p), panels = attn_round_up(b->depth * b->columns * bytes, ATTN_SCRATCH_ALIGNMENT);
  int64_t strip = p->transpose_a ? attn_round_up(b->depth * b->strip * bytes, ATTN_SCRATCH_ALIGNMENT) : 0;
  if (end) *end = panels + strip;
  return (product_tiles){memory, memory ? memory + panels : NULL};
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

/* op(B), rows [depth, depth + count) and columns [column, column + columns). */
static void pack_right(const attn_product *p, char *panels, int64_t depth, int64_t count, int64_t column,
                       int64_t columns) {
  int64_t bytes = real_bytes(p);
  if (p->transpose_b)
    p->kernels->pack_panels_transposed(panels, p->b + (column * p->ldb + depth) * bytes, p->ldb, count, columns);
  else
    p->kernels->pack_panels(panels, p->b + (depth * p->ldb + column) * bytes, p->ldb, count, columns);
}

/* op(A), rows [row, row + rows) and columns [depth, depth + count). */
static attn_operand left_operand(const attn_product *p, char *packed, int64_t row, int64_t rows, int64_t depth,
                                 int64_t count) {
  int64_t bytes = real_bytes(p), height = p->kernels->product_rows;
  if (!p->transpose_a) return (attn_operand){p->a + (row * p->lda + depth) * bytes, height * p->lda, p->lda, 1};
  /* Each number of the depth lies a row of A apart, often on a page of its own. */
  p->kernels->pack_columns(packed, p->a + (depth * p->lda + row) * bytes, p->lda, count, rows);
  return (attn_operand){packed, height * count, 1, height};
}

static void product_item(void *context, int thread, int64_t index) {
  const product_call *call = context;
  const attn_product *p = call->product;
  const blocking *b = &call->blocks;
  int64_t row = index / b->column_blocks * b->rows, column = index % b->column_blocks * b->columns;
  int64_t end = attn_min(p->m, row + b->rows), columns = attn_min(b->columns, p->n - column);
  product_tiles t = tiles_at(p, b, call->scratch + thread * call->thread_bytes, NULL);
  for (int64_t depth = 0; depth < attn_max(1, p->k); depth += b->depth) {
    int64_t count = attn_min(b->depth, p->k - depth);
    /* Without depth the operands may have no memory. */
    if (count > 0) pack_right(p, t.panels, depth, count, column, columns);
    int64_t step = p->transpose_a ? b->strip : b->rows;
    for (int64_t strip = row; strip < end; strip += step) {
      int64_t rows = attn_min(step, end - strip);
      attn_operand operand = {t.panels, 0, 0, 1};
      if (count > 0) operand = left_operand(p, t.a, strip, rows, depth, count);
      p->kernels->product(p->c + (strip * p->ldc + column) * real_bytes(p), p->ldc, &operand, t.panels, count, rows,
                          columns, p->accumulate || depth > 0);
    }
  }
}

void attn_product_run(const attn_product *p, char *scratch) {
  product_call call = {.product = p, .blocks = blocking_of(p), .scratch = scratch};
  call.thread_bytes = thread_bytes(p, &call.blocks);
  attn_parallel(threads_for(p, &call.blocks), call.blocks.row_blocks * call.blocks.column_blocks, product_item, &call);
}
