#include "matmul.h"

#include <string.h>

#include "parallel.h"
#include "scratch.h"
#include "view.h"

/* A work item is a block of C; its panels of B, 256 x 128 floats, stay in the level-2 cache while rows of A pass. */
#define BLOCK_ROWS 192
#define BLOCK_COLUMNS 128
#define BLOCK_DEPTH 256

typedef struct product_call {
  const attn_product *product;
  char *scratch;
} product_call;

static int64_t real_bytes(const attn_product *p) { return p->type == ATTN_F64 ? 8 : 4; }

/* Scratch of a thread: the block of C, the panels of B, pointers to rows of B. */
typedef struct product_tiles {
  char *c, *panels;
  const void **rows;
} product_tiles;

static product_tiles tiles_at(const attn_product *p, char *memory, int64_t *end) {
  int64_t bytes = real_bytes(p), at = 0;
  const int64_t sizes[] = {BLOCK_ROWS * BLOCK_COLUMNS * bytes, BLOCK_DEPTH * BLOCK_COLUMNS * bytes,
                           BLOCK_DEPTH * (int64_t)sizeof(void *)};
  char *parts[3];
  for (int i = 0; i < 3; i++) {
    parts[i] = memory ? memory + at : NULL;
    at += attn_round_up(sizes[i], ATTN_SCRATCH_ALIGNMENT);
  }
  if (end) *end = at;
  return (product_tiles){parts[0], parts[1], (const void **)(void *)parts[2]};
}

int64_t attn_product_thread_bytes(const attn_product *p) {
  int64_t end;
  tiles_at(p, NULL, &end);
  return end;
}

static int64_t blocks(int64_t size, int64_t block) { return (size + block - 1) / block; }

int64_t attn_product_items(const attn_product *p) { return blocks(p->m, BLOCK_ROWS) * blocks(p->n, BLOCK_COLUMNS); }

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

static void product_item(void *context, int thread, int64_t index) {
  const product_call *call = context;
  const attn_product *p = call->product;
  const attn_kernels *k = p->kernels;
  int64_t bytes = real_bytes(p), column_blocks = blocks(p->n, BLOCK_COLUMNS);
  int64_t row = index / column_blocks * BLOCK_ROWS, column = index % column_blocks * BLOCK_COLUMNS;
  int64_t rows = attn_min(BLOCK_ROWS, p->m - row), columns = attn_min(BLOCK_COLUMNS, p->n - column);
  int64_t stride = attn_round_up(columns, k->panel_width);
  product_tiles t = tiles_at(p, call->scratch + thread * attn_product_thread_bytes(p), NULL);

  for (int64_t r = 0; r < rows; r++) {
    char *line = t.c + r * stride * bytes;
    memset(line, 0, (size_t)(stride * bytes));
    if (p->accumulate) memcpy(line, p->c + ((row + r) * p->ldc + column) * bytes, (size_t)(columns * bytes));
  }
  for (int64_t depth = 0; depth < p->k; depth += BLOCK_DEPTH) {
    int64_t count = attn_min(BLOCK_DEPTH, p->k - depth);
    pack_panels(p, &t, depth, count, column, columns);
    if (p->transpose_a)
      k->product(t.c, stride, p->a + (depth * p->lda + row) * bytes, 1, p->lda, t.panels, count, rows,
                 stride / k->panel_width);
    else
      k->product(t.c, stride, p->a + (row * p->lda + depth) * bytes, p->lda, 1, t.panels, count, rows,
                 stride / k->panel_width);
  }
  for (int64_t r = 0; r < rows; r++)
    memcpy(p->c + ((row + r) * p->ldc + column) * bytes, t.c + r * stride * bytes, (size_t)(columns * bytes));
}

void attn_product_run(const attn_product *product, int threads, char *scratch) {
  product_call call = {product, scratch};
  attn_parallel(threads, attn_product_items(product), product_item, &call);
}
